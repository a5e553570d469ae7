"""Figures: ROC, precision-recall and reliability curves and the course of a training, as reproducible SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tfbind.report.axes import COLOURS, GREY, line_style, name_lines, square_axes, style, to_svg, write_svg

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# rows of the curve, its area, the area's 95% interval; None where undefined
Curve = tuple[NDArray[np.float64], float | None, Sequence[float] | None]
# bins as `tfbind.binding.evaluation.reliability.reliability` gives them, the scores, calibration error, and that of a
# perfect model
Calibration = tuple["pd.DataFrame", NDArray[np.float64], float | None, float | None]


def roc_figure(path: str | Path, curves: Mapping[str, Curve], title: str = "") -> None:
    """Write ROC curves, one a name, as SVG.

    Parameters
    ----------
    path : str or Path
        The SVG file.
    curves : mapping of name -> (roc, auroc, ci)
        ``roc`` is (points, 3) float with columns fpr, tpr, threshold, as `tfbind.binding.evaluation.metrics.curves`
        gives; ``auroc`` and its interval are None where undefined, and then there is no row.
    title : str
        What stands above the axes.
    """
    write_svg(path, roc_svg(curves, title))


def pr_figure(
    path: str | Path,
    curves: Mapping[str, Curve],
    title: str = "",
    *,
    heading: str = "Average precision [95% interval]",
    baseline: bool = True,
) -> None:
    """Write precision-recall curves as SVG; as `roc_figure`, with columns recall, precision, threshold.

    ``heading`` stands above the names; a ``baseline`` shows the precision of calling everything.
    """
    write_svg(path, pr_svg(curves, title, heading=heading, baseline=baseline))


def offset_figure(path: str | Path, offsets: pd.DataFrame, scanners: Sequence[str]) -> None:
    """Write histograms of the distance from summits to peaks as SVG.

    Parameters
    ----------
    path : str or Path
        The SVG file.
    offsets : DataFrame
        Columns ``scanner``, ``offset`` (in bases) and ``n``.
    scanners : sequence of str
        In the order of their colours.
    """
    write_svg(path, offset_svg(offsets, scanners))


def calibration_figure(path: str | Path, curves: Mapping[str, Calibration], title: str = "") -> None:
    """Write a reliability diagram as SVG, with the histogram of the scores below it.

    Parameters
    ----------
    path : str or Path
        The SVG file.
    curves : mapping of name -> (bins, scores, ece, ece_perfect)
        ``bins`` as `tfbind.binding.evaluation.reliability.reliability` gives them; ``scores`` (n,) float, NaN left out;
        the expected calibration error and a perfect model's, None where undefined.
    title : str
        What stands above the axes.
    """
    write_svg(path, calibration_svg(curves, title))


def learning_curves(path: str | Path, history: pd.DataFrame, title: str = "") -> None:
    """Write the course of a training as SVG.

    Parameters
    ----------
    path : str or Path
        The SVG file.
    history : DataFrame
        One row an epoch: ``epoch``, ``loss``, ``val_loss``, ``val_auroc``; what is missing is not drawn. With a column
        ``member`` each member of an ensemble has its lines.
    title : str
        What stands above the axes.
    """
    write_svg(path, learning_svg(history, title))


def roc_svg(curves: Mapping[str, Curve], title: str = "") -> str:
    """Draw what `roc_figure` writes."""
    with style():
        figure, axes = square_axes(title, "False positive rate", "True positive rate (recall)")
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":")
        for index, (rows, _, _) in enumerate(curves.values()):
            axes.plot(rows[:, 0], rows[:, 1], **line_style(index))
        _area_labels(axes, curves, "AUROC [95% interval]")
        return to_svg(figure)


def pr_svg(
    curves: Mapping[str, Curve],
    title: str = "",
    *,
    heading: str = "Average precision [95% interval]",
    baseline: bool = True,
) -> str:
    """Draw what `pr_figure` writes; a dotted line is the precision of calling everything bound."""
    with style():
        figure, axes = square_axes(title, "Recall", "Precision")
        for index, (rows, _, _) in enumerate(curves.values()):
            if len(rows):
                recall, precision = np.append(0, rows[:, 0]), np.append(rows[0, 1], rows[:, 1])
                # average precision is the area under these steps
                axes.plot(recall, precision, drawstyle="steps-pre", **line_style(index))
                if baseline:
                    axes.axhline(precision[-1], color=GREY, linewidth=0.8, linestyle=":")
        _area_labels(axes, curves, heading)
        return to_svg(figure)


def offset_svg(offsets: pd.DataFrame, scanners: Sequence[str]) -> str:
    """Draw what `offset_figure` writes, in bins of 5 bases."""
    from matplotlib.figure import Figure

    width = 5
    with style():
        # as tall as square axes, so that the names beside it have room
        figure = Figure(figsize=(3.6, 3.6))
        axes = figure.add_axes((0.14, 0.13, 0.84, 0.8))
        axes.set(xlabel="Summit minus peak (bp)", ylabel="Right sites")
        furthest = max(int(offsets["offset"].abs().max()), width) if len(offsets) else width
        n_bins = -(-(2 * furthest + width) // (2 * width)) * 2 + 1
        edges = (np.arange(n_bins + 1) - n_bins / 2) * width
        values = {}
        for index, scanner in enumerate(scanners):
            of_scanner = offsets[offsets["scanner"] == scanner]
            offset, n = (of_scanner[column].to_numpy(np.float64) for column in ("offset", "n"))
            counts, _ = np.histogram(offset, edges, weights=n)
            axes.stairs(counts, edges, **line_style(index))
            values[scanner] = f"{n.sum():,.0f}"
        name_lines(axes, list(scanners), values, "Right sites")
        return to_svg(figure)


def calibration_svg(curves: Mapping[str, Calibration], title: str = "") -> str:
    """Draw what `calibration_figure` writes; bars are 95% intervals, the dotted line is perfect calibration."""
    with style():
        figure, axes = square_axes(title, "", "Share bound")
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":")
        axes.tick_params(labelbottom=False)
        below = figure.add_axes((0.16, -0.07, 0.8, 0.14), sharex=axes)
        below.set(xlabel="Predicted probability", ylabel="Count")
        below.tick_params(labelbottom=True)
        below.locator_params(axis="y", nbins=2)
        figure.align_ylabels()
        for index, (bins, scores, _, _) in enumerate(curves.values()):
            of_line = line_style(index)
            axes.plot(bins["mean_score"], bins["observed"], marker="o", markersize=3, **of_line)
            bars = {"color": of_line["color"], "linewidth": 0.8, "alpha": 0.6, "clip_on": False}
            axes.vlines(bins["mean_score"], bins["ci95_low"], bins["ci95_high"], **bars)
            counts, edges = np.histogram(scores[~np.isnan(scores)], bins=20, range=(0, 1))
            below.stairs(counts, edges, color=of_line["color"], linestyle=of_line["linestyle"], linewidth=1)
        errors = {
            name: f"{ece:.3f}" + ("" if perfect is None else f" [{perfect:.3f}]")
            for name, (_, _, ece, perfect) in curves.items()
            if ece is not None
        }
        values = dict(sorted(errors.items(), key=lambda item: item[1]))
        values |= {name: "undefined" for name in curves if name not in errors}
        name_lines(axes, list(curves), values, "Calibration error [perfect model]")
        return to_svg(figure)


def learning_svg(history: pd.DataFrame, title: str = "") -> str:
    """Draw what `learning_curves` writes."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    with style():
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
            drawn = history.dropna(subset=["epoch", column]) if column in history else history[:0]
            if len(drawn):
                of_members = drawn.groupby("member", sort=False) if "member" in drawn else [(1, drawn)]
                for _, rows in of_members:
                    axes.plot(rows["epoch"], rows[column], color=colour, marker="." if len(rows) < 3 else "")
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
        # the members of an ensemble have a best epoch each
        if "member" not in history and "val_loss" in history and history["val_loss"].notna().any():
            best = history.loc[history["val_loss"].idxmin(), "epoch"]
            for axes in (left, right):
                axes.axvline(best, color=GREY, linewidth=0.8, linestyle=":")
            right.set_title(f"dotted: best epoch, {best:.0f}", loc="right", fontsize=9, color=GREY)
        return to_svg(figure)


def _area_labels(axes: Axes, curves: Mapping[str, Curve], heading: str) -> None:
    """Name each curve with its area, the largest on top."""
    values = {}
    for name, (_, area, interval) in sorted(curves.items(), key=lambda item: -(item[1][1] or 0)):
        values[name] = "undefined" if area is None else f"{area:.3f}"
        if area is not None and interval is not None:
            values[name] += f" [{interval[0]:.3f}, {interval[1]:.3f}]"
    name_lines(axes, list(curves), values, heading)
