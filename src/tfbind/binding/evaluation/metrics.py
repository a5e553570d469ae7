"""How well scores tell bound sequences from unbound ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from tfbind.binding.evaluation.bootstrap import area_intervals, descending, weighted_areas
from tfbind.binding.evaluation.reliability import are_probabilities, calibration_error

MOST_CURVE_ROWS = 10_000


def score_metrics(
    label: NDArray[Any],
    score: NDArray[Any],
    cluster: NDArray[Any] | None = None,
    threshold: float | None = None,
    seed: int = 0,
) -> dict[str, float | int | str | list[float] | None]:
    """Metrics of one factor, as Python scalars that ``json.dumps(allow_nan=False)`` accepts.

    Parameters
    ----------
    label : (n,) float
        1 bound, 0 unbound, NaN unknown: left out.
    score : (n,) float
        Higher for bound; calibrated probabilities where the Brier score is to mean anything. NaN where a
        sequence could not be scored: left out and counted in ``n_not_scored``.
    cluster : (n,) int, optional
        Examples that are not independent share a number, see `area_intervals`.
    threshold : float, optional
        A sequence is called bound if its score is at least this.
    seed : int
        Seed of the bootstrap and of the draws of labels.

    Returns
    -------
    dict
        ``auroc`` and ``auprc`` (average precision), each with ``_ci95`` [lo, hi]; ``brier`` (Brier 1950) and
        ``ece``, ``ece_perfect``, ``ece_perfect_q95`` (see
        `tfbind.binding.evaluation.reliability.CalibrationError`), all for scores within 0 to 1; ``n_positive``,
        ``n_negative``, ``n_not_scored``; ``recall_at_fpr01``: the
        largest recall at a false positive rate of at most 1%; ``recall_at_fdr10`` and ``recall_at_fdr50``:
        the largest at a false discovery rate of at most 10% and 50% (0 where no threshold is so clean);
        ``threshold`` with ``precision_at_threshold`` and ``recall_at_threshold``; ``ci_method``. What is
        undefined, as an area with a single class, is None.
    """
    label, score = np.asarray(label, dtype=float), np.asarray(score, dtype=float)
    known = ~np.isnan(label)
    kept = known & ~np.isnan(score)
    label, score = label[kept], score[kept]
    cluster = None if cluster is None else np.asarray(cluster)[kept]
    n_positive = int((label == 1).sum())
    n_negative = int((label == 0).sum())
    if n_positive + n_negative < len(label):
        raise ValueError("labels other than 0, 1 and NaN")

    intervals = area_intervals(label, score, cluster, seed)
    metrics: dict[str, float | int | str | list[float] | None] = {
        "auroc": None,
        "auroc_ci95": None if intervals.auroc is None else list(intervals.auroc),
        "auprc": None,
        "auprc_ci95": None if intervals.auprc is None else list(intervals.auprc),
        "brier": None,
        "ece": None,
        "ece_perfect": None,
        "ece_perfect_q95": None,
        "n_positive": n_positive,
        "n_negative": n_negative,
        "n_not_scored": int((known & ~kept).sum()),
        "recall_at_fpr01": None,
        "recall_at_fdr10": None,
        "recall_at_fdr50": None,
        "threshold": None if threshold is None else float(threshold),
        "precision_at_threshold": None,
        "recall_at_threshold": None,
        "ci_method": intervals.method,
    }
    if are_probabilities(score):
        metrics["brier"] = float(np.mean((score - label) ** 2))
        metrics |= calibration_error(label, score, seed)._asdict()
    if threshold is not None and len(score):
        called = score >= threshold
        n_called, n_true = int(called.sum()), int(label[called].sum())
        metrics["precision_at_threshold"] = n_true / n_called if n_called else None
        metrics["recall_at_threshold"] = n_true / n_positive if n_positive else None
    if n_positive and n_negative:
        order, ends = descending(score)
        auroc, auprc = weighted_areas(label[order] > 0, ends, np.ones(len(label)))
        true = np.cumsum(label[order])[ends]
        false = ends + 1 - true
        recall, false_discovery = true / n_positive, false / (true + false)
        metrics |= {
            "auroc": auroc,
            "auprc": auprc,
            "recall_at_fpr01": _largest(recall, false / n_negative <= 0.01),
            "recall_at_fdr10": _largest(recall, false_discovery <= 0.1),
            "recall_at_fdr50": _largest(recall, false_discovery <= 0.5),
        }
    return metrics


def _largest(recall: NDArray[np.float64], allowed: NDArray[np.bool_]) -> float:
    return float(recall[allowed].max(initial=0.0))


def curves(label: NDArray[Any], score: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """ROC and precision-recall curve of one factor.

    Points on a straight line between their neighbours are left out; beyond some 10,000 points one is kept
    for each 1/5,000 of false and true positive rate, and for each 1/10,000 of recall.

    Parameters
    ----------
    label, score : (n,) float
        As in `score_metrics`; NaN in either is left out.

    Returns
    -------
    roc : (points, 3) float64
        Columns fpr, tpr, threshold, thresholds descending. The first row is the point (0, 0) where nothing is
        called; its threshold is the next number above the highest score. No row with a single class.
    pr : (points, 3) float64
        Columns recall, precision, threshold, recall and thresholds as in ``roc``: recall rises. Every row is
        a real threshold: there is no invented point (0, 1). No row with a single class.
    """
    label, score = np.asarray(label, dtype=float), np.asarray(score, dtype=float)
    kept = ~(np.isnan(label) | np.isnan(score))
    label, score = label[kept], score[kept]
    if len(np.unique(label)) < 2:
        return np.empty((0, 3)), np.empty((0, 3))

    roc = np.column_stack(roc_curve(label, score, drop_intermediate=True))
    roc[0, 2] = np.nextafter(score.max(), np.inf)
    if len(roc) > MOST_CURVE_ROWS:
        cell = np.floor(roc[:, :2] * (MOST_CURVE_ROWS // 2))
        roc = roc[np.append(np.any(np.diff(cell, axis=0) != 0, axis=1), True) | (np.arange(len(roc)) == 0)]

    precision, recall, threshold = precision_recall_curve(label, score, drop_intermediate=True)
    pr = np.column_stack([recall[:-1], precision[:-1], threshold])[::-1]
    if len(pr) > MOST_CURVE_ROWS:
        cell = np.floor(pr[:, 0] * MOST_CURVE_ROWS)
        pr = pr[np.append(np.diff(cell) != 0, True)]
    return roc, pr
