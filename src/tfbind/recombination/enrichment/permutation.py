"""What sites would give by chance: blocks of them are moved along their contig by random distances, again and again.

What passes the contig's end comes in at its start. The distance is a whole number of the map's windows. The clusters of
the sites and the landscape remain as they are, and only their places with respect to each other are random. A contig's
sites are not moved as one: hotspots at regular distances would soon meet each other again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfbind.recombination.enrichment.controls import (
    MEANS_AT_ONCE,
    Bins,
    Controls,
    Landscape,
    profiles,
    quotients,
    rates_and_strata,
)

MOVES_WITH_PROFILE = 200


class SitesOfContig(NamedTuple):
    """A contig, its controls, and the centres of its sites, (sites,) int64, with the numbers of their blocks."""

    landscape: Landscape
    controls: Controls
    centres: NDArray[np.int64]
    blocks: NDArray[np.intp]


def moved_ratios(
    contigs: Sequence[SitesOfContig], window: int, bins: Bins, moves: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Move sites and compare them with controls as the sites themselves are.

    Parameters
    ----------
    contigs : sequence of SitesOfContig
    window : int
        bp round the centres.
    bins : Bins
    moves : int
    rng : Generator

    Returns
    -------
    ratios : (moves,) float64
        Mean rate round the moved sites over that of their controls; NaN where none has a rate.
    profiles : (min(moves, MOVES_WITH_PROFILE), bins) float64
        The same, bin by bin.
    """
    rate, expected = np.zeros((2, moves))
    with_profile = min(moves, MOVES_WITH_PROFILE)
    profile, expected_profile = np.zeros((2, with_profile, len(bins.distance)))
    for landscape, controls, centres, blocks in contigs:
        first, step = landscape.rate.edges[0], bins.width
        # by whole windows of the map: sites at their middles, which average fewer of them, stay there
        n_steps = -(-(landscape.rate.edges[-1] - first) // step)
        numbers, block = np.unique(blocks, return_inverse=True)
        length, offsets = n_steps * step, rng.integers(0, n_steps, (moves, len(numbers))) * step

        def moved(at: NDArray[np.intp]) -> NDArray[np.int64]:
            return first + (centres - first + offsets[at][:, block]) % length  # noqa: B023

        for at in _parts(moves, len(centres)):
            of_moved, stratum = rates_and_strata(landscape, controls.edges, moved(at), window)
            above, below = _sums(of_moved, controls.rate[stratum])
            rate[at] += above
            expected[at] += below
        for at in _parts(with_profile, len(centres) * len(bins.distance)):
            _, stratum = rates_and_strata(landscape, controls.edges, moved(at), window)
            above, below = _sums(profiles(landscape.rate, moved(at), bins), controls.profile[stratum])
            profile[at] += above
            expected_profile[at] += below
    return quotients(rate, expected), quotients(profile, expected_profile)


def _parts(n: int, means_of_each: int) -> Iterator[NDArray[np.intp]]:
    yield from np.array_split(np.arange(n), min(n, 1 + n * means_of_each // MEANS_AT_ONCE))


def _sums(
    rate: NDArray[np.float64], expected: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum both over sites, the second axis, where both are known."""
    known = ~np.isnan(rate + expected)
    return np.where(known, rate, 0).sum(axis=1), np.where(known, expected, 0).sum(axis=1)


def two_sided_p(ratio: float, moved: NDArray[np.float64]) -> float:
    """Twice the smaller of the shares of moved ratios at least as high and as low, each (1 + b) / (1 + n); at most 1.

    With the 1s a test by random permutations is valid (Phipson and Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39).
    """
    moved = moved[~np.isnan(moved)]
    # equal sums may differ by rounding
    high = 1 + (moved >= ratio * (1 - 1e-9)).sum()
    low = 1 + (moved <= ratio * (1 + 1e-9)).sum()
    return float(min(1.0, 2 * min(high, low) / (1 + len(moved))))
