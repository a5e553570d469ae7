"""Layouts of peak files: which column holds what, and what a line says of its peak."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tfbind.dna.bed import read_interval, read_position
from tfbind.errors import TfbindError

MISSING = ("", ".", "na", "nan")
OFFSET, POSITION = "offset", "position"


@dataclass(frozen=True)
class Layout:
    """Where a file has what a peak needs; columns are counted from 0.

    format : one of `tfbind.dna.peak_formats.PEAK_FORMATS` but "auto"
    title : what the log calls it
    contig, start, end : columns
    label : column of the name, or None
    ranks : name and column of what peaks may be ranked by; the next one counts if all are -1 in the one before
    summit : name and column, or None
    summit_as : OFFSET from the start, or POSITION in the file's base
    base : number of a contig's first base, 0 or 1; with 1 an end is the last base of its peak
    n_columns : a line must have as many
    header : line number of the header line, 0 if there is none
    named : whether columns are known by the names in the header
    """

    format: str
    title: str
    contig: int = 0
    start: int = 1
    end: int = 2
    label: int | None = 3
    ranks: tuple[tuple[str, int], ...] = ()
    summit: tuple[str, int] | None = None
    summit_as: str = OFFSET
    base: int = 0
    n_columns: int = 3
    header: int = 0
    named: bool = False

    def interval(self, columns: Sequence[str]) -> tuple[str, int, int]:
        """Read contig, start and end, 0-based and half-open.

        Raises
        ------
        TfbindError
            If the line is not of the format. The message has no file and no line.
        """
        if len(columns) < self.n_columns:
            if self.format == "bed":
                read_interval(columns)
            found = f"{len(columns)} column{'s' if len(columns) != 1 else ''}"
            raise TfbindError(f"found {found}, expected {self.n_columns} ({self.title})")
        start, end = read_position("start", columns[self.start]), read_position("end", columns[self.end])
        if start < self.base:
            raise TfbindError(f"found start {start}, expected at least {self.base} (positions are 1-based)")
        if end <= start - self.base:
            bound = "at least the" if self.base else "greater than"
            raise TfbindError(f"end ({end}) must be {bound} start ({start})")
        return columns[self.contig], start - self.base, end

    def name(self, columns: Sequence[str]) -> str:
        """Give the name of a peak, '' if it has none."""
        if self.label is None or len(columns) <= self.label or columns[self.label] in (".", ""):
            return ""
        return columns[self.label]

    def signals(self, columns: Sequence[str]) -> list[float]:
        """Read what peaks may be ranked by, a number for each of ``ranks``, NaN where it is missing.

        Raises
        ------
        TfbindError
            If a cell is not a number, except in BED, where the column may hold anything.
        """
        found = []
        for _, column in self.ranks:
            text = columns[column] if column < len(columns) else "."
            value = number(text)
            if math.isnan(value) and text.lower() not in MISSING and self.format != "bed":
                raise TfbindError(f"found signal {text!r} in column {column + 1}, expected a number")
            found.append(value)
        return found

    def summit_of(self, columns: Sequence[str], start: int, end: int) -> int | None:
        """Read the summit of a peak, as a 0-based position; None if the file has none.

        Raises
        ------
        TfbindError
            If it is not in the peak.
        """
        if self.summit is None:
            return None
        name, column = self.summit
        text = columns[column] if column < len(columns) else "."
        if text == "-1" or (self.named and text.lower() in MISSING):
            return None
        length = end - start
        if self.summit_as == POSITION:
            value = read_position(f"{name}", text) - self.base
            if not start <= value < end:
                raise TfbindError(
                    f"found {name} {text!r} in column {column + 1}, expected a position from {start + self.base}"
                    f" to {end - 1 + self.base}"
                )
            return value
        offset = read_position(name, text) if self.named else int(text) if is_offset(text) else -1
        if not 0 <= offset < length:
            raise TfbindError(
                f"found summit offset {text!r} in column {column + 1}, expected -1 or a whole number below the"
                f" peak's length {length}"
            )
        return start + offset

    def describe(self, n: int, n_summits: int, rank: int | None) -> str:
        """Say what was read, and what was assumed about it.

        Parameters
        ----------
        n : int
            Peaks.
        n_summits : int
            Peaks with a summit.
        rank : int or None
            Which of ``ranks`` they are ranked by; None if nothing is known in any.
        """
        parts = [f"{self.base}-based"]
        if self.summit is None or not n_summits:
            parts.append("no summits, so midpoints")
        else:
            without = f" ({n - n_summits:,} without one: midpoints)" if n_summits < n else ""
            parts.append(f"summit: {self._column(*self.summit)}{without}")
        parts.append(f"ranked by {', '.join(self._rank(rank))}" if rank is not None else "nothing to rank by")
        if self.header:
            parts.append(f"header: line {self.header}")
        return f"read {n:,} peak{'s' if n != 1 else ''} as {self.title} ({'; '.join(parts)})"

    def _column(self, name: str, column: int) -> str:
        return f"{name}, column {column + 1}" if self.named else f"column {column + 1}"

    def _rank(self, rank: int) -> tuple[str, str]:
        name, column = self.ranks[rank]
        return name, f"column {column + 1}"


_SIGNALS = ("signalValue", "pValue", "qValue")
BED = Layout("bed", "BED", ranks=(("score", 4),))
BROAD_PEAK = Layout("broadPeak", "broadPeak", ranks=tuple(zip(_SIGNALS, (6, 7, 8), strict=True)), n_columns=9)
NARROW_PEAK = replace(BROAD_PEAK, format="narrowPeak", title="narrowPeak", summit=("summit", 9), n_columns=10)
GAPPED_PEAK = Layout(
    "gappedPeak", "gappedPeak", ranks=tuple(zip(_SIGNALS, (12, 13, 14), strict=True)), n_columns=15
)
HOMER = Layout(
    "homer",
    "HOMER peaks",
    contig=1,
    start=2,
    end=3,
    label=0,
    ranks=(("findPeaks Score", 7), ("Normalized Tag Count", 5)),
    base=1,
    n_columns=5,
)
WITHOUT_NAMES = {layout.format: layout for layout in (BED, BROAD_PEAK, NARROW_PEAK, GAPPED_PEAK, HOMER)}


def number(text: str) -> float:
    """Read a number; NaN if it is not one."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def is_offset(text: str) -> bool:
    """Say whether a cell may be a narrowPeak's summit, which is a plain whole number."""
    return text.isascii() and text.isdecimal() and len(text) < 16
