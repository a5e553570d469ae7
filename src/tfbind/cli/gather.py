"""Put the evaluations of a cross-validation's folds side by side.

Writes into a folder: metrics.json (mean and standard deviation over the folds, and each fold's own), predictions.tsv
(out-of-fold: every sequence once, with its fold), roc.tsv and pr.tsv (a curve a fold), mean_roc.tsv and mean_pr.tsv,
roc.svg and pr.svg, notes.json. Scores of different folds are of different models and are never pooled.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tfbind.cli.arguments import add_output
from tfbind.errors import TfbindError


def register_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb ``gather``."""
    parser = subparsers.add_parser(
        "gather",
        help="put the evaluations of a cross-validation's folds side by side",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "folders",
        type=Path,
        nargs="+",
        metavar="DIR",
        help="one a fold, from tfbind evaluate with a model of tfbind train --fold",
    )
    add_output(parser, "folder for the results", "DIR")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Gather and write the folder."""
    if args.output.exists() and not args.output.is_dir():
        raise TfbindError(f"{args.output}: is a file, expected a folder for the results")
    if args.output.resolve() in [folder.resolve() for folder in args.folders]:
        raise TfbindError(f"--output {args.output} is the folder of a fold, expected another one")
    from tfbind.binding.cross_validation import gather
    from tfbind.report.cross_validation import write_cross_validation

    write_cross_validation(args.output, gather(args.folders))
