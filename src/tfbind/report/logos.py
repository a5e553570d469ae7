"""Sequence logos, drawn from the outlines of letters."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfbind.dna.alphabet import ALPHABET
from tfbind.report.axes import GREY, style, to_svg, write_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# green, blue, yellow-brown and red, as in most logos, and told apart by the colour-blind
LETTER_COLOURS = ("#009e73", "#0072b2", "#e69f00", "#d55e00")
# inches of a position and of a logo
_POSITION, _HEIGHT = 0.22, 1.1


def information(counts: np.ndarray) -> np.ndarray:
    """Heights of an information logo (Schneider & Stephens 1990): (width, 4) counts to (width, 4) bits."""
    share = (counts + 0.25) / (counts + 0.25).sum(axis=1, keepdims=True)
    bits = 2 + (share * np.log2(share)).sum(axis=1, keepdims=True)
    return share * np.maximum(bits, 0)


def motif_logo(
    path: str | Path,
    contributions: np.ndarray,
    counts: np.ndarray,
    known: np.ndarray | None = None,
    offset: int = 0,
    name: str = "",
) -> None:
    """Write a motif as SVG: contributions and information, and beside each the reverse complement.

    Parameters
    ----------
    path : str or Path
        The SVG file.
    contributions : (width, 4) float
        In natural logarithms of odds.
    counts : (width, 4) float
    known : (m, 4) float or None
        Counts of the known matrix that it resembles, which is drawn in a third row.
    offset : int
        Position of the motif at which the known matrix begins.
    name : str
        Of the known matrix.
    """
    from matplotlib.figure import Figure

    rows = [("Contribution", contributions, 0), ("Bits", information(counts), 0)]
    if known is not None:
        rows.append((f"{name} (bits)", information(known), offset))
    first = min(start for _, _, start in rows)
    end = max(start + len(heights) for _, heights, start in rows)
    with style():
        figure = Figure(figsize=(2 * (_POSITION * (end - first) + 0.8), _HEIGHT * len(rows)))
        grid = figure.subplots(len(rows), 2, squeeze=False)
        for (label, heights, start), (forward, reverse) in zip(rows, grid, strict=True):
            draw_logo(forward, heights, start)
            draw_logo(reverse, heights[::-1, ::-1], first + end - start - len(heights))
            forward.set_ylabel(label, fontsize=8)
            for axes in (forward, reverse):
                axes.set_xlim(first, end)
        grid[0, 0].set_title("motif", fontsize=8)
        grid[0, 1].set_title("reverse complement", fontsize=8)
        figure.subplots_adjust(hspace=0.3, wspace=0.25)
        write_svg(path, to_svg(figure))


def draw_logo(axes: Axes, heights: np.ndarray, start: int = 0) -> None:
    """Draw letters on top of each other, the highest on top, and those below zero downwards.

    Parameters
    ----------
    axes : Axes
    heights : (width, 4) float
    start : int
        Where the first position is on the x axis.
    """
    from matplotlib.patches import PathPatch
    from matplotlib.transforms import Affine2D

    for position, row in enumerate(heights):
        for sign in (1, -1):
            base = 0.0
            for letter in np.argsort(np.abs(row), kind="stable"):
                height = float(row[letter])
                if height * sign <= 0:
                    continue
                outline = _letter(ALPHABET[letter])
                placed = Affine2D().scale(0.95, height).translate(start + position + 0.025, base)
                # a letter below the axis stays upright
                if sign < 0:
                    placed = (
                        Affine2D().scale(0.95, -height).translate(start + position + 0.025, base + height)
                    )
                base += height
                axes.add_patch(
                    PathPatch(placed.transform_path(outline), facecolor=LETTER_COLOURS[letter], linewidth=0)
                )
    positive, negative = np.maximum(heights, 0).sum(axis=1).max(), np.minimum(heights, 0).sum(axis=1).min()
    axes.set_ylim(negative * 1.05, max(positive * 1.05, 1e-9))
    axes.axhline(0, color=GREY, linewidth=0.5)
    axes.set_xticks([])
    axes.tick_params(axis="y", labelsize=7)
    axes.locator_params(axis="y", nbins=3)
    axes.spines["bottom"].set_visible(False)


@cache
def _letter(letter: str) -> Any:
    """The outline of a letter, one wide and one high."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.path import Path as Outline
    from matplotlib.textpath import TextPath

    path = TextPath((0, 0), letter, size=1, prop=FontProperties(family="DejaVu Sans", weight="bold"))
    low, high = path.vertices.min(axis=0), path.vertices.max(axis=0)
    return Outline((path.vertices - low) / (high - low), path.codes)
