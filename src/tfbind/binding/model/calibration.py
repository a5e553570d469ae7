"""From logits to probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, logit

MIN_SLOPE = 1e-3


def fit_platt(logits: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Fit Platt's sigmoid (Platt 1999) on examples that the network was not fitted to.

    The targets are Platt's, (n_bound + 1) / (n_bound + 2) and 1 / (n_unbound + 2) in place of 1 and 0: on
    examples that the network tells apart without a mistake the sigmoid would else become a step.

    Parameters
    ----------
    logits, y : (n, tasks) float32
        ``y`` is 1, 0, or NaN where unknown.

    Returns
    -------
    dict
        ``method``, and ``slope``, ``intercept`` and ``prevalence`` (the bound share of the examples) with a
        number a task. A slope is never below a thousandth:
        calibration must not turn the ranking round, even of a network that learned nothing.
    """
    # imported here, as applying a calibration needs none of it and loading it takes a second
    from sklearn.linear_model import LogisticRegression

    slopes, intercepts, prevalences = [], [], []
    for task in range(y.shape[1]):
        known = np.isfinite(y[:, task])
        z, label = logits[known, task, None].astype(np.float64), y[known, task]
        n_bound, n_unbound = (label == 1).sum(), (label == 0).sum()
        target = np.where(label == 1, (n_bound + 1) / (n_bound + 2), 1 / (n_unbound + 2))
        regression = LogisticRegression(C=np.inf).fit(
            np.concatenate([z, z]),
            np.repeat([1, 0], len(z)),
            sample_weight=np.concatenate([target, 1 - target]),
        )
        slope, intercept = float(regression.coef_[0, 0]), float(regression.intercept_[0])
        if slope < MIN_SLOPE:
            slope, intercept = MIN_SLOPE, float(np.log(target.mean() / (1 - target.mean())))
        slopes.append(slope)
        intercepts.append(intercept)
        prevalences.append(float(n_bound / (n_bound + n_unbound)))
    return {"method": "platt", "slope": slopes, "intercept": intercepts, "prevalence": prevalences}


def calibrated_logits(
    logits: np.ndarray, calibration: dict[str, Any], prevalence: float | None = None
) -> np.ndarray:
    """Turn a network's logits into logits of calibrated probabilities.

    Parameters
    ----------
    logits : (n, tasks) float32
    calibration : dict
        From `fit_platt`.
    prevalence : float or None
        The bound share of the sequences that are scored: the odds are multiplied by its odds over those of
        the share that calibration saw (Saerens, Latinne & Decaestecker 2002). None takes that share.

    Returns
    -------
    (n, tasks) float64
    """
    z = logits.astype(np.float64) * calibration["slope"] + calibration["intercept"]
    return z if prevalence is None else z + logit(prevalence) - logit(calibration["prevalence"])


def calibrate(logits: np.ndarray, calibration: dict[str, Any], prevalence: float | None = None) -> np.ndarray:
    """Turn a network's logits into probabilities, (n, tasks) float64; see `calibrated_logits`."""
    return expit(calibrated_logits(logits, calibration, prevalence))


def best_f1_threshold(label: np.ndarray, probability: np.ndarray) -> float:
    """The threshold with the highest F1 score; (n,) labels may hold NaN, which are left out."""
    from sklearn.metrics import precision_recall_curve

    known = np.isfinite(label)
    precision, recall, thresholds = precision_recall_curve(label[known], probability[known])
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return float(thresholds[f1[:-1].argmax()])


@dataclass(frozen=True, kw_only=True)
class SiteCalibration:
    """From log odds of windows to probabilities of sites when a genome is scanned, a value a factor, or None.

    slope, intercept : of the site's log odds, from the log odds of its best window among the training's sequences
    expected_per_mb : sites in a million bases that the calibration counts on
    stride, distance : of the scan that it is for, see `tfbind.binding.scanning.sites`
    contigs : that were scanned for it
    """

    slope: tuple[float | None, ...]
    intercept: tuple[float | None, ...]
    expected_per_mb: tuple[float | None, ...]
    stride: int
    distance: int
    contigs: tuple[str, ...]

    def covers(self, factor: int) -> bool:
        """Whether there is a calibration of this factor."""
        return self.slope[factor] is not None

    def probability(self, log_odds: np.ndarray, factor: int) -> np.ndarray:
        """Turn log odds of windows into probabilities that there is a site, (n,) float64."""
        slope, intercept = self.slope[factor], self.intercept[factor]
        if slope is None or intercept is None:
            raise ValueError(f"no calibration of factor {factor}")
        return expit(slope * log_odds + intercept)


def fit_sites(log_odds: np.ndarray, is_site: np.ndarray, expected: float) -> tuple[float, float]:
    """Fit the probability that a local maximum is a site, by `fit_platt`, with an expected number of sites.

    The number of sites on the contigs that the slope is fitted on is known worse than the density on all contigs: the
    intercept is moved until the probabilities add up to that. This is a shift of the prior, as in `calibrated_logits`.

    Parameters
    ----------
    log_odds : (n,) float64
        Of local maxima; all of the contigs, the low ones too.
    is_site : (n,) bool
    expected : float
        What the probabilities must add up to.

    Returns
    -------
    slope, intercept : float
    """
    # loaded here, as applying a calibration needs none of it
    from scipy.optimize import brentq

    fitted = fit_platt(log_odds[:, None], is_site[:, None].astype(np.float32))
    slope, intercept = fitted["slope"][0], fitted["intercept"][0]

    def excess(shift: float) -> float:
        return float(expit(slope * log_odds + intercept + shift).sum()) - expected

    return slope, intercept + float(brentq(excess, -30, 30))
