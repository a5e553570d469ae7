"""Negatives from a genome: windows that touch no peak and have the G+C content of the positives."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfbind.dna.bed import bed_lines
from tfbind.dna.genome import Genome
from tfbind.dna.peaks import Window

# a window may stand in for one whose G+C content is this much higher or lower
GC_TOLERANCE = 0.02
BASES_AT_A_TIME = 1 << 24
POOL_AT_LEAST = 1_000_000

NOT_A_BASE, AT, GC = 0, 1, 2
KIND = np.full(256, NOT_A_BASE, dtype=np.uint8)
KIND[np.frombuffer(b"ATUatu", dtype=np.uint8)] = AT
KIND[np.frombuffer(b"CGcg", dtype=np.uint8)] = GC

CANDIDATE = np.dtype(
    [("cell", np.int64), ("priority", np.float64), ("contig", np.int64), ("start", np.int64)]
)


class MatchedWindows(NamedTuple):
    """Windows drawn from a genome, by stratum, then in genome order.

    ``stratum`` is (n,) int64; ``shortfall`` and ``substituted`` are (n_strata,) int64: windows that do not
    exist, and windows taken from a neighbouring G+C count because too few have the right one.
    """

    windows: list[Window]
    stratum: np.ndarray
    shortfall: np.ndarray
    substituted: np.ndarray


def intervals_by_contig(intervals: Iterable[tuple]) -> dict[str, np.ndarray]:
    """Gather intervals, tuples that begin with contig, start and end, in a (m, 2) int64 array each contig."""
    bounds: defaultdict[str, array] = defaultdict(lambda: array("q"))
    for contig, start, end, *_ in intervals:
        bounds[contig].extend((start, end))
    return {contig: np.array(flat, dtype=np.int64).reshape(-1, 2) for contig, flat in bounds.items()}


def read_intervals(path: str | Path) -> dict[str, np.ndarray]:
    """Read a BED of regions to stay away from; a file without any is fine.

    Returns
    -------
    dict of str to (m, 2) int64 array
        Start and end, 0-based and half-open, by contig.
    """
    return intervals_by_contig((columns[0], start, end) for _, columns, start, end in bed_lines(path))


def join_intervals(*sources: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Put the intervals of several sources, each by contig, together."""
    contigs = dict.fromkeys(contig for source in sources for contig in source)
    return {
        contig: np.concatenate([source[contig] for source in sources if contig in source])
        for contig in contigs
    }


def gc_count(sequence: str, length: int) -> int | None:
    """Count G+C, scaled from the sequence's unambiguous bases to ``length``; None where it has none."""
    n_of_kind = np.bincount(KIND[np.frombuffer(sequence.encode(), dtype=np.uint8)], minlength=3)
    known = int(n_of_kind[AT] + n_of_kind[GC])
    return round(int(n_of_kind[GC]) * length / known) if known else None


def draw_matched(
    genome: Genome,
    stratum_of_contig: Mapping[str, int],
    wanted: np.ndarray,
    forbidden: Mapping[str, np.ndarray],
    length: int,
    rng: np.random.Generator,
) -> MatchedWindows:
    """Draw windows at random whose G+C contents are distributed as wanted in every stratum.

    Each contig is cut into tiles of ``length`` from a random start on, so that no two windows overlap. Tiles
    that touch a forbidden interval or hold an ambiguous base are dropped. Where a G+C count has too
    few, the nearest counts within 2% of ``length`` stand in. The genome is read piece by piece and only as
    many tiles as can be needed are kept, so memory grows with the windows wanted, not with the genome.

    Parameters
    ----------
    genome : Genome
    stratum_of_contig : mapping of str to int
        Stratum (such as a part of the split) to which windows of a contig go; others give none.
    wanted : (n_strata, length + 1) int array
        Windows wanted of each G+C count.
    forbidden : mapping of str to (m, 2) int array
        Start and end, 0-based and half-open, in any order, of what no window may touch on a contig.
    length : int
        Length of the windows in bases.
    rng : numpy.random.Generator

    Returns
    -------
    MatchedWindows
    """
    wanted = np.asarray(wanted, dtype=np.int64)
    n_strata, n_counts = wanted.shape
    reach = int(GC_TOLERANCE * length)
    # a cell is a G+C count in a stratum; what all cells in reach want is the most that can be taken from it
    needed = np.stack(
        [np.convolve(row, np.ones(2 * reach + 1, dtype=np.int64))[reach:][:n_counts] for row in wanted]
    )
    needed = needed.ravel()

    pool: list[np.ndarray] = []
    pool_size, pool_limit = 0, 2 * int(needed.sum()) + POOL_AT_LEAST
    names = list(genome.contigs)
    for number, contig in enumerate(names):
        if contig not in stratum_of_contig:
            continue
        for start, gc in _tiles(genome, contig, forbidden.get(contig), length, rng):
            found = np.empty(len(start), dtype=CANDIDATE)
            found["cell"] = stratum_of_contig[contig] * n_counts + gc
            found["priority"] = rng.random(len(start))
            found["contig"] = number
            found["start"] = start
            found = found[needed[found["cell"]] > 0]
            pool.append(found)
            pool_size += len(found)
            if pool_size > pool_limit:
                pool = [_first_of_each_cell(np.concatenate(pool), needed)]
                pool_size = len(pool[0])
    candidates = _first_of_each_cell(np.concatenate([np.empty(0, dtype=CANDIDATE), *pool]), needed)

    available = np.bincount(candidates["cell"], minlength=n_strata * n_counts).reshape(wanted.shape)
    take, missing, substituted = _allot(wanted, available, reach)
    chosen = _first_of_each_cell(candidates, take.ravel())
    stratum = chosen["cell"] // n_counts
    order = np.lexsort((chosen["start"], chosen["contig"], stratum))
    windows = [
        Window(names[number], start, start + length)
        for number, start in zip(
            chosen["contig"][order].tolist(), chosen["start"][order].tolist(), strict=True
        )
    ]
    return MatchedWindows(windows, stratum[order], missing, substituted)


def _tiles(
    genome: Genome, contig: str, forbidden: np.ndarray | None, length: int, rng: np.random.Generator
) -> Iterable[tuple[np.ndarray, np.ndarray]]:
    """Yield starts and G+C counts, (n,) each, of a contig's usable tiles, piece by piece."""
    contig_length = genome.contigs[contig]
    if contig_length < length:
        return
    phase = int(rng.integers(min(length, contig_length - length + 1)))
    end_of_tiles = phase + (contig_length - phase) // length * length
    step = max(1, BASES_AT_A_TIME // length) * length
    for piece in range(phase, end_of_tiles, step):
        piece_end = min(piece + step, end_of_tiles)
        letters = np.frombuffer(genome.fetch(contig, piece, piece_end).encode(), dtype=np.uint8)
        kinds = KIND[letters].reshape(-1, length)
        start = np.arange(piece, piece_end, length)
        usable = kinds.all(axis=1)  # NOT_A_BASE is 0
        if forbidden is not None:
            usable &= ~touches(start, length, forbidden)
        yield start[usable], (kinds[usable] == GC).sum(axis=1)


def touches(start: np.ndarray, length: int | np.ndarray, intervals: np.ndarray) -> np.ndarray:
    """Tell which windows share a base with any interval.

    Parameters
    ----------
    start : (n,) int64
        Of windows on one contig.
    length : int or (n,) int64
        Of the windows.
    intervals : (m, 2) int64
        Start and end, 0-based and half-open, in any order.

    Returns
    -------
    (n,) bool
    """
    intervals = intervals[np.argsort(intervals[:, 0])]
    # of the intervals that begin before a window's end, does the one that reaches furthest reach into it?
    furthest = np.concatenate([[-1], np.maximum.accumulate(intervals[:, 1])])
    return furthest[np.searchsorted(intervals[:, 0], start + length)] > start


def _first_of_each_cell(candidates: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Keep the ``n[cell]`` candidates of the lowest priority in every cell."""
    candidates = candidates[np.lexsort((candidates["priority"], candidates["cell"]))]
    cell = candidates["cell"]
    rank = np.arange(len(cell)) - np.searchsorted(cell, cell)
    return candidates[rank < n[cell]]


def _allot(
    wanted: np.ndarray, available: np.ndarray, reach: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Decide how many windows to take of each G+C count, nearest counts first where one has too few.

    Returns
    -------
    take : (n_strata, length + 1) int64
    missing, substituted : (n_strata,) int64
        Windows that could not be had, and that were had from another count.
    """
    take = np.minimum(wanted, available)
    spare, lacking = available - take, wanted - take
    first_lacking = lacking.sum(axis=1)
    for distance in range(1, reach + 1):
        for stratum, count in np.argwhere(lacking > 0):
            sides = [side for side in (count - distance, count + distance) if 0 <= side < wanted.shape[1]]
            # the side with more to spare first: always the lower one would shift the mean
            for side in sorted(sides, key=lambda side: -spare[stratum, side]):
                n = min(lacking[stratum, count], spare[stratum, side])
                take[stratum, side] += n
                spare[stratum, side] -= n
                lacking[stratum, count] -= n
    missing = lacking.sum(axis=1)
    return take, missing, first_lacking - missing
