"""Train a network that infers recombination rates, on simulated regions.

The package ships a network that serves most populations. Train one of your own where a species lies outside what
that has seen (tfbind recombination predict says so): simulate regions with a --prior or a --demography that suits it.

--architecture relernn takes the network of ReLERNN (Adrion 2020) in place of tfbind's own, for comparison: it reads raw
sites, so that all regions must have the same number of haplotypes, and so must the data; it gives each window of
--window bp one rate, without an interval.

Whole regions are held out: they choose the epoch and calibrate the intervals. Beside the model FILE.keras go
FILE.history.tsv (one row an epoch) and FILE.summary.json. After every epoch a checkpoint is written, from which
--resume goes on.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tfbind.cli.arguments import (
    add_output,
    add_seed,
    add_threads,
    check_model_name,
    positive_float,
    positive_int,
)
from tfbind.errors import TfbindError
from tfbind.networks.spec import CELLS
from tfbind.training.rate_options import FITTING, RateOptions
from tfbind.training.relernn_options import RELERNN_FITTING, RelernnOptions

# from names to how the network is made and how it is fitted
ARCHITECTURES: dict[str, tuple[Any, Any]] = {
    "tokens": (RateOptions(), FITTING),
    "relernn": (RelernnOptions(), RELERNN_FITTING),
}


def register_parser(actions: argparse._SubParsersAction) -> None:
    """Add the action ``train``."""
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
    parser.add_argument(
        "--architecture",
        choices=list(ARCHITECTURES),
        default="tokens",
        help="what reads the genotypes (default %(default)s, of linkage disequilibrium)",
    )
    network = parser.add_argument_group("network")
    network.add_argument("--cell", choices=CELLS, help=_default("cell"))
    fitting = parser.add_argument_group("fitting")
    for group, name, help in (
        (network, "units", "units of a direction of a layer"),
        (network, "layers", "recurrent layers"),
        (network, "window", "bp that get one rate"),
        (fitting, "crop", "tokens that training reads at a time"),
        (fitting, "epochs", "at most"),
        (fitting, "batch-size", "crops or windows a step"),
        (fitting, "patience", "stop after so many epochs without a lower validation loss"),
    ):
        group.add_argument(f"--{name}", type=positive_int, metavar="N", help=f"{help} ({_default(name)})")
    fitting.add_argument("--learning-rate", type=positive_float, metavar="X", help=_default("learning-rate"))
    fitting.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint, where there is one"
    )
    add_seed(parser)
    add_threads(parser)
    add_output(parser, "the model", "FILE.keras")
    parser.set_defaults(run=run)


def _default(option: str) -> str:
    """Say what an option is where it is not given, and by whom it is understood."""
    values = {
        name: ("the regions' length" if found[0] is None else found[0])
        for name, tables in ARCHITECTURES.items()
        if (found := [getattr(table, _row(option)) for table in tables if hasattr(table, _row(option))])
    }
    if len(set(values.values())) == 1 and len(values) == len(ARCHITECTURES):
        return f"default {next(iter(values.values()))}"
    return "default " + ", ".join(f"{value} of {name}" for name, value in values.items())


def _row(option: str) -> str:
    return option.replace("-", "_")


def run(args: argparse.Namespace) -> None:
    """Train."""
    check_model_name(args.output)
    options, fitting = ARCHITECTURES[args.architecture]
    rows = {row for tables in ARCHITECTURES.values() for table in tables for row in asdict(table)}
    given = {name: value for name, value in vars(args).items() if name in rows and value is not None}
    for name in given:
        if not (hasattr(options, name) or hasattr(fitting, name)):
            raise TfbindError(
                f"--{name.replace('_', '-')} is given, but the architecture {args.architecture} has none"
            )
    if args.architecture == "relernn":
        from tfbind.recombination.relernn_training import train_relernn as train
    else:
        from tfbind.recombination.training import train_rates as train  # type: ignore[assignment]

    train(
        args.simulations,
        args.output,
        options=replace(options, **{name: value for name, value in given.items() if hasattr(options, name)}),
        fitting=replace(fitting, **{name: value for name, value in given.items() if hasattr(fitting, name)}),
        threads=args.threads,
        resume=args.resume,
    )
