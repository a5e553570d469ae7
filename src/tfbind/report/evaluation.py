"""The folder that an evaluation leaves: metrics, curves, predictions and figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tfbind.binding.evaluation.measure import Evaluation
from tfbind.binding.evaluation.reliability import reliability
from tfbind.binding.evaluation.tables import CURVE_COLUMNS
from tfbind.files import whole_folder
from tfbind.report.figures import calibration_figure, pr_figure, roc_figure
from tfbind.tables import write_json, write_table


def write_evaluation(folder: Path, evaluation: Evaluation) -> None:
    """Write an evaluation into ``folder``.

    The files are metrics.json, predictions.tsv, notes.json, and of the curves roc.tsv, roc.svg, pr.tsv, pr.svg,
    calibration.tsv and calibration.svg.

    The folder is written whole or not at all, ``metrics.json`` last (`tfbind.files.whole_folder`).
    """
    with whole_folder(folder, last="metrics.json") as temporary:
        write_table(temporary / "predictions.tsv", evaluation.predictions)
        write_table(temporary / "roc.tsv", _curve_table(evaluation.roc, "roc"))
        write_table(temporary / "pr.tsv", _curve_table(evaluation.pr, "pr"))
        for name, draw, area, curve in (
            ("roc.svg", roc_figure, "auroc", evaluation.roc),
            ("pr.svg", pr_figure, "auprc", evaluation.pr),
        ):
            drawn = {
                factor: (curve[factor], metrics[area], metrics[f"{area}_ci95"])
                for factor, metrics in evaluation.metrics.items()
                if metrics[area] is not None
            }
            draw(temporary / name, drawn)
        _write_calibration(temporary, evaluation)
        write_json(temporary / "notes.json", evaluation.notes)
        write_json(temporary / "metrics.json", evaluation.metrics)


def _write_calibration(folder: Path, evaluation: Evaluation) -> None:
    tables, drawn = [], {}
    for factor, metrics in evaluation.metrics.items():
        rows = evaluation.predictions[evaluation.predictions["factor"] == factor]
        score = rows["score"].to_numpy(dtype=np.float64)
        bins = reliability(rows["label"].to_numpy(dtype=np.float64, na_value=np.nan), score)
        tables.append(bins.assign(factor=factor)[["factor", *bins]])
        if len(bins):
            drawn[factor] = (bins, score, metrics["ece"], metrics["ece_perfect"])
    write_table(
        folder / "calibration.tsv", pd.concat([table for table in tables if len(table)] or tables[:1])
    )
    calibration_figure(folder / "calibration.svg", drawn)


def _curve_table(curves: dict[str, np.ndarray], kind: str) -> pd.DataFrame:
    columns = list(CURVE_COLUMNS[kind][1:])
    tables = [pd.DataFrame(curve, columns=columns).assign(factor=factor) for factor, curve in curves.items()]
    return pd.concat(tables, ignore_index=True)[["factor", *columns]]
