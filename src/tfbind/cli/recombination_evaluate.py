"""Judge a map of recombination against a truth.

The truth may be a HapMap file, bedGraph, a table with a header that names chrom, start, end and a rate, or a map of
tfbind; several files, such as one a contig, are taken together. A window counts where map and truth know 90% of
it. Rates of 0 at a contig's ends, or over 1 Mb and more, are missing data in maps from pedigrees: windows there are
left out, and counted.

Hotspots, if given, are compared with those of the truth: windows of 5 kb with --hotspot-factor times the mean rate of
the surrounding 200 kb (give what predict was given). "hotspots" stands in metrics.json beside the scales: factor,
n_true, n_called, n_left_out (where truth or map is unknown), recall, precision; what overlaps agrees.

Writes metrics.json, windows.tsv, notes.json, landscape.svg, scatter.svg and calibration.svg.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tfbind.cli.arguments import (
    LARGEST,
    add_output_folder,
    add_threads,
    positive_float,
    shortened,
    whole_number,
)
from tfbind.cli.recombination_predict import add_hotspot_factor

UNITS = ("cM/Mb", "per-bp")


def register_parser(actions: argparse._SubParsersAction) -> None:
    """Add the action ``evaluate``."""
    parser = actions.add_parser(
        "evaluate",
        help="judge a map against a truth",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--map", type=Path, required=True, metavar="MAP.tsv", help="from predict, or any format of a truth"
    )
    add_map_unit(parser)
    add_truth(parser)
    parser.add_argument(
        "--hotspots", type=Path, metavar="FILE.bed", help="called in the map, to be judged as well"
    )
    add_hotspot_factor(parser)
    add_output_folder(parser)
    add_threads(parser)
    parser.set_defaults(run=run)


def add_map_unit(parser: argparse.ArgumentParser) -> None:
    """Add ``--map-unit``."""
    parser.add_argument(
        "--map-unit",
        choices=UNITS,
        help="of a map whose format, comments and columns do not tell its rates' unit (default: as their size tells)",
    )


def add_truth(parser: argparse.ArgumentParser) -> None:
    """Add ``--truth`` and how to compare with it."""
    parser.add_argument(
        "--truth", type=Path, nargs="+", required=True, metavar="FILE", help="what to compare with"
    )
    parser.add_argument(
        "--truth-unit",
        choices=UNITS,
        help="of the truth's rates (default: as the format, the column's name, or else their size tells)",
    )
    parser.add_argument(
        "--scales",
        type=scales,
        default=(25_000, 100_000, 1_000_000),
        metavar="BP,BP",
        help="lengths of windows (default 25000,100000,1000000)",
    )
    parser.add_argument(
        "--mutation-rate",
        type=positive_float,
        metavar="X",
        help="per bp per generation, for a map of r/mu, of which else only correlations are known",
    )


def scales(text: str) -> tuple[int, ...]:
    """Argument type: whole numbers above 0 separated by commas, each once; sorted."""
    found = [whole_number(word) for word in text.split(",")]
    if not all(1 <= scale <= LARGEST for scale in found) or len(set(found)) < len(found):
        raise argparse.ArgumentTypeError(
            f"found {shortened(text)}, expected bp such as 25000,100000, each once"
        )
    return tuple(sorted(found))


def run(args: argparse.Namespace) -> None:
    """Evaluate and write the folder."""
    from tfbind.recombination.evaluation.measure import evaluate_map
    from tfbind.recombination.evaluation.windows import read_prediction
    from tfbind.recombination.mapping.hotspots import read_intervals
    from tfbind.recombination.maps.reading import read_truth
    from tfbind.report.recombination import write_map_evaluation

    predicted = read_prediction(args.map, args.mutation_rate, args.map_unit)
    truth = read_truth(args.truth, args.truth_unit)
    hotspots = read_intervals(args.hotspots) if args.hotspots else None
    evaluation = evaluate_map(
        predicted, truth, args.scales, hotspots, args.hotspot_factor, str(args.hotspots)
    )
    write_map_evaluation(args.output, evaluation)
