"""Windows: what comes in is cut into stretches of a model's length, a stream of some thousand at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tfbind.dna.alphabet import AMBIGUOUS, encode_any_letters, encode_letters
from tfbind.dna.fasta import encode_record, read_fasta
from tfbind.dna.genome import Genome
from tfbind.dna.packing import pack
from tfbind.dna.peaks import (
    BadLine,
    Unplaced,
    Window,
    describe_unplaced,
    place_peaks,
    read_peaks,
    windows_round_summits,
)
from tfbind.errors import TfbindError

logger = logging.getLogger(__name__)

MIN_BASES = 10
ROWS_AT_ONCE = 8192
SHORT_RECORDS_AT_ONCE = 1024
PADDED, TOO_SHORT, ALL_AMBIGUOUS = "padded", "too_short", "ambiguous"
# what does not belong in the input, beside NO_CONTIG and OFF_CONTIG of `tfbind.dna.peaks`
INVALID, MALFORMED = "invalid", "malformed"
UNKNOWN = -1  # start and end of a line that has none


@dataclass
class Windows:
    """Some windows on their way to the table.

    id : list of n str
    start, end : (n,) int, 0-based, half-open; UNKNOWN of a line that has none
    codes : (n, length) uint8
    note : list of n str
        Empty, or one of PADDED, TOO_SHORT, ALL_AMBIGUOUS, INVALID, MALFORMED, NO_CONTIG and OFF_CONTIG. There is a
        score without a note and with PADDED.
    """

    id: list[str]
    start: np.ndarray
    end: np.ndarray
    codes: np.ndarray
    note: list[str]

    def rows(self, some: slice) -> Windows:
        """Give some of the windows."""
        return Windows(self.id[some], self.start[some], self.end[some], self.codes[some], self.note[some])


class Portion(NamedTuple):
    """Windows that are yet to be cut, so that those that somebody else scores need not be.

    n : int
        How many.
    cut : callable
        Cuts them.
    """

    n: int
    cut: Callable[[], Windows]


def count_windows(n: int, length: int, stride: int) -> int:
    """Say how many windows a record of ``n`` bases has, see `window_starts`."""
    return -(-max(n - length, 0) // stride) + 1


def window_starts(n: int, length: int, stride: int, first: int = 0, most: int | None = None) -> np.ndarray:
    """Where the windows of a record of ``n`` bases start: every ``stride``, the last one flush with the end.

    ``first`` and ``most`` choose some of the windows by their number, since a chromosome has very many.
    """
    n_windows = count_windows(n, length, stride)
    stop = n_windows if most is None else min(first + most, n_windows)
    return np.minimum(np.arange(first, stop) * stride, max(n - length, 0))


def windows_of_short_records(
    path: Path, records: list[tuple[str, str]], length: int, strict: bool = False
) -> Windows:
    """Cut records that are no longer than a window, see `windows_of_record`.

    Parameters
    ----------
    path : Path
        Where they come from, for messages.
    records : list of n names and sequences
    length : int
    strict : bool
        Refuse characters that are not bases, instead of noting the record as INVALID.
    """
    names = [name for name, _ in records]
    lengths = np.array([len(sequence) for _, sequence in records])
    try:
        flat = encode_letters("".join(sequence for _, sequence in records))
        invalid = np.zeros(len(names), bool)
    except TfbindError:
        # one pass over all letters is fast; only now is it worth asking which record has the wrong one
        if strict:
            for record in records:
                encode_record(path, *record)
        found = [encode_any_letters(sequence) for _, sequence in records]
        flat = np.concatenate([codes for codes, _ in found])
        invalid = np.array([wrong.any() for _, wrong in found])
    codes, _ = pack(flat, lengths, length)
    note = np.full(len(names), "", object)
    padded = lengths < length
    note[padded] = PADDED
    note[(codes == AMBIGUOUS).all(axis=1)] = ALL_AMBIGUOUS
    note[padded & (lengths < MIN_BASES)] = TOO_SHORT
    note[invalid] = INVALID
    return Windows(names, np.zeros(len(names), np.int64), lengths, codes, note.tolist())


def windows_of_stretch(
    path: Path, name: str, letters: str, starts: np.ndarray, length: int, strict: bool = False
) -> Windows:
    """Cut a stretch of a record.

    Parameters
    ----------
    path : Path
        Where it comes from, for messages.
    name : str
    letters : str
        From the start of the first window to the end of the last one or beyond.
    starts : (n,) int64
        Of the windows in the record.
    length : int
    strict : bool
        Refuse characters that are not bases, instead of noting the windows that have one as INVALID.
    """
    if strict:
        encode_record(path, name, letters, int(starts[0]))
    codes, wrong = encode_any_letters(letters)
    cut = sliding_window_view(codes, length)[starts - starts[0]]
    note = np.where((cut == AMBIGUOUS).all(axis=1), ALL_AMBIGUOUS, "").astype(object)
    if wrong.any():
        note[sliding_window_view(wrong, length)[starts - starts[0]].any(axis=1)] = INVALID
    return Windows([name] * len(starts), starts, starts + length, cut, note.tolist())


def windows_of_record(
    path: Path, name: str, sequence: str, length: int, stride: int, strict: bool = False
) -> Iterator[Portion]:
    """Give the windows of one record, some thousand at a time.

    A record shorter than ``length`` gives one window, padded on the right and noted so; one under
    `MIN_BASES` gives one that is noted ``too_short``, and a window without a base is noted ``ambiguous``. A window
    with a character that is not a base is noted ``invalid``; with ``strict`` such a character is refused, wherever it
    is.
    """
    n = len(sequence)
    if n <= length:
        yield Portion(1, partial(windows_of_short_records, path, [(name, sequence)], length, strict))
        return
    for first in range(0, count_windows(n, length, stride), ROWS_AT_ONCE):
        starts = window_starts(n, length, stride, first, ROWS_AT_ONCE)
        # letters between windows may be checked, too; a copy, so that what waits to be cut holds no chromosome
        end = max(int(starts[-1]) + length, (first + ROWS_AT_ONCE) * stride)
        letters = sequence[int(starts[0]) : end]
        yield Portion(len(starts), partial(windows_of_stretch, path, name, letters, starts, length, strict))


def windows_of_fasta(path: Path, length: int, stride: int, *, strict: bool = False) -> Iterator[Portion]:
    """Give the windows of every record of a FASTA file, see `windows_of_record`; short records come many at a time."""
    short: list[tuple[str, str]] = []

    def together() -> Iterator[Portion]:
        if short:
            yield Portion(len(short), partial(windows_of_short_records, path, short.copy(), length, strict))
            short.clear()

    for name, sequence in read_fasta(path):
        if len(sequence) <= length:
            short.append((name, sequence))
            if len(short) == SHORT_RECORDS_AT_ONCE:
                yield from together()
        else:
            yield from together()
            yield from windows_of_record(path, name, sequence, length, stride, strict)
    yield from together()


def windows_of_peaks(
    peaks: Path, genome_path: Path, length: int, *, peak_format: str = "auto", strict: bool = False
) -> Iterator[Portion]:
    """Give the window around every peak's summit, in the file's order; start and end are the genome's.

    What cannot have a window is noted: a peak that is not on the genome with its own start and end, a line that is not
    a peak with UNKNOWN ones. With ``strict`` it is refused; it is always refused if it is most of the file.
    """
    bad_lines: list[BadLine] = []
    found = read_peaks(peaks, peak_format, None if strict else bad_lines)
    with Genome(genome_path) as genome:
        placed, unplaced = place_peaks(found, genome, peaks, strict=strict)
        windows, n_moved, _ = windows_round_summits(placed, length, genome.contigs, peaks)
        if n_moved:
            logger.info("%s windows at the end of a contig were moved inside", f"{n_moved:,}")
        if unplaced:
            logger.warning("%s: no score: %s", peaks, describe_unplaced(unplaced, len(found), genome_path))
        if bad_lines:
            n, (line, _, problem) = f"{len(bad_lines):,}", bad_lines[0]
            logger.warning(
                "%s: no score for %s lines that are not peaks (first: line %d: %s)", peaks, n, line, problem
            )
        windows_of_lines = zip((peak.line for peak in placed), windows, strict=True)
        others = [(one.peak.line, one) for one in unplaced] + [(bad.line, bad) for bad in bad_lines]
        rows: list[tuple[int, Window | Unplaced | BadLine]] = [*windows_of_lines, *others]
        if others:
            rows.sort(key=itemgetter(0))
        for _, row in rows:
            if isinstance(row, Window):
                letters = genome.fetch(row.contig, row.start, row.end)
                one = windows_of_short_records(genome_path, [(row.record_id, letters)], length, strict)
                one.start, one.end = one.start + row.start, one.end + row.start
            elif isinstance(row, Unplaced):
                one = _without_window(row.peak.record_id, row.peak.start, row.peak.end, row.note, length)
            else:
                one = _without_window(row.text, UNKNOWN, UNKNOWN, MALFORMED, length)
            # it is cut already, while the genome is open
            yield Portion(1, partial(Windows.rows, one, slice(None)))


def _without_window(name: str, start: int, end: int, note: str, length: int) -> Windows:
    codes = np.full((1, length), AMBIGUOUS, np.uint8)
    return Windows([name], np.array([start]), np.array([end]), codes, [note])


def gather(portions: Iterable[Portion], rows: int) -> Iterator[Portion]:
    """Join small portions until there are at least ``rows`` windows, so that the engine has something to do."""
    waiting: list[Portion] = []
    n = 0
    for portion in portions:
        waiting.append(portion)
        n += portion.n
        if n >= rows:
            yield Portion(n, partial(_cut, waiting))
            waiting, n = [], 0
    if waiting:
        yield Portion(n, partial(_cut, waiting))


def _cut(portions: list[Portion]) -> Windows:
    parts = [portion.cut() for portion in portions]
    return Windows(
        [name for part in parts for name in part.id],
        np.concatenate([part.start for part in parts]),
        np.concatenate([part.end for part in parts]),
        np.concatenate([part.codes for part in parts]),
        [note for part in parts for note in part.note],
    )
