"""The folder of `tfbind recombination enrichment`, and the profile of rates round sites as reproducible SVG."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tfbind.files import whole_folder
from tfbind.recombination.enrichment.measure import Enrichment
from tfbind.recombination.maps.table import CM_PER_MB
from tfbind.report.axes import COLOURS, GREY, style, to_svg, write_svg
from tfbind.tables import write_json, write_table


def write_enrichment(folder: Path, found: Enrichment) -> None:
    """Write an enrichment into ``folder``: metrics.json, profile.tsv, profile.svg, sites.tsv and notes.json.

    The folder is written whole or not at all, ``metrics.json`` last (`tfbind.files.whole_folder`).
    """
    with whole_folder(folder, last="metrics.json") as temporary:
        write_table(temporary / "profile.tsv", found.profile)
        write_table(temporary / "sites.tsv", found.sites)
        write_svg(temporary / "profile.svg", profile_svg(found))
        write_json(temporary / "notes.json", found.notes)
        write_json(temporary / "metrics.json", found.metrics)


def profile_svg(found: Enrichment) -> str:
    """Draw the rate by the distance from sites, and that of controls, each with a band.

    The band of the sites is the 95% interval of their rate; that of the controls holds 95% of sites that are moved
    along their contigs. Shaded from top to bottom: the window of the ratio.
    """
    from matplotlib.figure import Figure

    profile, metrics = found.profile, found.metrics
    factor = 1.0 if found.per_mutation else CM_PER_MB
    # a bin's rate is that of all of it: steps from its start to its end
    x = profile[["start", "end"]].to_numpy().ravel() / 1000

    def steps(column: str) -> np.ndarray:
        return np.repeat(profile[column].to_numpy() * factor, 2)

    with style():
        figure = Figure(figsize=(6.4, 3.8))
        axes = figure.add_axes((0.1, 0.14, 0.62, 0.76))
        half = metrics["window"] / 2000
        axes.axvspan(-half, half, color=GREY, alpha=0.12, linewidth=0)
        for columns, colour in (
            (("rate_controls", "rate_moved_low", "rate_moved_high"), GREY),
            (("rate", "rate_ci95_low", "rate_ci95_high"), COLOURS[0]),
        ):
            rate, low, high = map(steps, columns)
            axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
            axes.plot(x, rate, color=colour)
        axes.set(xlim=(x[0], x[-1]), xlabel="Distance from the centre of sites (kb)")
        axes.set_ylim(bottom=0)
        axes.set_ylabel("r/mu" if found.per_mutation else "cM/Mb")
        for y, text, colour in (
            (0.97, f"{metrics['n_used']:,} sites\nmean, 95% interval", COLOURS[0]),
            (0.79, "matched controls\nmean; 95% of sites\nthat are moved", GREY),
            (0.52, _ratio_text(found), "#333333"),
        ):
            axes.text(1.04, y, text, transform=axes.transAxes, color=colour, fontsize=9, va="top")
        return to_svg(figure)


def _ratio_text(found: Enrichment) -> str:
    metrics = found.metrics
    if metrics["ratio"] is None:
        return "ratio undefined"
    interval = "no interval: too few blocks"
    if metrics["ratio_ci95"] is not None:
        interval = "95% interval {:.2f} to {:.2f}".format(*metrics["ratio_ci95"])
    p = "" if metrics["p"] is None else f"\np = {metrics['p']:.2g}"
    return f"in the shaded {metrics['window']:,} bp\nratio {metrics['ratio']:.2f}\n{interval}{p}"
