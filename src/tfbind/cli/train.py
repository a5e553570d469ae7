"""Train a network on a tensors file.

Beside the model FILE.keras go FILE.history.tsv (one row an epoch) and FILE.learning.svg. After every epoch a
checkpoint is written, FILE.checkpoint. After an interruption --resume continues from it, and ends as if there had
been none. The checkpoint of other options is kept under another name until these are resumed. A finished training
has no checkpoint, so it is trained again.
"""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

from tfbind.binding.options import DEFAULT_ARCHITECTURE, DEFAULT_KMER_ARCHITECTURE, LEARNING_RATES
from tfbind.cli.arguments import (
    add_output,
    add_seed,
    add_threads,
    positive_float,
    positive_int,
    prepare_model,
)
from tfbind.networks.spec import ARCHITECTURES, CELLS, OPTIONS, options_of
from tfbind.training.options import (
    EPOCHS,
    LEARNING_RATE,
    LEAST_EPOCHS,
    STEPS,
    FitOptions,
)


def register_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb ``train``."""
    default = FitOptions()
    parser = subparsers.add_parser(
        "train",
        help="train a network on tensors",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("tensors", type=Path, metavar="TENSORS.h5", help="from tfbind encode")
    network = parser.add_argument_group("network (default: as the architecture has it)")
    network.add_argument(
        "--architecture",
        choices=sorted(ARCHITECTURES),
        help=f"default {DEFAULT_ARCHITECTURE}, or {DEFAULT_KMER_ARCHITECTURE} where the tensors are k-mers",
    )
    network.add_argument("--cell", choices=CELLS, help=f"recurrent cell {_without('cell')}")
    for name, help in (
        ("units", "units of a direction of a recurrent layer"),
        ("layers", "recurrent layers"),
    ):
        network.add_argument(f"--{name}", type=positive_int, metavar="N", help=f"{help} {_without(name)}")
    fitting = parser.add_argument_group("fitting")
    fitting.add_argument(
        "--epochs",
        type=positive_int,
        metavar="N",
        help=f"at most (default {EPOCHS}; of gkm- architectures fewer where they would take more than {STEPS:,} steps,"
        f" but not fewer than {LEAST_EPOCHS})",
    )
    fitting.add_argument(
        "--batch-size", type=positive_int, default=default.batch_size, metavar="N", help="default %(default)s"
    )
    fitting.add_argument(
        "--learning-rate",
        type=positive_float,
        metavar="X",
        help=f"at its peak (default {LEARNING_RATE}; "
        + ", ".join(f"{name} {rate}" for name, rate in LEARNING_RATES.items())
        + ")",
    )
    fitting.add_argument(
        "--patience",
        type=positive_int,
        default=default.patience,
        metavar="N",
        help="stop after so many epochs without a lower validation loss (default %(default)s)",
    )
    fitting.add_argument(
        "--fold",
        type=positive_int,
        metavar="N",
        help="hold fold N out, of tensors from tfbind encode --folds, and train on the others",
    )
    fitting.add_argument(
        "--resume",
        action="store_true",
        help="continue from the checkpoint of an interrupted training, if there is one, else start; a model that is"
        " finished, of the same arguments, stays as it is",
    )
    add_seed(parser)
    add_threads(parser, "; another number gives other weights, equally good")
    add_output(parser, "the model", "FILE.keras")
    parser.set_defaults(run=run)


def _without(option: str) -> str:
    names = [name for name in sorted(ARCHITECTURES) if option not in options_of(name)]
    return f"(not of {', '.join(names)})"


def run(args: argparse.Namespace) -> None:
    """Train, and draw the learning curves."""
    prepare_model(args.output, ".history.tsv", ".learning.svg")
    from tfbind.binding.learning.training import train
    from tfbind.report.figures import learning_curves

    given = {
        field.name: getattr(args, field.name) for field in fields(FitOptions) if hasattr(args, field.name)
    }
    history = train(
        args.tensors,
        args.output,
        architecture=args.architecture,
        network_values={name: getattr(args, name) for name in OPTIONS},
        options=FitOptions(**given),
        threads=args.threads,
        resume=args.resume,
        fold=args.fold,
    )
    from tfbind.binding.evaluation.site_calibration import calibrate_trained

    calibrate_trained(args.output, args.tensors, fold=args.fold, threads=args.threads)
    if history is not None:
        learning_curves(args.output.with_suffix(".learning.svg"), history)
