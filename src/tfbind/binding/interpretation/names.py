"""Names of motifs: which known matrix each resembles, by TOMTOM."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tfbind.binding.interpretation.motifs import Motif
from tfbind.dna.matrices import Matrix
from tfbind.errors import require

# a match with a greater q-value gives no name
MOST_Q = 0.05
# to every count of a motif and of a matrix, in sites
_PSEUDOCOUNT = 0.25
# further matches that are listed
_FURTHER = 4


class Match(NamedTuple):
    """A known matrix that a motif resembles.

    matrix : Matrix
        On the strand on which it resembles the motif.
    p, q : float
        The q-value is Benjamini and Hochberg's over all known matrices.
    offset : int
        Position of the motif at which the matrix begins; negative if it begins before the motif.
    further : tuple of str
        Names of the next matrices up to MOST_Q.
    """

    matrix: Matrix
    p: float
    q: float
    offset: int
    further: tuple[str, ...]


def name_motifs(
    motifs: Sequence[Motif], known: Sequence[Matrix], threads: int | None = None
) -> list[Match | None]:
    """Find the known matrix that each motif resembles most (Gupta et al. 2007, Genome Biol 8:R24).

    Parameters
    ----------
    motifs : sequence of Motif
    known : sequence of Matrix
    threads : int or None

    Returns
    -------
    list of Match or None
        None where no matrix has a q-value up to MOST_Q.

    Raises
    ------
    MissingDependencyError
        If memelite is not installed.
    """
    if not motifs or not known:
        return [None] * len(motifs)
    tomtom = require("memelite", "interpret", "naming motifs").tomtom
    with warnings.catch_warnings():
        # that few matrices make p-values depend on which they are; the table says how many there were
        warnings.simplefilter("ignore")
        p = tomtom(
            [frequencies(motif.counts) for motif in motifs],
            [frequencies(matrix.counts) for matrix in known],
            n_jobs=threads or -1,
        )[0]
    matches: list[Match | None] = []
    for row in range(len(motifs)):
        q = benjamini_hochberg(p[row])
        order = np.argsort(p[row], kind="stable")
        best = int(order[0])
        if not q[best] <= MOST_Q:
            matches.append(None)
            continue
        further = [known[at].name for at in order[1:] if q[at] <= MOST_Q]
        further = [name for name in dict.fromkeys(further) if name != known[best].name][:_FURTHER]
        counts, offset = aligned(motifs[row].counts, known[best].counts)
        matrix = known[best]._replace(counts=counts)
        matches.append(Match(matrix, float(p[row, best]), float(q[best]), offset, tuple(further)))
    return matches


def aligned(motif: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, int]:
    """Place a matrix along a motif, on the strand and at the offset where their frequencies agree most.

    Parameters
    ----------
    motif : (width, 4) float64
        Counts.
    matrix : (m, 4) float64
        Counts.

    Returns
    -------
    matrix : (m, 4) float64
        Reversed and complemented if the other strand agrees more.
    offset : int
        See `Match`.
    """
    best, found = -np.inf, (matrix, 0)
    here = frequencies(motif).T - 0.25
    for counts in (matrix, matrix[::-1, ::-1]):
        there = frequencies(counts).T - 0.25
        for offset in range(1 - len(there), len(here)):
            first, end = max(offset, 0), min(offset + len(there), len(here))
            agreement = float((here[first:end] * there[first - offset : end - offset]).sum())
            if agreement > best:
                best, found = agreement, (counts, offset)
    return found


def frequencies(counts: np.ndarray) -> np.ndarray:
    """Give the frequencies of a matrix as memelite takes them: (width, 4) counts to (4, width) float64."""
    counts = counts + _PSEUDOCOUNT
    return np.ascontiguousarray((counts / counts.sum(axis=1, keepdims=True)).T)


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Give q-values (Benjamini & Hochberg 1995, J R Stat Soc B 57:289): (n,) float64 to (n,) float64."""
    order = np.argsort(p)
    n = len(p)
    ranked = np.minimum.accumulate((p[order] * n / np.arange(1, n + 1))[::-1])[::-1]
    q = np.empty(n)
    q[order] = np.minimum(ranked, 1)
    return q
