"""Accessibility masks: where on a genome variants could have been called.

A site on a masked base is left out. The distance between two sites stays what it is on the chromosome, since
chromosomes recombine there all the same. What is masked looks like a lower mutation rate, for which the rates are set
right (`tfbind.genotypes.features.Features.share`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfbind.dna.peaks import bed_lines
from tfbind.genotypes.contig import Genotypes

logger = logging.getLogger(__name__)


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

    def contains(self, positions: np.ndarray) -> np.ndarray:
        """Tell which positions lie in an interval: (n,) bool."""
        interval = np.searchsorted(self.starts, positions, side="right") - 1
        return (interval >= 0) & (positions < np.append(self.ends, 0)[interval])

    def bases_before(self, positions: np.ndarray) -> np.ndarray:
        """Count the accessible bases in front of each position: the map from bp to accessible bp, (n,) int64."""
        before = np.concatenate([[0], np.cumsum(self.ends - self.starts)])
        interval = np.searchsorted(self.starts, positions, side="right") - 1
        inside = (
            np.minimum(positions, np.append(self.ends, 0)[interval]) - np.append(self.starts, 0)[interval]
        )
        return np.where(interval >= 0, before[interval] + inside, 0)

    def position_of(self, bases: np.ndarray) -> np.ndarray:
        """Find the base that has so many accessible ones in front of it and is one itself, (n,) int64."""
        before = np.concatenate([[0], np.cumsum(self.ends - self.starts)[:-1]])
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

    def name_of(self, contig: str) -> str | None:
        """Find the mask's name of a contig, the same or but for a ``chr`` before it; None where it has none."""
        if contig in self.contigs:
            return contig
        return {name.removeprefix("chr"): name for name in self.contigs}.get(contig.removeprefix("chr"))

    def on(self, contig: str) -> Accessible:
        """Give a contig's accessible intervals; none where the mask does not name the contig."""
        name = self.name_of(contig)
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
    if len(accessible.starts) and len(genotypes.positions) and not len(masked.positions):
        logger.warning(
            "%s: none of the %s sites on contig %s is accessible: do its intervals list inaccessible bases?",
            mask.path,
            f"{len(genotypes.positions):,}",
            genotypes.contig,
        )
    return masked
