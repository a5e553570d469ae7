"""Figures: ROC, precision-recall and reliability curves and the course of a training, as reproducible SVG."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tfbind.files import whole_output

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# rows of the curve, its area, the area's 95% interval; None where undefined
Curve = tuple[NDArray[np.float64], float | None, Sequence[float] | None]
# bins as `tfbind.binding.reliability.reliability` gives them, the scores, calibration error, a perfect model's
Calibration = tuple["pd.DataFrame", NDArray[np.float64], float | None, float | None]

# (points, 3) curve of each fold, (points, 3) mean curve as `tfbind.binding.cross_validation.mean_curve` gives it, the
# mean area and its standard deviation; None where undefined
FoldCurves = tuple[Sequence[NDArray[np.float64]], NDArray[np.float64], float | None, float | None]

# Okabe & Ito 2008, Color Universal Design, without the yellow that is too pale for a line
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (5, 1.5, 1.5, 1.5)))
GREY = "#767676"
STYLE: dict[Any, Any] = {
    "axes.edgecolor": GREY,
    "axes.labelcolor": "#333333",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "font.size": 10,
    "lines.linewidth": 1.6,
    # letters stay letters: small files, text that can be found and copied
    "svg.fonttype": "none",
    "svg.hashsalt": "tfbind",
    # a name from a user's file may hold dollar signs, which are no mathematics
    "text.parse_math": False,
    "xtick.color": GREY,
    "ytick.color": GREY,
}


def roc_figure(path: str | Path, curves: Mapping[str, Curve], title: str = "") -> None:
    """Write ROC curves, one a name, as SVG.

    Parameters
    ----------
    path : str or Path
        The SVG file.
    curves : mapping of name -> (roc, auroc, ci)
        ``roc`` is (points, 3) float with columns fpr, tpr, threshold, as `tfbind.binding.metrics.curves`
        gives; ``auroc`` and its interval are None where undefined, and then there is no row.
    title : str
        What stands above the axes.
    """
    _write(path, roc_svg(curves, title))


def pr_figure(path: str | Path, curves: Mapping[str, Curve], title: str = "") -> None:
    """Write precision-recall curves as SVG; as `roc_figure`, with columns recall, precision, threshold."""
    _write(path, pr_svg(curves, title))


def fold_roc_figure(path: str | Path, curves: Mapping[str, FoldCurves], title: str = "") -> None:
    """Write the ROC curves of a cross-validation as SVG: thin each fold's, thick their mean, shaded its spread.

    Parameters
    ----------
    path : str or Path
        The SVG file.
    curves : mapping of name -> (folds, mean, area, sd)
        ``folds`` are curves as `roc_figure` takes them; ``mean`` is (points, 3) float: fpr, tpr and its standard
        deviation over the folds.
    title : str
        What stands above the axes.
    """
    _write(path, fold_roc_svg(curves, title))


def fold_pr_figure(path: str | Path, curves: Mapping[str, FoldCurves], title: str = "") -> None:
    """Write the precision-recall curves of a cross-validation as SVG; as `fold_roc_figure`."""
    _write(path, fold_pr_svg(curves, title))


def calibration_figure(path: str | Path, curves: Mapping[str, Calibration], title: str = "") -> None:
    """Write a reliability diagram as SVG, with the histogram of the scores below it.

    Parameters
    ----------
    path : str or Path
        The SVG file.
    curves : mapping of name -> (bins, scores, ece, ece_perfect)
        ``bins`` as `tfbind.binding.reliability.reliability` gives them; ``scores`` (n,) float, NaN left out;
        the expected calibration error and a perfect model's, None where undefined.
    title : str
        What stands above the axes.
    """
    _write(path, calibration_svg(curves, title))


def learning_curves(path: str | Path, history: pd.DataFrame, title: str = "") -> None:
    """Write the course of a training as SVG.

    Parameters
    ----------
    path : str or Path
        The SVG file.
    history : DataFrame
        One row an epoch: ``epoch``, ``loss``, ``val_loss``, ``val_auroc``; what is missing is not drawn.
    title : str
        What stands above the axes.
    """
    _write(path, learning_svg(history, title))


def roc_svg(curves: Mapping[str, Curve], title: str = "") -> str:
    """Draw what `roc_figure` writes."""
    with _style():
        figure, axes = _square(title, "False positive rate", "True positive rate (recall)")
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":")
        for index, (rows, _, _) in enumerate(curves.values()):
            axes.plot(rows[:, 0], rows[:, 1], **_line(index))
        _area_labels(axes, curves, "AUROC [95% interval]")
        return _svg(figure)


def pr_svg(curves: Mapping[str, Curve], title: str = "") -> str:
    """Draw what `pr_figure` writes; a dotted line is the precision of calling everything bound."""
    with _style():
        figure, axes = _square(title, "Recall", "Precision")
        for index, (rows, _, _) in enumerate(curves.values()):
            if len(rows):
                recall, precision = np.append(0, rows[:, 0]), np.append(rows[0, 1], rows[:, 1])
                # average precision is the area under these steps
                axes.plot(recall, precision, drawstyle="steps-pre", **_line(index))
                axes.axhline(precision[-1], color=GREY, linewidth=0.8, linestyle=":")
        _area_labels(axes, curves, "Average precision [95% interval]")
        return _svg(figure)


def fold_roc_svg(curves: Mapping[str, FoldCurves], title: str = "") -> str:
    """Draw what `fold_roc_figure` writes."""
    with _style():
        figure, axes = _square(title, "False positive rate", "True positive rate (recall)")
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":")
        _fold_lines(axes, curves, "default")
        _spread_labels(axes, curves, "AUROC, mean \N{PLUS-MINUS SIGN} SD of folds")
        return _svg(figure)


def fold_pr_svg(curves: Mapping[str, FoldCurves], title: str = "") -> str:
    """Draw what `fold_pr_figure` writes; a dotted line is the precision of calling everything bound."""
    with _style():
        figure, axes = _square(title, "Recall", "Precision")
        _fold_lines(axes, curves, "steps-pre")
        for folds, _, _, _ in curves.values():
            bound = np.mean([fold[-1, 1] for fold in folds])
            axes.axhline(bound, color=GREY, linewidth=0.8, linestyle=":")
        _spread_labels(axes, curves, "Average precision, mean \N{PLUS-MINUS SIGN} SD of folds")
        return _svg(figure)


def calibration_svg(curves: Mapping[str, Calibration], title: str = "") -> str:
    """Draw what `calibration_figure` writes; bars are 95% intervals, the dotted line is perfect calibration."""
    with _style():
        figure, axes = _square(title, "", "Share bound")
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":")
        axes.tick_params(labelbottom=False)
        below = figure.add_axes((0.16, -0.07, 0.8, 0.14), sharex=axes)
        below.set(xlabel="Predicted probability", ylabel="Count")
        below.tick_params(labelbottom=True)
        below.locator_params(axis="y", nbins=2)
        figure.align_ylabels()
        for index, (bins, scores, _, _) in enumerate(curves.values()):
            style = _line(index)
            axes.plot(bins["mean_score"], bins["observed"], marker="o", markersize=3, **style)
            bars = {"color": style["color"], "linewidth": 0.8, "alpha": 0.6, "clip_on": False}
            axes.vlines(bins["mean_score"], bins["ci95_low"], bins["ci95_high"], **bars)
            counts, edges = np.histogram(scores[~np.isnan(scores)], bins=20, range=(0, 1))
            below.stairs(counts, edges, color=style["color"], linestyle=style["linestyle"], linewidth=1)
        errors = {
            name: f"{ece:.3f}" + ("" if perfect is None else f" [{perfect:.3f}]")
            for name, (_, _, ece, perfect) in curves.items()
            if ece is not None
        }
        values = dict(sorted(errors.items(), key=lambda item: item[1]))
        values |= {name: "undefined" for name in curves if name not in errors}
        _labels(axes, list(curves), values, "Calibration error [perfect model]")
        return _svg(figure)


def learning_svg(history: pd.DataFrame, title: str = "") -> str:
    """Draw what `learning_curves` writes."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    with _style():
        figure = Figure(figsize=(7.6, 2.9), layout="constrained")
        left, right = figure.subplots(1, 2)
        last = history.ffill().tail(1).to_dict("records")[0] if len(history) else {}
        # two ends that meet must not print their names over one another
        upper = "loss" if last.get("loss", 0) > last.get("val_loss", 0) else "val_loss"
        left.set_ylabel("Loss")
        left.set_title(title)
        right.set_ylabel("AUROC, validation")
        panels = (
            (left, "loss", "training", COLOURS[0]),
            (left, "val_loss", "validation", COLOURS[1]),
            (right, "val_auroc", "", COLOURS[1]),
        )
        for axes, column, label, colour in panels:
            axes.set_xlabel("Epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            drawn = history[["epoch", column]].dropna() if column in history else history[:0]
            if len(drawn):
                axes.plot(drawn["epoch"], drawn[column], color=colour, marker="." if len(drawn) < 3 else "")
                end = drawn.iloc[-1]
                axes.annotate(
                    label,
                    (end["epoch"], end[column]),
                    xytext=(4, 0),
                    textcoords="offset points",
                    color=colour,
                    va="bottom" if column == upper else "top",
                    annotation_clip=False,
                )
        if "val_loss" in history and history["val_loss"].notna().any():
            best = history.loc[history["val_loss"].idxmin(), "epoch"]
            for axes in (left, right):
                axes.axvline(best, color=GREY, linewidth=0.8, linestyle=":")
            right.set_title(f"dotted: best epoch, {best:.0f}", loc="right", fontsize=9, color=GREY)
        return _svg(figure)


def _style():
    import matplotlib as mpl

    return mpl.rc_context(STYLE)


def _square(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.6, 3.6))
    axes = figure.add_axes((0.14, 0.13, 0.84, 0.8))
    axes.set(xlabel=x, ylabel=y, xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.set_title(title)
    return figure, axes


def _line(index: int) -> dict:
    dash = DASHES[index // len(COLOURS) % len(DASHES)]
    return {"color": COLOURS[index % len(COLOURS)], "linestyle": dash, "clip_on": False}


def _area_labels(axes: Axes, curves: Mapping[str, Curve], heading: str) -> None:
    """Name each curve with its area, the largest on top."""
    values = {}
    for name, (_, area, interval) in sorted(curves.items(), key=lambda item: -(item[1][1] or 0)):
        values[name] = "undefined" if area is None else f"{area:.3f}"
        if area is not None and interval is not None:
            values[name] += f" [{interval[0]:.3f}, {interval[1]:.3f}]"
    _labels(axes, list(curves), values, heading)


def _fold_lines(axes: Axes, curves: Mapping[str, FoldCurves], drawstyle: str) -> None:
    for index, (folds, mean, _, _) in enumerate(curves.values()):
        style = _line(index)
        for fold in folds:
            # of precision there is no point at recall 0: the first one's holds from there on
            x = np.append(0, fold[:, 0])
            y = np.append(fold[0, 1], fold[:, 1])
            axes.plot(x, y, drawstyle=drawstyle, **style | {"linewidth": 0.6, "alpha": 0.5})
        low, high = mean[:, 1] - mean[:, 2], mean[:, 1] + mean[:, 2]
        axes.fill_between(
            mean[:, 0], low.clip(0, 1), high.clip(0, 1), color=style["color"], alpha=0.15, linewidth=0
        )
        axes.plot(
            np.append(0, mean[:, 0]),
            np.append(0 if drawstyle == "default" else mean[0, 1], mean[:, 1]),
            **style,
        )


def _spread_labels(axes: Axes, curves: Mapping[str, FoldCurves], heading: str) -> None:
    """Name each mean curve with its area and the area's spread, the largest on top."""
    values = {}
    for name, (_, _, area, sd) in sorted(curves.items(), key=lambda item: -(item[1][2] or 0)):
        values[name] = "undefined" if area is None else f"{area:.3f}"
        if area is not None and sd is not None:
            values[name] += f" \N{PLUS-MINUS SIGN} {sd:.3f}"
    _labels(axes, list(curves), values, heading)


def _labels(axes: Axes, drawn: list[str], values: Mapping[str, str], heading: str) -> None:
    """Name each curve in its colour, beside the axes, in the order of its values."""
    step = 0.115 if len(values) <= 8 else 0.92 / len(values)
    size = 9 if len(values) <= 16 else max(4, 9 * 16 / len(values))
    axes.text(1.05, 0.97, heading, transform=axes.transAxes, fontsize=size, color=GREY, va="center")
    for place, (name, value) in enumerate(values.items(), start=1):
        y = 0.97 - place * step
        style = _line(drawn.index(name))
        axes.plot([1.05, 1.11], [y, y], transform=axes.transAxes, **style)
        axes.text(
            1.13,
            y,
            f"{name}{'  ' if len(values) > 8 else chr(10)}{value}",
            transform=axes.transAxes,
            fontsize=size,
            color=style["color"],
            va="center",
        )


def _svg(figure: Figure) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def _write(path: str | Path, svg: str) -> None:
    with whole_output(path) as temporary:
        temporary.write_text(svg, encoding="utf-8", newline="\n")
