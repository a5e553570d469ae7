"""Rates round places of a contig, and random places that are like them in what biases a map.

Controls lie on the contig of the sites that they are for, where the map has a rate, and in a window with as many
segregating sites as theirs: a rate is estimated from these, and more of them give it more room to differ.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfbind.recombination.maps.reading import steps_by_contig
from tfbind.recombination.maps.table import COVERED, finest
from tfbind.steps import StepFunction

STRATA = 10  # of equal size, by the number of segregating sites
FEWEST_PLACES = 1_000
MOST_PLACES = 100_000  # of a contig: more tell nothing new
LEAST_CLEAR = 0.1
MEANS_AT_ONCE = 500_000


class Landscape(NamedTuple):
    """One contig of a map, by the rows of its finest scale.

    Attributes
    ----------
    rate : StepFunction
    density : StepFunction or None
        Segregating sites per bp where there is a rate; None if the map does not tell.
    """

    rate: StepFunction
    density: StepFunction | None


def read_landscapes(table: pd.DataFrame) -> dict[str, Landscape]:
    """Give the landscapes of the table of a JudgedMap by contig."""
    rows = finest(table)
    rates = steps_by_contig(rows)
    if "n_sites" not in rows:
        return {contig: Landscape(rate, None) for contig, rate in rates.items()}
    per_bp = (rows["n_sites"] / (rows["end"] - rows["start"])).where(rows["rate"].notna())
    densities = steps_by_contig(rows.assign(density=per_bp), "density")
    return {contig: Landscape(rate, densities[contig]) for contig, rate in rates.items()}


class Bins(NamedTuple):
    """Stretches of equal length at distances from a centre: the middle one surrounds it.

    Attributes
    ----------
    width : int
        In bp.
    distance : (bins,) int64
        Of each one's middle.
    """

    width: int
    distance: NDArray[np.int64]

    @classmethod
    def within(cls, flank: int, width: int) -> Bins:
        """Give those whose middles are at most ``flank`` bp away."""
        n = flank // width
        return cls(width, np.arange(-n, n + 1, dtype=np.int64) * width)


def means_around(steps: StepFunction, centres: NDArray[np.int64], width: int) -> NDArray[np.float64]:
    """Mean values over ``width`` bp around centres of any shape; NaN where less than 90% are known."""
    start = centres - width // 2
    return steps.means(start.ravel(), start.ravel() + width, covered=COVERED).reshape(centres.shape)


def profiles(steps: StepFunction, centres: NDArray[np.int64], bins: Bins) -> NDArray[np.float64]:
    """Mean values in bins around centres of any shape: (..., bins), NaN where less than 90% are known."""
    return means_around(steps, centres[..., None] + bins.distance, bins.width)


class Controls(NamedTuple):
    """What random places of a contig give on average, by stratum of their number of segregating sites.

    Attributes
    ----------
    edges : (strata - 1,) float64
        Between the strata, in segregating sites in the window.
    n : int
        Controls in all.
    mean : float
        Their mean rate, whatever the stratum; NaN of none.
    rate : (strata + 1,) float64
        Mean rate in the window round them; NaN of none, as is the last, of places without a rate.
    profile : (strata + 1, bins) float64
        Mean rate in the bins.
    overlap : bool
        Whether their windows may overlap those of the sites, which leave too little room.
    """

    edges: NDArray[np.float64]
    n: int
    mean: float
    rate: NDArray[np.float64]
    profile: NDArray[np.float64]
    overlap: bool


def rates_and_strata(
    landscape: Landscape, edges: NDArray[np.float64], centres: NDArray[np.int64], window: int
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Give the rate in the window round places of any shape, and their stratum; NaN and -1 where it is unknown."""
    rate = means_around(landscape.rate, centres, window)
    stratum = np.zeros(centres.shape, np.intp)
    if landscape.density is not None:
        stratum = np.searchsorted(edges, _n_sites(landscape.density, centres, window), side="right")
    return rate, np.where(np.isnan(rate), -1, stratum)


def _n_sites(density: StepFunction, centres: NDArray[np.int64], window: int) -> NDArray[np.float64]:
    # windows with as many sites must not differ by rounding
    return np.round(means_around(density, centres, window) * window, 6)


def draw_controls(
    landscape: Landscape,
    sites: NDArray[np.int64],
    window: int,
    bins: Bins,
    n: int,
    rng: np.random.Generator,
) -> Controls:
    """Draw places of a contig with a known rate whose windows do not overlap those of the sites.

    Where that leaves less than LEAST_CLEAR of the places, as sites are dense, they may overlap.

    Parameters
    ----------
    landscape : Landscape
    sites : (sites,) int64
        Centres, ascending, at least one.
    window : int
        In bp.
    bins : Bins
    n : int
        Places to draw, of which those without a rate fall away.
    rng : Generator
    """
    places = rng.integers(landscape.rate.edges[0], landscape.rate.edges[-1], n)
    places = places[~np.isnan(means_around(landscape.rate, places, window))]
    right = np.searchsorted(sites, places)
    beside = sites[np.clip([right - 1, right], 0, len(sites) - 1)]
    clear = np.abs(beside - places).min(axis=0) >= window
    overlap = bool(clear.sum() < LEAST_CLEAR * len(places))
    if not overlap:
        places = places[clear]
    edges = np.zeros(0)
    if landscape.density is not None and len(places):
        n_sites = _n_sites(landscape.density, places, window)
        edges = np.unique(np.quantile(n_sites, np.arange(1, STRATA) / STRATA))
    rate, stratum = rates_and_strata(landscape, edges, places, window)
    count = np.bincount(stratum, minlength=len(edges) + 2)
    total = np.bincount(stratum, weights=rate, minlength=len(count))
    sums, known = np.zeros((2, len(count), len(bins.distance)))
    for part in np.array_split(np.arange(len(places)), 1 + len(places) * len(bins.distance) // MEANS_AT_ONCE):
        found = profiles(landscape.rate, places[part], bins)
        np.add.at(sums, stratum[part], np.nan_to_num(found))
        np.add.at(known, stratum[part], ~np.isnan(found))
    mean = float(rate.mean()) if len(places) else np.nan
    return Controls(edges, len(places), mean, quotients(total, count), quotients(sums, known), overlap)


def quotients(numerator: NDArray, denominator: NDArray) -> NDArray[np.float64]:
    """Divide, element by element; NaN where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator > 0)
