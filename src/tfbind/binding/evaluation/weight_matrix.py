"""The yardstick: a frequency matrix as a scanner, best strand at every base."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tfbind.binding.scanning.maxima import keep_apart, local_maxima
from tfbind.dna.alphabet import AMBIGUOUS, encode_any_letters
from tfbind.dna.matrices import Matrix

# of each position, in sites
PSEUDOCOUNT = 1.0


def log_odds(matrix: Matrix, background: np.ndarray) -> np.ndarray:
    """Weights of a matrix: (width, 5) float64, log2 odds of A, C, G, T and nothing for an ambiguous base.

    Parameters
    ----------
    matrix : Matrix
    background : (4,) float64
        Frequencies of the bases.
    """
    counts = matrix.counts + PSEUDOCOUNT * background
    frequency = counts / counts.sum(axis=1, keepdims=True)
    return np.hstack([np.log2(frequency / background), np.zeros((len(frequency), 1))])


def scan_strands(codes: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Score a site at every base on both strands.

    Returns
    -------
    plus, minus : (len(codes) - width + 1,) float64
        Of the site that starts at each base.
    """
    n, complement = len(codes) - len(weights) + 1, np.array([3, 2, 1, 0, AMBIGUOUS])
    plus, minus = np.zeros(max(n, 0)), np.zeros(max(n, 0))
    for at, row in enumerate(weights):
        plus += row[codes[at : at + len(plus)]]
    for at, row in enumerate(weights[::-1]):
        minus += row[complement][codes[at : at + len(minus)]]
    return plus, minus


def matrix_sites(
    matrix: Matrix, sequences: Iterable[tuple[str, str]], distance: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Find the local maxima of a matrix in sequences, on the better strand; a place with an ambiguous base is none.

    Parameters
    ----------
    matrix : Matrix
    sequences : iterable of name and letters
    distance : int
        Bases between two sites at the least.

    Returns
    -------
    record, summit : (n,) int64
        Number of the sequence, and the middle of the site.
    score : (n,) float64
        In bits.
    strand : (n,) str
    """
    records, summits, scores, strands = [], [], [], []
    all_codes = [encode_any_letters(letters)[0] for _, letters in sequences]
    counts = sum((np.bincount(codes, minlength=5)[:4] for codes in all_codes), np.ones(4))
    # both strands alike
    background = (counts + counts[::-1]) / (2 * counts.sum())
    weights = log_odds(matrix, background)
    width = len(weights)
    for number, codes in enumerate(all_codes):
        plus, minus = scan_strands(codes, weights)
        score = np.maximum(plus, minus)
        ambiguous = np.concatenate([[0], np.cumsum(codes == AMBIGUOUS)])
        score[ambiguous[width:][: len(score)] > ambiguous[: len(score)]] = np.nan
        found = local_maxima(np.arange(len(score)), score, distance)
        records.append(np.full(len(found), number, np.int64))
        summits.append(found + width // 2)
        scores.append(score[found])
        strands.append(np.where(plus[found] >= minus[found], "+", "-").astype(object))
    record, summit, score = (np.concatenate(each) for each in (records, summits, scores))
    kept = keep_apart(record, summit, score, distance)
    return record[kept], summit[kept], score[kept], np.concatenate(strands)[kept]
