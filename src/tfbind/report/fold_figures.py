"""Figures of a cross-validation: each fold's curve, their mean and spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tfbind.report.axes import GREY, line_style, name_lines, square_axes, style, to_svg, write_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# (points, 3) curve of each fold, (points, 3) mean curve as
# `tfbind.binding.evaluation.cross_validation.mean_curve` gives it, the mean area and its standard deviation; None
# where undefined
FoldCurves = tuple[Sequence[NDArray[np.float64]], NDArray[np.float64], float | None, float | None]


def fold_roc_figure(path: str | Path, curves: Mapping[str, FoldCurves], title: str = "") -> None:
    """Write the ROC curves of a cross-validation as SVG: thin each fold's, thick their mean, shaded its spread.

    Parameters
    ----------
    path : str or Path
        The SVG file.
    curves : mapping of name -> (folds, mean, area, sd)
        ``folds`` are curves as `tfbind.report.figures.roc_figure` takes them; ``mean`` is (points, 3) float: fpr, tpr
        and its standard deviation over the folds.
    title : str
        What stands above the axes.
    """
    write_svg(path, fold_roc_svg(curves, title))


def fold_pr_figure(path: str | Path, curves: Mapping[str, FoldCurves], title: str = "") -> None:
    """Write the precision-recall curves of a cross-validation as SVG; as `fold_roc_figure`."""
    write_svg(path, fold_pr_svg(curves, title))


def fold_roc_svg(curves: Mapping[str, FoldCurves], title: str = "") -> str:
    """Draw what `fold_roc_figure` writes."""
    with style():
        figure, axes = square_axes(title, "False positive rate", "True positive rate (recall)")
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":")
        _fold_lines(axes, curves, "default")
        _spread_labels(axes, curves, "AUROC, mean \N{PLUS-MINUS SIGN} SD of folds")
        return to_svg(figure)


def fold_pr_svg(curves: Mapping[str, FoldCurves], title: str = "") -> str:
    """Draw what `fold_pr_figure` writes; a dotted line is the precision of calling everything bound."""
    with style():
        figure, axes = square_axes(title, "Recall", "Precision")
        _fold_lines(axes, curves, "steps-pre")
        for folds, _, _, _ in curves.values():
            bound = np.mean([fold[-1, 1] for fold in folds])
            axes.axhline(bound, color=GREY, linewidth=0.8, linestyle=":")
        _spread_labels(axes, curves, "Average precision, mean \N{PLUS-MINUS SIGN} SD of folds")
        return to_svg(figure)


def _fold_lines(axes: Axes, curves: Mapping[str, FoldCurves], drawstyle: str) -> None:
    for index, (folds, mean, _, _) in enumerate(curves.values()):
        of_line = line_style(index)
        for fold in folds:
            # of precision there is no point at recall 0: the first one's holds from there on
            x = np.append(0, fold[:, 0])
            y = np.append(fold[0, 1], fold[:, 1])
            axes.plot(x, y, drawstyle=drawstyle, **of_line | {"linewidth": 0.6, "alpha": 0.5})
        low, high = mean[:, 1] - mean[:, 2], mean[:, 1] + mean[:, 2]
        axes.fill_between(
            mean[:, 0], low.clip(0, 1), high.clip(0, 1), color=of_line["color"], alpha=0.15, linewidth=0
        )
        axes.plot(
            np.append(0, mean[:, 0]),
            np.append(0 if drawstyle == "default" else mean[0, 1], mean[:, 1]),
            **of_line,
        )


def _spread_labels(axes: Axes, curves: Mapping[str, FoldCurves], heading: str) -> None:
    """Name each mean curve with its area and the area's spread, the largest on top."""
    values = {}
    for name, (_, _, area, sd) in sorted(curves.items(), key=lambda item: -(item[1][2] or 0)):
        values[name] = "undefined" if area is None else f"{area:.3f}"
        if area is not None and sd is not None:
            values[name] += f" \N{PLUS-MINUS SIGN} {sd:.3f}"
    name_lines(axes, list(curves), values, heading)
