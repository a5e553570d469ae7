"""Gapped k-mers: six informative bases under a few spacings, the same on both strands.

What a support vector machine on gapped k-mers (Ghandi et al. 2014, PLoS Comput Biol 10:e1003711) sees of a
sequence, as explicit features: a base pattern under a mask such as ``1110111`` counts wherever it occurs on
either strand. A pattern and its reverse complement are one feature; all masks are palindromes, so both lie
under the same mask.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numba import njit
from scipy.sparse import csr_array

from tfbind.dna.alphabet import AMBIGUOUS

MASKS = ("111111", "1110111", "11100111", "11011011", "10111101", "111000111")
INFORMATIVE = 6
N_PATTERNS = 4**INFORMATIVE
N_FEATURES = len(MASKS) * N_PATTERNS

_OFFSETS = np.array([[i for i, letter in enumerate(mask) if letter == "1"] for mask in MASKS])
_SPANS = np.array([len(mask) for mask in MASKS])


@njit(cache=True, nogil=True)
def _features(codes, valid_length, offsets, spans, features):  # pragma: no cover - compiled
    n_masks, k = offsets.shape
    for i in range(len(codes)):
        for m in range(n_masks):
            for start in range(codes.shape[1]):
                feature = -1
                if start + spans[m] <= valid_length[i]:
                    forward = 0
                    reverse = 0
                    for j in range(k):
                        base = codes[i, start + offsets[m, j]]
                        if base == AMBIGUOUS:
                            forward = -1
                            break
                        forward = forward * 4 + base
                        reverse += (3 - base) * 4**j
                    if forward >= 0:
                        feature = m * 4**k + min(forward, reverse)
                features[i, m, start] = feature


def gapped_kmers(codes: np.ndarray, valid_length: np.ndarray) -> np.ndarray:
    """Name the gapped k-mer that starts at every base, under every mask.

    Parameters
    ----------
    codes : (n, length) uint8
    valid_length : (n,) int

    Returns
    -------
    (n, masks, length) int16
        Feature number, mask * 4**6 + the smaller one of the pattern and its reverse complement, both read as
        numbers in base 4; -1 where it would pass the end or holds an ambiguous base.
    """
    features = np.empty((len(codes), len(MASKS), codes.shape[1]), np.int16)
    _features(codes, valid_length, _OFFSETS, _SPANS, features)
    return features


def capped_counts(features: np.ndarray, cap: int) -> csr_array:
    """Count features, each at most ``cap`` times a sequence.

    Parameters
    ----------
    features : (n, masks, length) int16
        From `gapped_kmers`.
    cap : int

    Returns
    -------
    (n, N_FEATURES) float64, sparse
    """
    flat = features.reshape(len(features), -1)
    present = flat >= 0
    indptr = np.concatenate([[0], np.cumsum(present.sum(axis=1))])
    counts = csr_array(
        (np.ones(indptr[-1]), flat[present].astype(np.int32), indptr), shape=(len(features), N_FEATURES)
    )
    counts.sum_duplicates()
    np.minimum(counts.data, cap, out=counts.data)
    return counts


@njit(cache=True, nogil=True)
def _tracks(features, tables, table, spans, cap, tracks):  # pragma: no cover - compiled
    n_masks, length = features.shape[1:]
    count = np.zeros(tables.shape[1], np.int64)
    for i in range(len(features)):
        weights = tables[table[i]]
        for m in range(n_masks):
            for start in range(length):
                if features[i, m, start] >= 0:
                    count[features[i, m, start]] += 1
        for m in range(n_masks):
            # the centre of an even span lies between two bases: each gets half, as on the other strand
            left = (spans[m] - 1) // 2
            right = spans[m] // 2
            for start in range(length):
                feature = features[i, m, start]
                if feature >= 0:
                    share = weights[feature] * min(cap, count[feature]) / count[feature]
                    tracks[i, start + left, m] += 0.5 * share
                    tracks[i, start + right, m] += 0.5 * share
        for m in range(n_masks):
            for start in range(length):
                if features[i, m, start] >= 0:
                    count[features[i, m, start]] = 0


def evidence_tracks(features: np.ndarray, tables: np.ndarray, table: np.ndarray, cap: int) -> np.ndarray:
    """Lay a linear model's weights along the sequence: what each place says for and against binding.

    A feature that occurs more than ``cap`` times shares ``cap`` times its weight among its occurrences, so
    the sum over a sequence is exactly the linear model's logit without its intercept. The tracks of the
    other strand are these ones read backwards.

    Parameters
    ----------
    features : (n, masks, length) int16
        From `gapped_kmers`.
    tables : (t, N_FEATURES) float32
        Weights of t linear models.
    table : (n,) int
        Which of them scores each sequence.
    cap : int

    Returns
    -------
    (n, length, masks) float32
        At the centre of each gapped k-mer.
    """
    tracks = np.zeros((len(features), features.shape[2], len(MASKS)), np.float32)
    _tracks(features, tables, table, _SPANS, cap, tracks)
    return tracks


@dataclass(frozen=True, kw_only=True)
class GkmWeights:
    """Weights of gapped k-mers by which evidence tracks are laid, of one factor or several.

    weights : (tasks, N_FEATURES) float32
    cap : a feature counts at most so often
    """

    weights: np.ndarray = field(repr=False)
    cap: int

    def tracks(self, codes: np.ndarray, valid_length: np.ndarray) -> np.ndarray:
        """Lay every factor's tracks: (n, length) uint8 codes to (n, length, tasks * masks) float32."""
        return stacked_tracks(
            codes, valid_length, self.weights[None], np.zeros(len(codes), np.int64), self.cap
        )


def stacked_tracks(
    codes: np.ndarray, valid_length: np.ndarray, tables: np.ndarray, table: np.ndarray, cap: int
) -> np.ndarray:
    """Lay the evidence tracks of several factors side by side.

    Parameters
    ----------
    codes : (n, length) uint8
    valid_length : (n,) int
    tables : (t, tasks, N_FEATURES) float32
    table : (n,) int
        Which of the t models scores each sequence.
    cap : int

    Returns
    -------
    (n, length, tasks * masks) float32
        The masks of the first factor, then those of the second one, and so on.
    """
    features = gapped_kmers(codes, valid_length)
    laid = [evidence_tracks(features, tables[:, task], table, cap) for task in range(tables.shape[1])]
    return laid[0] if len(laid) == 1 else np.concatenate(laid, axis=2)
