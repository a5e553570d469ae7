"""Which strand a site is on, from what the sites of one scan have in common.

A network that scores both strands of every example learns both orientations of a motif equally well, so that the
scores of the single strands do not say which of them the motif reads on. On the yeast factors Reb1 and Abf1 they
agree with the motif's orientation in 61% and 55% of the sites. Sites that are aligned with each other do say it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tfbind.dna.alphabet import ALPHABET, AMBIGUOUS

# bases on either side of a summit that are read, and of the motif that is looked for
FLANK, WIDTH = 12, 15
# sites that are needed to learn what they have in common, and the strongest that it is learned from
FEWEST, MOST = 20, 500
SEEDS = 12
# sites of the background that are added to those that are aligned
PSEUDOCOUNT = 4.0
# natural log of the likelihood that a round of the fit must add
ENOUGH = 0.1
# natural log of how much likelier one orientation must be than the other
CERTAIN = float(np.log(10))
# bits of a position that counts, and has a letter in the consensus
INFORMATIVE = 0.5


class Orientation(NamedTuple):
    """Strands of sites.

    strand : (n,) str
        ``+``, ``-``, or ``.`` where the two are about as likely.
    consensus : str
        How the motif reads on the plus strand, empty if none was found; N where no base is frequent.
    """

    strand: np.ndarray
    consensus: str


def orient(around: np.ndarray, score: np.ndarray) -> Orientation:
    """Align sites with each other, and give each one's strand.

    One matrix is fitted to all sites, each of which has it once, on either strand and at any place near its summit
    (expectation maximization as in MEME, Bailey & Elkan 1994, Proc. ISMB 2:28, model OOPS), starting at each of the
    strongest sites in turn. Which of its two directions is called plus is a convention: the one in which A and C
    outweigh T and G, weighted by information.

    Parameters
    ----------
    around : (n, 2 * FLANK + 1) uint8
        Codes around the summits; ambiguous past the end of a sequence.
    score : (n,) float
        The strongest sites weigh in the fit.
    """
    nothing = np.full(len(around), ".", dtype=object)
    usable = (around != AMBIGUOUS).all(axis=1)
    strongest = np.argsort(-np.where(usable, score, -np.inf), kind="stable")[: min(MOST, int(usable.sum()))]
    if len(strongest) < FEWEST:
        return Orientation(nothing, "")
    windows = _windows(around)
    background = np.bincount(around[strongest].ravel(), minlength=4)[:4] + 1.0
    background = (background + background[::-1]) / (2 * background.sum())
    fitted = windows[strongest]
    middle = (2 * FLANK + 1 - WIDTH) // 2
    fits = [_fit(fitted, windows[seed, 0, middle], background) for seed in strongest[:SEEDS]]
    counts = max(fits, key=lambda fit: fit.likelihood).counts
    if _is_minus(_frequencies(counts.sum(axis=0), background), background):
        counts = counts[..., ::-1, ::-1]
    total = counts.sum(axis=0)
    matrix = _frequencies(total, background)
    # the bases beside a palindrome are chance
    known = _information(matrix, background) >= INFORMATIVE
    difference = _difference(windows, known * _log_odds(matrix, background))
    # a site that was fitted is judged by the others: of a few sites, each makes the matrix like itself
    for row, own in zip(strongest, counts, strict=True):
        others = _frequencies(total - own, background)
        difference[row] = _difference(windows[row, None], known * _log_odds(others, background))[0]
    strand = np.where(difference >= CERTAIN, "+", np.where(difference <= -CERTAIN, "-", "."))
    return Orientation(strand.astype(object), _consensus(matrix, background))


def _windows(around: np.ndarray) -> np.ndarray:
    """Cut out all places of the motif: (n, 2 strands, places, WIDTH) codes."""
    complement = np.array([3, 2, 1, 0, AMBIGUOUS], np.uint8)
    both = np.stack([around, complement[around[:, ::-1]]], axis=1)
    return np.lib.stride_tricks.sliding_window_view(both, WIDTH, axis=2)


def _likelihoods(windows: np.ndarray, log_odds: np.ndarray) -> np.ndarray:
    """Log odds of the motif over the background at every place: (n, 2, places) float64."""
    table = np.vstack([log_odds, np.zeros(WIDTH)])
    return table[windows, np.arange(WIDTH)].sum(axis=3)


def _difference(windows: np.ndarray, log_odds: np.ndarray) -> np.ndarray:
    """How much likelier the plus strand is than the minus strand, (n,) float64, natural log."""
    by_strand = np.logaddexp.reduce(_likelihoods(windows, log_odds), axis=2)
    return by_strand[:, 0] - by_strand[:, 1]


def _frequencies(counts: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Smooth counts of each base at each position: (4, WIDTH) float64."""
    smooth = counts + PSEUDOCOUNT * background[:, None]
    return smooth / smooth.sum(axis=0)


def _log_odds(matrix: np.ndarray, background: np.ndarray) -> np.ndarray:
    return np.log(matrix / background[:, None])


class _Fit(NamedTuple):
    """A matrix fitted to n sites: log likelihood ratio, and what each site adds to its counts, (n, 4, WIDTH)."""

    likelihood: float
    counts: np.ndarray


def _fit(windows: np.ndarray, seed: np.ndarray, background: np.ndarray) -> _Fit:
    """Fit the matrix, starting at one site."""
    matrix = np.full((4, WIDTH), 0.5 / 3)
    matrix[seed, np.arange(WIDTH)] = 0.5
    one_hot = np.eye(5)[windows][..., :4]
    likelihood = -np.inf
    while True:
        of_place = _likelihoods(windows, _log_odds(matrix, background))
        of_site = np.logaddexp.reduce(of_place.reshape(len(windows), -1), axis=1)
        weight = np.exp(of_place - of_site[:, None, None])
        counts = np.einsum("nsp,nspwb->nbw", weight, one_hot, optimize=True)
        before, likelihood = likelihood, float(of_site.sum())
        if likelihood - before < ENOUGH:
            return _Fit(likelihood, counts)
        matrix = _frequencies(counts.sum(axis=0), background)


def _information(matrix: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Bits of each position, (WIDTH,) float64."""
    return (matrix * np.log2(matrix / background[:, None])).sum(axis=0)


def _is_minus(matrix: np.ndarray, background: np.ndarray) -> bool:
    """Whether T and G outweigh A and C."""
    excess = np.array([1, 1, -1, -1]) @ matrix
    return bool((excess * _information(matrix, background)).sum() < 0)


def _consensus(matrix: np.ndarray, background: np.ndarray) -> str:
    bits = _information(matrix, background)
    letters = [
        ALPHABET[base] if known else "N"
        for base, known in zip(matrix.argmax(axis=0), bits >= INFORMATIVE, strict=True)
    ]
    return "".join(letters).strip("N")
