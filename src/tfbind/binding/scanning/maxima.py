"""Where scores along a sequence have local maxima, and which sites to keep so that none is close to another."""

from __future__ import annotations

import numpy as np


def smoothed(position: np.ndarray, score: np.ndarray, reach: int) -> np.ndarray:
    """Average each score with those of the positions up to ``reach`` bases away.

    Parameters
    ----------
    position : (n,) int64, ascending
    score : (n,) float
        NaN where there is none: it stays so, and counts for nothing elsewhere.
    reach : int
        In bases.

    Returns
    -------
    (n,) float64
    """
    known = ~np.isnan(score)
    first = np.searchsorted(position, position - reach, side="left")
    last = np.searchsorted(position, position + reach, side="right")
    # few at a time, in place of one running sum, whose rounding would depend on where a record begins
    total, n = np.zeros(len(score)), np.zeros(len(score), np.int64)
    for step in range(int((last - first).max(initial=0))):
        at = np.minimum(first + step, len(score) - 1)
        counts = (first + step < last) & known[at]
        total += np.where(counts, score[at], 0)
        n += counts
    return np.where(known, total / np.maximum(n, 1), np.nan)


def local_maxima(position: np.ndarray, score: np.ndarray, distance: int) -> np.ndarray:
    """Find the positions whose score no other one reaches that is less than ``distance`` away.

    Neighbours with equal scores, such as windows in a run of one base, count as one: the one in the middle is kept.

    Parameters
    ----------
    position : (n,) int64, ascending
    score : (n,) float
        NaN where there is none.
    distance : int
        In bases.

    Returns
    -------
    (m,) int64
        Indexes, ascending.
    """
    # loaded here, as it takes a while and most scans do not look for maxima
    from scipy.ndimage import maximum_filter1d

    known = np.where(np.isnan(score), -np.inf, score)
    if not len(known):
        return np.empty(0, np.int64)
    # windows lie at even distances but for the last one, which may come sooner
    step = max(int(np.diff(position[:2])[0]) if len(position) > 1 else 1, 1)
    reach = (distance - 1) // step
    highest = maximum_filter1d(known, 2 * reach + 1, mode="constant", cval=-np.inf)
    found = np.flatnonzero((known == highest) & (known > -np.inf))
    # of neighbours that are equal, the one in the middle
    runs = np.split(
        found, np.flatnonzero((np.diff(position[found]) >= distance) | (np.diff(known[found]) != 0)) + 1
    )
    return np.array([run[(len(run) - 1) // 2] for run in runs if len(run)], np.int64)


def keep_apart(record: np.ndarray, position: np.ndarray, score: np.ndarray, distance: int) -> np.ndarray:
    """Drop the sites that are less than ``distance`` from one of a higher score in the same record.

    Parameters
    ----------
    record, position : (n,) int64
        In any order.
    score : (n,) float
        Of equal scores, the first one is kept.
    distance : int

    Returns
    -------
    (m,) int64
        Indexes of those that are kept, by record and position.
    """
    by_place = np.lexsort((position, record))
    record, position = record[by_place], position[by_place]
    dropped = np.zeros(len(record), bool)
    for at in np.argsort(-score[by_place], kind="stable").tolist():
        if dropped[at]:
            continue
        for step in (-1, 1):
            other = at + step
            while (
                0 <= other < len(record)
                and record[other] == record[at]
                and abs(position[other] - position[at]) < distance
            ):
                dropped[other] = True
                other += step
    return by_place[~dropped]
