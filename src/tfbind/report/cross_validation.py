"""The folder that a cross-validation leaves: every fold's predictions and curves, their means and spreads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tfbind.binding.evaluation.cross_validation import CrossValidation
from tfbind.files import whole_folder
from tfbind.report.fold_figures import FoldCurves, fold_pr_figure, fold_roc_figure
from tfbind.tables import write_json, write_table


def write_cross_validation(folder: Path, found: CrossValidation) -> None:
    """Write a cross-validation into ``folder``.

    The files are metrics.json, notes.json, predictions.tsv, and of the curves roc.tsv, mean_roc.tsv, roc.svg, pr.tsv,
    mean_pr.tsv and pr.svg.

    The folder is written whole or not at all, ``metrics.json`` last (`tfbind.files.whole_folder`).
    """
    with whole_folder(folder, last="metrics.json") as temporary:
        for name in ("predictions", "roc", "pr", "mean_roc", "mean_pr"):
            write_table(temporary / f"{name}.tsv", getattr(found, name))
        for kind, draw in (("roc", fold_roc_figure), ("pr", fold_pr_figure)):
            curves, mean = getattr(found, kind), getattr(found, f"mean_{kind}")
            drawn = {
                factor: fold_curves(kind, curves, mean, factor, metrics)
                for factor, metrics in found.metrics.items()
                if (mean["factor"] == factor).any()
            }
            draw(temporary / f"{kind}.svg", drawn)
        write_json(temporary / "notes.json", found.notes)
        write_json(temporary / "metrics.json", found.metrics)


def fold_curves(
    kind: str, curves: pd.DataFrame, mean: pd.DataFrame, factor: str, metrics: dict
) -> FoldCurves:
    """Pick what a figure of folds draws of one factor.

    Parameters
    ----------
    kind : "roc" or "pr"
    curves, mean : DataFrame
        As in `tfbind.binding.evaluation.cross_validation.CrossValidation`.
    factor : str
    metrics : dict
        Of the factor, as there.
    """
    area, x, y = {"roc": ("auroc", "fpr", "tpr"), "pr": ("auprc", "recall", "precision")}[kind]
    of_factor = curves[curves["factor"] == factor]
    return (
        [rows[[x, y, "threshold"]].to_numpy(dtype=np.float64) for _, rows in of_factor.groupby("fold")],
        mean.loc[mean["factor"] == factor, [x, y, "sd"]].to_numpy(dtype=np.float64),
        metrics.get(f"{area}_mean"),
        metrics.get(f"{area}_sd"),
    )
