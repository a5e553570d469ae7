"""How well called sites agree with peaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Match(NamedTuple):
    """Which peak each site is.

    peak : (n,) int64
        Number of the peak, counted over all contigs; -1 where there is none near that no higher site has taken.
    offset : (n,) float64
        Summit minus peak in bases, NaN without one.
    """

    peak: np.ndarray
    offset: np.ndarray


def match_peaks(
    contig: np.ndarray, summit: np.ndarray, score: np.ndarray, peaks: Sequence[np.ndarray], tolerance: int
) -> Match:
    """Give each site the nearest peak within a tolerance, the highest sites first; a peak is found once.

    Parameters
    ----------
    contig, summit : (n,) int
    score : (n,) float
    peaks : sequence of (m,) int64, ascending
        Positions of the peaks of each contig.
    tolerance : int
        Bases.
    """
    first = np.concatenate([[0], np.cumsum([len(of_contig) for of_contig in peaks])])
    taken = np.zeros(first[-1], bool)
    peak, offset = np.full(len(summit), -1, np.int64), np.full(len(summit), np.nan)
    for site in np.argsort(-score, kind="stable").tolist():
        of_contig, at = peaks[contig[site]], summit[site]
        low, high = np.searchsorted(of_contig, [at - tolerance, at + tolerance + 1])
        free = np.arange(low, high)[~taken[first[contig[site]] + low : first[contig[site]] + high]]
        if len(free):
            nearest = free[np.abs(of_contig[free] - at).argmin()]
            peak[site] = first[contig[site]] + nearest
            offset[site] = at - of_contig[nearest]
            taken[peak[site]] = True
    return Match(peak, offset)


def precision_recall(score: np.ndarray, is_right: np.ndarray, n_peaks: int) -> np.ndarray:
    """Precision and recall at every threshold: (thresholds, 3) float64 with columns recall, precision, threshold.

    Recall counts over all peaks. Sites of one score are called together.

    Parameters
    ----------
    score : (n,) float
    is_right : (n,) bool
    n_peaks : int
    """
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.diff(score[order], append=-np.inf) != 0)
    right = np.cumsum(is_right[order])[ends]
    return np.column_stack([right / max(n_peaks, 1), right / (ends + 1), score[order][ends]])


def average_precision(curve: np.ndarray) -> float:
    """Area under the steps of `precision_recall`; what no threshold recalls has a precision of 0."""
    return float((np.diff(curve[:, 0], prepend=0.0) * curve[:, 1]).sum())


def median_offset(score: np.ndarray, match: Match, n_peaks: int) -> float:
    """Median distance in bases of right sites from their peaks, of as many of the highest sites as there are peaks."""
    highest = np.argsort(-score, kind="stable")[:n_peaks]
    distance = np.abs(match.offset[highest])
    distance = distance[~np.isnan(distance)]
    return float(np.median(distance)) if len(distance) else float("nan")
