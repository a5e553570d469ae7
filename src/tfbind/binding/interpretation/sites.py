"""Sites: where the motifs are in sequences, by the letters and by the contributions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tfbind.binding.evaluation.weight_matrix import log_odds
from tfbind.binding.interpretation.motifs import Motif
from tfbind.binding.interpretation.mutagenesis import one_hot_bases
from tfbind.binding.interpretation.sequences import Sequences
from tfbind.dna.alphabet import AMBIGUOUS

# of its seqlets, the share that a motif's own thresholds leave out
LEFT_OUT = 0.05
_COMPLEMENT = np.array([3, 2, 1, 0, AMBIGUOUS])


class Sites(NamedTuple):
    """Sites of several motifs, by sequence and start.

    motif : (m,) int64
        Number of the motif.
    sequence, start, end : (m,) int64
        Number of the sequence, and place in it.
    is_reverse : (m,) bool
    score : (m,) float64
        Log odds of the letters, in bits.
    contribution : (m,) float64
        Sum over the bases of the site, in natural logarithms of odds.
    """

    motif: np.ndarray
    sequence: np.ndarray
    start: np.ndarray
    end: np.ndarray
    is_reverse: np.ndarray
    score: np.ndarray
    contribution: np.ndarray

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.start)

    def rows(self, some: np.ndarray) -> Sites:
        """Give some of them."""
        return Sites(*(values[some] for values in self))


class Scanner:
    """A motif's weights, and the log odds that nearly all of its own seqlets reach.

    Parameters
    ----------
    motif : Motif
    sequences : Sequences
        That it was found in.
    background : (4,) float64
        Frequencies of the bases, the same on both strands.
    """

    def __init__(self, motif: Motif, sequences: Sequences, background: np.ndarray):
        self.motif = motif
        self._weights = log_odds(motif.matrix, background)
        scores = self.scan(sequences.codes)
        own = scores[motif.is_reverse.astype(int), motif.sequence, motif.start]
        own = own[np.isfinite(own)]
        self.threshold = float(np.quantile(own, LEFT_OUT)) if len(own) else np.inf

    def scan(self, codes: np.ndarray) -> np.ndarray:
        """Score every place on both strands: (n, length) codes to (2, n, length - width + 1) float64 bits."""
        width = self.motif.width
        n_places = max(codes.shape[1] - width + 1, 0)
        scores = np.zeros((2, len(codes), n_places))
        unknown = np.zeros((len(codes), n_places), bool)
        for at, row in enumerate(self._weights):
            scores[0] += row[codes[:, at : at + n_places]]
            unknown |= codes[:, at : at + n_places] == AMBIGUOUS
        for at, row in enumerate(self._weights[::-1]):
            scores[1] += row[_COMPLEMENT][codes[:, at : at + n_places]]
        scores[:, unknown] = -np.inf
        return scores


def base_frequencies(codes: np.ndarray) -> np.ndarray:
    """Frequencies of A, C, G and T on both strands together: (4,) float64."""
    counts = np.bincount(codes.ravel(), minlength=5)[:4] + 1.0
    return (counts + counts[::-1]) / (2 * counts.sum())


def sites_by_letters(scanner: Scanner, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the places of a motif by its letters alone, the best first where two overlap.

    Returns
    -------
    sequence, start : (m,) int64
    """
    scores = scanner.scan(codes).max(axis=0)
    sequence, start = np.nonzero(scores >= scanner.threshold)
    best = np.argsort(-scores[sequence, start], kind="stable")
    kept = apart(sequence[best], start[best], start[best] + scanner.motif.width, codes.shape)
    return sequence[best][kept], start[best][kept]


def apart(sequence: np.ndarray, start: np.ndarray, end: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Choose places that do not overlap, in the order given: (m,) places to their numbers."""
    taken = np.zeros(shape, bool)
    kept = []
    for number, (row, first, last) in enumerate(zip(sequence, start, end, strict=True)):
        if not taken[row, first:last].any():
            taken[row, first:last] = True
            kept.append(number)
    return np.array(kept, np.int64)


def find_sites(scanners: Sequence[Scanner], sequences: Sequences, scores: np.ndarray) -> Sites:
    """Find the sites of motifs that the letters and the contributions agree on.

    A site reaches the log odds that all but a few of the motif's own seqlets reach, and the contribution that these
    reach or half of their median. Where sites overlap, the one that contributes most is kept.

    Parameters
    ----------
    scanners : sequence of Scanner
    sequences : Sequences
    scores : (n, length, 4) float32
        Hypothetical contributions.
    """
    length = sequences.codes.shape[1]
    actual = (one_hot_bases(sequences.codes) * scores).sum(axis=2).astype(np.float64)
    summed = np.concatenate([np.zeros((len(actual), 1)), np.cumsum(actual, axis=1)], axis=1)
    found = []
    for number, scanner in enumerate(scanners):
        motif, width = scanner.motif, scanner.motif.width
        of_window = (summed[:, width:] - summed[:, : length + 1 - width]) * motif.sign
        low, median = np.quantile(of_window[motif.sequence, motif.start], [LEFT_OUT, 0.5])
        # seqlets that are nearly alike leave out few that are a little lower
        least = max(min(low, median / 2), 0)
        both = scanner.scan(sequences.codes)
        score, is_reverse = both.max(axis=0), both[1] > both[0]
        row, start = np.nonzero((score >= scanner.threshold) & (of_window >= least))
        found.append(
            Sites(
                np.full(len(row), number),
                row,
                start,
                start + width,
                is_reverse[row, start],
                score[row, start],
                motif.sign * of_window[row, start],
            )
        )
    if not found:
        none = np.zeros(0, np.int64)
        return Sites(none, none, none, none, none.astype(bool), none.astype(float), none.astype(float))
    sites = Sites(*(np.concatenate(columns) for columns in zip(*found, strict=True)))
    best = sites.rows(np.argsort(-np.abs(sites.contribution), kind="stable"))
    best = best.rows(apart(best.sequence, best.start, best.end, sequences.codes.shape))
    return best.rows(np.lexsort((best.start, best.sequence)))
