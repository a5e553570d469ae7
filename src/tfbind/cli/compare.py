"""Compare models on the same examples, paired.

For every two evaluation folders and every factor: the difference of AUROC (a minus b), its 95% interval and the
two-sided p of no difference, by DeLong's test, or by a bootstrap of whole clusters where examples are not
independent. The p-values are of single tests: correct them if you make many.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tfbind.cli.arguments import add_output, add_seed, add_threads
from tfbind.errors import TfbindError


def register_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb ``compare``."""
    parser = subparsers.add_parser(
        "compare",
        help="test whether one model beats another on the same examples",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("folders", type=Path, nargs="+", metavar="DIR", help="from tfbind evaluate")
    add_seed(parser)
    add_output(parser, "the table", "FILE.tsv")
    add_threads(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Compare and write the table."""
    if args.output.resolve() in [(folder / "predictions.tsv").resolve() for folder in args.folders]:
        raise TfbindError(f"--output {args.output} is a table to compare, expected another name")
    from tfbind.binding.evaluation.comparison import compare_folders
    from tfbind.tables import write_table

    write_table(args.output, compare_folders(args.folders, args.seed))
