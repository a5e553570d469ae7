"""Whether predicted probabilities come true: reliability and expected calibration error."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest, rankdata

BINS = 10
DRAWS = 200
LEVEL = 0.95


class CalibrationError(NamedTuple):
    """Expected calibration error, beside that of perfectly calibrated probabilities.

    ece : mean over the examples of their bin's |mean score - share bound|
    ece_perfect : its mean where labels are drawn from the scores themselves: what so few examples show anyway
    ece_perfect_q95 : the 95% quantile of the same draws
    """

    ece: float
    ece_perfect: float
    ece_perfect_q95: float


def are_probabilities(score: NDArray[Any]) -> bool:
    """Tell whether there are scores and all lie within 0 to 1; NaN is none."""
    return bool(len(score) and score.min() >= 0 and score.max() <= 1)


def equal_mass_bins(score: NDArray[np.float64]) -> NDArray[np.intp]:
    """Number each score's bin, 0 to 9: ten bins of equally many scores.

    Equal scores share a bin, wherever the tenths of the ranks fall: a bin may be empty.
    """
    return np.floor(BINS * (rankdata(score) - 0.5) / len(score)).astype(np.intp)


def calibration_error(
    label: NDArray[np.float64], score: NDArray[np.float64], seed: int = 0
) -> CalibrationError:
    """Expected calibration error over ten equal-mass bins (Naeini, Cooper & Hauskrecht 2015, AAAI 29).

    It is biased upwards on few examples (Bröcker & Smith 2007, Weather Forecast. 22:651, draw labels from the
    forecasts to see by how much, as is done here): a perfect model's is not 0.

    Parameters
    ----------
    label : (n,) float64
        1 bound, 0 unbound.
    score : (n,) float64
        Probabilities, within 0 to 1; n at least 1.
    seed : int
        Of the draws.
    """
    bins = equal_mass_bins(score)
    expected = np.bincount(bins, score, minlength=BINS)

    def error(bound: NDArray[Any]) -> float:
        return float(np.abs(np.bincount(bins, bound, minlength=BINS) - expected).sum() / len(score))

    rng = np.random.default_rng(seed)
    perfect = [error(rng.random(len(score)) < score) for _ in range(DRAWS)]
    return CalibrationError(error(label), float(np.mean(perfect)), float(np.quantile(perfect, LEVEL)))


def reliability(label: NDArray[Any], score: NDArray[Any]) -> pd.DataFrame:
    """Mean score and share of bound sequences, bin by bin.

    Parameters
    ----------
    label : (n,) float
        1 bound, 0 unbound, NaN unknown: left out.
    score : (n,) float
        Probabilities; NaN is left out.

    Returns
    -------
    DataFrame
        A row for each bin that is not empty: ``bin`` (from 1, by rising score), ``n``, ``mean_score``,
        ``observed`` (share bound) and its 95% interval ``ci95_low``, ``ci95_high`` (Wilson 1927, J. Am. Stat.
        Assoc. 22:209). No row where scores are no probabilities.
    """
    label, score = np.asarray(label, dtype=float), np.asarray(score, dtype=float)
    kept = ~(np.isnan(label) | np.isnan(score))
    label, score = label[kept], score[kept]
    rows = []
    bins = equal_mass_bins(score) if are_probabilities(score) else np.empty(0, np.intp)
    for number in np.unique(bins):
        bound, n = int(label[bins == number].sum()), int((bins == number).sum())
        interval = binomtest(bound, n).proportion_ci(LEVEL, "wilson")
        rows.append((int(number) + 1, n, score[bins == number].mean(), bound / n, *interval))
    return pd.DataFrame(rows, columns=["bin", "n", "mean_score", "observed", "ci95_low", "ci95_high"])
