"""Bootstrap intervals of the areas under the ROC and the precision-recall curve.

A replicate is not a new list of examples but a weight for each of them: how often it was drawn. Scores
are then sorted once, and every replicate costs two cumulative sums.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FEWEST_OF_A_CLASS = 2
REPLICATES = 1000
LEVEL = 0.95
FEWEST_CLUSTERS = 10


class Intervals(NamedTuple):
    """95% intervals and a sentence on how they were made; None where the area is undefined."""

    auroc: tuple[float, float] | None
    auprc: tuple[float, float] | None
    method: str


def weighted_areas(
    positive: NDArray[np.bool_], group_end: NDArray[np.intp], weight: NDArray[np.float64]
) -> tuple[float, float]:
    """Area under the ROC curve and average precision of weighted examples.

    Tied scores count half in the first (Bamber 1975, J. Math. Psychol. 12:387) and make one step in the
    second, the sum of precision times the rise in recall, which interpolates nothing (Davis & Goadrich 2006).

    Parameters
    ----------
    positive : (n,) bool
        Labels, from the highest score to the lowest.
    group_end : (groups,) int
        Index of the last example of each run of equal scores.
    weight : (n,) float64
        Weights, at least 0, in the same order.

    Returns
    -------
    (float, float)
        NaN where no weight is left on the positives or, for the first, on the negatives.
    """
    bound = weight * positive
    unbound = weight - bound
    if len(group_end) < len(weight):
        group_start = np.append(0, group_end[:-1] + 1)
        bound, unbound = np.add.reduceat(bound, group_start), np.add.reduceat(unbound, group_start)
    true, false = np.cumsum(bound), np.cumsum(unbound)
    n_true, n_false = true[-1], false[-1]
    if n_true <= 0:
        return float("nan"), float("nan")
    called = np.maximum(true + false, np.finfo(np.float64).tiny)
    average_precision = float(_dot(bound, true / called) / n_true)
    if n_false <= 0:
        return float("nan"), average_precision
    misordered = _dot(bound, false) - 0.5 * _dot(bound, unbound)
    return float(1 - misordered / (n_true * n_false)), average_precision


def _dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    # BLAS would wake its threads for every replicate, which costs more than the product
    return float(np.einsum("i,i->", a, b))


def descending(score: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Sort scores from the highest: the order (n,), and the last index of each run of ties (groups,)."""
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    return order, np.append(np.flatnonzero(np.diff(ordered)), len(score) - 1)


def drawable_clusters(
    positive: NDArray[np.bool_], cluster: NDArray[Any] | None
) -> tuple[NDArray[np.intp] | None, str]:
    """Say whether whole clusters are to be drawn, or single examples.

    Parameters
    ----------
    positive : (n,) bool
    cluster : (n,) int or str, or None
        Examples that are not independent share one.

    Returns
    -------
    member : (n,) int or None
        Number of each example's cluster from 0; None for single examples: every cluster holds one, or so few
        clusters hold positives or negatives that an interval from them would be too narrow.
    remark : str
        What a method of single examples has to add in the latter case, else empty.
    """
    if cluster is None:
        return None, ""
    names, member = np.unique(cluster, return_inverse=True)
    fewest = min(len(np.unique(member[positive])), len(np.unique(member[~positive])))
    if fewest < FEWEST_CLUSTERS:
        return None, (
            f", because only {fewest} clusters hold positives or negatives (at least {FEWEST_CLUSTERS}"
            " are needed to draw clusters): probably too narrow"
        )
    return (member if len(names) < len(cluster) else None), ""


def area_intervals(
    label: NDArray[np.float64],
    score: NDArray[np.float64],
    cluster: NDArray[np.int64] | None = None,
    seed: int = 0,
    replicates: int = REPLICATES,
) -> Intervals:
    """Percentile bootstrap intervals (Efron & Tibshirani 1993) of AUROC and average precision.

    Parameters
    ----------
    label : (n,) float
        1 bound, 0 unbound.
    score : (n,) float
        Finite scores, higher for bound.
    cluster : (n,) int, optional
        Examples of one number stand or fall together, as a positive and its shuffles do or the windows of
        one contig. Whole clusters are then drawn where `drawable_clusters` says so, else single examples,
        positives and negatives apart, so that their numbers stay.
    seed : int
        Same seed, same intervals.
    """
    if len(np.unique(label)) < 2:
        return Intervals(None, None, "none: needs positives and negatives")
    if min((label == 1).sum(), (label == 0).sum()) < FEWEST_OF_A_CLASS:
        # a bootstrap of a single example draws nothing but this one, and would look certain
        return Intervals(None, None, f"none: needs {FEWEST_OF_A_CLASS} positives and negatives at least")
    order, group_end = descending(score)
    positive = label[order] > 0
    bound, unbound = np.flatnonzero(positive), np.flatnonzero(~positive)
    rng = np.random.default_rng(seed)
    weight = np.empty(len(label))
    areas = np.empty((replicates, 2))

    member, remark = drawable_clusters(positive, None if cluster is None else cluster[order])
    if member is not None:
        n_clusters = int(member.max()) + 1
        method = f"percentile bootstrap, {replicates} replicates of {n_clusters} clusters"
    else:
        method = (
            f"percentile bootstrap, {replicates} replicates of single examples, positives and negatives apart"
            f"{remark}"
        )

    for replicate in range(replicates):
        if member is not None:
            weight[:] = _draws(rng, n_clusters)[member]
        else:
            weight[bound] = _draws(rng, len(bound))
            weight[unbound] = _draws(rng, len(unbound))
        areas[replicate] = weighted_areas(positive, group_end, weight)

    tail = (1 - LEVEL) / 2
    # a draw of clusters can miss every positive or negative: such a replicate has no area
    low, high = np.nanquantile(areas, [tail, 1 - tail], axis=0)
    return Intervals((float(low[0]), float(high[0])), (float(low[1]), float(high[1])), method)


def paired_differences(
    positive: NDArray[np.bool_],
    score_a: NDArray[np.float64],
    score_b: NDArray[np.float64],
    member: NDArray[np.intp],
    seed: int = 0,
    replicates: int = REPLICATES,
) -> NDArray[np.float64]:
    """Bootstrap the difference of two models' AUROC; a replicate draws whole clusters, the same for both.

    Parameters
    ----------
    positive : (n,) bool
    score_a, score_b : (n,) float64
    member : (n,) int
        From `drawable_clusters`.

    Returns
    -------
    (replicates,) float64
        AUROC of a minus that of b; NaN for a draw without positives or negatives.
    """
    rng = np.random.default_rng(seed)
    ranked = [(positive[order], ends, order) for order, ends in (descending(score_a), descending(score_b))]
    differences = np.empty(replicates)
    for replicate in range(replicates):
        weight = _draws(rng, int(member.max()) + 1)[member].astype(np.float64)
        area_a, area_b = (weighted_areas(bound, ends, weight[order])[0] for bound, ends, order in ranked)
        differences[replicate] = area_a - area_b
    return differences


def _draws(rng: np.random.Generator, n: int) -> NDArray[np.intp]:
    """How often each of ``n`` things comes up in ``n`` draws with replacement: (n,) int."""
    return np.bincount(rng.integers(0, n, n, dtype=np.int32 if n < 2**31 else np.int64), minlength=n)
