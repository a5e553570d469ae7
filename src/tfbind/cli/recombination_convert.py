"""Convert a recombination map from one format to another.

Formats that are read (the file shows which one it has; --from settles it where it does not):

  hapmap, eagle   [Chromosome] Position(bp) Rate(cM/Mb) Map(cM)
  gmap            pos chr cM (SHAPEIT, GLIMPSE)
  plink           chr id cM bp (PLINK, Beagle)
  decode, tsv     a header that names [chrom] start end and a rate
  bedgraph        chrom start end rate
  pyrho, fastrho, ldhat (res.txt), ldhat-rates (rates.txt), ldhelmet, ismc, fasteprr, mareymap, tfbind

A rate between two positions is written at the first of them in some maps and at the second in others: the cumulative
column decides. Population-scaled rates (4 Ne r) need --ne or --genetic-length.

Formats that are written: hapmap, plink, gmap, eagle, bedgraph (cM/Mb), tsv (per bp). bedgraph and tsv leave gaps out.
In a hapmap file a gap has the rate 0; in plink, gmap and eagle it has the mean rate of its two neighbors. OUT.gaps.bed
beside it lists the gaps, so that tfbind reads them as missing.

Example: tfbind recombination convert map.tsv --to gmap -o map.gmap.gz
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tfbind.cli.arguments import add_output, add_threads, positive_float

FORMATS_WRITTEN = ("hapmap", "plink", "gmap", "eagle", "bedgraph", "tsv")
FORMATS_READ = (
    "hapmap",
    "eagle",
    "gmap",
    "plink",
    "decode",
    "tsv",
    "bedgraph",
    "pyrho",
    "fastrho",
    "ldhat",
    "ldhat-rates",
    "ldhelmet",
    "ismc",
    "fasteprr",
    "mareymap",
    "windows",
    "tfbind",
)
UNITS = ("cM/Mb", "per-bp", "rho")


def register_parser(actions: argparse._SubParsersAction) -> None:
    """Add the action ``convert``."""
    parser = actions.add_parser(
        "convert",
        help="convert a map to another format",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("map", type=Path, metavar="MAP", help="plain, gzip or BGZF")
    parser.add_argument("--to", choices=FORMATS_WRITTEN, required=True, help="format to write")
    parser.add_argument(
        "--from",
        dest="form",
        choices=FORMATS_READ,
        metavar="FORMAT",
        help="format of MAP (default: as the file shows)",
    )
    parser.add_argument("--unit", choices=UNITS, help="unit of the rates (default: as the file shows)")
    parser.add_argument("--contig", metavar="NAME", help="name of the contig, for a file that has none")
    add_genetic_length(parser)
    parser.add_argument(
        "--ne", type=positive_float, metavar="N", help="effective population size, for rates that are 4 Ne r"
    )
    parser.add_argument(
        "--mutation-rate",
        type=positive_float,
        metavar="X",
        help="per bp per generation, for rates that are r/mu",
    )
    parser.add_argument(
        "--positions", type=Path, metavar="FILE", help="LDhat's file of sites, for its res.txt or rates.txt"
    )
    add_threads(parser)
    add_output(parser, "the map; compressed if it ends in .gz", "OUT")
    parser.set_defaults(run=run)


def add_genetic_length(parser: argparse.ArgumentParser) -> None:
    """Add ``--genetic-length``."""
    parser.add_argument(
        "--genetic-length",
        metavar="CM|FILE",
        help="scale each contig to this length in cM, such as a linkage map's of the same stretch: a number for one"
        " contig, or a file with a contig and its cM on each line",
    )


def run(args: argparse.Namespace) -> None:
    """Read, scale and write."""
    from tfbind.recombination.maps.conversion import convert_map, read_genetic_lengths
    from tfbind.recombination.maps.writing import write_map_as

    maps = convert_map(
        args.map,
        form=args.form,
        unit=args.unit,
        contig=args.contig,
        sites=args.positions,
        effective_size=args.ne,
        mutation_rate=args.mutation_rate,
        lengths=read_genetic_lengths(args.genetic_length) if args.genetic_length else None,
        lengths_source=str(args.genetic_length),
    )
    write_map_as(args.to, args.output, maps)
