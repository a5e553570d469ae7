"""The part of the page that shows evaluations of models of binding, as HTML."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from tfbind.binding.evaluation.reliability import reliability
from tfbind.binding.evaluation.tables import CURVE_COLUMNS
from tfbind.report.cross_validation import fold_curves
from tfbind.report.figures import (
    Calibration,
    Curve,
    calibration_svg,
    learning_svg,
    pr_svg,
    roc_svg,
)
from tfbind.report.fold_figures import fold_pr_svg, fold_roc_svg
from tfbind.report.html import count, figure, heading, html_table, image, left_out, note_list
from tfbind.report.results import CrossValidationFolder, Dataset, EvaluationFolder
from tfbind.report.site_section import site_part
from tfbind.report.tables import (
    HOW_TO_READ,
    HOW_TO_READ_FOLDS,
    HOW_TO_SELECT,
    calls_table,
    comparison_table,
    cross_validation_table,
    flat_rows,
    fold_table,
    grid_table,
    metrics_table,
)

One = TypeVar("One", EvaluationFolder, CrossValidationFolder)


def binding_part(datasets: list[Dataset]) -> str:
    """Show every data set's evaluations and cross-validations; nothing where there are none."""
    if not datasets:
        return ""
    evaluations = [one for dataset in datasets for one in dataset.evaluations]
    crossed = [one for dataset in datasets for one in dataset.crossed]
    counts = [count(len(datasets), "data set"), count(len(evaluations), "evaluation")]
    tables = [metrics_table(evaluations), f'<p class="quiet">{HOW_TO_READ}</p>\n'] if evaluations else []
    if crossed:
        counts.append(count(len(crossed), "cross-validation"))
        tables += [cross_validation_table(crossed), f'<p class="quiet">{HOW_TO_READ_FOLDS}</p>\n']
    return "".join(
        [heading("Where transcription factors bind", counts), *tables, *map(_dataset_section, datasets)]
    )


def _dataset_section(dataset: Dataset) -> str:
    name, evaluations, crossed, both = dataset.name, dataset.evaluations, dataset.crossed, dataset.both
    parts = [f"<section>\n<h2>{escape(name)}</h2>\n"]
    parts.append(note_list(note for one in both for note in one.notes))
    missing = [path for one in both for path in one.missing]
    if missing:
        parts.append(f'<p class="missing">Not there: {escape(", ".join(missing))}.</p>\n')
    parts.append(left_out(dataset.faults))
    for title, roc, pr, calibration in _curve_panels(name, evaluations):
        figures = [draw(curves, title) for draw, curves in ((roc_svg, roc), (pr_svg, pr)) if curves]
        if calibration:
            figures.append(calibration_svg(calibration, title))
        parts.append(f'<div class="figures">\n{"".join(map(figure, figures))}</div>\n')
    methods = {
        metrics.get("ci_method") for evaluation in evaluations for metrics in evaluation.metrics.values()
    }
    for method in sorted(method for method in methods if method):
        parts.append(f'<p class="quiet">Intervals: {escape(method)}.</p>\n')
    if dataset.comparison is not None:
        parts.append(comparison_table(name, dataset.comparison))
    if evaluations:
        parts.append(f"<h3>Calls</h3>\n{calls_table(evaluations)}")
    if dataset.sites is not None:
        parts.append(site_part(dataset.sites))
    if crossed:
        parts.append(_fold_part(name, crossed))
    for model, grid in dataset.grids.items():
        parts.append(f"<h3>Selection of {escape(model)}</h3>\n{grid_table(grid)}")
        parts.append(f'<p class="quiet">{HOW_TO_SELECT}</p>\n')
    histories = {one.model: one.history for one in both if one.history is not None}
    if histories:
        parts.append("<h3>Training</h3>\n")
    parts.extend(figure(learning_svg(history, model)) for model, history in histories.items())
    parts.extend(image(picture, picture.name) for one in evaluations for picture in one.pictures)
    if dataset.summary is not None:
        rows = [[escape(row), escape(value)] for row, value in flat_rows(dataset.summary)]
        parts.append(f"<h3>Sequences</h3>\n{html_table(['', ''], rows)}")
    return "".join([*parts, "</section>\n"])


def _fold_part(dataset: str, crossed: list[CrossValidationFolder]) -> str:
    parts = ["<h3>Cross-validation</h3>\n"]
    for title, members in _panels(dataset, crossed):
        figures = []
        for kind, draw in (("roc", fold_roc_svg), ("pr", fold_pr_svg)):
            drawn = {}
            for name, one, factor in members:
                curves, mean = getattr(one, kind), getattr(one, f"mean_{kind}")
                if curves is not None and mean is not None and (mean["factor"] == factor).any():
                    drawn[name] = fold_curves(kind, curves, mean, factor, one.metrics[factor])
            if drawn:
                figures.append(figure(draw(drawn, title)))
        parts.append(f'<div class="figures">\n{"".join(figures)}</div>\n')
    return "".join([*parts, fold_table(crossed)])


def _panels(dataset: str, members: list[One]) -> list[tuple[str, list[tuple[str, One, str]]]]:
    """Curves to draw together: the factors of a single model, else for each factor all models."""
    if len(members) == 1:
        return [(dataset, [(factor, members[0], factor) for factor in members[0].metrics])]
    factors = dict.fromkeys(factor for one in members for factor in one.metrics)
    return [
        (factor, [(one.model, one, factor) for one in members if factor in one.metrics]) for factor in factors
    ]


def _curve_panels(
    dataset: str, evaluations: list[EvaluationFolder]
) -> Iterator[tuple[str, dict[str, Curve], dict[str, Curve], dict[str, Calibration]]]:
    for title, curves in _panels(dataset, evaluations):
        yield (
            title,
            {name: _curve(one, "roc", factor) for name, one, factor in curves if one.roc is not None},
            {name: _curve(one, "pr", factor) for name, one, factor in curves if one.pr is not None},
            {
                name: _calibration(one.predictions, one.metrics[factor], factor)
                for name, one, factor in curves
                if one.predictions is not None and one.metrics[factor].get("ece") is not None
            },
        )


def _curve(evaluation: EvaluationFolder, kind: str, factor: str) -> Curve:
    area, table = {"roc": ("auroc", evaluation.roc), "pr": ("auprc", evaluation.pr)}[kind]
    assert table is not None
    rows = table.loc[table["factor"] == factor, list(CURVE_COLUMNS[kind][1:])].to_numpy(dtype=np.float64)
    metrics = evaluation.metrics[factor]
    return rows, metrics.get(area), metrics.get(f"{area}_ci95")


def _calibration(predictions: pd.DataFrame, metrics: dict[str, Any], factor: str) -> Calibration:
    rows = predictions[predictions["factor"] == factor]
    label, score = (rows[name].to_numpy(dtype=np.float64) for name in ("label", "score"))
    return reliability(label, score), score, metrics["ece"], metrics.get("ece_perfect")
