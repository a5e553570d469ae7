"""What all figures of the page share: colours, square axes, names beside the curves, reproducible SVG."""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfbind.files import whole_output

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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


def style() -> AbstractContextManager[None]:
    """Draw in STYLE within a ``with`` block."""
    import matplotlib as mpl

    return mpl.rc_context(STYLE)


def square_axes(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    """Axes from 0 to 1, with room for names on their right."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.6, 3.6))
    axes = figure.add_axes((0.14, 0.13, 0.84, 0.8))
    axes.set(xlabel=x, ylabel=y, xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.set_title(title)
    return figure, axes


def line_style(index: int) -> dict[str, Any]:
    """Colour and dashes of the n-th curve, from 0."""
    dash = DASHES[index // len(COLOURS) % len(DASHES)]
    return {"color": COLOURS[index % len(COLOURS)], "linestyle": dash, "clip_on": False}


def name_lines(axes: Axes, drawn: list[str], values: Mapping[str, str], heading: str) -> None:
    """Name each curve in its colour, beside the axes, in the order of its values."""
    step = 0.115 if len(values) <= 8 else 0.92 / len(values)
    size = 9 if len(values) <= 16 else max(4, 9 * 16 / len(values))
    axes.text(1.05, 0.97, heading, transform=axes.transAxes, fontsize=size, color=GREY, va="center")
    for place, (name, value) in enumerate(values.items(), start=1):
        y = 0.97 - place * step
        of_line = line_style(drawn.index(name))
        axes.plot([1.05, 1.11], [y, y], transform=axes.transAxes, **of_line)
        axes.text(
            1.13,
            y,
            f"{name}{'  ' if len(values) > 8 else chr(10)}{value}",
            transform=axes.transAxes,
            fontsize=size,
            color=of_line["color"],
            va="center",
        )


def to_svg(figure: Figure) -> str:
    """Give a figure as SVG, without a date."""
    text = io.StringIO()
    figure.savefig(text, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def write_svg(path: str | Path, svg: str) -> None:
    """Write SVG, whole or not at all."""
    with whole_output(path) as temporary:
        temporary.write_text(svg, encoding="utf-8", newline="\n")
