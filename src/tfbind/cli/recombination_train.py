"""Train a network that infers recombination rates, on simulated regions.

The package ships a network that serves most populations. Train one of your own where a species lies outside what
that has seen (tfbind recombination predict says so): simulate regions with a --prior or a --demography that suits it.

Whole regions are held out: they choose the epoch and calibrate the intervals. Beside the model FILE.keras go
FILE.history.tsv (one row an epoch) and FILE.summary.json. After every epoch a checkpoint is written, from which
--resume goes on.
"""

from __future__ import annotations

import argparse
from dataclasses import fields, replace
from pathlib import Path

from tfbind.cli.arguments import (
    add_output,
    add_seed,
    add_threads,
    check_model_name,
    positive_float,
    positive_int,
)
from tfbind.networks.spec import CELLS
from tfbind.training.rate_options import FITTING, RateOptions


def register_parser(actions: argparse._SubParsersAction) -> None:
    """Add the action ``train``."""
    default = RateOptions()
    parser = actions.add_parser(
        "train",
        help="train a network on simulations",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "simulations",
        nargs="+",
        type=Path,
        metavar="SIMS.h5",
        help="from tfbind recombination simulate; of several, each with a seed of its own",
    )
    network = parser.add_argument_group("network")
    network.add_argument("--cell", choices=CELLS, default=default.cell, help="default %(default)s")
    for name, help in (("units", "units of a direction of a layer"), ("layers", "recurrent layers")):
        network.add_argument(
            f"--{name}",
            type=positive_int,
            default=getattr(default, name),
            metavar="N",
            help=f"{help} (default %(default)s)",
        )
    fitting = parser.add_argument_group("fitting")
    for name, value, help in (
        ("crop", default.crop, "tokens that training reads at a time"),
        ("epochs", FITTING.epochs, "at most"),
        ("batch-size", FITTING.batch_size, "crops a step"),
        ("patience", FITTING.patience, "stop after so many epochs without a lower validation loss"),
    ):
        fitting.add_argument(
            f"--{name}", type=positive_int, default=value, metavar="N", help=f"{help} (default %(default)s)"
        )
    fitting.add_argument(
        "--learning-rate",
        type=positive_float,
        default=FITTING.learning_rate,
        metavar="X",
        help="default %(default)s",
    )
    fitting.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint, where there is one"
    )
    add_seed(parser)
    add_threads(parser)
    add_output(parser, "the model", "FILE.keras")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Train."""
    check_model_name(args.output)
    from tfbind.recombination.training import train_rates

    given = vars(args)
    train_rates(
        args.simulations,
        args.output,
        options=RateOptions(**{row.name: given[row.name] for row in fields(RateOptions)}),
        fitting=replace(
            FITTING, **{row.name: given[row.name] for row in fields(FITTING) if row.name in given}
        ),
        threads=args.threads,
        resume=args.resume,
    )
