"""The table of scores: a line for each window, formatted and read back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfbind.binding.scanning.windows import UNKNOWN, Windows
from tfbind.files import open_text

DIGITS = 6  # significant ones, of a score in the table


def table_header(factors: Iterable[str]) -> str:
    """Give the table's first line."""
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


def read_rows(path: Path) -> Iterator[Row]:
    """Read a table that was written whole, row by row."""
    with open_text(path) as lines:
        next(lines)
        for line in lines:
            name, start, end, *scores, _ = line.split("\t")
            first, last = (UNKNOWN if text == "NA" else int(text) for text in (start, end))
            yield Row(name, first, last, [float("nan") if text == "NA" else float(text) for text in scores])
