"""Infer how fast a genome recombines from the genotypes of a sample, and simulate what is learnt from."""

from __future__ import annotations

import argparse
import importlib

# each a module tfbind.cli.recombination_ACTION
ACTIONS = ("simulate", "train", "calibrate", "predict", "evaluate", "compare", "enrichment", "convert")


def register_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb ``recombination`` and its actions."""
    parser = subparsers.add_parser(
        "recombination",
        help="infer recombination rates from genotypes",
        description=__doc__,
        allow_abbrev=False,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, help=", ".join(ACTIONS))
    for action in ACTIONS:
        importlib.import_module(f"tfbind.cli.recombination_{action}").register_parser(actions)
