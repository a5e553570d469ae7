"""Maps whose rows are windows with a rate each: bedGraph, and tables with a header or without one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tfbind.errors import TfbindError
from tfbind.recombination.maps.formats import CHROM, END, RATE, START
from tfbind.recombination.maps.layout import Layout, positions, quantities, read_columns, refuse

# of the formats whose columns have no names
BARE = {
    "bedgraph": {"chrom": 0, "start": 1, "end": 2, "rate": 3},
    "pyrho": {"start": 0, "end": 1, "rate": 2},
}


def read_windows(path: Path, layout: Layout, form: str) -> tuple[pd.DataFrame, str]:
    """Read a table of windows and rates.

    Parameters
    ----------
    path : Path
        With a header, columns for contig (which may be missing), start, end and rate in any order.
    layout : Layout
        From `tfbind.recombination.maps.layout.read_layout`.
    form : str
        A key of `tfbind.recombination.maps.formats.FORMATS`, whose kind is ``windows``.

    Returns
    -------
    table : DataFrame
        ``chrom`` : str, empty where the file has none; ``start``, ``end`` : int64; ``rate`` : float64 as it is in
        the file (of FastEPRR per bp), NaN where missing; contig by contig, ascending.
    name : str
        Of the rate's column; empty without a header.

    Raises
    ------
    TfbindError
        If a column is missing, a cell is not a number, a rate is negative, a window is empty, or windows overlap.
    """
    places = _places(path, layout) if layout.names else BARE[form]
    table = read_columns(path, layout, places)
    if "chrom" not in table:
        table["chrom"] = ""
    table = table[["chrom", "start", "end", "rate"]]
    for name in ("start", "end"):
        table = table.assign(**{name: positions(path, layout, table[name])})
    table = table.assign(rate=quantities(path, layout, table["rate"], "a rate of at least 0 or NA"))
    if form == "fasteprr":
        # its rates are of a window, whose first base counts from 1
        table["start"] = np.maximum(table["start"] - 1, 0)
        table["rate"] /= table["end"] - table["start"]
    if form == "ldhelmet":
        # positions of sites, from 1; some files begin at 0, which is no base
        for name in ("start", "end"):
            table[name] = np.maximum(table[name] - 1, 0)
    refuse(path, layout, table["end"] <= table["start"], "an end greater than the start")
    # contigs stay in the file's order
    codes = pd.factorize(table["chrom"])[0]
    table = table.iloc[np.lexsort((table["start"], codes))]
    same = table["chrom"] == table["chrom"].shift()
    overlaps = same & (table["start"] < table["end"].shift())
    refuse(path, layout, overlaps, "windows that do not overlap")
    return table.reset_index(drop=True), layout.names[places["rate"]] if layout.names else ""


def _places(path: Path, layout: Layout) -> dict[str, int]:
    found = {
        "chrom": layout.place(CHROM),
        "start": layout.place(START),
        "end": layout.place(END),
        "rate": layout.place(*RATE),
    }
    for name in ("start", "end", "rate"):
        if found[name] is None:
            raise TfbindError(
                f"{path}: found the columns {' '.join(layout.names)}, expected one called {name} among them"
            )
    return {name: place for name, place in found.items() if place is not None}
