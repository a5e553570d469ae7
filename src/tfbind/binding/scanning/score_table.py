"""The table of scores: a line for each window, formatted and read back."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfbind.binding.scanning.windows import UNKNOWN, Windows
from tfbind.errors import TfbindError
from tfbind.files import open_text

_PLACE = re.compile(r"NA|[0-9]{1,15}", re.ASCII)
DIGITS = 6  # significant ones, of a score in the table


def spread_columns(factors: Iterable[str]) -> list[str]:
    """Name the columns of the spread over an ensemble's members."""
    return [f"{factor}_sd" for factor in factors]


def table_header(factors: Sequence[str], *, uncertainty: bool = False) -> str:
    """Give the table's first line; with ``uncertainty`` the spreads come after all scores."""
    factors = [*factors, *(spread_columns(factors) if uncertainty else [])]
    return "\t".join(["id", "start", "end", *factors, "note"]) + "\n"


def table_rows(windows: Windows, scores: np.ndarray) -> list[str]:
    """Format windows and their scores as lines of the table."""
    lines = []
    for name, start, end, row, note in zip(
        windows.id, windows.start.tolist(), windows.end.tolist(), scores.tolist(), windows.note, strict=True
    ):
        cells = "\t".join("NA" if value != value else f"{value:.{DIGITS}g}" for value in row)
        place = "NA\tNA" if start == UNKNOWN else f"{start}\t{end}"
        lines.append(f"{name}\t{place}\t{cells}\t{note}\n")
    return lines


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


def read_rows(path: Path, n_factors: int | None = None) -> Iterator[Row]:
    """Read a table that was written whole, row by row, with the scores of its first factors, or of all.

    Raises
    ------
    TfbindError
        If a line is not one of such a table.
    """
    with open_text(path) as lines:
        header = _header(path, next(lines, ""))
        for number, line in enumerate(lines, 2):
            cells = line.rstrip("\n").split("\t")
            try:
                yield _row(cells, len(header), n_factors)
            except ValueError:
                found = line.strip()[:60]
                raise TfbindError(
                    f"{path}: line {number}: found {found!r}, expected a row of scores"
                ) from None


def _row(cells: list[str], n_columns: int, n_factors: int | None) -> Row:
    """Read a row; ValueError if it is not one."""
    if len(cells) != n_columns:
        raise ValueError
    name, start, end, *scores, _ = cells
    # a table of ours has no other number: `int` and `float` would take many
    if not all(_PLACE.fullmatch(text) for text in (start, end)) or (start == "NA") != (end == "NA"):
        raise ValueError
    first, last = (UNKNOWN if text == "NA" else int(text) for text in (start, end))
    if start != "NA" and last < first:
        raise ValueError
    values = [float("nan") if text == "NA" else float(text) for text in scores]
    if any(math.isinf(value) for value in values):
        raise ValueError
    return Row(name, first, last, values[:n_factors])
