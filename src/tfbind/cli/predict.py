"""Score sequences: a table of id, start, end, one column a factor, and a note.

A record of the model's length or shorter gives one row, a longer one a row for each window. The note says
why a score is NA (too_short: under 10 bases, ambiguous: no unambiguous base) or that a record was padded.
Scores are calibrated probabilities among sequences such as those that the model was trained on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tfbind.cli.arguments import add_output, add_threads, positive_int, share
from tfbind.errors import TfbindError
from tfbind.inference import ENGINES, PRECISIONS


def register_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb ``predict``."""
    parser = subparsers.add_parser(
        "predict",
        help="score sequences, genomes or peaks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--model", type=Path, required=True, metavar="FILE.keras", help="from tfbind train")
    inputs = parser.add_argument_group("input: --fasta, or --peaks and --genome")
    inputs.add_argument("--fasta", type=Path, metavar="FASTA", help="records of any length")
    inputs.add_argument(
        "--peaks", type=Path, metavar="BED", help="BED, narrowPeak or broadPeak: windows round summits"
    )
    inputs.add_argument("--genome", type=Path, metavar="FASTA", help="the genome that the peaks lie in")
    parser.add_argument(
        "--stride",
        type=positive_int,
        metavar="N",
        help="bases from window to window (default: the model's length)",
    )
    parser.add_argument("--best", action="store_true", help="each record's highest window only")
    parser.add_argument(
        "--prevalence",
        type=share,
        metavar="P",
        help="bound share of what is scored, such as 0.001 for a genome's windows"
        " (default: as in training; not for models trained on made-up negatives)",
    )
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default="auto",
        help="default %(default)s: keras on a GPU, else openvino, which is faster on a CPU",
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="f32",
        help="bf16 is faster on processors that have it (openvino only; default %(default)s)",
    )
    parser.add_argument(
        "--batch-size",
        type=positive_int,
        default=512,
        metavar="N",
        help="windows at a time (default %(default)s)",
    )
    add_threads(parser)
    add_output(parser, "the table; gzip where the name ends in .gz", "FILE.tsv[.gz]")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Score and write the table."""
    regions = (args.peaks, args.genome)
    if (args.fasta and any(regions)) or not (args.fasta or all(regions)):
        raise TfbindError("expected either --fasta, or --peaks and --genome")
    if args.peaks and (args.stride or args.best):
        raise TfbindError("a peak has one window, so --stride and --best go with --fasta")
    from tfbind.binding.model import BindingModel
    from tfbind.binding.prediction import predict, windows_of_fasta, windows_of_peaks

    model = BindingModel(
        args.model,
        engine=args.engine,
        precision=args.precision,
        threads=args.threads,
        prevalence=args.prevalence,
    )
    length = model.card.encoding.length
    if args.peaks:
        windows = windows_of_peaks(args.peaks, args.genome, length)
    else:
        windows = windows_of_fasta(args.fasta, length, args.stride or length)
    predict(model, windows, args.output, best=args.best, batch_size=args.batch_size)
