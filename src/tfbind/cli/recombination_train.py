"""Train a network that infers recombination rates, on simulated regions.

The package ships a network that serves most populations. Train one of your own where a species lies outside what
that has seen (tfbind recombination predict says so): simulate regions with a --prior or a --demography that suits it.
With --start shipped training goes on from that network, and needs fewer regions and epochs than from nothing.

--architecture relernn takes the network of ReLERNN (Adrion 2020) in place of tfbind's own, for comparison: it reads raw
sites, so that all regions must have the same number of haplotypes, and so must the data; it gives each window of
--window bp one rate, without an interval.

Whole regions are held out: they choose the epoch and calibrate the intervals. Beside the model FILE.keras go
FILE.history.tsv (one row an epoch) and FILE.summary.json. After every epoch a checkpoint is written, from which
--resume continues.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tfbind.cli.arguments import (
    add_output,
    add_seed,
    add_simulations,
    add_threads,
    positive_float,
    positive_int,
    prepare_model,
)
from tfbind.errors import TfbindError
from tfbind.networks.spec import CELLS
from tfbind.recombination.options import FITTING, RELERNN_FITTING, START_FITTING, RateOptions, RelernnOptions
from tfbind.training.options import FitOptions

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
    add_simulations(parser)
    parser.add_argument(
        "--architecture",
        choices=list(ARCHITECTURES),
        default="tokens",
        help="what reads the genotypes (default %(default)s, of linkage disequilibrium)",
    )
    network = parser.add_argument_group("network")
    network.add_argument(
        "--start",
        type=Path,
        metavar="FILE.keras",
        help="go on from this network of tokens, which has learnt from other regions; shipped for that of the package",
    )
    network.add_argument("--cell", choices=CELLS, help=_defaults("cell"))
    network.add_argument(
        "--window",
        type=positive_int,
        metavar="BP",
        help="what gets one rate, of relernn (default: the regions' length)",
    )
    fitting = parser.add_argument_group("fitting")
    for group, row, help in (
        (network, "units", "units of a direction of a layer"),
        (network, "layers", "recurrent layers"),
        (fitting, "crop", "tokens that training reads at a time"),
        (fitting, "epochs", "at most"),
        (fitting, "batch_size", "crops or windows a step"),
        (fitting, "patience", "stop after so many epochs without a lower validation loss"),
    ):
        group.add_argument(_flag(row), type=positive_int, metavar="N", help=f"{help} ({_defaults(row)})")
    fitting.add_argument("--learning-rate", type=positive_float, metavar="X", help=_defaults("learning_rate"))
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


def _flag(row: str) -> str:
    return f"--{row.replace('_', '-')}"


def _defaults(row: str) -> str:
    """Say what a row of the tables is by default, in each architecture that has it."""
    values = {
        name: getattr(table, row)
        for name, tables in ARCHITECTURES.items()
        for table in tables
        if hasattr(table, row)
    }
    defaults = [f"{value} of {name}" for name, value in values.items()]
    with_start = getattr(START_FITTING, row, values.get("tokens"))
    if with_start != values.get("tokens"):
        defaults.append(f"{with_start} with --start")
    return "default " + ", ".join(defaults)


def run(args: argparse.Namespace) -> None:
    """Train."""
    rows = {row for tables in ARCHITECTURES.values() for table in tables for row in asdict(table)}
    given = {row: value for row, value in vars(args).items() if row in rows and value is not None}
    tables = ARCHITECTURES[args.architecture]
    of_tokens = {row: path for row in ("start", "left_out") if (path := getattr(args, row))}
    if of_tokens and args.architecture != "tokens":
        given = of_tokens
    elif args.start:
        of_tokens["start"], tables = _tables_of_start(args.start, given)
    options, fitting = (
        replace(table, **{row: given.pop(row) for row in asdict(table) if row in given}) for table in tables
    )
    if given:
        raise TfbindError(
            f"{_flag(next(iter(given)))} is given, but the architecture {args.architecture} has none"
        )
    prepare_model(args.output, ".history.tsv", ".summary.json")
    if args.architecture == "relernn":
        from tfbind.recombination.learning.relernn import train_relernn

        train: Any = train_relernn
    else:
        from tfbind.recombination.learning.training import train_rates

        train = train_rates
    train(
        args.simulations,
        args.output,
        options=options,
        fitting=fitting,
        threads=args.threads,
        resume=args.resume,
        **of_tokens,
    )


def _tables_of_start(start: Path, given: dict[str, Any]) -> tuple[Path, tuple[RateOptions, FitOptions]]:
    """The model to start from, and the tables that hold for it.

    Raises
    ------
    TfbindError
        If an option is given that would make another network of it.
    """
    from tfbind.recombination.mapping.card import read_rate_card
    from tfbind.recombination.mapping.rate_model import SHIPPED

    path = SHIPPED if str(start) == "shipped" else start
    options = read_rate_card(path).network
    for row in ("cell", "units", "layers"):
        if given.get(row, getattr(options, row)) != getattr(options, row):
            raise TfbindError(
                f"{_flag(row)} {given[row]} is given, but the network to start from, {start}, has"
                f" {getattr(options, row)}"
            )
    return path, (options, START_FITTING)
