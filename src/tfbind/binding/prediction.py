"""Score sequences in bulk: a stream from FASTA or peaks to a table, with a row for whatever comes in."""

from __future__ import annotations

import gzip
import io
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tfbind.binding.model import BindingModel
from tfbind.dna.alphabet import AMBIGUOUS
from tfbind.dna.fasta import encode_record, read_fasta
from tfbind.dna.genome import Genome
from tfbind.dna.packing import pack
from tfbind.dna.peaks import read_peaks, windows_round_summits
from tfbind.files import whole_output
from tfbind.progress import Progress

logger = logging.getLogger(__name__)

MIN_BASES = 10
ROWS_AT_ONCE = 8192
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


def windows_of_fasta(path: Path, length: int, stride: int) -> Iterator[Windows]:
    """Cut every record of a FASTA file into windows, see `windows_of_record`."""
    for name, sequence in read_fasta(path):
        yield from windows_of_record(name, encode_record(path, name, sequence), length, stride)


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


def score(model: BindingModel, windows: Windows, batch_size: int) -> np.ndarray:
    """Score windows: (n, tasks) float64, NaN where nothing can be said."""
    scored = np.array([note in ("", PADDED) for note in windows.note])
    scores = np.full((len(scored), len(model.card.tasks)), np.nan)
    if scored.any():
        valid_length = (windows.end - windows.start).astype(np.int32)
        scores[scored] = model.probabilities(windows.codes[scored], valid_length[scored], batch_size)
    return scores


def table_rows(windows: Windows, scores: np.ndarray) -> list[str]:
    """Format windows and their scores as lines of the table."""
    lines = []
    for name, start, end, row, note in zip(
        windows.id, windows.start.tolist(), windows.end.tolist(), scores.tolist(), windows.note, strict=True
    ):
        cells = "\t".join("NA" if value != value else f"{value:.6g}" for value in row)
        lines.append(f"{name}\t{start}\t{end}\t{cells}\t{note}\n")
    return lines


class BestOfRecord:
    """Keep each record's highest window (of the highest factor); a record's first window starts at base 0."""

    def __init__(self) -> None:
        self._highest = -np.inf
        self._line: str | None = None

    def keep(self, windows: Windows, scores: np.ndarray) -> list[str]:
        """Take windows in; give the lines of the records that have ended."""
        highest = np.where(np.isnan(scores), -1.0, scores).max(axis=1)
        # a name may be given twice, so it is the start that tells where another record begins
        firsts = np.flatnonzero(windows.start == 0).tolist()
        done = []
        for first, end in pairwise([*([] if firsts[:1] == [0] else [0]), *firsts, len(highest)]):
            if windows.start[first] == 0:
                done += self.finish()
            best = first + int(highest[first:end].argmax())
            if highest[best] > self._highest:
                self._highest = highest[best]
                self._line = table_rows(windows.rows(slice(best, best + 1)), scores[best : best + 1])[0]
        return done

    def finish(self) -> list[str]:
        """Give the line of the record that is open."""
        line, self._line, self._highest = self._line, None, -np.inf
        return [] if line is None else [line]


@contextmanager
def open_table(path: Path) -> Iterator[TextIO]:
    """Open a table for writing, gzip where the name ends in .gz; whole or not at all."""
    with whole_output(path) as temporary, open(temporary, "wb") as raw:
        if path.suffix == ".gz":
            # no name and no time in the header: the same table gives the same bytes
            with (
                gzip.GzipFile("", "wb", compresslevel=4, fileobj=raw, mtime=0) as packed,
                io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as text,
            ):
                yield text
        else:
            with io.TextIOWrapper(raw, encoding="utf-8", newline="\n") as text:
                yield text


def predict(
    model: BindingModel, windows: Iterable[Windows], output: Path, *, best: bool, batch_size: int
) -> dict[str, int]:
    """Score windows and write the table: id, start, end, a column a factor, note.

    Parameters
    ----------
    model : BindingModel
    windows : iterable of Windows
        From `windows_of_fasta` or `windows_of_peaks`; memory holds some thousand at a time.
    output : Path
    best : bool
        Keep each record's highest window only.
    batch_size : int
        Windows that the engine sees at a time.

    Returns
    -------
    dict
        How many windows there were, and how many of them with each note.
    """
    counts = {"windows": 0, PADDED: 0, TOO_SHORT: 0, ALL_AMBIGUOUS: 0}
    highest = BestOfRecord() if best else None
    with open_table(output) as table, Progress("scoring", unit="windows") as progress:
        table.write("\t".join(["id", "start", "end", *model.card.tasks, "note"]) + "\n")
        for some in gather(windows, ROWS_AT_ONCE):
            scores = score(model, some, batch_size)
            table.writelines(highest.keep(some, scores) if highest else table_rows(some, scores))
            counts["windows"] += len(some.id)
            for note in filter(None, some.note):
                counts[note] += 1
            progress.update(len(some.id))
        if highest:
            table.writelines(highest.finish())
    noted = ", ".join(f"{n:,} {note}" for note, n in counts.items() if n and note != "windows")
    logger.info("%s windows%s", f"{counts['windows']:,}", f", of them {noted}" if noted else "")
    return counts
