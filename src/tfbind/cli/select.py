"""Choose the best of several models by the validation part that they share.

The one with the lowest validation loss is copied to --output, with its history and its learning curves; beside it
goes FILE.grid.tsv with every candidate. The test part has no say, so it can still judge the model that is chosen.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tfbind.cli.arguments import add_output, add_threads, check_model_name


def register_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb ``select``."""
    parser = subparsers.add_parser(
        "select",
        help="choose the best of several models by their validation part",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "candidates",
        type=Path,
        nargs="+",
        metavar="FILE.keras",
        help="from tfbind train, on the same tensors (and fold)",
    )
    add_output(parser, "the model that is chosen", "FILE.keras")
    add_threads(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Choose and copy."""
    check_model_name(args.output)
    from tfbind.binding.learning.selection import select

    select(args.candidates, args.output)
