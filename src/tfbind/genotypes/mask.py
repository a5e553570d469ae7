"""Accessibility masks: where on a genome variants could have been called.

A site on a masked base is left out. The distance between two sites stays what it is on the chromosome, since
chromosomes recombine there all the same. What is masked looks like a lower mutation rate, for which the rates are set
right (`tfbind.genotypes.features.Features.share`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from tfbind.contigs import Contigs
from tfbind.dna.bed import bed_lines
from tfbind.genotypes.contig import Genotypes
from tfbind.steps import StepFunction

logger = logging.getLogger(__name__)

POSITIONS_AT_ONCE = 1 << 20


@dataclass(frozen=True, eq=False)
class Accessible:
    """The accessible intervals of one contig: 0-based, half-open, sorted, without overlap.

    starts, ends : (intervals,) int64
    """

    starts: np.ndarray
    ends: np.ndarray

    @classmethod
    def merged(cls, starts: np.ndarray, ends: np.ndarray) -> Accessible:
        """Join intervals that overlap or touch, in any order."""
        order = np.argsort(starts, kind="stable")
        starts, furthest = np.asarray(starts)[order], np.maximum.accumulate(np.asarray(ends)[order])
        opens = np.ones(len(starts), bool)
        opens[1:] = starts[1:] > furthest[:-1]
        return cls(starts[opens], furthest[np.append(opens[1:], True)] if len(starts) else furthest)

    @property
    def n_bases(self) -> int:
        """How many bases are accessible."""
        return int((self.ends - self.starts).sum())

    @cached_property
    def _steps(self) -> StepFunction:
        return StepFunction.from_intervals(self.starts, self.ends, np.ones(len(self.starts)))

    def contains(self, positions: np.ndarray) -> np.ndarray:
        """Tell which positions lie in an interval: (n,) bool."""
        interval = np.searchsorted(self.starts, positions, side="right") - 1
        return (interval >= 0) & (positions < np.append(self.ends, 0)[interval])

    def bases_before(self, positions: np.ndarray) -> np.ndarray:
        """Count the accessible bases before each position: the map from bp to accessible bp, (n,) int64."""
        positions = np.asarray(positions)
        before = np.empty(positions.shape, np.int64)
        # in portions, since the map of a large sample has millions of edges
        given, found = positions.reshape(-1), before.reshape(-1)
        for at in range(0, len(given), POSITIONS_AT_ONCE):
            some = slice(at, at + POSITIONS_AT_ONCE)
            # whole numbers below 2**53, which float64 holds exactly
            found[some] = self._steps.known_bases(self._steps.edges[0], given[some])
        return before

    def position_of(self, bases: np.ndarray) -> np.ndarray:
        """Find the accessible base that has this many others before it: the inverse of `bases_before`, (n,) int64."""
        before = self.bases_before(self.starts)
        interval = np.searchsorted(before, bases, side="right") - 1
        return self.starts[interval] + bases - before[interval]

    def within(self, start: int, end: int) -> Accessible:
        """Give what lies between ``start`` and ``end``."""
        starts, ends = np.maximum(self.starts, start), np.minimum(self.ends, end)
        return Accessible(starts[starts < ends], ends[starts < ends])

    def without(self, starts: np.ndarray, ends: np.ndarray) -> Accessible:
        """Take stretches out, which are sorted and do not overlap."""
        if not (len(starts) and len(self.starts)):
            return self
        # what lies between the stretches, cut by what was accessible
        parts = [
            self.within(start, end)
            for start, end in zip(
                np.append(self.starts[:1], ends), np.append(starts, self.ends[-1:]), strict=True
            )
        ]
        return Accessible(
            np.concatenate([part.starts for part in parts]), np.concatenate([part.ends for part in parts])
        )


@dataclass(frozen=True)
class Mask:
    """An accessibility mask: the intervals of each contig, and the file that they come from."""

    path: Path
    contigs: dict[str, Accessible]

    @cached_property
    def names(self) -> Contigs:
        """The names of the contigs that the mask has intervals on."""
        return Contigs(self.contigs, self.path)

    def on(self, contig: str) -> Accessible:
        """Give a contig's accessible intervals; none where the mask does not name the contig."""
        name = self.names.find(contig)
        none = np.zeros(0, np.int64)
        return Accessible(none, none) if name is None else self.contigs[name]


def read_mask(path: str | Path) -> Mask:
    """Read a mask of accessible intervals: BED, plain, gzip or BGZF, in any order, with overlaps or without.

    Raises
    ------
    TfbindError
        If the file cannot be read or a line is no interval.
    """
    found: dict[str, list[tuple[int, int]]] = {}
    for _, columns, start, end in bed_lines(path):
        found.setdefault(columns[0], []).append((start, end))
    intervals = {contig: np.array(pairs, np.int64) for contig, pairs in found.items()}
    return Mask(
        Path(path), {name: Accessible.merged(pairs[:, 0], pairs[:, 1]) for name, pairs in intervals.items()}
    )


def apply_mask(genotypes: Genotypes, mask: Mask) -> Genotypes:
    """Leave out the sites on masked bases, counted in the account.

    A mask that has intervals on the contig and leaves no site is warned about by name: it may list what is *not*
    accessible.
    """
    accessible = mask.on(genotypes.contig)
    masked = genotypes.select(accessible.contains(genotypes.positions), "masked")
    here = accessible.within(genotypes.start, genotypes.end)
    if len(here.starts) and len(genotypes.positions) and not len(masked.positions):
        logger.warning(
            "%s: none of the %s sites on contig %s is accessible: do its intervals list inaccessible bases?",
            mask.path,
            f"{len(genotypes.positions):,}",
            genotypes.contig,
        )
    return masked
