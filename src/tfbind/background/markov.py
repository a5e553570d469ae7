"""Markov models of a genome: what a network has to be better than."""

from __future__ import annotations

import numpy as np

from tfbind.background.stretches import JudgedBatch, Stretches
from tfbind.dna.alphabet import AMBIGUOUS, reverse_complement

PSEUDO_COUNT = 1.0


class MarkovModel:
    """The next base given the ``order`` before it, with one table of counts for both strands.

    Parameters
    ----------
    stretches : Stretches
    order : int
        0 to 12.

    Attributes
    ----------
    probability : (4**order, 4) float64
        Row: the bases before as a number in base 4; each base's count has `PSEUDO_COUNT` added (Laplace).
    """

    def __init__(self, stretches: Stretches, order: int):
        self.order = order
        counts = np.zeros(4 ** (order + 1), np.int64)
        for stretch in stretches:
            if len(stretch) > order:
                one, length = stretch[None], np.array([len(stretch)])
                for codes in (one, reverse_complement(one, length)):
                    counts += np.bincount(_words(codes, order + 1).ravel(), minlength=len(counts))
        smooth = counts.reshape(-1, 4) + PSEUDO_COUNT
        self.probability = smooth / smooth.sum(axis=1, keepdims=True)

    def bits(self, batch: JudgedBatch) -> np.ndarray:
        """-log2 of the probability of each base that is judged, in order; see `JudgedBatch`.

        Returns
        -------
        (bases,) float64
        """
        # what an ambiguous base, that is padding, leads to is not judged
        words = _words(np.where(batch.codes == AMBIGUOUS, 0, batch.codes), self.order + 1)
        return -np.log2(self.probability.ravel()[words[batch.judged[:, self.order :]]])


def _words(codes: np.ndarray, k: int) -> np.ndarray:
    """The k-mer that starts at each base as a number in base 4: (n, length) uint8 to (n, length - k + 1) int64."""
    words = np.zeros((len(codes), codes.shape[1] - k + 1), np.int64)
    for offset in range(k):
        words = words * 4 + codes[:, offset : codes.shape[1] - k + 1 + offset]
    return words
