"""Compare maps of recombination on one truth, over the windows that all of them know.

For every scale and map the metrics of evaluate, and the difference of Pearson's correlation from the first map's, with
a 95% interval by a bootstrap of whole blocks of ten windows (NA for fewer than ten blocks). Draws FILE.svg beside
the table FILE.tsv or FILE.tsv.gz.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tfbind.cli.arguments import add_output, add_seed, add_threads, names
from tfbind.cli.recombination_evaluate import add_map_unit, add_truth
from tfbind.errors import TfbindError
from tfbind.files import check_output


def register_parser(actions: argparse._SubParsersAction) -> None:
    """Add the action ``compare``."""
    parser = actions.add_parser(
        "compare",
        help="compare maps on one truth",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--maps",
        type=Path,
        nargs="+",
        required=True,
        metavar="MAP",
        help="from predict, or any format of a truth",
    )
    parser.add_argument(
        "--names", type=names, metavar="NAME,NAME", help="of the maps (default: their files' names)"
    )
    add_map_unit(parser)
    add_truth(parser)
    add_seed(parser)
    add_output(parser, "the table; compressed if it ends in .gz", "FILE.tsv")
    add_threads(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Compare, write the table and draw it."""
    table_name = args.output.with_suffix("") if args.output.suffix in (".gz", ".bgz") else args.output
    figure = table_name.with_suffix(".svg")
    if figure == args.output:
        raise TfbindError(
            f"--output {args.output} is the figure's name, expected a name for the table, as in .tsv"
        )
    check_output(figure)
    called = args.names or tuple(str(path) for path in args.maps)
    for number, name in enumerate(called):
        if name in called[:number]:
            raise TfbindError(f"--maps: found {name} twice, expected each once")
    if len(args.maps) < 2 or len(called) != len(args.maps):
        raise TfbindError(
            f"found {len(args.maps)} maps and {len(called)} names, expected at least two maps and a name each"
        )
    from tfbind.recombination.evaluation.comparison import compare_maps
    from tfbind.recombination.evaluation.windows import read_prediction
    from tfbind.recombination.maps.reading import read_truth
    from tfbind.report.axes import write_svg
    from tfbind.report.recombination import comparison_svg
    from tfbind.tables import write_table

    maps = {
        name: read_prediction(path, args.mutation_rate, args.map_unit)
        for name, path in zip(called, args.maps, strict=True)
    }
    table = compare_maps(maps, read_truth(args.truth, args.truth_unit), args.scales, args.seed)
    write_table(args.output, table)
    write_svg(figure, comparison_svg(table))
