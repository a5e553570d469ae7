"""The one HTML page that shows a results folder: no network, no script, all figures inside."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from tfbind import __version__
from tfbind.files import whole_output
from tfbind.report.figures import Curve, learning_svg, pr_svg, roc_svg
from tfbind.report.results import PR_COLUMNS, ROC_COLUMNS, Evaluation, read_evaluations, read_summary

HOW_TO_READ = """The AUROC is the probability that a bound sequence scores above an unbound one: 0.5 is
guessing, 1 is perfect. The average precision also depends on how rare bound sequences are: guessing scores
their share, the dotted line. In brackets stand 95% bootstrap intervals. The Brier score is the mean squared
error of the predicted probabilities: 0 is perfect. NA: undefined."""


def write_report(results: Path, output: Path) -> None:
    """Write a results folder as one self-contained HTML page.

    Parameters
    ----------
    results : Path
        Holds ``evaluation/NAME.MODEL/`` (``metrics.json``, ``roc.tsv``, ``pr.tsv``, ``notes.json``, any
        ``*.svg``), ``models/NAME.MODEL.history.tsv`` and ``tensors/NAME.summary.json``. What is not there is
        named in the page.
    output : Path
        The HTML file.

    Raises
    ------
    TfbindError
        If there is no evaluation at all, or a file is damaged.
    """
    evaluations = read_evaluations(results)
    sections = [
        _dataset_section(dataset, list(members), read_summary(results, dataset))
        for dataset, members in groupby(evaluations, key=lambda evaluation: evaluation.dataset)
    ]
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
<p class="quiet">Report of tfbind {escape(__version__)}: {_count(len(sections), "data set")},
{_count(len(evaluations), "evaluation")}.</p>
{_metrics_table(evaluations)}
<p class="quiet">{HOW_TO_READ}</p>
{"".join(_prefix_ids(section, f"s{number}-") for number, section in enumerate(sections, start=1))}
</body>
</html>
"""
    with whole_output(output) as temporary:
        temporary.write_text(page, encoding="utf-8", newline="\n")


def _metrics_table(evaluations: list[Evaluation]) -> str:
    rows = [
        [
            escape(evaluation.dataset),
            escape(evaluation.model),
            escape(factor),
            _with_interval(metrics, "auroc"),
            _with_interval(metrics, "auprc"),
            _number(metrics.get("brier")),
            _number(metrics.get("recall_at_fpr01")),
            _integer(metrics.get("n_positive")),
            _integer(metrics.get("n_negative")),
            _integer(metrics.get("n_not_scored")),
        ]
        for evaluation in evaluations
        for factor, metrics in evaluation.metrics.items()
    ]
    head = [
        "Data set",
        "Model",
        "Factor",
        "AUROC",
        "Average precision",
        "Brier",
        "Recall at 1% false positives",
    ]
    return _table([*head, "Bound", "Unbound", "Not scored"], rows, numbers_from=5)


def _calls_table(evaluations: list[Evaluation]) -> str:
    names = (
        "threshold",
        "precision_at_threshold",
        "recall_at_threshold",
        "recall_at_fdr10",
        "recall_at_fdr50",
    )
    rows = [
        [escape(evaluation.model), escape(factor), *(_number(metrics.get(name)) for name in names)]
        for evaluation in evaluations
        for factor, metrics in evaluation.metrics.items()
    ]
    head = ["Model", "Factor", "Threshold", "Precision there", "Recall there"]
    return _table(
        [*head, "Recall at 10% false discovery", "Recall at 50% false discovery"], rows, numbers_from=2
    )


def _dataset_section(dataset: str, evaluations: list[Evaluation], summary: dict[str, Any] | None) -> str:
    parts = [f"<section>\n<h2>{escape(dataset)}</h2>\n"]
    notes = dict.fromkeys(note for evaluation in evaluations for note in evaluation.notes)
    if notes:
        parts.append('<ul class="notes">' + "".join(f"<li>{escape(note)}</li>" for note in notes) + "</ul>\n")
    missing = [path for evaluation in evaluations for path in evaluation.missing]
    if missing:
        parts.append(f'<p class="missing">Not there: {escape(", ".join(missing))}.</p>\n')
    for title, roc, pr in _curve_panels(dataset, evaluations):
        parts.append('<div class="figures">\n')
        parts.extend(
            _figure(draw(curves, title)) for draw, curves in ((roc_svg, roc), (pr_svg, pr)) if curves
        )
        parts.append("</div>\n")
    methods = {
        metrics.get("ci_method") for evaluation in evaluations for metrics in evaluation.metrics.values()
    }
    for method in sorted(str(method) for method in methods if method):
        parts.append(f'<p class="quiet">Intervals: {escape(method)}.</p>\n')
    parts.append(_calls_table(evaluations))
    histories = [evaluation for evaluation in evaluations if evaluation.history is not None]
    if histories:
        parts.append("<h3>Training</h3>\n")
    parts.extend(_figure(learning_svg(evaluation.history, evaluation.model)) for evaluation in histories)
    parts.extend(_image(path) for evaluation in evaluations for path in evaluation.figures)
    if summary is not None:
        rows = [[escape(name), escape(value)] for name, value in _flat(summary)]
        parts.append(f"<h3>Sequences</h3>\n{_table(['', ''], rows)}")
    return "".join([*parts, "</section>\n"])


def _curve_panels(
    dataset: str, evaluations: list[Evaluation]
) -> Iterator[tuple[str, dict[str, Curve], dict[str, Curve]]]:
    """Curves to draw together: the factors of a single model, else for each factor all models."""
    if len(evaluations) == 1:
        panels = [(dataset, [(factor, evaluations[0], factor) for factor in evaluations[0].metrics])]
    else:
        factors = dict.fromkeys(factor for evaluation in evaluations for factor in evaluation.metrics)
        panels = [
            (factor, [(one.model, one, factor) for one in evaluations if factor in one.metrics])
            for factor in factors
        ]
    for title, curves in panels:
        yield (
            title,
            {name: _curve(one, "roc", factor) for name, one, factor in curves if one.roc is not None},
            {name: _curve(one, "pr", factor) for name, one, factor in curves if one.pr is not None},
        )


def _curve(evaluation: Evaluation, kind: str, factor: str) -> Curve:
    area, table, columns = {
        "roc": ("auroc", evaluation.roc, ROC_COLUMNS),
        "pr": ("auprc", evaluation.pr, PR_COLUMNS),
    }[kind]
    assert table is not None
    rows = table.loc[table["factor"] == factor, list(columns[1:])].to_numpy(dtype=np.float64)
    metrics = evaluation.metrics[factor]
    return rows, metrics.get(area), metrics.get(f"{area}_ci95")


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


def _table(head: list[str], rows: Iterable[list[str]], numbers_from: int = 1) -> str:
    def line(cells: list[str], tag: str) -> str:
        marks = ["" if column < numbers_from else ' class="number"' for column in range(len(cells))]
        return (
            "<tr>" + "".join(f"<{tag}{m}>{c}</{tag}>" for m, c in zip(marks, cells, strict=True)) + "</tr>\n"
        )

    top = f"<thead>\n{line(head, 'th')}</thead>\n" if any(head) else ""
    body = "".join(line(row, "td") for row in rows)
    return f'<div class="scroll">\n<table>\n{top}<tbody>\n{body}</tbody>\n</table>\n</div>\n'


def _flat(summary: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Nested counts as rows of a name and a value."""
    for key, value in summary.items():
        name = f"{above}{key}".replace("_", " ")
        if isinstance(value, dict):
            yield from _flat(value, f"{name}, ")
        elif isinstance(value, int) and not isinstance(value, bool):
            yield name, f"{value:,}"
        else:
            yield name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _with_interval(metrics: dict[str, Any], name: str) -> str:
    interval = metrics.get(f"{name}_ci95")
    if metrics.get(name) is None or not interval:
        return _number(metrics.get(name))
    return f'{_number(metrics[name])} <span class="interval">[{", ".join(map(_number, interval))}]</span>'


def _number(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, (int, float)) else "NA"


def _integer(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else "NA"


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
