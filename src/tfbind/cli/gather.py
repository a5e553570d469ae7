"""Put together what several jobs have made: the folds of a cross-validation, or the pieces of a table of scores.

Of folders of tfbind evaluate, one a fold, it writes into a folder: metrics.json (mean and standard deviation over the
folds, and each fold's own), predictions.tsv (out-of-fold: every sequence once, with its fold), roc.tsv and pr.tsv (a
curve a fold), mean_roc.tsv and mean_pr.tsv, roc.svg and pr.svg, notes.json. Scores of different folds are of different
models and are never pooled.

Of all files of tfbind predict --piece, in any order, it writes the table that a run without pieces would have
written, byte by byte.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tfbind.cli.arguments import OutputPath, add_threads
from tfbind.files import check_output_folder


def register_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb ``gather``."""
    parser = subparsers.add_parser(
        "gather",
        help="put together folds of a cross-validation, or pieces of a table of scores",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "parts",
        type=Path,
        nargs="+",
        metavar="DIR|FILE.tsv.gz",
        help="folders, one a fold, from tfbind evaluate with a model of tfbind train --fold; or files, one a piece,"
        " from tfbind predict --piece",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=OutputPath,
        required=True,
        metavar="DIR|FILE.tsv.gz",
        help="folder for the results of folds; table of pieces",
    )
    add_threads(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Gather and write the folder or the table."""
    if any(part.is_file() for part in args.parts):
        from tfbind.binding.scanning.shards import join_pieces

        join_pieces(args.parts, args.output)
        return
    check_output_folder(args.output)
    from tfbind.binding.evaluation.cross_validation import gather
    from tfbind.report.cross_validation import write_cross_validation

    write_cross_validation(args.output, gather(args.parts))
