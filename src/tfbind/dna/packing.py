"""Sequences of varying length laid into one padded array."""

from __future__ import annotations

import numpy as np
from numba import njit

from tfbind.dna.alphabet import AMBIGUOUS


@njit(cache=True)
def _pack(flat, lengths, codes, valid_length):  # pragma: no cover - compiled
    start = 0
    length = codes.shape[1]
    for i in range(len(lengths)):
        kept = min(lengths[i], length)
        offset = start + (lengths[i] - kept) // 2
        for j in range(kept):
            codes[i, j] = flat[offset + j]
        valid_length[i] = kept
        start += lengths[i]


def pack(flat: np.ndarray, lengths: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Lay sequences of varying length into one array.

    Parameters
    ----------
    flat : (sum(lengths),) uint8
        Codes of all the sequences, one behind the other.
    lengths : (n,) int
    length : int
        Longer sequences are cropped round their centre, shorter ones padded on the right.

    Returns
    -------
    codes : (n, length) uint8
    valid_length : (n,) int32
    """
    codes = np.full((len(lengths), length), AMBIGUOUS, np.uint8)
    valid_length = np.empty(len(lengths), np.int32)
    _pack(flat, lengths, codes, valid_length)
    return codes, valid_length
