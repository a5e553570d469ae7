"""Measure whether recombination is faster, or slower, round sites than at matched controls.

The rate of the map in a window round the sites' centres (in narrowPeak: summits) is compared with that at random
places of the same contig, in the same tenth by the number of segregating sites in the window, whose windows do not
overlap those of sites. Writes to the folder

  metrics.json    ratio of the mean rates; ratio_ci95, for which blocks of sites are independent, not neighbours (null
                  for fewer than five blocks); p, two-sided: twice the smaller of the shares (1 + b) / (1 + n) of
                  ratios as high and as low that come of moving blocks along their contig by random distances;
                  ratio_unmatched, to all places of the contigs; ratio_to_flanks, to the bins beside the window; counts
  profile.tsv     rates by the distance from the centre, in bins of the map's finest scale: of sites with the 95%
                  interval, of controls with the central 95% of sites that are moved
  profile.svg     the same, drawn
  sites.tsv       every site: its rate, its controls', and why it is left out (contig_not_in_map, duplicate, no_rate,
                  no_controls)
  notes.json      what was found out or taken for granted
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tfbind.cli.arguments import add_output_folder, add_peak_format, add_seed, add_threads, positive_int

CONTROLS = 100
PERMUTATIONS = 1000
BLOCK = 500_000


def register_parser(actions: argparse._SubParsersAction) -> None:
    """Add the action ``enrichment``."""
    parser = actions.add_parser(
        "enrichment",
        help="compare the rate round sites with that of controls",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--map", type=Path, required=True, metavar="MAP.tsv", help="from predict, or any format of a truth"
    )
    parser.add_argument(
        "--sites",
        type=Path,
        required=True,
        metavar="FILE.bed",
        help="BED, narrowPeak, broadPeak, IDR, MACS .xls, HOMER, or a table with a header",
    )
    add_peak_format(parser)
    parser.add_argument(
        "--window",
        type=positive_int,
        metavar="BP",
        help="round the centre, that the ratio is about (default: the map's finest scale; 5000 if its windows differ)",
    )
    parser.add_argument(
        "--flank",
        type=positive_int,
        metavar="BP",
        help="that the profile reaches to either side (default: 50000, or 4 of the map's windows if that is more)",
    )
    parser.add_argument(
        "--controls",
        type=positive_int,
        default=CONTROLS,
        metavar="N",
        help="to draw for a site; at least 1,000 and at most 100,000 a contig (default %(default)s)",
    )
    parser.add_argument(
        "--permutations",
        type=positive_int,
        default=PERMUTATIONS,
        metavar="N",
        help="for the p-value (default %(default)s)",
    )
    parser.add_argument(
        "--block",
        type=positive_int,
        default=BLOCK,
        metavar="BP",
        help="of a block (default %(default)s; 100000 where sites lie in fewer than five of them)",
    )
    add_seed(parser)
    add_output_folder(parser)
    add_threads(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Measure and write the folder."""
    from tfbind.dna.peaks import read_peaks
    from tfbind.recombination.enrichment.measure import measure_enrichment
    from tfbind.recombination.evaluation.windows import read_prediction
    from tfbind.report.enrichment import write_enrichment

    peaks = read_peaks(args.sites, args.peak_format)
    found = measure_enrichment(
        read_prediction(args.map),
        peaks,
        window=args.window,
        flank=args.flank,
        controls=args.controls,
        permutations=args.permutations,
        block=args.block,
        seed=args.seed,
        sites_source=str(args.sites),
    )
    write_enrichment(args.output, found)
