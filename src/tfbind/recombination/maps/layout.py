"""How the rows of a text table are laid out, and its columns as numbers."""

from __future__ import annotations

import csv
import re
import shlex
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np
import pandas as pd

from tfbind.errors import TfbindError
from tfbind.files import open_text
from tfbind.recombination.maps.table import PER_MUTATION_LINE

COMMENT = ("#", "track", "browser", "version")
MISSING = ("NA", "NaN", "nan", ".", "")
# headers that may begin with #, as a comment does
COMMENTED_HEADER = re.compile(r"(chrom|chr|left_snp)\w*[\s,]", re.I)
# whole numbers are read as float64, which holds every one up to here
LARGEST_POSITION = 2**53
LARGEST_QUANTITY = 1e15  # of a rate or genetic position in any unit: what is larger overflows in sums
HEAD_ROWS = 50


class Layout(NamedTuple):
    """What the first lines of a file show.

    Attributes
    ----------
    names : list of str
        The columns; empty if there is no header.
    lines_above : int
        Lines before the first row.
    separator : str
        A regular expression.
    head : list of list of str
        The cells of the first rows, at most HEAD_ROWS.
    per_mutation : bool
        Whether a line above says that the rates are r/mu.
    is_quoted : bool
        Whether cells are in quotation marks.
    """

    names: list[str]
    lines_above: int
    separator: str
    head: list[list[str]]
    per_mutation: bool
    is_quoted: bool

    @property
    def n_columns(self) -> int:
        """How many columns the header has, or else the first row."""
        return len(self.names or self.head[0])

    def place(self, *patterns: re.Pattern) -> int | None:
        """Find the first column whose name is one of the patterns, the first pattern first; None if none is."""
        return next(
            (
                place
                for pattern in patterns
                for place, name in enumerate(self.names)
                if pattern.fullmatch(name)
            ),
            None,
        )


def read_layout(path: Path) -> Layout:
    """Find a file's header, which may begin with # after other comments, and its first rows.

    Raises
    ------
    TfbindError
        If there is neither.
    """
    with open_text(path) as lines:
        layout = _layout(lines)
    if layout is None:
        raise TfbindError(f"{path}: has no rows, expected a map")
    return layout


def _layout(lines: TextIO) -> Layout | None:
    per_mutation = False
    for number, line in enumerate(lines):
        per_mutation |= line.strip() == PER_MUTATION_LINE
        is_comment = line.startswith(COMMENT)
        if not line.strip() or (is_comment and not COMMENTED_HEADER.match(line.lstrip("# "))):
            continue
        separator = "\t" if "\t" in line else "," if "," in line else r"\s+"
        cells = _cells(line.lstrip("# ") if is_comment else line, separator)
        has_header = not any(map(is_number, cells))
        first = [] if has_header else [cells]
        return Layout(
            names=cells if has_header else [],
            lines_above=number + has_header,
            separator=separator,
            head=[*first, *_head(lines, separator)],
            per_mutation=per_mutation,
            is_quoted='"' in line,
        )
    return None


def _head(lines: TextIO, separator: str) -> list[list[str]]:
    rows = (line for line in lines if line.strip() and not line.startswith(COMMENT))
    return [_cells(line, separator) for line in islice(rows, HEAD_ROWS)]


def _cells(line: str, separator: str) -> list[str]:
    if separator != r"\s+":
        return [cell.strip(' "') for cell in line.rstrip("\r\n").split(separator)]
    try:
        # R quotes its texts, which may hold blanks
        return shlex.split(line) if '"' in line else line.split()
    except ValueError:
        return line.split()


def is_number(text: str) -> bool:
    """Whether a text is a number, NaN included."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_columns(path: Path, layout: Layout, places: Mapping[str, int]) -> pd.DataFrame:
    """Read some columns of a table as text.

    Parameters
    ----------
    path : Path
    layout : Layout
        From `read_layout`.
    places : mapping of str to int
        Where each column is, by the name that it gets.

    Returns
    -------
    DataFrame
        str throughout, None for a cell that a row lacks; the index numbers the rows from 0.

    Raises
    ------
    TfbindError
        If a row has more columns than the first, or there are no rows.
    """
    order = sorted((place, name) for name, place in places.items())
    with open_text(path) as lines:
        try:
            table = pd.read_csv(
                lines,
                sep=layout.separator,
                header=None,
                skiprows=layout.lines_above,
                usecols=[place for place, _ in order],
                names=[name for _, name in order],
                dtype=str,
                keep_default_na=False,
                comment="#",
                quoting=csv.QUOTE_MINIMAL if layout.is_quoted else csv.QUOTE_NONE,
            )
        except ValueError as error:
            raise TfbindError(f"{path}: not a table of {layout.n_columns} columns ({error})") from None
    if not len(table):
        raise TfbindError(f"{path}: has no rows, expected a map")
    return table[list(places)]


def positions(path: Path, layout: Layout, column: pd.Series) -> pd.Series:
    """Convert a column of positions: int64.

    Raises
    ------
    TfbindError
        If a cell is not a whole number from 0 to LARGEST_POSITION.
    """
    numbers = pd.to_numeric(column, errors="coerce").astype(np.float64)
    wrong = numbers.isna() | (numbers < 0) | (numbers > LARGEST_POSITION) | (numbers % 1 != 0)
    refuse(path, layout, wrong, f"a whole number for {column.name}")
    return numbers.astype(np.int64)


def quantities(path: Path, layout: Layout, column: pd.Series, expected: str) -> pd.Series:
    """Convert a column of rates or genetic positions: float64, NaN where it says so.

    Raises
    ------
    TfbindError
        If a cell is neither a number from 0 to LARGEST_QUANTITY nor one of MISSING.
    """
    text = column.str.strip() if column.dtype == object else column
    numbers = pd.to_numeric(text, errors="coerce").astype(np.float64)
    unknown = text.isin(MISSING)
    refuse(path, layout, (numbers < 0) | np.isinf(numbers) | (numbers.isna() & ~unknown), expected)
    refuse(path, layout, numbers > LARGEST_QUANTITY, f"a number of at most {LARGEST_QUANTITY:g}")
    return numbers


def refuse(path: Path, layout: Layout, wrong: pd.Series, expected: str) -> None:
    """Raise a TfbindError that shows the first row that is wrong; the index numbers the file's rows from 0."""
    if wrong.any():
        number, line = line_of(path, layout, int(wrong.idxmax()))
        raise TfbindError(f"{path}: line {number}: found {line[:60]!r}, expected {expected}")


def line_of(path: Path, layout: Layout, row: int) -> tuple[int, str]:
    """Find a row in the file again: its line's number, from 1, and its text."""
    # what pandas takes for an empty line: Python strips more, such as U+0085
    blank = "\r\n " if layout.separator == "\t" else "\r\n \t"
    with open_text(path) as lines:
        rows = (
            (number, line.strip())
            for number, line in enumerate(lines, 1)
            if number > layout.lines_above and not line.startswith("#") and line.strip(blank)
        )
        return next(islice(rows, row, None))
