"""Dinucleotide shuffles: negatives with the composition of the positive that each was made from."""

from __future__ import annotations

import numpy as np
from numba import njit

from tfbind.dna.splitmix import below


@njit(cache=True)
def _shuffle_run(run, rng, edges, start_of, fill, last):  # pragma: no cover - compiled
    """Shuffle one run of unambiguous bases in place, keeping every dinucleotide count."""
    n = len(run)
    if n < 3:
        return
    # the edges that leave each base, grouped by the base, each group in the order of the run
    counts = np.zeros(5, np.int64)
    for j in range(n - 1):
        counts[run[j] + 1] += 1
    for base in range(4):
        counts[base + 1] += counts[base]
        start_of[base] = fill[base] = counts[base]
    start_of[4] = n - 1
    for j in range(n - 1):
        edges[fill[run[j]]] = run[j + 1]
        fill[run[j]] += 1
    end = run[n - 1]
    # one last edge for each base but the end, such that they lead from every base to the end: each such choice
    # is equally likely, which makes the whole shuffle uniform. Random walks until a base that is done draw it
    # (Wilson 1996); drawing blindly until it fits would take forever where most edges lead back to their base
    last[:] = -1
    done = 1 << end
    for base in range(4):
        if start_of[base] == start_of[base + 1]:
            continue
        at = np.int64(base)
        while not done >> at & 1:
            last[at] = start_of[at] + below(rng, start_of[at + 1] - start_of[at])
            at = np.int64(edges[last[at]])
        at = np.int64(base)
        while not done >> at & 1:
            done |= 1 << at
            at = np.int64(edges[last[at]])
    for base in range(4):
        first = start_of[base]
        free = start_of[base + 1] - first
        if last[base] != -1:
            free -= 1
            edges[last[base]], edges[first + free] = edges[first + free], edges[last[base]]
        for j in range(free - 1, 0, -1):
            other = below(rng, j + 1)
            edges[first + j], edges[first + other] = edges[first + other], edges[first + j]
        fill[base] = first
    at = np.int64(run[0])
    for j in range(1, n):
        following = edges[fill[at]]
        fill[at] += 1
        run[j] = following
        at = np.int64(following)


@njit(cache=True, nogil=True)
def _shuffle(codes, valid_length, seeds):  # pragma: no cover - compiled
    edges = np.empty(codes.shape[1], np.uint8)
    start_of = np.empty(5, np.int64)
    fill = np.empty(4, np.int64)
    last = np.empty(4, np.int64)
    rng = np.empty(1, np.uint64)
    for i in range(len(codes)):
        rng[0] = seeds[i]
        start = 0
        for j in range(valid_length[i] + 1):
            if j == valid_length[i] or codes[i, j] == 4:
                _shuffle_run(codes[i, start:j], rng, edges, start_of, fill, last)
                start = j + 1


def dinucleotide_shuffle(codes: np.ndarray, valid_length: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Shuffle sequences, keeping the exact count of every dinucleotide and the first and last base.

    Every sequence with these counts is equally likely: a random Eulerian path through the graph whose edges
    are the dinucleotides (Altschul & Erickson 1985, Mol Biol Evol 2:526), its last edges drawn by random walks
    (Wilson 1996, Proc 28th ACM STOC:296). Ambiguous bases and padding stay where they are, and the runs between
    them are shuffled one by one.

    Parameters
    ----------
    codes : (n, length) uint8
    valid_length : (n,) int
    seeds : (n,) uint64
        One a sequence: the same seed gives the same shuffle.

    Returns
    -------
    (n, length) uint8
    """
    shuffled = codes.copy()
    _shuffle(shuffled, valid_length, seeds)
    return shuffled


@njit(cache=True)
def _dinucleotide_counts(codes, valid_length, counts):  # pragma: no cover - compiled
    for i in range(len(codes)):
        for j in range(valid_length[i] - 1):
            counts[i, codes[i, j], codes[i, j + 1]] += 1


def dinucleotide_counts(codes: np.ndarray, valid_length: np.ndarray) -> np.ndarray:
    """Count the dinucleotides, by which a shuffle and its parent know each other.

    Parameters
    ----------
    codes : (n, length) uint8
    valid_length : (n,) int

    Returns
    -------
    (n, 25) int32
        Of A, C, G, T and ambiguous followed by each.
    """
    counts = np.zeros((len(codes), 5, 5), np.int32)
    _dinucleotide_counts(codes, valid_length, counts)
    return counts.reshape(len(codes), 25)
