"""Digests by which a sequence is known again on either strand, and a shuffle by its parent."""

from __future__ import annotations

import numpy as np
from numba import njit

from tfbind.dna.shuffle import dinucleotide_counts
from tfbind.dna.splitmix import mix, seeds_for


@njit(cache=True)
def _digests(codes, valid_length, digests):  # pragma: no cover - compiled
    offset = np.uint64(0xCBF29CE484222325)
    prime = np.uint64(0x100000001B3)
    for i in range(len(codes)):
        forward = offset
        reverse = offset
        for j in range(valid_length[i]):
            base = codes[i, j]
            forward = (forward ^ np.uint64(base + 1)) * prime
            base = codes[i, valid_length[i] - 1 - j]
            complement = base if base == 4 else 3 - base
            reverse = (reverse ^ np.uint64(complement + 1)) * prime
        digests[i] = min(mix(forward), mix(reverse))


def strand_canonical_digests(codes: np.ndarray, valid_length: np.ndarray) -> np.ndarray:
    """A 64-bit digest a sequence, the same for a sequence and its reverse complement.

    It is the smaller one of the two strands' FNV-1a hashes (of code + 1 a base), each mixed by the last step
    of splitmix64. Model files store it: changing it needs a new format version.

    Parameters
    ----------
    codes : (n, length) uint8
    valid_length : (n,) int

    Returns
    -------
    (n,) uint64
    """
    digests = np.empty(len(codes), np.uint64)
    _digests(codes, valid_length, digests)
    return digests


def composition_digests(codes: np.ndarray, valid_length: np.ndarray) -> np.ndarray:
    """A 64-bit digest of the dinucleotide counts: a sequence and its dinucleotide shuffles share it.

    Parameters
    ----------
    codes : (n, length) uint8
    valid_length : (n,) int

    Returns
    -------
    (n,) uint64
    """
    counts = dinucleotide_counts(codes, valid_length).astype(np.uint64)
    # a sum with random factors, modulo 2**64
    return (counts * seeds_for(np.arange(counts.shape[1]), 0)).sum(axis=1, dtype=np.uint64)
