"""Tables of rates by windows, as other programs write them: bedGraph, and columns with or without a header."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np
import pandas as pd

from tfbind.errors import TfbindError
from tfbind.files import open_text
from tfbind.recombination.maps.table import PER_MUTATION_LINE

CHROM = re.compile(r"chrom|chr|chromosome|contig|seqnames?|seqid", re.I)
START = re.compile(r"start|begin|(chrom|pos|window)_?start", re.I)
END = re.compile(r"end|stop|(chrom|pos|window)_?end", re.I)
POSITION = re.compile(r"position(\(bp\))?", re.I)
CM_PER_MB_NAME = re.compile(r".*cm.{0,5}mb.*", re.I)
# from the surest to the least
RATE = (
    re.compile(r"rate", re.I),
    CM_PER_MB_NAME,
    re.compile(r".*rate.*", re.I),
    re.compile(r"value|mean", re.I),
)
COMMENT = ("#", "track", "browser")
MISSING = ("NA", "NaN", "nan", ".", "")


class Layout(NamedTuple):
    """What a file's first lines tell.

    Attributes
    ----------
    names : list of str
        The columns; empty where there is no header.
    lines_above : int
        Lines before the first row.
    n_columns : int
    separator : str
        A regular expression.
    per_mutation : bool
        Whether a line above says that the rates are r/mu.
    """

    names: list[str]
    lines_above: int
    n_columns: int
    separator: str
    per_mutation: bool

    @property
    def is_hapmap(self) -> bool:
        """Whether rows are points with a position each."""
        return _place(POSITION, self.names) is not None and _place(START, self.names) is None


def read_layout(path: Path) -> Layout:
    """Find a file's header, which may begin with # behind other comments, or its first row.

    Raises
    ------
    TfbindError
        If there is neither.
    """
    with open_text(path) as lines:
        return _layout(path, lines)


def _layout(path: Path, lines: TextIO) -> Layout:
    per_mutation = False
    for number, line in enumerate(lines):
        per_mutation |= line.strip() == PER_MUTATION_LINE
        separator = "\t" if "\t" in line else "," if "," in line else r"\s+"
        names = re.split(separator, line.strip("\r\n").lstrip("# "))
        has_window = _place(START, names) is not None and _place(END, names) is not None
        if has_window or (_place(POSITION, names) is not None and not line.startswith(COMMENT)):
            return Layout(names, number + 1, len(names), separator, per_mutation)
        if line.strip() and not line.startswith(COMMENT):
            return Layout([], number, len(names), separator, per_mutation)
    raise TfbindError(f"{path}: has no rows, expected a map")


def _place(pattern: re.Pattern, names: list[str]) -> int | None:
    return next((place for place, name in enumerate(names) if pattern.fullmatch(name.strip())), None)


def read_rate_table(path: Path, layout: Layout) -> tuple[pd.DataFrame, str]:
    """Read a table of windows and rates.

    Parameters
    ----------
    path : Path
        With a header, columns for contig (which may be missing), start, end and rate in any order; without one, as
        bedGraph, or but for the contig.
    layout : Layout
        From `read_layout`.

    Returns
    -------
    table : DataFrame
        ``chrom`` : str, empty where the file has none; ``start``, ``end`` : int64; ``rate`` : float64 as it is in
        the file, NaN where missing; contig by contig, ascending.
    name : str
        Of the rate's column; empty without a header.

    Raises
    ------
    TfbindError
        If a column is missing, a cell is no number, a rate is negative, a window is empty, or windows overlap.
    """
    columns = _columns(path, layout)
    order = sorted((place, name) for name, place in columns.items())
    with open_text(path) as lines:
        try:
            table = pd.read_csv(
                lines,
                sep=layout.separator,
                header=None,
                skiprows=layout.lines_above,
                usecols=[place for place, _ in order],
                names=[name for _, name in order],
                dtype={"chrom": str},
                na_values={"rate": list(MISSING)},
                keep_default_na=False,
                comment="#",
            )
        except ValueError as error:
            raise TfbindError(f"{path}: not a table of {layout.n_columns} columns ({error})") from None
    if not len(table):
        raise TfbindError(f"{path}: has no rows, expected a map")
    if "chrom" not in table:
        table["chrom"] = ""
    table = table[["chrom", "start", "end", "rate"]]
    for name in ("start", "end", "rate"):
        table = table.assign(**{name: _numbers(path, layout, table, name)})
    _refuse(path, layout, table["end"] <= table["start"], "an end above the start")
    # contigs stay in the file's order
    codes = pd.factorize(table["chrom"])[0]
    table = table.iloc[np.lexsort((table["start"], codes))]
    same = table["chrom"] == table["chrom"].shift()
    overlaps = same & (table["start"] < table["end"].shift())
    _refuse(path, layout, overlaps, "windows that do not overlap")
    return table.reset_index(drop=True), layout.names[columns["rate"]] if layout.names else ""


def _columns(path: Path, layout: Layout) -> dict[str, int]:
    if not layout.names:
        if layout.n_columns == 4:
            return {"chrom": 0, "start": 1, "end": 2, "rate": 3}
        if layout.n_columns == 3:
            return {"start": 0, "end": 1, "rate": 2}
        raise TfbindError(
            f"{path}: found {layout.n_columns} columns without a header, expected bedGraph's 4, a HapMap file, or"
            " a header that names start, end and a rate"
        )
    found = {
        name: _place(each, layout.names) for name, each in (("chrom", CHROM), ("start", START), ("end", END))
    }
    found["rate"] = next((at for each in RATE if (at := _place(each, layout.names)) is not None), None)
    for name in ("start", "end", "rate"):
        if found[name] is None:
            raise TfbindError(
                f"{path}: found the columns {' '.join(layout.names)}, expected one called {name} among them"
            )
    return {name: place for name, place in found.items() if place is not None}


def _numbers(path: Path, layout: Layout, table: pd.DataFrame, name: str) -> pd.Series:
    numbers = pd.to_numeric(table[name], errors="coerce").astype(np.float64)
    wrong = (numbers < 0) | np.isinf(numbers)
    if name == "rate":
        _refuse(path, layout, wrong | (numbers.isna() & table[name].notna()), "a rate of at least 0 or NA")
        return numbers
    _refuse(path, layout, wrong | numbers.isna() | (numbers % 1 != 0), f"a whole number for {name}")
    return numbers.astype(np.int64)


def _refuse(path: Path, layout: Layout, wrong: pd.Series, expected: str) -> None:
    """Name the first row that is wrong; the index numbers the file's rows from 0."""
    if wrong.any():
        number, line = _line(path, layout, int(wrong.idxmax()))
        raise TfbindError(f"{path}: line {number}: found {line[:60]!r}, expected {expected}")


def _line(path: Path, layout: Layout, row: int) -> tuple[int, str]:
    """Find a row in the file again: its line's number, from 1, and what stands there."""
    blank = "\r\n " if layout.separator == "\t" else None
    with open_text(path) as lines:
        rows = (
            (number, line.strip())
            for number, line in enumerate(lines, 1)
            if number > layout.lines_above and not line.startswith("#") and line.strip(blank)
        )
        return next(islice(rows, row, None))
