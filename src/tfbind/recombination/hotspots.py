"""Recombination hotspots: where the rate exceeds that of the surroundings many times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import NamedTuple

import msprime
import numpy as np

from tfbind.files import whole_output
from tfbind.recombination.posterior import Calibration, TokenRates, window_rates

# human hotspots are about 2 kb wide; narrower windows than this do not tell them from chance
WIDTH = 5_000
SURROUNDINGS = 200_000
# As a rule of the field (Singhal 2015, Science 350:928). The shipped network found on 6 simulated regions of 2 Mb, a
# hotspot of 2 kb every 50 kb, 64% of them with 200 haplotypes and 36% with 20; 96% and 91% of what it called were
# 3 times their surroundings or more
FACTOR = 5.0
# standard deviations of a normal distribution within which 95% of it lie, on either side
_HALF_INTERVAL = 1.96


class Hotspot(NamedTuple):
    """A stretch of a contig, 0-based and half-open.

    rate : r/mu, or per bp per generation
    factor : rate over the mean of the surroundings
    probability : that the factor is above the one that was asked for
    """

    contig: str
    start: int
    end: int
    rate: float
    factor: float
    probability: float


def hotspot_width(tokens: TokenRates) -> int:
    """Width of the windows that are compared, bp: WIDTH, or where tokens are wider as many whole kb as these have."""
    return max(WIDTH, 1_000 * -(-int(np.median(tokens.end - tokens.start)) // 1_000))


def find_hotspots(
    contig: str,
    tokens: TokenRates,
    calibration: Calibration,
    starts: np.ndarray,
    ends: np.ndarray,
    known: np.ndarray,
    factor: float = FACTOR,
) -> list[Hotspot]:
    """Find windows whose rate is ``factor`` times the mean of the surrounding 200 kb; neighbours are joined.

    The probability takes the posterior of the joined stretch's rate for log-normal, with its calibrated interval, and
    the surroundings' mean for known: that is 40 times as long.

    Parameters
    ----------
    contig : str
    tokens : TokenRates
    calibration : Calibration
    starts, ends : (windows,) int64
        Ascending, each one's end the next one's start.
    known : (windows,) bool
        Whether a window's rate means anything; the others are no hotspots, and no surroundings.
    factor : float

    Returns
    -------
    list of Hotspot, ascending
    """
    rate = np.where(known, window_rates(tokens, starts, ends, calibration)[0], np.nan)
    first, last = _peaks(rate, starts, ends, factor)
    if not len(first):
        return []
    around = _surroundings(rate, starts, ends, first, last)
    joined, lower, upper = window_rates(tokens, starts[first], ends[last], calibration)
    low, high = np.log(np.maximum(lower, 1e-9)), np.log(np.maximum(upper, 2e-9))
    sd = np.maximum((high - low) / (2 * _HALF_INTERVAL), 1e-9)
    above = ((low + high) / 2 - np.log(factor * around)) / sd
    probability = np.array([NormalDist().cdf(z) for z in above])
    columns = (starts[first], ends[last], joined, joined / around, probability)
    return [Hotspot(contig, *values) for values in zip(*(column.tolist() for column in columns), strict=True)]


def _peaks(
    rate: np.ndarray, starts: np.ndarray, ends: np.ndarray, factor: float
) -> tuple[np.ndarray, np.ndarray]:
    """First and last window of every run of windows above ``factor`` times their surroundings."""
    at = np.arange(len(rate))
    with np.errstate(invalid="ignore"):
        above = rate > factor * _surroundings(rate, starts, ends, at, at)
    step = np.diff(above.astype(np.int8), prepend=0, append=0)
    return np.flatnonzero(step == 1), np.flatnonzero(step == -1) - 1


def _surroundings(
    rate: np.ndarray, starts: np.ndarray, ends: np.ndarray, first: np.ndarray, last: np.ndarray
) -> np.ndarray:
    """Mean rate of the SURROUNDINGS of runs of windows, as far as they are known, without the runs themselves."""
    width = np.where(np.isnan(rate), 0, ends - starts)
    mass = np.concatenate([[0.0], np.cumsum(np.nan_to_num(rate) * width)])
    length = np.concatenate([[0.0], np.cumsum(width)])
    middle = (starts[first] + ends[last]) // 2
    left = np.minimum(np.searchsorted(starts, middle - SURROUNDINGS // 2), first)
    right = np.maximum(np.searchsorted(ends, middle + SURROUNDINGS // 2, side="right"), last + 1)

    def around(sums: np.ndarray) -> np.ndarray:
        return sums[right] - sums[left] - (sums[last + 1] - sums[first])

    return np.divide(around(mass), around(length), out=np.full(len(first), np.nan), where=around(length) > 0)


def write_hotspots(path: Path, hotspots: Sequence[Hotspot]) -> None:
    """Write BED: contig, start, end, name, score (1000 times the probability), strand, factor, probability, rate."""
    with whole_output(path) as temporary, open(temporary, "w", newline="\n") as handle:
        for number, spot in enumerate(hotspots, 1):
            handle.write(
                f"{spot.contig}\t{spot.start}\t{spot.end}\thotspot{number}\t{round(1000 * spot.probability)}\t."
                f"\t{spot.factor:.3g}\t{spot.probability:.3g}\t{spot.rate:.6g}\n"
            )


def score_hotspots(
    hotspots: Sequence[Hotspot],
    true_maps: Mapping[str, msprime.RateMap],
    factor: float = FACTOR,
    width: int = WIDTH,
) -> dict[str, float]:
    """Compare hotspots with those of true maps, found in the same way in the true mean rates of windows.

    Parameters
    ----------
    hotspots : sequence of Hotspot
    true_maps : mapping of contig to msprime.RateMap
        All the contigs that were looked at.
    factor : float
    width : int
        Of the windows, bp.

    Returns
    -------
    dict
        ``n_true``, ``n_called``; ``recall``: share of the true ones that overlap a called one; ``precision``: share of
        the called ones that overlap a true one. A share of none is NaN.
    """
    n_true = n_found = n_right = 0
    for contig, true_map in true_maps.items():
        start, end = _true_hotspots(true_map, factor, width)
        called = sorted((spot.start, spot.end) for spot in hotspots if spot.contig == contig)
        called_start, called_end = np.array(called, np.int64).reshape(-1, 2).T
        n_true += len(start)
        n_found += int(_overlap(start, end, called_start, called_end).sum())
        n_right += int(_overlap(called_start, called_end, start, end).sum())
    n_called = len(hotspots)
    return {
        "n_true": n_true,
        "n_called": n_called,
        "recall": n_found / n_true if n_true else float("nan"),
        "precision": n_right / n_called if n_called else float("nan"),
    }


def _true_hotspots(true_map: msprime.RateMap, factor: float, width: int) -> tuple[np.ndarray, np.ndarray]:
    edges = np.append(np.arange(0, true_map.sequence_length, width), true_map.sequence_length)
    rate = np.diff(true_map.get_cumulative_mass(edges)) / np.diff(edges)
    rate[np.diff(np.interp(edges, true_map.position, np.append(0, np.cumsum(true_map.missing)))) > 0] = np.nan
    first, last = _peaks(rate, edges[:-1], edges[1:], factor)
    return edges[first], edges[last + 1]


def _overlap(
    start: np.ndarray, end: np.ndarray, other_start: np.ndarray, other_end: np.ndarray
) -> np.ndarray:
    """Tell which of some sorted, disjoint intervals overlap one of others."""
    return np.searchsorted(other_start, end) > np.searchsorted(other_end, start, side="right")
