"""The evaluations of a cross-validation's folds side by side: means and spreads, never pooled scores.

Each fold's scores come from a model of its own, and the models' scales differ. A curve through the scores of all
folds would judge the scales as well as the models, so every curve and area is of one fold.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tfbind.binding.evaluation.tables import (
    CURVE_COLUMNS,
    MEAN_CURVE_COLUMNS,
    PREDICTION_COLUMNS,
)
from tfbind.errors import TfbindError
from tfbind.tables import read_json, read_text_table

NOTE = (
    "Cross-validation: each fold was scored by a model that saw neither it nor its relatives. Curves and areas are of"
    " single folds; the models share most of their training sequences, so the standard deviation over folds is a"
    " spread and gives no confidence interval."
)
AVERAGED = ("auroc", "auprc", "brier")
COUNTED = ("n_positive", "n_negative", "n_not_scored")
# what gathering needs of a factor's metrics in a fold
NEEDED = dict.fromkeys(AVERAGED, float | int | None) | dict.fromkeys((*COUNTED, "n_folds"), int)
GRID = np.linspace(0, 1, 101)


class CrossValidation(NamedTuple):
    """What the folds' evaluations say together.

    metrics : dict of factor to n_folds, n_undefined (folds without an area, as they lack a class), mean and standard
        deviation over the other folds of what is AVERAGED, sums of what is COUNTED, and ``folds``, each fold's own
        metrics by its number
    roc, pr : DataFrame with columns fold, factor and those of an evaluation's curve
    mean_roc, mean_pr : DataFrame with columns factor, fpr, tpr, sd, or factor, recall, precision, sd
    predictions : DataFrame with columns id, factor, label, score, split, cluster, fold: text, as it was read
    notes : plain sentences that belong beside the figures
    """

    metrics: dict[str, dict[str, Any]]
    roc: pd.DataFrame
    pr: pd.DataFrame
    mean_roc: pd.DataFrame
    mean_pr: pd.DataFrame
    predictions: pd.DataFrame
    notes: list[str]


def gather(folders: Sequence[Path]) -> CrossValidation:
    """Read the evaluation of every fold.

    Parameters
    ----------
    folders : sequence of Path
        One a fold, in any order, as `tfbind evaluate` writes it for a model of `tfbind train --fold`.

    Raises
    ------
    TfbindError
        If a folder is not of a fold, a fold is there twice or missing (each says how many there are), a sequence is
        in two folds, factors differ, or a file is missing or damaged.
    """
    by_fold: dict[int, Path] = {}
    predictions = {}
    for folder in folders:
        table = read_text_table(folder / "predictions.tsv", PREDICTION_COLUMNS, "tfbind evaluate")
        fold = _fold_of(table, folder)
        if fold in by_fold:
            raise TfbindError(f"{folder}: is of fold {fold}, as {by_fold[fold]} is, expected each fold once")
        by_fold[fold], predictions[fold] = folder, table
    by_fold = dict(sorted(by_fold.items()))
    metrics = {fold: _read_metrics(folder) for fold, folder in by_fold.items()}
    _refuse_incomplete(by_fold, {fold: next(iter(metrics[fold].values()))["n_folds"] for fold in by_fold})
    together = pd.concat([_of_fold(predictions[fold], fold) for fold in by_fold], ignore_index=True)
    twice = together.duplicated(["factor", "id"])
    if twice.any():
        row = together[twice].iloc[0]
        raise TfbindError(
            f"{by_fold[int(row['fold'])]}: {row['id']!r} is in another fold, too: expected each sequence in one fold"
        )
    factors = list(metrics[min(by_fold)])
    for fold, folder in by_fold.items():
        if list(metrics[fold]) != factors:
            raise TfbindError(
                f"{folder}: found factors {', '.join(metrics[fold])}, expected {', '.join(factors)} as in fold 1"
            )
    curves = {
        kind: pd.concat([_read_curve(folder, kind).assign(fold=fold) for fold, folder in by_fold.items()])
        for kind in CURVE_COLUMNS
    }
    notes = dict.fromkeys(
        note for folder in by_fold.values() for note in read_json(folder / "notes.json", list)
    )
    return CrossValidation(
        metrics={factor: _summary({fold: metrics[fold][factor] for fold in by_fold}) for factor in factors},
        roc=curves["roc"][["fold", *CURVE_COLUMNS["roc"]]],
        pr=curves["pr"][["fold", *CURVE_COLUMNS["pr"]]],
        mean_roc=_mean_curves(curves["roc"], factors, "roc"),
        mean_pr=_mean_curves(curves["pr"], factors, "pr"),
        predictions=together,
        notes=[NOTE, *notes],
    )


def mean_curve(curves: Sequence[np.ndarray], steps: bool) -> np.ndarray:
    """Average curves of several folds vertically (Fawcett 2006, Pattern Recognit. Lett. 27:861).

    Parameters
    ----------
    curves : sequence of (points, >= 2) float
        x ascending, y: of a ROC fpr and tpr, of a precision-recall curve recall and precision.
    steps : bool
        Whether y of a point holds from the point before up to it, as precision does (between its points no line is
        attainable: Davis & Goadrich 2006, ICML), or runs straight from point to point, as a ROC does.

    Returns
    -------
    (101, 3) float64
        x from 0 to 1, mean y, and its standard deviation over the curves; NaN for a single one.
    """
    heights = np.stack(
        [
            curve[np.searchsorted(curve[:-1, 0], GRID), 1]
            if steps
            else np.interp(GRID, curve[:, 0], curve[:, 1])
            for curve in curves
        ]
    )
    spread = heights.std(axis=0, ddof=1) if len(curves) > 1 else np.full(len(GRID), np.nan)
    return np.column_stack([GRID, heights.mean(axis=0), spread])


def _mean_curves(table: pd.DataFrame, factors: Sequence[str], kind: str) -> pd.DataFrame:
    columns = list(MEAN_CURVE_COLUMNS[kind])
    _, x, y, _ = columns
    means = [pd.DataFrame(columns=columns)]
    for factor in factors:
        curves = [rows[[x, y]].to_numpy() for _, rows in table[table["factor"] == factor].groupby("fold")]
        if curves:
            mean = mean_curve(curves, steps=kind == "pr")
            means.append(pd.DataFrame(mean, columns=columns[1:]).assign(factor=factor))
    return pd.concat(means[1:] or means, ignore_index=True)[columns]


def _summary(folds: dict[int, dict[str, Any]]) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "n_folds": len(folds),
        "n_undefined": sum(metrics["auroc"] is None for metrics in folds.values()),
    }
    for name in AVERAGED:
        values = [metrics[name] for metrics in folds.values() if metrics["auroc"] is not None]
        summary[f"{name}_mean"] = float(np.mean(values)) if values and None not in values else None
        summary[f"{name}_sd"] = (
            float(np.std(values, ddof=1)) if len(values) > 1 and None not in values else None
        )
    summary |= {name: sum(metrics[name] for metrics in folds.values()) for name in COUNTED}
    return summary | {"folds": {str(fold): metrics for fold, metrics in folds.items()}}


def _refuse_incomplete(folders: dict[int, Path], n_folds: dict[int, int]) -> None:
    """Demand every fold of one cross-validation; ``n_folds`` is what each fold's evaluation says there are."""
    wanted = max(n_folds.values())
    for fold, n in n_folds.items():
        if n != wanted:
            raise TfbindError(
                f"{folders[fold]}: is one of {n} folds, another folder one of {wanted}, expected one cross-validation"
            )
    # not a list up to what a damaged file says
    if list(folders) != list(range(1, len(folders) + 1)) or len(folders) != wanted:
        first = next(iter(folders.values()))
        raise TfbindError(
            f"found the folds {', '.join(map(str, folders))}, expected each from 1 to {wanted}, as {first} says"
        )


def _read_metrics(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / "metrics.json"
    metrics = read_json(path, dict)
    if not metrics:
        raise TfbindError(f"{path}: found no factor, expected the metrics of one at least")
    for factor, values in metrics.items():
        if not isinstance(values, dict):
            raise TfbindError(f"{path}: found {values!r} for factor {factor}, expected its metrics")
        for name, kind in NEEDED.items():
            if name not in values:
                raise TfbindError(
                    f"{path}: found no {name} of factor {factor}, expected what tfbind evaluate writes for a model of"
                    " tfbind train --fold"
                )
            if not isinstance(values[name], kind):
                raise TfbindError(
                    f"{path}: found {name} {values[name]!r} of factor {factor}, expected a number"
                )
    return metrics


def _fold_of(table: pd.DataFrame, folder: Path) -> int:
    splits = list(dict.fromkeys(table["split"]))
    fold = re.fullmatch(r"fold([1-9][0-9]*)", splits[0]) if len(splits) == 1 else None
    if fold is None:
        raise TfbindError(
            f"{folder}: found the split {' and '.join(splits) or 'of nothing'}, expected one fold:"
            " what tfbind evaluate writes for a model of tfbind train --fold"
        )
    return int(fold[1])


def _of_fold(table: pd.DataFrame, fold: int) -> pd.DataFrame:
    # the numbers of clusters start anew in each fold
    cluster = table["cluster"].where(table["cluster"] == "", f"{fold}." + table["cluster"])
    return table[list(PREDICTION_COLUMNS)].assign(cluster=cluster, fold=str(fold))


def _read_curve(folder: Path, kind: str) -> pd.DataFrame:
    path = folder / f"{kind}.tsv"
    table = read_text_table(path, CURVE_COLUMNS[kind], "tfbind evaluate")
    try:
        return table.astype(dict.fromkeys(CURVE_COLUMNS[kind][1:], np.float64))
    except ValueError as error:
        raise TfbindError(f"{path}: {error}, expected numbers") from None
