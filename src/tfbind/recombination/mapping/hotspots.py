"""Recombination hotspots: where the rate exceeds that of the surroundings many times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from tfbind.dna.bed import bed_lines
from tfbind.files import write_text
from tfbind.genotypes.mask import Accessible
from tfbind.recombination.mapping.posterior import Calibration, TokenPosterior, window_rates
from tfbind.recombination.maps.table import COVERED
from tfbind.steps import StepFunction

# human hotspots are about 2 kb wide; narrower windows than this do not tell them from chance
WIDTH = 5_000
SURROUNDINGS = 200_000
# as a rule of the field (Singhal 2015, Science 350:928); how many of them are found stands in rates.README.md
FACTOR = 5.0
# standard deviations of a normal distribution within which 95% of it lie, on either side
_HALF_INTERVAL = 1.96

Interval = tuple[str, int, int]  # contig, start, end


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


def hotspot_width(tokens: TokenPosterior) -> int:
    """Width of the windows that are compared, bp: WIDTH, or where tokens are wider as many whole kb as these have."""
    return max(WIDTH, 1_000 * -(-int(tokens.token_width()) // 1_000))


def find_hotspots(
    contig: str,
    tokens: TokenPosterior,
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
    tokens : TokenPosterior
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
    known = StepFunction.from_intervals(starts, ends, rate)
    middle = (starts[first] + ends[last]) // 2
    left = np.minimum(np.searchsorted(starts, middle - SURROUNDINGS // 2), first)
    right = np.maximum(np.searchsorted(ends, middle + SURROUNDINGS // 2, side="right"), last + 1) - 1
    around, run = (starts[left], ends[right]), (starts[first], ends[last])
    mass = known.integral(*around) - known.integral(*run)
    length = known.known_bases(*around) - known.known_bases(*run)
    return np.divide(mass, length, out=np.full(len(first), np.nan), where=length > 0)


def write_hotspots(path: Path, hotspots: Sequence[Hotspot]) -> None:
    """Write BED: contig, start, end, name, score (1000 times the probability), strand, factor, probability, rate.

    As BGZF where the name ends in .gz or .bgz.
    """
    lines = [
        f"{spot.contig}\t{spot.start}\t{spot.end}\thotspot{number}\t{round(1000 * spot.probability)}\t."
        f"\t{spot.factor:.3g}\t{spot.probability:.3g}\t{spot.rate:.6g}\n"
        for number, spot in enumerate(hotspots, 1)
    ]
    write_text(path, "".join(lines))


def read_intervals(path: Path) -> list[Interval]:
    """Read contig, start and end of the intervals of a BED file, which may be none.

    Raises
    ------
    TfbindError
        If a line is no interval.
    """
    return [(columns[0], start, end) for _, columns, start, end in bed_lines(path)]


def score_hotspots(
    calls: Sequence[Hotspot | Interval],
    truth: Mapping[str, StepFunction],
    known: Mapping[str, StepFunction] | None = None,
    factor: float = FACTOR,
    width: int = WIDTH,
) -> dict[str, int | float | None]:
    """Compare hotspots with those of a truth, found in the same way in the true mean rates of windows.

    Parameters
    ----------
    calls : sequence of (contig, start, end, ...)
        0-based, half-open; their contigs have the truth's names.
    truth : mapping of contig to StepFunction
    known : mapping of contig to StepFunction, optional
        The map that hotspots were called in: where it knows nothing none is looked for (default: all is known).
    factor : float
        A true hotspot has ``factor`` times the mean rate of the surrounding 200 kb, as in `find_hotspots`.
    width : int
        Of the windows, bp.

    Returns
    -------
    dict
        ``factor``, as given; ``n_true``; ``n_called`` and ``n_left_out``: calls where truth and map know the rate, and
        others; ``recall``: share of the true ones that overlap a called one; ``precision``: share of the called ones
        that overlap a true one. A share of none is None.
    """
    n_true = n_called = n_found = n_right = 0
    for contig, rates in truth.items():
        start, end = rates.edges[[0, -1]]
        edges = np.arange(start // width, -(-end // width) + 1) * width
        edges[0], edges[-1] = start, end
        starts, ends = edges[:-1], edges[1:]
        rate = rates.means(starts, ends, covered=COVERED)
        if known is not None:
            unknown = contig not in known or np.isnan(known[contig].means(starts, ends, covered=COVERED))
            rate = np.where(unknown, np.nan, rate)
        first, last = _peaks(rate, starts, ends, factor)
        true_start, true_end = starts[first], ends[last]
        start, end = np.array([call[1:3] for call in calls if call[0] == contig], np.int64).reshape(-1, 2).T
        judged = _overlap(start, end, starts[~np.isnan(rate)], ends[~np.isnan(rate)])
        start, end = start[judged], end[judged]
        merged = Accessible.merged(start, end)
        n_true += len(true_start)
        n_called += len(start)
        n_found += int(_overlap(true_start, true_end, merged.starts, merged.ends).sum())
        n_right += int(_overlap(start, end, true_start, true_end).sum())
    return {
        "factor": factor,
        "n_true": n_true,
        "n_called": n_called,
        "n_left_out": len(calls) - n_called,
        "recall": n_found / n_true if n_true else None,
        "precision": n_right / n_called if n_called else None,
    }


def _overlap(
    start: np.ndarray, end: np.ndarray, other_start: np.ndarray, other_end: np.ndarray
) -> np.ndarray:
    """Tell which of some intervals overlap one of others, which are sorted and disjoint."""
    return np.searchsorted(other_start, end) > np.searchsorted(other_end, start, side="right")
