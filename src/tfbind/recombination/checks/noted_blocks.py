"""Blocks of a contig on which something is to be said of the map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.gaps import accessible_stretches
from tfbind.genotypes.mask import Accessible
from tfbind.recombination.checks.site_matrix import expected_differences

# of a block, in expected pairwise differences: 125 kb of the human genome. Narrower ones hold too little to be judged,
# and stretches of one ancestry, 300 generations after admixture, are not much wider
WIDTH = 50.0


@dataclass(frozen=True, eq=False)
class NotedBlocks:
    """Which blocks of a contig a note holds for.

    note : str
    edges : (blocks + 1,) int64
        bp.
    is_noted : (blocks,) bool
    """

    note: str
    edges: NDArray[np.int64]
    is_noted: NDArray[np.bool_]

    @property
    def share(self) -> float:
        """Of the contig that is noted."""
        width = np.diff(self.edges)
        return float(width[self.is_noted].sum() / width.sum())

    def touches(self, starts: np.ndarray, ends: np.ndarray) -> NDArray[np.bool_]:
        """Tell which windows overlap a noted block: (windows,) bool."""
        before = np.concatenate([[0], np.cumsum(self.is_noted)])
        first = np.searchsorted(self.edges, starts, side="right") - 1
        last = np.searchsorted(self.edges, ends, side="left")
        n = len(self.is_noted)
        return before[np.clip(last, 0, n)] > before[np.clip(first, 0, n)]


def block_edges(genotypes: Genotypes, mask: Accessible | None) -> NDArray[np.int64]:
    """Cut a contig into blocks of about WIDTH, with as many accessible bases each: (blocks + 1,) int64, bp."""
    stretches = accessible_stretches(genotypes, mask)
    n_blocks = max(1, min(round(expected_differences(genotypes) / WIDTH), stretches.n_bases))
    inner = stretches.position_of(stretches.n_bases * np.arange(1, n_blocks) // n_blocks)
    return np.concatenate([[genotypes.start], inner, [genotypes.end]]).astype(np.int64)
