"""Shuffles among the records that a user gives, known by their dinucleotide counts."""

from __future__ import annotations

import numpy as np


def shuffle_families(compositions: np.ndarray, digests: np.ndarray, y: np.ndarray) -> np.ndarray | None:
    """Number the families of positives and the dinucleotide shuffles made of them.

    Encoding and evaluation call given negatives shuffles by this rule: more than half of the labels 0 are those of
    records that share the counts, and not the sequence, of a record that some factor binds.

    Parameters
    ----------
    compositions : (n,) uint64
        From `tfbind.dna.digests.composition_digests`.
    digests : (n,) uint64
        From `tfbind.dna.digests.strand_canonical_digests`.
    y : (n, tasks) float32
        1 bound, 0 unbound, NaN unknown.

    Returns
    -------
    (n,) int, or None where the negatives are no shuffles
    """
    bound = (y == 1).any(axis=1)
    shuffle = ~bound & np.isin(compositions, compositions[bound]) & ~np.isin(digests, digests[bound])
    unbound = np.nonzero(y == 0)[0]
    if not len(unbound) or shuffle[unbound].mean() <= 0.5:
        return None
    return np.unique(compositions, return_inverse=True)[1]
