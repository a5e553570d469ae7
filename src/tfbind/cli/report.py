"""Show a results folder as one HTML page.

The page holds everything, figures included: it opens without a network and can be mailed. It shows what there
is under RESULTS: evaluation/NAME.MODEL/, cross_validation/NAME.MODEL/, comparison/NAME.tsv,
models/NAME.MODEL.history.tsv and .grid.tsv, tensors/NAME.summary.json, and recombination/NAME/ (map.tsv, hotspots.bed,
notes.json, evaluation/).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tfbind.cli.arguments import add_output


def register_parser(subparsers) -> None:
    """Add the verb ``report``."""
    parser = subparsers.add_parser(
        "report", help="show a results folder as one HTML page", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("results", type=Path, metavar="RESULTS", help="folder that the workflow wrote")
    add_output(parser, "the HTML page")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Write the page."""
    from tfbind.report.page import write_report

    write_report(args.results, args.output)
