"""From logits to probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve

MIN_SLOPE = 1e-3


def fit_platt(logits: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Fit Platt's sigmoid (Platt 1999) on examples that the network was not fitted to.

    Parameters
    ----------
    logits, y : (n, tasks) float32
        ``y`` is 1, 0, or NaN where unknown.

    Returns
    -------
    dict
        ``method``, and ``slope`` and ``intercept`` with a number a task. A slope is never below a thousandth:
        calibration must not turn the ranking round, even of a network that learned nothing.
    """
    slopes, intercepts = [], []
    for task in range(y.shape[1]):
        known = np.isfinite(y[:, task])
        regression = LogisticRegression(C=np.inf).fit(logits[known, task, None], y[known, task])
        slope, intercept = float(regression.coef_[0, 0]), float(regression.intercept_[0])
        if slope < MIN_SLOPE:
            bound = float(y[known, task].mean())
            slope, intercept = MIN_SLOPE, float(np.log(bound / (1 - bound)))
        slopes.append(slope)
        intercepts.append(intercept)
    return {"method": "platt", "slope": slopes, "intercept": intercepts}


def calibrate(logits: np.ndarray, calibration: dict[str, Any]) -> np.ndarray:
    """Turn (n, tasks) logits into (n, tasks) probabilities, float64."""
    z = logits.astype(np.float64) * calibration["slope"] + calibration["intercept"]
    return 0.5 * (1 + np.tanh(z / 2))


def best_f1_threshold(label: np.ndarray, probability: np.ndarray) -> float:
    """The threshold with the highest F1 score; (n,) labels may hold NaN, which are left out."""
    known = np.isfinite(label)
    precision, recall, thresholds = precision_recall_curve(label[known], probability[known])
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return float(thresholds[f1[:-1].argmax()])
