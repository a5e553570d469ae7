"""Tracks: scores along the sequences as bigWig, one file a factor, read off the finished table."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tfbind import process
from tfbind.binding.scanning.score_table import read_blocks, stretches_of_records
from tfbind.dna.fasta import read_fasta
from tfbind.errors import TfbindError

ROWS_AT_ONCE = 65536


@dataclass(frozen=True)
class TrackOptions:
    """Where to write tracks.

    bigwig : Path
        The file to write; with several factors one each, see `track_paths`.
    stride : int
        Bases from window to window.
    """

    bigwig: Path
    stride: int


@dataclass
class Contig:
    """A record of the table: its length, and which of the table's rows are its windows."""

    name: str
    length: int
    first: int
    end: int


def track_paths(path: Path, factors: Sequence[str]) -> list[Path]:
    """Give a file a factor: ``track.bw``, or ``track.CREB.bw`` and ``track.SP1.bw``."""
    if len(factors) == 1:
        return [path]
    return [path.with_name(f"{path.stem}.{factor.replace('/', '_')}{path.suffix}") for factor in factors]


def check_names(fasta: Path) -> None:
    """Refuse a FASTA in which a name comes twice, since a bigWig has one place for each.

    Reads the file once: that takes seconds where scoring takes hours.

    Raises
    ------
    TfbindError
        Also as `read_fasta`.
    """
    seen: set[str] = set()
    for name, _ in read_fasta(fasta):
        if name in seen:
            raise TfbindError(
                f"{fasta}: found two records called {name!r}, expected each name once, as --bigwig goes by names"
            )
        seen.add(name)


def stretches(starts: np.ndarray, size: int, stride: int, behind: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the stretch that shows a window's score: the ``stride`` bases in its middle, or all of it if it is shorter.

    The stretches of windows that follow each other every ``stride`` bases lie side by side; the last window, which
    may come sooner, shows only what the one before it has left.

    Parameters
    ----------
    starts : (n,) int64
        Where the windows start, ascending.
    size : int
        Bases in each window.
    stride : int
    behind : int
        Where the stretch in front of the first one ends.

    Returns
    -------
    start, end : (n,) int64
    """
    width = min(stride, size)
    end = starts + (size - width) // 2 + width
    start = np.maximum(end - width, np.concatenate([[behind], end[:-1]]))
    return start, end


def spool(table: Path, n_factors: int, handle: BinaryIO) -> list[Contig]:
    """Copy the scores to a binary file, and tell where each record's are.

    A bigWig wants its contigs sorted by name, while the table has the order of the input; numbers of one size can be
    read from anywhere, so that memory need not hold them.
    """
    contigs: list[Contig] = []
    n = 0
    for rows in read_blocks(table, n_factors):
        block = np.empty(len(rows.id), _layout(n_factors))
        block["start"] = rows.start
        block["scores"] = rows.scores
        handle.write(block.tobytes())
        for first, end in stretches_of_records(rows.start):
            if rows.start[first] == 0:
                contigs.append(Contig(rows.id[first], 0, n + first, n))
            contigs[-1].length, contigs[-1].end = int(rows.end[end - 1]), n + end
        n += len(rows.id)
    handle.flush()
    return contigs


def _layout(n_factors: int) -> np.dtype:
    return np.dtype([("start", np.int64), ("scores", np.float32, (n_factors,))])


def intervals(
    handle: BinaryIO, contigs: Sequence[Contig], *, length: int, stride: int, factor: int, n_factors: int
) -> Iterator[tuple[str, int, int, float]]:
    """Read the values of one factor back: contig, start, end, score, by contig and start; what is NA has none.

    Parameters
    ----------
    handle : binary file
        From `spool`.
    contigs : sequence of Contig
        In the order that is wanted.
    length : int
        Bases in a window, or fewer where a contig is shorter.
    """
    layout = _layout(n_factors)
    for contig in contigs:
        behind = 0
        for first in range(contig.first, contig.end, ROWS_AT_ONCE):
            handle.seek(first * layout.itemsize)
            block = np.fromfile(handle, layout, min(ROWS_AT_ONCE, contig.end - first))
            start, end = stretches(block["start"], min(length, contig.length), stride, behind)
            behind = int(end[-1])
            score = block["scores"][:, factor]
            known = ~np.isnan(score)
            for one in zip(start[known].tolist(), end[known].tolist(), score[known].tolist(), strict=True):
                yield contig.name, *one


def write_tracks(
    table: Path, factors: Sequence[str], options: TrackOptions, length: int, paths: Sequence[Path]
) -> None:
    """Write a bigWig a factor to ``paths``; ``length`` is that of the model.

    Raises
    ------
    TfbindError
        If a factor has no score anywhere, or a file cannot be written.
    """
    with tempfile.TemporaryFile(dir=options.bigwig.parent) as handle:
        contigs = spool(table, len(factors), handle)
        contigs.sort(key=lambda contig: contig.name.encode())
        for number, (factor, path) in enumerate(zip(factors, paths, strict=True)):
            values = intervals(
                handle, contigs, length=length, stride=options.stride, factor=number, n_factors=len(factors)
            )
            first = next(values, None)
            if first is None:
                raise TfbindError(
                    f"{options.bigwig}: no window has a score for {factor}, so there is no track"
                )
            _write_bigwig(
                path, {contig.name: contig.length for contig in contigs}, first, values, options.bigwig
            )


def _write_bigwig(
    path: Path,
    lengths: dict[str, int],
    first: tuple[str, int, int, float],
    values: Iterator[tuple[str, int, int, float]],
    shown: Path,
) -> None:
    """Write one file; pybigtools says on stderr, and not always by raising, that something went wrong."""
    import pybigtools

    failures: list[BaseException] = []
    n_bases = 0

    def watched() -> Iterator[tuple[str, int, int, float]]:
        nonlocal n_bases
        try:
            yield first
            n_bases = first[2] - first[1]
            for value in values:
                yield value
                n_bases += value[2] - value[1]
        except BaseException as failure:
            failures.append(failure)
            raise

    covered = -1
    # it tells by the name what to write
    named = path.with_name(f"{path.name}.bw")
    with process.quiet_stderr():
        try:
            pybigtools.open(str(named), "w").write(lengths, watched())
            with pybigtools.open(str(named)) as written:
                covered = written.info()["summary"]["basesCovered"]
            named.replace(path)
        except (KeyboardInterrupt, SystemExit):
            raise
        # Rust's panics are no Exception
        except BaseException as panic:
            failures.append(panic)
        finally:
            named.unlink(missing_ok=True)
    for failure in failures:
        if isinstance(failure, KeyboardInterrupt | SystemExit | MemoryError):
            raise failure
    if failures or covered != n_bases:
        raise TfbindError(f"{shown}: the track cannot be written; is the disk full?")
