"""Make sequences with planted binding sites, to try things out where the truth is known.

Writes positives.fa (each with one site, drawn letter by letter from the motif's matrix, at any position on
either strand), negatives.fa (as many, of the same background without a site) and truth.bed (where the sites
are). The background is a first-order Markov chain with the G+C content and the rarity of CpG that are asked
for; the defaults are those of the human genome.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tfbind.cli.arguments import add_output_folder, add_seed, add_threads, positive_int


def register_parser(subparsers) -> None:
    """Add the verb ``simulate``."""
    parser = subparsers.add_parser(
        "simulate",
        help="make sequences with planted binding sites",
        description=__doc__,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--motif",
        required=True,
        metavar="ID|NAME|FILE",
        help="CTCF, PRDM9, GABPA, GATA1, MAX or REST, or a file with one matrix in JASPAR or MEME format,"
        " or any other JASPAR identifier (needs pyjaspar)",
    )
    parser.add_argument(
        "--n", type=positive_int, required=True, metavar="N", help="positives, and as many negatives"
    )
    parser.add_argument(
        "--length", type=positive_int, required=True, metavar="BP", help="bases of each sequence"
    )
    parser.add_argument(
        "--fraction", type=float, default=1.0, metavar="X", help="share of positives with a site (default 1)"
    )
    parser.add_argument(
        "--gc", type=float, default=0.41, metavar="X", help="G+C content of the background (default 0.41)"
    )
    parser.add_argument(
        "--cpg-ratio",
        type=float,
        default=0.2,
        metavar="X",
        help="observed over expected CpG of the background (default 0.2)",
    )
    add_seed(parser)
    add_output_folder(parser, "folder for positives.fa, negatives.fa and truth.bed")
    add_threads(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Find the matrix and write the three files."""
    from tfbind.dna.matrices import find_matrix
    from tfbind.dna.simulate import write_simulation

    write_simulation(
        find_matrix(args.motif),
        args.n,
        args.length,
        Path(args.output),
        seed=args.seed,
        fraction=args.fraction,
        gc=args.gc,
        cpg_ratio=args.cpg_ratio,
    )
