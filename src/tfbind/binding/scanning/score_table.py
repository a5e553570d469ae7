"""The table of scores: a line a window, written as text or BGZF, and read back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from Bio.bgzf import BgzfWriter

from tfbind.binding.scanning.windows import Windows
from tfbind.files import BGZF_END, open_text, whole_output

DIGITS = 6  # significant ones, of a score in the table


class LineWriter:
    """Writes text to an open file, as BGZF or as it is.

    What one call writes is in the file when it returns, in BGZF in blocks of its own: a file that is cut behind
    one of them can be gone on with, and the same calls give the same bytes.

    Parameters
    ----------
    handle : binary file
    packed : bool
        Whether to write BGZF (SAM specification 4.1), which every reader of gzip understands.
    """

    def __init__(self, handle: BinaryIO, packed: bool):
        self._handle = handle
        # level 6 takes three times as long as 4 for a size that is 3% smaller
        self._blocks = BgzfWriter(fileobj=handle, compresslevel=4) if packed else None

    def write(self, text: str) -> None:
        """Write text."""
        data = text.encode()
        if self._blocks is None:
            self._handle.write(data)
        elif data:
            self._blocks.write(data)
            self._blocks.flush()
        self._handle.flush()

    def writelines(self, lines: Iterable[str]) -> None:
        """Write lines, which end in a newline each."""
        self.write("".join(lines))

    def finish(self) -> None:
        """Write what ends the file."""
        if self._blocks is not None:
            self._handle.write(BGZF_END)
            self._handle.flush()


def is_packed(path: Path) -> bool:
    """Whether a table of this name is BGZF."""
    return path.suffix in (".gz", ".bgz")


@contextmanager
def open_table(path: Path) -> Iterator[LineWriter]:
    """Open a table for writing, BGZF where the name ends in .gz or .bgz; whole or not at all."""
    with whole_output(path) as temporary, open(temporary, "wb") as handle:
        table = LineWriter(handle, is_packed(path))
        yield table
        table.finish()


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
        lines.append(f"{name}\t{start}\t{end}\t{cells}\t{note}\n")
    return lines


class Row(NamedTuple):
    """A window as the table has it; 0-based, half-open; a score is NaN where the table says NA."""

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
            yield Row(
                name, int(start), int(end), [float("nan") if text == "NA" else float(text) for text in scores]
            )
