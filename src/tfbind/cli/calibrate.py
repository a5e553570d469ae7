"""Calibrate a model for scans of a genome, so that the probabilities and q-values of sites hold there.

A model's probabilities hold among sequences such as those it was trained on, and a genome has far fewer bound windows.
This scans the contigs that validated the model whole, compares the sites with the peaks, and writes the model with
what it finds. tfbind predict --sites and evaluate --genome use it. The network stays as it is.

  tfbind encode --peaks p.bed --genome g.fa --validation-contigs XIII,XV --test-contigs IV,VII -o t.h5
  tfbind train t.h5 -o m.keras
  tfbind calibrate --model m.keras --tensors t.h5 --peaks p.bed --genome g.fa -o calibrated.keras
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tfbind.cli.arguments import (
    add_output,
    add_peak_format,
    add_threads,
    check_model_name,
    number_of_factor,
    positive_int,
)


def register_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb ``calibrate``."""
    parser = subparsers.add_parser(
        "calibrate",
        help="make probabilities of sites hold in a genome",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--model", type=Path, required=True, metavar="FILE.keras", help="from tfbind train")
    parser.add_argument(
        "--tensors",
        type=Path,
        required=True,
        metavar="FILE.h5",
        help="what it was trained on; says which contigs were held out",
    )
    parser.add_argument(
        "--peaks", type=Path, required=True, metavar="BED", help="the peaks, as for tfbind encode"
    )
    add_peak_format(parser)
    parser.add_argument(
        "--genome", type=Path, required=True, metavar="FASTA", help="the genome that the peaks are in"
    )
    parser.add_argument(
        "--factor", metavar="NAME", help="whose peaks they are, for a model of several factors"
    )
    parser.add_argument(
        "--tolerance",
        type=positive_int,
        default=50,
        metavar="BP",
        help="distance of a site's summit from its peak at the most (default %(default)s)",
    )
    add_threads(parser)
    add_output(parser, "the model with the calibration", "FILE.keras")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Calibrate and write the model."""
    check_model_name(args.output)
    from tfbind.binding.evaluation.site_calibration import calibrate_sites
    from tfbind.binding.model.model import BindingModel

    model = BindingModel(args.model, threads=args.threads)
    calibrate_sites(
        model,
        args.tensors,
        args.genome,
        args.peaks,
        args.output,
        factor=number_of_factor(args.factor, model.card.tasks, args.model),
        tolerance=args.tolerance,
        peak_format=args.peak_format,
    )
