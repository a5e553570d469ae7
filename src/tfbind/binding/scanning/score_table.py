"""The table of scores: a line for each window, formatted and read back."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfbind.binding.scanning.windows import UNKNOWN, Windows
from tfbind.errors import TfbindError
from tfbind.files import open_text

DIGITS = 6  # significant ones, of a score in the table
MOST_DIGITS = 15  # of a place
ROWS_AT_ONCE = 8192
_PLACE = re.compile(rf"NA|[0-9]{{1,{MOST_DIGITS}}}", re.ASCII)


def spread_columns(factors: Iterable[str]) -> list[str]:
    """Name the columns of the spread over an ensemble's members."""
    return [f"{factor}_sd" for factor in factors]


def table_header(factors: Sequence[str], *, uncertainty: bool = False) -> str:
    """Give the table's first line; with ``uncertainty`` the spreads come after all scores."""
    factors = [*factors, *(spread_columns(factors) if uncertainty else [])]
    return "\t".join(["id", "start", "end", *factors, "note"]) + "\n"


def table_rows(windows: Windows, scores: np.ndarray) -> list[str]:
    """Format windows and their scores as lines of the table."""
    columns = [
        ["NA" if value != value else f"{value:.{DIGITS}g}" for value in column]
        for column in scores.T.tolist()
    ]
    start, end = (
        ["NA" if place == UNKNOWN else str(place) for place in places.tolist()]
        for places in (windows.start, windows.end)
    )
    return [
        "\t".join(cells) + "\n" for cells in zip(windows.id, start, end, *columns, windows.note, strict=True)
    ]


class Row(NamedTuple):
    """A window as the table has it; 0-based, half-open; NA is NaN for a score and UNKNOWN for start and end."""

    id: str
    start: int
    end: int
    scores: list[float]


def read_factors(path: Path) -> list[str]:
    """Read the names of the columns of numbers: the factors, and those of `spread_columns` if they are there."""
    with open_text(path) as lines:
        return _header(path, next(lines, ""))[3:-1]


def _header(path: Path, line: str) -> list[str]:
    header = line.rstrip("\n").split("\t")
    if header[:3] != ["id", "start", "end"] or header[-1] != "note":
        raise TfbindError(f"{path}: line 1: expected the columns id, start, end, factors and note")
    return header


class Rows(NamedTuple):
    """Windows that follow each other in the table.

    id : tuple of n str
    start, end : (n,) int64, UNKNOWN where there is none
    scores : (n, columns) float64, NaN where there is none
    """

    id: tuple[str, ...]
    start: np.ndarray
    end: np.ndarray
    scores: np.ndarray


def read_blocks(path: Path, n_factors: int | None = None) -> Iterator[Rows]:
    """Read a table that was written whole, many rows at a time, with the scores of its first factors, or of all.

    Raises
    ------
    TfbindError
        If a line is not one of such a table.
    """
    with open_text(path) as lines:
        n_columns = len(_header(path, next(lines, "")))
        number = 2
        while some := list(islice(lines, ROWS_AT_ONCE)):
            try:
                rows = _rows(some, n_columns)
            except ValueError:
                at = next(at for at, line in enumerate(some) if not _is_row(line, n_columns))
                found = some[at].strip()[:60]
                raise TfbindError(
                    f"{path}: line {number + at}: found {found!r}, expected a row of scores"
                ) from None
            yield rows._replace(scores=rows.scores[:, :n_factors])
            number += len(some)


def read_rows(path: Path, n_factors: int | None = None) -> Iterator[Row]:
    """Read a table row by row, as `read_blocks` does."""
    for rows in read_blocks(path, n_factors):
        columns = (rows.id, *(values.tolist() for values in (rows.start, rows.end, rows.scores)))
        yield from map(Row._make, zip(*columns, strict=True))


def _rows(lines: list[str], n_columns: int) -> Rows:
    """Read some rows; ValueError if one of them is not a row, which `_is_row` then finds."""
    # column by column, which takes a third of the time
    columns = list(zip(*(line.rstrip("\n").split("\t") for line in lines), strict=True))
    if len(columns) != n_columns:
        raise ValueError
    start, end = _places(columns[1]), _places(columns[2])
    if ((start == UNKNOWN) != (end == UNKNOWN)).any() or (end < start).any():
        raise ValueError
    scores = np.array([_scores(column) for column in columns[3:-1]]).reshape(n_columns - 4, len(lines))
    if np.isinf(scores).any():
        raise ValueError
    return Rows(columns[0], start, end, scores.T)


def _is_row(line: str, n_columns: int) -> bool:
    try:
        _rows([line], n_columns)
    except ValueError:
        return False
    return True


def _places(cells: tuple[str, ...]) -> np.ndarray:
    # a table of ours has no other number: `int` would take many
    letters = "".join(cells)
    if letters.isdecimal() and letters.isascii() and max(map(len, cells)) <= MOST_DIGITS:
        return np.array(list(map(int, cells)), np.int64)
    if not all(map(_PLACE.fullmatch, cells)):
        raise ValueError
    return np.array([UNKNOWN if cell == "NA" else int(cell) for cell in cells], np.int64)


def _scores(cells: tuple[str, ...]) -> list[float]:
    if "NA" in cells:
        return [math.nan if cell == "NA" else float(cell) for cell in cells]
    return list(map(float, cells))


class Record(NamedTuple):
    """The windows of one record, by their start.

    id : str
    start, end : (n,) int64
    scores : (n, columns) float64
    """

    id: str
    start: np.ndarray
    end: np.ndarray
    scores: np.ndarray


def stretches_of_records(start: np.ndarray) -> list[tuple[int, int]]:
    """Divide windows that follow each other by record, as numbers of rows from and to.

    A name may be given twice, so it is the start, 0, that shows where another record begins.

    Parameters
    ----------
    start : (n,) int64
    """
    firsts = np.flatnonzero(start == 0).tolist()
    return list(pairwise([*([] if firsts[:1] == [0] else [0]), *firsts, len(start)]))


def records_of(blocks: Iterable[Rows]) -> Iterator[Record]:
    """Group windows by record; a chromosome's take as much memory as their numbers."""
    parts: list[Record] = []
    for rows in blocks:
        for first, end in stretches_of_records(rows.start):
            if rows.start[first] == 0 and parts:
                yield _joined(parts)
                parts = []
            parts.append(Record(rows.id[first], *(values[first:end] for values in rows[1:])))
    if parts:
        yield _joined(parts)


def _joined(parts: list[Record]) -> Record:
    if len(parts) == 1:
        return parts[0]
    start, end, scores = (np.concatenate([part[column] for part in parts]) for column in (1, 2, 3))
    return Record(parts[0].id, start, end, scores)
