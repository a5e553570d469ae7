"""Peaks of peak files, and the windows that are cut around their summits."""

from __future__ import annotations

import logging
import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tfbind.dna.bed import data_lines
from tfbind.dna.peak_formats import SAMPLE, clean, find_layout
from tfbind.dna.peak_layouts import Layout
from tfbind.errors import TfbindError

if TYPE_CHECKING:
    from tfbind.dna.genome import Genome

logger = logging.getLogger(__name__)

NO_CONTIG, OFF_CONTIG = "no_contig", "off_contig"


class Peak(NamedTuple):
    """A peak; 0-based, half-open. ``name`` is '' and ``signal`` NaN if the file has none."""

    contig: str
    start: int
    end: int
    name: str
    signal: float
    summit: int  # position on the contig; the midpoint if the file has no summit
    line: int = 0  # of the file

    @property
    def record_id(self) -> str:
        """``name::contig:start-end``, of the peak itself."""
        return Window(*self[:4]).record_id


class BadLine(NamedTuple):
    """A line of a peak file that is not a peak.

    line : int
    text : str
        What it has for an id: ``name::contig:start-end`` as written, without tabs.
    problem : str
        What is wrong.
    """

    line: int
    text: str
    problem: str


class Unplaced(NamedTuple):
    """A peak that is not on the genome.

    peak : Peak
    note : str
        NO_CONTIG or OFF_CONTIG.
    problem : str
        What is wrong.
    """

    peak: Peak
    note: str
    problem: str


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


def read_peaks(
    path: str | Path, peak_format: str = "auto", bad_lines: list[BadLine] | None = None
) -> list[Peak]:
    """Read a peak file; the log says which format it was read as, and what was assumed.

    See `tfbind.dna.peak_formats.find_layout` for the formats. Peaks are ranked by the signal of their format, or by
    the p-value or q-value beside it if every signal is -1, as in what IDR ranked by p-value.

    Parameters
    ----------
    path : str or Path
    peak_format : str
        One of `tfbind.dna.peak_formats.PEAK_FORMATS`.
    bad_lines : list, optional
        Gets the lines that are not of the format; without it the first one is an error.

    Raises
    ------
    TfbindError
        If there is no peak in the file, a line is not of its format, or most lines are not.
    """
    comments: list[tuple[int, str]] = []
    lines = data_lines(path, comments)
    sample = list(islice(lines, SAMPLE))
    layout = find_layout(path, peak_format, comments, sample)
    peaks: list[Peak] = []
    signals: list[list[float]] = []
    found_bad: list[BadLine] = []
    n_summits = 0
    for line, columns in chain(sample, lines):
        if line == layout.header:
            continue
        columns = clean(columns) if layout.header else columns
        try:
            contig, start, end = layout.interval(columns)
            signals.append(layout.signals(columns))
            summit = layout.summit_of(columns, start, end)
        except TfbindError as error:
            del signals[len(peaks) :]
            if bad_lines is None:
                raise TfbindError(f"{path}: line {line}: {error}") from None
            found_bad.append(BadLine(line, _as_written(layout, columns), str(error)))
            continue
        n_summits += summit is not None
        summit = (start + end) // 2 if summit is None else summit
        peaks.append(Peak(contig, start, end, layout.name(columns), math.nan, summit, line))
    if len(found_bad) > len(peaks):
        raise TfbindError(
            f"{path}: {len(found_bad):,} of {len(found_bad) + len(peaks):,} lines cannot be read as {layout.title}"
            f" (line {found_bad[0].line}: {found_bad[0].problem}); --peak-format chooses another format"
        )
    if not peaks:
        raise TfbindError(f"{path}: holds no peak, expected lines of contig, start, end")
    if bad_lines is not None:
        bad_lines += found_bad
    rank = _rank(signals)
    logger.info("%s: %s", path, layout.describe(len(peaks), n_summits, rank))
    if rank is None:
        return peaks
    return [peak._replace(signal=of_peak[rank]) for peak, of_peak in zip(peaks, signals, strict=True)]


def place_peaks(
    peaks: Sequence[Peak], genome: Genome, source: str | Path, *, strict: bool = False
) -> tuple[list[Peak], list[Unplaced]]:
    """Find the contigs of peaks in a genome, spelled with or without ``chr``.

    A peak is not on the genome if its contig is not there, or if its summit is past the contig's end.

    Parameters
    ----------
    peaks : sequence of Peak
    genome : Genome
    source : str or Path
        Where the peaks come from, for messages.
    strict : bool
        Refuse any peak that is not on the genome.

    Returns
    -------
    peaks : list of Peak
        Those on the genome, with its spelling of the contig.
    unplaced : list of Unplaced
        The others.

    Raises
    ------
    TfbindError
        If no contig is in the genome, or more than half of the peaks are not on it: another genome or build.
    """
    names = genome.match_contigs((peak.contig for peak in peaks), source, need_all=False)
    placed: list[Peak] = []
    unplaced: list[Unplaced] = []
    for peak in peaks:
        contig = names.get(peak.contig)
        if contig is None:
            unplaced.append(Unplaced(peak, NO_CONTIG, f"no contig {peak.contig!r}"))
        elif peak.summit >= genome.contigs[contig]:
            length = f"{genome.contigs[contig]:,}"
            unplaced.append(Unplaced(peak, OFF_CONTIG, f"{contig} has only {length} bases"))
        else:
            placed.append(peak._replace(contig=contig))
    if unplaced and strict:
        peak, _, problem = unplaced[0]
        raise TfbindError(
            f"{source}: line {peak.line}: peak {peak.record_id} is not on {genome.path}: {problem} (--strict)"
        )
    if len(unplaced) > len(placed):
        raise TfbindError(
            f"{source}: {describe_unplaced(unplaced, len(peaks), genome.path)}: are they of the same build?"
        )
    return placed, unplaced


def describe_unplaced(unplaced: Sequence[Unplaced], n_peaks: int, genome: str | Path) -> str:
    """Say how many peaks are not on a genome, and name the first one."""
    peak, _, problem = unplaced[0]
    return (
        f"{len(unplaced):,} of {n_peaks:,} peaks are not on {genome}"
        f" (first: line {peak.line}, {peak.record_id}: {problem})"
    )


def _rank(signals: Sequence[Sequence[float]]) -> int | None:
    """Choose what to rank peaks by: the first column that is not -1 throughout, if anything in it is known."""
    for rank in range(len(signals[0])):
        known = {of_peak[rank] for of_peak in signals if not math.isnan(of_peak[rank])}
        if known != {-1}:
            return rank if known else None
    return None


def _as_written(layout: Layout, columns: Sequence[str]) -> str:
    """Give a line that is not a peak an id like that of a peak, as far as it goes."""
    needed = (layout.contig, layout.start, layout.end)
    if len(columns) <= max(needed):
        return " ".join(columns)
    contig, start, end = (columns[column] for column in needed)
    name = layout.name(columns)
    return f"{name}::{contig}:{start}-{end}" if name else f"{contig}:{start}-{end}"


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
                f"{source}: line {peak.line}: peak {peak.record_id} starts past the end of {peak.contig}, which has"
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
