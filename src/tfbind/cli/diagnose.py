"""Find out which recurrent cell remembers, and which learning rate to train with.

For each cell a plain network, which reads each sequence from left to right and judges it by its last state, is
trained briefly; gradients.tsv (cell, step, norm, n) and gradients.svg show the norm of the gradient of the loss
by the state at each step, mean over the validation part: who forgets, and how fast. A learning-rate range test
(Smith 2017) of --architecture leaves learning_rate.tsv (rate, loss, smoothed) and learning_rate.svg. What both
come to is in diagnosis.json; where the loss did not fall no rate is proposed (null).
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from tfbind.binding.options import DEFAULT_ARCHITECTURE, DEFAULT_KMER_ARCHITECTURE
from tfbind.cli.arguments import add_output_folder, add_seed, add_threads, names, positive_float, positive_int
from tfbind.networks.spec import ARCHITECTURES, CELLS, make_spec
from tfbind.training.options import FitOptions


def cells(text: str) -> tuple[str, ...]:
    """Argument type: names of cells separated by commas."""
    found = names(text)
    for name in found:
        if name not in CELLS:
            raise argparse.ArgumentTypeError(f"found {name!r}, expected names out of {', '.join(CELLS)}")
    return found


def register_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb ``diagnose``."""
    parser = subparsers.add_parser(
        "diagnose",
        help="gradients through time by cell, and a learning rate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("tensors", type=Path, metavar="TENSORS.h5", help="from tfbind encode")
    gradients = parser.add_argument_group("gradients through time")
    gradients.add_argument(
        "--cell", type=cells, default=CELLS, metavar="NAME[,NAME...]", help=f"default {','.join(CELLS)}"
    )
    gradients.add_argument(
        "--units", type=positive_int, default=32, metavar="N", help="of the one layer (default %(default)s)"
    )
    gradients.add_argument(
        "--epochs", type=positive_int, default=2, metavar="N", help="for each cell (default %(default)s)"
    )
    gradients.add_argument(
        "--learning-rate",
        type=positive_float,
        default=3e-4,
        metavar="X",
        help="of these epochs (default %(default)s)",
    )
    rate = parser.add_argument_group("learning-rate range test")
    rate.add_argument(
        "--architecture",
        choices=sorted(name for name in ARCHITECTURES if make_spec(name, length=1).layers),
        help=f"default {DEFAULT_ARCHITECTURE}, or {DEFAULT_KMER_ARCHITECTURE} where the tensors are k-mers",
    )
    rate.add_argument(
        "--steps",
        type=positive_int,
        default=300,
        metavar="N",
        help="while the rate rises from 1e-5 to 10 (default %(default)s)",
    )
    parser.add_argument(
        "--batch-size",
        type=positive_int,
        default=FitOptions().batch_size,
        metavar="N",
        help="default %(default)s",
    )
    add_seed(parser)
    add_threads(parser)
    add_output_folder(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Diagnose, and write the folder."""
    from tfbind.binding.learning.diagnosis import diagnose
    from tfbind.report.diagnosis import write_diagnosis

    options = replace(
        FitOptions(),
        **{name: getattr(args, name) for name in ("epochs", "learning_rate", "batch_size", "seed")},
    )
    diagnosis = diagnose(
        args.tensors,
        cells=args.cell,
        units=args.units,
        architecture=args.architecture,
        options=options,
        n_steps=args.steps,
        threads=args.threads,
    )
    write_diagnosis(args.output, diagnosis)
