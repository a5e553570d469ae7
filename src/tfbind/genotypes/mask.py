"""Accessibility masks: where on a genome variants could have been called.

A masked base is no sequence: a site on it is left out, and diversity is counted per accessible base. The
distance between two sites stays what it is on the chromosome, since chromosomes recombine there all the same.
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


@dataclass(frozen=True)
class Mask:
    """An accessibility mask: the intervals of each contig, and the file that they come from."""

    path: Path
    contigs: dict[str, Accessible]

    def on(self, contig: str) -> Accessible:
        """Give a contig's accessible intervals; none where the mask does not name the contig."""
        none = np.zeros(0, np.int64)
        return self.contigs.get(contig, Accessible(none, none))


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

    A mask that leaves no site is warned about by name: it may list what is *not* accessible, or name its
    contigs otherwise.
    """
    masked = genotypes.select(mask.on(genotypes.contig).contains(genotypes.positions), "masked")
    if len(genotypes.positions) and not len(masked.positions):
        if genotypes.contig in mask.contigs:
            found = "do its intervals list inaccessible bases?"
        else:
            found = f"it has no such contig, but {', '.join(list(mask.contigs)[:3]) or 'none at all'}"
        logger.warning(
            "%s: none of the %s sites on contig %s is accessible: %s",
            mask.path,
            f"{len(genotypes.positions):,}",
            genotypes.contig,
            found,
        )
    return masked
