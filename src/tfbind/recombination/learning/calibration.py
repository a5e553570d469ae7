"""How far the intervals must reach to hold the truth as often as they say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfbind.recombination.learning.examples import RegionTokens
from tfbind.recombination.mapping.posterior import Calibration, TokenPosterior, windows_of
from tfbind.recombination.options import FLOOR, SCALES

LEVEL = 0.95


def calibrate(predicted: Sequence[TokenPosterior], regions: Sequence[RegionTokens]) -> Calibration:
    """Find the quantiles that hold the truth in regions which training has not seen.

    At each scale every region is cut into windows of so many tokens; each region counts alike. A region with fewer
    tokens than a scale asks for is one window of that scale.

    Parameters
    ----------
    predicted : sequence of TokenPosterior
        A region each.
    regions : sequence of RegionTokens
        The tokens that are counted, and their true rates.
    """
    lower, upper = [], []
    for size in SCALES:
        deviations, weights = [], []
        for found, tokens in zip(predicted, regions, strict=True):
            first = np.arange(0, max(len(tokens.rate) - size, 0) + 1, size)
            last = np.minimum(first + size, len(tokens.rate))
            starts, ends = tokens.start[first], tokens.end[last - 1]
            windows = windows_of(found, starts, ends)
            true = tokens.true_rate().means(starts, ends)
            deviations.append((np.log(true + FLOOR) - windows.median_log()) / windows.sd)
            weights.append(np.full(len(first), 1 / len(first)))
        low, high = _quantiles(np.concatenate(deviations), np.concatenate(weights))
        lower.append(low)
        upper.append(high)
    return Calibration(tuple(lower), tuple(upper))


def _quantiles(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    order = np.argsort(values)
    share = (np.cumsum(weights[order]) - weights[order] / 2) / weights.sum()
    low, high = np.interp([(1 - LEVEL) / 2, (1 + LEVEL) / 2], share, values[order])
    return float(low), float(high)
