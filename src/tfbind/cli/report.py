"""Show a results folder as one HTML page.

The page holds everything, figures included: it opens without a network and can be mailed. It shows what there
is under RESULTS: evaluation/NAME.MODEL/, cross_validation/NAME.MODEL/, comparison/NAME.tsv,
models/NAME.MODEL.history.tsv and .grid.tsv, tensors/NAME.summary.json, and recombination/NAME/ (map.tsv, hotspots.bed,
notes.json, evaluation/).

A file that is damaged or unfinished is left out: the page says so at its top, stderr has a line for each, and the
exit status is 2.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from tfbind.cli.arguments import add_output, add_threads
from tfbind.errors import TfbindError
from tfbind.files import open_text

logger = logging.getLogger(__name__)


def register_parser(subparsers) -> None:
    """Add the verb ``report``."""
    parser = subparsers.add_parser(
        "report", help="show a results folder as one HTML page", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("results", type=Path, metavar="RESULTS", help="folder that the workflow wrote")
    parser.add_argument(
        "--unfinished",
        type=Path,
        metavar="FILE",
        help="paths within RESULTS, one on each line, whose jobs did not finish: nothing of them is shown, and they are"
        " named at the top of the page",
    )
    add_output(parser, "the HTML page")
    add_threads(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Write the page."""
    from tfbind.report.page import write_report

    unfinished: list[str] = []
    if args.unfinished is not None:
        with open_text(args.unfinished) as lines:
            unfinished = [line.strip() for line in lines if line.strip()]
    faults = write_report(args.results, args.output, unfinished)
    for fault in faults:
        logger.error("error: %s", fault)
    if faults:
        files = "1 file" if len(faults) == 1 else f"{len(faults):,} files"
        raise TfbindError(f"{args.output}: written without {files}, named at its top")
