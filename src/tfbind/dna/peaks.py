"""Peaks from BED, narrowPeak and broadPeak files, and the windows that are cut round their summits."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tfbind.errors import TfbindError
from tfbind.files import open_text

NOT_DATA = ("#", "track ", "track\t", "browser ")
# columns, counted from 0, of the peak formats of ENCODE
SCORE, SIGNAL, SUMMIT = 4, 6, 9
N_COLUMNS = {"bed": 3, "broadPeak": 9, "narrowPeak": 10}


class Peak(NamedTuple):
    """A peak; 0-based, half-open. ``name`` is '' and ``signal`` NaN where the file has none."""

    contig: str
    start: int
    end: int
    name: str
    signal: float
    summit: int  # position on the contig; the midpoint where the file has no summit


class Window(NamedTuple):
    """A stretch of a genome that becomes a record; 0-based, half-open."""

    contig: str
    start: int
    end: int
    name: str = ""

    @property
    def record_id(self) -> str:
        """``name::contig:start-end``, as ``bedtools getfasta -name`` writes it."""
        place = f"{self.contig}:{self.start}-{self.end}"
        return f"{self.name}::{place}" if self.name else place


def bed_lines(path: str | Path) -> Iterator[tuple[int, list[str], int, int]]:
    """Yield line number, columns, start and end of every interval in a file of the BED family.

    Columns are separated by tabs or, in a line without any, by spaces.

    Raises
    ------
    TfbindError
        If a line has fewer than three columns or no interval in columns 2 and 3.
    """
    with open_text(path) as lines:
        for number, line in enumerate(lines, 1):
            line = line.rstrip()
            if not line or line.startswith(NOT_DATA):
                continue
            columns = line.split("\t") if "\t" in line else line.split()
            if len(columns) < 3:
                raise TfbindError(
                    f"{path}: line {number}: found {len(columns)} column(s), expected at least 3"
                    " (contig, start, end; separated by tabs)"
                )
            for name, text in (("start", columns[1]), ("end", columns[2])):
                if not _is_position(text):
                    raise TfbindError(
                        f"{path}: line {number}: found {name} {text!r}, expected a whole number of at least 0"
                    )
            start, end = int(columns[1]), int(columns[2])
            if end <= start:
                raise TfbindError(
                    f"{path}: line {number}: found end {end}, expected one behind the start {start}"
                )
            yield number, columns, start, end


def read_peaks(path: str | Path) -> list[Peak]:
    """Read a BED (signal: column 5), broadPeak (column 7) or narrowPeak (column 7, summit: column 10).

    The format is told by the extension ``.narrowPeak`` or ``.broadPeak`` (``.gz`` behind it or not), else by
    the first line, as ENCODE names its narrowPeak files ``.bed.gz``: ten columns, of which 7 to 9 are numbers
    and the last a whole one, are narrowPeak, all else is BED.

    Raises
    ------
    TfbindError
        If there is no peak in the file, or a line is not of its format.
    """
    peaks: list[Peak] = []
    layout = _layout_of_name(path)
    for number, columns, start, end in bed_lines(path):
        where = f"{path}: line {number}"
        layout = layout or _layout_of_columns(columns)
        if len(columns) < N_COLUMNS[layout]:
            raise TfbindError(
                f"{where}: found {len(columns)} columns, expected {N_COLUMNS[layout]} ({layout})"
            )
        name = columns[3] if len(columns) > 3 and columns[3] != "." else ""
        if layout == "bed":
            signal = _number(columns[SCORE]) if len(columns) > SCORE else math.nan
        else:
            signal = _number(columns[SIGNAL])
            if math.isnan(signal) and columns[SIGNAL].lower() not in (".", "nan"):
                raise TfbindError(f"{where}: found signal {columns[SIGNAL]!r} in column 7, expected a number")
        summit = (start + end) // 2
        if layout == "narrowPeak" and columns[SUMMIT] != "-1":
            offset = int(columns[SUMMIT]) if _is_position(columns[SUMMIT]) else -1
            if not 0 <= offset < end - start:
                raise TfbindError(
                    f"{where}: found summit offset {columns[SUMMIT]!r} in column 10,"
                    f" expected -1 or a whole number below the peak's length {end - start}"
                )
            summit = start + offset
        peaks.append(Peak(columns[0], start, end, name, signal, summit))
    if not peaks:
        raise TfbindError(f"{path}: holds no peak, expected lines of contig, start, end")
    return peaks


def merge_summits(peaks: Sequence[Peak], length: int, contigs: Mapping[str, int] | None = None) -> list[Peak]:
    """Drop the peaks whose windows would overlap the window of a stronger one.

    Peaks are taken from the strongest signal to the weakest (those without a signal last, ties in the order
    of the input); one whose summit lies less than ``length`` from a kept one of its contig is dropped.

    Parameters
    ----------
    peaks : sequence of Peak
    length : int
        Length of the windows in bases.
    contigs : mapping of str to int, optional
        Lengths of the contigs: also counts that windows at a contig's end are moved inside.

    Returns
    -------
    list of Peak
        Contigs in the order in which the input first names them, by position in each.
    """
    kept: dict[str, list[int]] = {}
    survivors: dict[str, list[Peak]] = {}
    for peak in peaks:
        kept.setdefault(peak.contig, [])
        survivors.setdefault(peak.contig, [])
    for peak in sorted(peaks, key=_strongest_first):
        start = peak.summit - length // 2
        if contigs is not None:
            start = _inside(start, length, contigs[peak.contig])
        starts = kept[peak.contig]
        place = bisect_left(starts, start)
        if (place and start - starts[place - 1] < length) or (
            place < len(starts) and starts[place] - start < length
        ):
            continue
        starts.insert(place, start)
        survivors[peak.contig].insert(place, peak)
    return [peak for of_contig in survivors.values() for peak in of_contig]


def strongest(peaks: Sequence[Peak], n: int, source: str | Path) -> list[Peak]:
    """Return the ``n`` peaks of the strongest signal, in the order of the input; ties go to the first.

    Raises
    ------
    TfbindError
        If there are more than ``n`` and their signals do not tell which: none has one, or all the same.
    """
    if len(peaks) <= n:
        return list(peaks)
    signals = {peak.signal for peak in peaks if not math.isnan(peak.signal)}
    if not signals:
        raise TfbindError(f"{source}: has no signal to tell the {n} strongest of its {len(peaks)} peaks by")
    if len(signals) == 1 and not any(math.isnan(peak.signal) for peak in peaks):
        raise TfbindError(
            f"{source}: every signal is {signals.pop():g}, which does not tell the {n} strongest"
            f" of its {len(peaks)} peaks"
        )
    chosen = sorted(range(len(peaks)), key=lambda i: _strongest_first(peaks[i]))[:n]
    return [peaks[i] for i in sorted(chosen)]


def windows_round_summits(
    peaks: Sequence[Peak], length: int, contigs: Mapping[str, int], source: str | Path = "peaks"
) -> tuple[list[Window], int, int]:
    """Cut a window round every summit, which becomes its base number ``length // 2``.

    Parameters
    ----------
    peaks : sequence of Peak
        Their contigs must be in ``contigs`` (see ``Genome.match_contigs``).
    length : int
        Length of the windows in bases.
    contigs : mapping of str to int
        Lengths of the contigs.
    source : str or Path
        Where the peaks come from, for the message.

    Returns
    -------
    windows : list of Window
        One for each peak, in their order.
    n_moved : int
        Windows that passed a contig's end and were moved inside.
    n_short : int
        Windows that are a whole contig, which is shorter than ``length``.

    Raises
    ------
    TfbindError
        If a peak starts beyond the end of its contig, as with peaks of another genome build.
    """
    windows = []
    n_moved = n_short = 0
    for peak in peaks:
        contig_length = contigs[peak.contig]
        if peak.start >= contig_length:
            raise TfbindError(
                f"{source}: found a peak at {Window(*peak[:4]).record_id}, where {peak.contig} has"
                f" {contig_length} bases: are peaks and genome of the same build?"
            )
        centred = peak.summit - length // 2
        start = _inside(centred, length, contig_length)
        if contig_length < length:
            n_short += 1
        elif start != centred:
            n_moved += 1
        windows.append(Window(peak.contig, start, min(start + length, contig_length), peak.name))
    return windows, n_moved, n_short


def _inside(start: int, length: int, contig_length: int) -> int:
    """Move the start of a window so that the window lies on its contig, if the contig is long enough."""
    return max(0, min(start, contig_length - length))


def _strongest_first(peak: Peak) -> float:
    return math.inf if math.isnan(peak.signal) else -peak.signal


def _is_position(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _layout_of_name(path: str | Path) -> str | None:
    match = re.search(r"\.(narrow|broad)peak(\.b?gz)?$", str(path).lower())
    return f"{match[1]}Peak" if match else None


def _layout_of_columns(columns: Sequence[str]) -> str:
    is_narrow = (
        len(columns) == N_COLUMNS["narrowPeak"]
        and not any(math.isnan(_number(text)) for text in columns[SIGNAL:SUMMIT])
        and (columns[SUMMIT] == "-1" or _is_position(columns[SUMMIT]))
    )
    return "narrowPeak" if is_narrow else "bed"
