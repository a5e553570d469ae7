"""Figures of maps of recombination against a truth, as reproducible SVG, and the folder that an evaluation leaves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from tfbind.files import whole_folder
from tfbind.recombination.evaluation.measure import MapEvaluation
from tfbind.recombination.evaluation.windows import WINDOW_COLUMNS
from tfbind.recombination.maps.table import CM_PER_MB
from tfbind.report.axes import COLOURS, GREY, line_style, name_lines, square_axes, style, to_svg, write_svg
from tfbind.tables import write_json, write_table

if TYPE_CHECKING:
    from matplotlib.axis import Axis

MOST_PANELS = 6
MOST_WINDOWS = 800  # of a panel: more cannot be told apart
MOST_POINTS = 2000  # of a scatter: more are drawn as hexagons
LEVELS = np.linspace(0, 0.995, 200)


def write_map_evaluation(folder: Path, evaluation: MapEvaluation) -> None:
    """Write an evaluation into ``folder``: metrics.json, windows.tsv, notes.json, and three figures.

    The folder is written whole or not at all, ``metrics.json`` last (`tfbind.files.whole_folder`).
    """
    with whole_folder(folder, last="metrics.json") as temporary:
        write_table(temporary / "windows.tsv", evaluation.windows[list(WINDOW_COLUMNS)])
        write_svg(temporary / "landscape.svg", landscape_svg(evaluation))
        write_svg(temporary / "scatter.svg", scatter_svg(evaluation))
        write_svg(temporary / "calibration.svg", calibration_svg(evaluation))
        write_json(temporary / "notes.json", evaluation.notes)
        hotspots = {} if evaluation.hotspots is None else {"hotspots": evaluation.hotspots}
        write_json(temporary / "metrics.json", evaluation.metrics | hotspots)


def map_svg(table: pd.DataFrame, *, per_mutation: bool) -> str:
    """Draw a map that has no truth, as `landscape_svg` does.

    Parameters
    ----------
    table : DataFrame
        As `tfbind.recombination.evaluation.windows.read_prediction` gives it.
    per_mutation : bool
        Whether its rates are r/mu.
    """
    left_out = np.where(table["rate"].isna(), "no_prediction", "")
    windows = table.assign(truth=np.nan, left_out=left_out)
    return landscape_svg(MapEvaluation(windows, {}, [], per_mutation, per_mutation))


def landscape_svg(evaluation: MapEvaluation) -> str:
    """Draw rates along the contigs, on a logarithmic axis: prediction with its 95% interval, and the truth.

    The MOST_PANELS contigs are drawn that have a truth and reach furthest, at the finest scale of which none has over
    MOST_WINDOWS. A prediction in another unit than the truth is multiplied so that it has the truth's genetic length.
    """
    from matplotlib.figure import Figure

    windows = evaluation.windows
    ends = (
        evaluation.used.groupby("chrom", sort=False)["end"].max().sort_values(ascending=False, kind="stable")
    )
    shown = [name for name in windows["chrom"].unique() if name in ends.index[:MOST_PANELS]]
    drawn = windows[windows["chrom"].isin(shown)]
    scale = _drawn_scale(drawn)
    drawn = drawn[drawn["scale"] == scale]
    # a contig may have no windows of this scale
    shown = [name for name in shown if (drawn["chrom"] == name).any()]
    known = drawn[drawn["left_out"] == ""]
    unit, of_truth = _unit(evaluation.truth_per_mutation)
    factor = of_truth
    if not evaluation.same_unit and known["rate"].sum() > 0:
        factor *= known["truth"].sum() / known["rate"].sum()
    bottom, top = _limits(drawn["rate"] * factor, drawn["truth"] * of_truth)
    with style():
        figure = Figure(figsize=(7.6, 0.7 + 1.7 * max(1, len(shown))), layout="constrained")
        panels = np.atleast_1d(figure.subplots(max(1, len(shown)), 1))
        for axes, contig in zip(panels, shown, strict=False):
            rows = drawn[drawn["chrom"] == contig]
            x, lower, upper = (_steps(rows, name) for name in ("position", "rate_lower", "rate_upper"))
            axes.fill_between(
                x / 1e6,
                np.clip(lower * factor, bottom, None),
                np.clip(upper * factor, None, top),
                color=COLOURS[0],
                alpha=0.2,
                linewidth=0,
            )
            for column, by, colour in (("truth", of_truth, COLOURS[1]), ("rate", factor, COLOURS[0])):
                axes.plot(
                    x / 1e6, np.clip(_steps(rows, column) * by, bottom, top), color=colour, linewidth=1.1
                )
            axes.set(yscale="log", xlim=(rows["start"].min() / 1e6, rows["end"].max() / 1e6))
            axes.set_ylim(bottom, top)
            _plain_logarithms(axes.yaxis, bottom, top)
            axes.set_title(f"contig {contig}", fontsize=9, color=GREY)
        figure.supylabel(unit, fontsize=10, color="#333333")
        panels[-1].set_xlabel(f"Position (Mb); windows of {_bp(scale)}" if scale else "Position (Mb)")
        truth = "truth" if drawn["truth"].notna().any() else ""
        _landscape_heading(figure, len(shown), len(ends), evaluation.same_unit, truth)
        return to_svg(figure)


def _landscape_heading(figure: Any, shown: int, of: int, same_unit: bool, truth: str) -> None:
    predicted = "prediction, 95% interval" + ("" if same_unit else " (scaled to the truth's length)")
    kept = f"{shown} of {of} contigs" if shown < of else ""
    figure.suptitle(" ", fontsize=9)
    for x, text, colour in (
        (0.06, predicted, COLOURS[0]),
        (0.32 if same_unit else 0.62, truth, COLOURS[1]),
        (0.75, kept, GREY),
    ):
        figure.text(x, 1.0, text, color=colour, fontsize=10, va="top")


def _drawn_scale(windows: pd.DataFrame) -> int:
    """Give the finest scale whose contigs have at most MOST_WINDOWS each, else the coarsest."""
    scales = sorted(windows.loc[windows["left_out"] == "", "scale"].unique())
    most = {scale: windows[windows["scale"] == scale]["chrom"].value_counts().max() for scale in scales}
    few = [scale for scale in scales if most[scale] <= MOST_WINDOWS]
    return int((few or scales[-1:] or [0])[0])


def _limits(*rates: pd.Series) -> tuple[float, float]:
    values = pd.concat(rates)
    values = values[values > 0]
    if not len(values):
        return 0.1, 10.0
    # a few windows at almost 0 would leave no room for the others
    low, high = np.quantile(values, [0.01, 1])
    return float(max(low / 1.5, high / 1e4)), float(high * 1.5)


def _steps(rows: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Give start and end of each window, or its value twice, with NaN where a window does not follow on the last."""
    columns = ["start", "end"] if column == "position" else [column, column]
    pairs = rows[columns].to_numpy(dtype=np.float64)
    gaps = np.flatnonzero(rows["start"].to_numpy()[1:] != rows["end"].to_numpy()[:-1]) + 1
    return np.insert(pairs, gaps, np.nan, axis=0).ravel()


def scatter_svg(evaluation: MapEvaluation) -> str:
    """Draw prediction against truth, a panel a scale, on logarithmic axes; dotted: equality, if in one unit."""
    from matplotlib.figure import Figure

    used, metrics, same_unit = evaluation.used, evaluation.metrics, evaluation.same_unit
    (unit, factor), (of_truth, truth_factor) = map(
        _unit, (evaluation.rate_per_mutation, evaluation.truth_per_mutation)
    )
    with style():
        figure = Figure(figsize=(0.6 + 2.9 * len(metrics), 3.4), layout="constrained")
        panels = np.atleast_1d(figure.subplots(1, len(metrics)))
        for axes, (scale, values) in zip(panels, metrics.items(), strict=True):
            rows = used[(used["scale"] == int(scale)) & (used["rate"] > 0) & (used["truth"] > 0)]
            truth, rate = rows["truth"].to_numpy() * truth_factor, rows["rate"].to_numpy() * factor
            axes.set(xscale="log", yscale="log", xlabel=f"Truth ({of_truth})")
            axes.set_title(f"{_bp(int(scale))}, {len(rows):,} windows", fontsize=10)
            if len(rows) > MOST_POINTS:
                axes.hexbin(
                    truth, rate, xscale="log", yscale="log", gridsize=40, bins="log", mincnt=1, cmap="Blues"
                )
            else:
                axes.plot(truth, rate, "o", markersize=3, alpha=0.6, markeredgewidth=0, color=COLOURS[0])
            x_ends, y_ends = _ends(truth), _ends(rate)
            if same_unit:
                x_ends = y_ends = _ends(np.concatenate([truth, rate]))
                axes.plot(x_ends, x_ends, color=GREY, linewidth=0.8, linestyle=":")
            axes.set(xlim=x_ends, ylim=y_ends, box_aspect=1)
            _plain_logarithms(axes.xaxis, *x_ends)
            _plain_logarithms(axes.yaxis, *y_ends)
            correlation = values["pearson"]
            label = "r undefined" if correlation is None else f"r = {correlation:.3f}"
            if values["bias_ratio"] is not None:
                label += f"\nlength x {values['bias_ratio']:.2f}"
            axes.text(0.04, 0.97, label, transform=axes.transAxes, va="top", fontsize=9)
        panels[0].set_ylabel(f"Prediction ({unit})")
        return to_svg(figure)


def _ends(values: NDArray[np.float64]) -> tuple[float, float]:
    return (float(values.min() / 1.3), float(values.max() * 1.3)) if len(values) else (0.1, 10.0)


def calibration_svg(evaluation: MapEvaluation) -> str:
    """Draw how many truths lie in central intervals of each level, scaled from the 95% ones as of a log-normal.

    At 0.95, the dot, nothing is assumed. A curve below the dotted line: intervals too narrow.
    """
    # bounds in another unit than the truth's have nothing to hold
    used = evaluation.used if evaluation.same_unit else evaluation.used[:0]
    values = {}
    with style():
        figure, axes = square_axes("", "Level of the interval", "Share of truths inside")
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":")
        for index, scale in enumerate(evaluation.metrics):
            rows = used[used["scale"] == int(scale)].dropna(subset=["rate_lower", "rate_upper"])
            values[_bp(int(scale))] = "no intervals"
            if not len(rows):
                continue
            coverage = float(rows["truth"].between(rows["rate_lower"], rows["rate_upper"]).mean())
            of_line = line_style(index)
            axes.plot(LEVELS, share_inside(rows, LEVELS), **of_line)
            axes.plot([0.95], [coverage], "o", markersize=5, color=of_line["color"], clip_on=False)
            values[_bp(int(scale))] = f"{coverage:.3f} of {len(rows):,}"
        name_lines(axes, list(values), values, "Inside the 95% interval")
        return to_svg(figure)


def comparison_svg(table: pd.DataFrame) -> str:
    """Draw the metrics of several maps by scale; what no map has is not drawn.

    Parameters
    ----------
    table : DataFrame
        From `tfbind.recombination.evaluation.comparison.compare_maps`.
    """
    from matplotlib.figure import Figure

    titles = {
        "pearson": "Pearson",
        "bias_ratio": "Predicted / true length",
        "coverage95": "Inside the 95% interval",
    }
    shown = [name for name in titles if table[name].notna().any()] or ["pearson"]
    names = list(dict.fromkeys(table["map"]))
    scales = list(dict.fromkeys(table["scale"]))
    with style():
        figure = Figure(figsize=(0.5 + 2.8 * len(shown), 3.6))
        panels = np.atleast_1d(figure.subplots(1, len(shown)))
        figure.subplots_adjust(wspace=0.35)
        for axes, metric in zip(panels, shown, strict=True):
            for index, name in enumerate(names):
                of_map = table[table["map"] == name].set_index("scale")[metric].reindex(scales)
                axes.plot(range(len(scales)), of_map, marker="o", markersize=4, **line_style(index))
            axes.set_title(titles[metric], fontsize=10)
            axes.set_xticks(range(len(scales)), [_bp(scale) for scale in scales])
            axes.set_xlabel("Windows")
            axes.margins(x=0.08)
            if metric != "pearson":
                axes.axhline(1 if metric == "bias_ratio" else 0.95, color=GREY, linewidth=0.8, linestyle=":")
        finest = table[table["scale"] == scales[0]].set_index("map")["pearson"]
        values = {
            name: f"{finest[name]:.3f}" if finest[name] == finest[name] else "undefined" for name in names
        }
        name_lines(panels[-1], names, values, f"Pearson at {_bp(scales[0])}")
        return to_svg(figure)


def share_inside(rows: pd.DataFrame, levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of truths inside central intervals, if the logarithm of the rate is normal between the 95% bounds.

    Parameters
    ----------
    rows : DataFrame
        ``truth``, ``rate_lower``, ``rate_upper``; those whose lower bound is 0 have no logarithm and are left out.
    levels : (n,) float64

    Returns
    -------
    (n,) float64
    """
    rows = rows[rows["rate_lower"] > 0]
    if not len(rows):
        return np.full(len(levels), np.nan)
    low, high = np.log(rows["rate_lower"].to_numpy()), np.log(rows["rate_upper"].to_numpy())
    with np.errstate(divide="ignore", invalid="ignore"):
        # a truth of 0 is infinitely far off
        distance = np.abs(np.log(rows["truth"].to_numpy()) - (low + high) / 2)
        deviates = distance / ((high - low) / (2 * ndtri(0.975)))
    level_of_truth = np.sort(2 * ndtr(np.nan_to_num(deviates, nan=0.0, posinf=np.inf)) - 1)
    return np.searchsorted(level_of_truth, levels, side="right") / len(level_of_truth)


def _plain_logarithms(axis: Axis, low: float, high: float) -> None:
    """Write plain numbers at a logarithmic axis: its own are mathematics, which the style takes as letters."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1.0,) if high > 30 * low else (1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _unit(per_mutation: bool) -> tuple[str, float]:
    """Name the unit of a figure, and what to multiply by."""
    return ("r/mu", 1.0) if per_mutation else ("cM/Mb", CM_PER_MB)


def _bp(scale: int) -> str:
    for size, name in ((1_000_000, "Mb"), (1000, "kb")):
        if scale >= size:
            return f"{scale / size:g} {name}"
    return f"{scale} bp"
