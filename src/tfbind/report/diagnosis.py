"""The folder that a diagnosis leaves: who forgets and how fast, and what a rising learning rate does to the loss."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tfbind.binding.learning.diagnosis import Diagnosis
from tfbind.files import whole_folder, whole_output
from tfbind.report.axes import COLOURS, GREY, STYLE
from tfbind.tables import write_json, write_table

# what lies below is as good as nothing, and would push the rest together
LOWEST_SHARE = 1e-8


def write_diagnosis(folder: Path, diagnosis: Diagnosis) -> None:
    """Write gradients.tsv, gradients.svg, learning_rate.tsv, learning_rate.svg and diagnosis.json.

    The folder is written whole or not at all, ``diagnosis.json`` last (`tfbind.files.whole_folder`).
    """
    with whole_folder(folder, last="diagnosis.json") as temporary:
        for name, table in (("gradients", diagnosis.gradients), ("learning_rate", diagnosis.learning_rate)):
            write_table(temporary / f"{name}.tsv", table, digits=6)
        gradient_figure(temporary / "gradients.svg", diagnosis.gradients)
        rate = diagnosis.summary["proposed_learning_rate"]
        learning_rate_figure(temporary / "learning_rate.svg", diagnosis.learning_rate, rate)
        write_json(temporary / "diagnosis.json", diagnosis.summary)


def gradient_figure(path: str | Path, table: pd.DataFrame) -> None:
    """Draw how a gradient fades on its way back, one line a cell, as SVG.

    Parameters
    ----------
    path : str or Path
    table : DataFrame
        ``cell``, ``step`` and ``norm``, as `tfbind.training.diagnosis.gradient_norms` gives them.
    """
    with mpl.rc_context(STYLE):
        figure, axes = _axes()
        axes.set(xlabel="Steps before the last one", ylabel="Norm of the gradient by the state")
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(_power)
        ends = []
        for index, (cell, rows) in enumerate(table.groupby("cell", sort=False)):
            colour = COLOURS[index % len(COLOURS)]
            drawn = rows[rows["norm"] > LOWEST_SHARE * table["norm"].max()]
            back = table["step"].max() - drawn["step"]
            axes.plot(back, drawn["norm"], color=colour)
            if len(drawn):
                ends.append((drawn["norm"].iloc[0], back.iloc[0], cell, colour))
        axes.set_xlim(0, max(1, table["step"].max() - table["step"].min()))
        _name_ends(axes, ends)
        _write(path, figure)


def learning_rate_figure(path: str | Path, table: pd.DataFrame, proposed: float | None) -> None:
    """Draw the loss under a rising learning rate, with the rate that is proposed, as SVG.

    Parameters
    ----------
    path : str or Path
    table : DataFrame
        As `tfbind.training.diagnosis.learning_rate_range` gives it.
    proposed : float or None
        None where the loss did not fall; the figure says so.
    """
    with mpl.rc_context(STYLE):
        figure, axes = _axes()
        axes.set(xlabel="Learning rate", ylabel="Loss, training")
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(_power)
        axes.plot(table["rate"], table["loss"], color=COLOURS[0], linewidth=0.6, alpha=0.35)
        axes.plot(table["rate"], table["smoothed"], color=COLOURS[0])
        # one batch that went wild must not flatten the rest
        axes.set_ylim(0.9 * table["smoothed"].min(), 1.1 * table["smoothed"].max())
        if proposed is None:
            title = "the loss did not fall: no rate to propose, try more --steps"
        else:
            title = f"dotted: proposed rate, {proposed:.2g}"
            axes.axvline(proposed, color=GREY, linewidth=0.8, linestyle=":")
        axes.set_title(title, loc="right", fontsize=9, color=GREY)
        _write(path, figure)


def _axes() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5.2, 3.2), layout="constrained")
    return figure, figure.subplots()


def _power(value: float, _: float) -> str:
    """Write a tick of a logarithmic axis; the figures' style has no mathematics."""
    return f"{value:g}"


def _name_ends(axes: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """Name each line, given as norm, step, name and colour, at its far end; names keep clear of one another."""
    to_axes = axes.transData + axes.transAxes.inverted()
    placed: list[tuple[float, float]] = []
    for norm, back, name, colour in sorted(ends):
        x, y = to_axes.transform((back, norm))
        y = max([y, *(other_y + 0.07 for other_x, other_y in placed if abs(x - other_x) < 0.15)])
        placed.append((x, y))
        axes.text(x + 0.01, y, name, transform=axes.transAxes, color=colour, va="center")


def _write(path: str | Path, figure: Figure) -> None:
    with whole_output(path) as temporary:
        figure.savefig(temporary, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
