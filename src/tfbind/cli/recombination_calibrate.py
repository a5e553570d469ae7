"""Calibrate a model's intervals on simulations of your own; the network, and the rates, stay as they are.

The intervals of the network that the package ships hold 95% of the true rates on average over all that it was
calibrated on. Where you know the history and the noise of your data, simulate some hundreds of regions of these:
the intervals of the new model, for tfbind recombination predict --model, then hold 95% on such data. Regions that the
network has learnt from are refused.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tfbind.cli.arguments import add_output, add_seed, add_simulations, add_threads, prepare_model


def register_parser(actions: argparse._SubParsersAction) -> None:
    """Add the action ``calibrate``."""
    parser = actions.add_parser(
        "calibrate",
        help="calibrate a network's intervals on simulations",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_simulations(parser)
    parser.add_argument(
        "--model", type=Path, metavar="FILE.keras", help="what is calibrated (default: that of the package)"
    )
    add_seed(parser)
    add_threads(parser)
    add_output(parser, "the calibrated model", "FILE.keras")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Calibrate."""
    prepare_model(args.output)

    from tfbind.recombination.learning.recalibration import recalibrate
    from tfbind.recombination.mapping.rate_model import SHIPPED

    recalibrate(
        args.simulations,
        args.model or SHIPPED,
        args.output,
        seed=args.seed,
        threads=args.threads,
        left_out=args.left_out,
    )
