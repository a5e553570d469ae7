"""The one HTML page that shows a results folder: no network, no script, all figures inside."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from tfbind import __version__
from tfbind.binding.reliability import reliability
from tfbind.binding.tables import CURVE_COLUMNS
from tfbind.errors import TfbindError
from tfbind.files import whole_output
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
from tfbind.report.results import (
    CrossValidationFolder,
    EvaluationFolder,
    read_comparison,
    read_cross_validations,
    read_evaluations,
    read_grid,
    read_summary,
)
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
    html_table,
    metrics_table,
)

One = TypeVar("One", EvaluationFolder, CrossValidationFolder)


def write_report(results: Path, output: Path) -> None:
    """Write a results folder as one self-contained HTML page.

    Parameters
    ----------
    results : Path
        Holds ``evaluation/NAME.MODEL/`` (``metrics.json``, ``roc.tsv``, ``pr.tsv``, ``predictions.tsv``,
        ``notes.json``, any ``*.svg``), ``cross_validation/NAME.MODEL/`` (what `tfbind gather` writes), or both,
        ``models/NAME.MODEL.history.tsv``, ``tensors/NAME.summary.json`` and, if models were compared or selected,
        ``comparison/NAME.tsv`` and ``models/NAME.MODEL.grid.tsv``. What is not there is named in the page.
    output : Path
        The HTML file.

    Raises
    ------
    TfbindError
        If there is no evaluation at all, or a file is damaged.
    """
    evaluations, crossed = read_evaluations(results), read_cross_validations(results)
    if not evaluations and not crossed:
        raise TfbindError(
            f"{results}: holds no evaluation/NAME.MODEL folder, expected what `tfbind evaluate` wrote"
        )
    both: list[EvaluationFolder | CrossValidationFolder] = [*evaluations, *crossed]
    sections = [
        _dataset_section(
            results,
            dataset,
            [one for one in evaluations if one.dataset == dataset],
            [one for one in crossed if one.dataset == dataset],
        )
        for dataset in sorted({one.dataset for one in both})
    ]
    counts = [_count(len(sections), "data set"), _count(len(evaluations), "evaluation")]
    tables = [metrics_table(evaluations), f'<p class="quiet">{HOW_TO_READ}</p>\n'] if evaluations else []
    if crossed:
        counts.append(_count(len(crossed), "cross-validation"))
        tables += [cross_validation_table(crossed), f'<p class="quiet">{HOW_TO_READ_FOLDS}</p>\n']
    css = files("tfbind.report").joinpath("page.css").read_text(encoding="utf-8")
    page = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>tfbind report</title>
<style>
{css}</style>
</head>
<body>
<h1>Where transcription factors bind</h1>
<p class="quiet">Report of tfbind {escape(__version__)}: {", ".join(counts)}.</p>
{"".join(tables)}
{"".join(_prefix_ids(section, f"s{number}-") for number, section in enumerate(sections, start=1))}
</body>
</html>
"""
    with whole_output(output) as temporary:
        temporary.write_text(page, encoding="utf-8", newline="\n")


def _dataset_section(
    results: Path, dataset: str, evaluations: list[EvaluationFolder], crossed: list[CrossValidationFolder]
) -> str:
    parts = [f"<section>\n<h2>{escape(dataset)}</h2>\n"]
    both: list[EvaluationFolder | CrossValidationFolder] = [*evaluations, *crossed]
    notes = dict.fromkeys(note for one in both for note in one.notes)
    if notes:
        parts.append('<ul class="notes">' + "".join(f"<li>{escape(note)}</li>" for note in notes) + "</ul>\n")
    missing = [path for one in both for path in one.missing]
    if missing:
        parts.append(f'<p class="missing">Not there: {escape(", ".join(missing))}.</p>\n')
    for title, roc, pr, calibration in _curve_panels(dataset, evaluations):
        figures = [draw(curves, title) for draw, curves in ((roc_svg, roc), (pr_svg, pr)) if curves]
        if calibration:
            figures.append(calibration_svg(calibration, title))
        parts.append(f'<div class="figures">\n{"".join(map(_figure, figures))}</div>\n')
    methods = {
        metrics.get("ci_method") for evaluation in evaluations for metrics in evaluation.metrics.values()
    }
    for method in sorted(str(method) for method in methods if method):
        parts.append(f'<p class="quiet">Intervals: {escape(method)}.</p>\n')
    comparison = read_comparison(results, dataset)
    if comparison is not None:
        parts.append(comparison_table(dataset, comparison))
    if evaluations:
        parts.append(f"<h3>Calls</h3>\n{calls_table(evaluations)}")
    if crossed:
        parts.append(_fold_part(dataset, crossed))
    for model in dict.fromkeys(one.model for one in both):
        grid = read_grid(results, dataset, model)
        if grid is not None:
            parts.append(f"<h3>Selection of {escape(model)}</h3>\n{grid_table(grid)}")
            parts.append(f'<p class="quiet">{HOW_TO_SELECT}</p>\n')
    histories = {one.model: one.history for one in both if one.history is not None}
    if histories:
        parts.append("<h3>Training</h3>\n")
    parts.extend(_figure(learning_svg(history, model)) for model, history in histories.items())
    parts.extend(_image(path) for evaluation in evaluations for path in evaluation.figures)
    summary = read_summary(results, dataset)
    if summary is not None:
        rows = [[escape(name), escape(value)] for name, value in flat_rows(summary)]
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
                figures.append(_figure(draw(drawn, title)))
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


def _figure(svg: str) -> str:
    """An SVG as part of the page: without the lines that only a file of its own needs."""
    return f"<figure>{svg[svg.index('<svg') :]}</figure>\n"


def _image(path: Path) -> str:
    """A figure that another verb drew, shut in an image, where no script of it can run."""
    data = base64.b64encode(path.read_bytes()).decode()
    name = escape(path.stem)
    source = f"data:image/svg+xml;base64,{data}"
    return f'<figure><img src="{source}" alt="{name}"><figcaption>{name}</figcaption></figure>\n'


def _prefix_ids(section: str, prefix: str) -> str:
    """Make the ids of every SVG of a section its own: matplotlib gives each figure the same ones."""
    number = 0

    def own(match: re.Match[str]) -> str:
        nonlocal number
        number += 1
        return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}{number}-", match[0])

    return re.sub(r"<svg.*?</svg>", own, section, flags=re.DOTALL)


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
