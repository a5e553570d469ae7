"""Windows: what comes in is cut into stretches of a model's length, a stream of some thousand at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tfbind.dna.alphabet import AMBIGUOUS, encode_letters
from tfbind.dna.fasta import encode_record, read_fasta
from tfbind.dna.genome import Genome
from tfbind.dna.packing import pack
from tfbind.dna.peaks import read_peaks, windows_round_summits
from tfbind.errors import TfbindError

logger = logging.getLogger(__name__)

MIN_BASES = 10
ROWS_AT_ONCE = 8192
SHORT_RECORDS_AT_ONCE = 1024
PADDED, TOO_SHORT, ALL_AMBIGUOUS = "padded", "too_short", "ambiguous"


@dataclass
class Windows:
    """Some windows on their way to the table.

    id : list of n str
    start, end : (n,) int, 0-based, half-open
    codes : (n, length) uint8
    note : list of n str
        Empty, or one of PADDED, TOO_SHORT and ALL_AMBIGUOUS.
    """

    id: list[str]
    start: np.ndarray
    end: np.ndarray
    codes: np.ndarray
    note: list[str]

    def rows(self, some: slice) -> Windows:
        """Give some of the windows."""
        return Windows(self.id[some], self.start[some], self.end[some], self.codes[some], self.note[some])


def window_starts(n: int, length: int, stride: int, first: int = 0, most: int | None = None) -> np.ndarray:
    """Where the windows of a record of ``n`` bases start: every ``stride``, the last one flush with the end.

    ``first`` and ``most`` choose some of the windows by their number, since a chromosome has very many.
    """
    last = max(n - length, 0)
    n_windows = -(-last // stride) + 1
    stop = n_windows if most is None else min(first + most, n_windows)
    return np.minimum(np.arange(first, stop) * stride, last)


def windows_of_record(name: str, codes: np.ndarray, length: int, stride: int) -> Iterator[Windows]:
    """Cut one record into windows, some thousand at a time.

    A record shorter than ``length`` gives one window, padded on the right and noted so; one under
    `MIN_BASES` gives one that is noted ``too_short``, and a window without a base is noted ``ambiguous``.
    """
    n = len(codes)
    if n < length:
        padded, _ = pack(codes, np.array([n]), length)
        why = TOO_SHORT if n < MIN_BASES else ALL_AMBIGUOUS if (codes == AMBIGUOUS).all() else PADDED
        yield Windows([name], np.zeros(1, np.int64), np.array([n]), padded, [why])
        return
    every = sliding_window_view(codes, length)
    first = 0
    while len(some := window_starts(n, length, stride, first, ROWS_AT_ONCE)):
        first += len(some)
        cut = every[some]
        empty = (cut == AMBIGUOUS).all(axis=1)
        note = [ALL_AMBIGUOUS if is_empty else "" for is_empty in empty]
        yield Windows([name] * len(some), some, some + length, cut, note)


def windows_of_short_records(names: list[str], flat: np.ndarray, lengths: np.ndarray, length: int) -> Windows:
    """Give the windows of records that are no longer than one, see `windows_of_record`.

    Parameters
    ----------
    names : list of n str
    flat : (sum(lengths),) uint8
        Codes of all the records, one behind the other.
    lengths : (n,) int64, none above ``length``
    length : int
    """
    codes, _ = pack(flat, lengths, length)
    note = np.full(len(names), "", object)
    padded = lengths < length
    note[padded] = PADDED
    note[(codes == AMBIGUOUS).all(axis=1)] = ALL_AMBIGUOUS
    note[padded & (lengths < MIN_BASES)] = TOO_SHORT
    return Windows(names, np.zeros(len(names), np.int64), lengths, codes, note.tolist())


def windows_of_fasta(path: Path, length: int, stride: int) -> Iterator[Windows]:
    """Cut every record of a FASTA file into windows, see `windows_of_record`; short records come many at a time."""
    short: list[tuple[str, str]] = []

    def together() -> Iterator[Windows]:
        if short:
            names = [name for name, _ in short]
            lengths = np.array([len(sequence) for _, sequence in short])
            try:
                flat = encode_letters("".join(sequence for _, sequence in short))
            except TfbindError:
                # one pass over all letters is fast; only now is it worth asking which record holds the culprit
                flat = np.concatenate([encode_record(path, *record) for record in short])
            yield windows_of_short_records(names, flat, lengths, length)
            short.clear()

    for name, sequence in read_fasta(path):
        if len(sequence) <= length:
            short.append((name, sequence))
            if len(short) == SHORT_RECORDS_AT_ONCE:
                yield from together()
        else:
            yield from together()
            yield from windows_of_record(name, encode_record(path, name, sequence), length, stride)
    yield from together()


def windows_of_peaks(peaks: Path, genome_path: Path, length: int) -> Iterator[Windows]:
    """Give the window round every peak's summit, in the file's order; start and end are the genome's."""
    found = read_peaks(peaks)
    with Genome(genome_path) as genome:
        genome.check_contigs({peak.contig for peak in found}, peaks)
        windows, n_moved, _ = windows_round_summits(found, length, genome.contigs, peaks)
        if n_moved:
            logger.info("%s windows at the end of a contig were moved inside", f"{n_moved:,}")
        for window in windows:
            codes = encode_record(
                genome_path, window.record_id, genome.fetch(window.contig, window.start, window.end)
            )
            for cut in windows_of_record(window.record_id, codes, length, length):
                yield Windows(cut.id, cut.start + window.start, cut.end + window.start, cut.codes, cut.note)


def gather(windows: Iterable[Windows], rows: int) -> Iterator[Windows]:
    """Join small groups of windows until there are at least ``rows``, so that the engine has something to do."""
    waiting: list[Windows] = []
    n = 0
    for some in windows:
        waiting.append(some)
        n += len(some.id)
        if n >= rows:
            yield _join(waiting)
            waiting, n = [], 0
    if waiting:
        yield _join(waiting)


def _join(parts: list[Windows]) -> Windows:
    return Windows(
        [name for part in parts for name in part.id],
        np.concatenate([part.start for part in parts]),
        np.concatenate([part.end for part in parts]),
        np.concatenate([part.codes for part in parts]),
        [note for part in parts for note in part.note],
    )
