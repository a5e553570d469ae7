"""Landscapes of recombination, drawn from the prior.

A landscape is a `msprime.RateMap`: n+1 positions for n rates, in bp from the region's start, rates per bp per
generation.
"""

from __future__ import annotations

import msprime
import numpy as np

from tfbind.genotypes.prior import Prior, Range, choose


def draw_landscape(
    rng: np.random.Generator, prior: Prior, length: int, mutation_rate: float
) -> tuple[str, msprime.RateMap]:
    """Draw a landscape.

    Parameters
    ----------
    rng : numpy.random.Generator
    prior : Prior
    length : int
        Of the region, bp.
    mutation_rate : float
        Per bp per generation; the prior speaks of r/mu.

    Returns
    -------
    name : str
        Its kind in the prior.
    rate_map : msprime.RateMap
    """
    name = choose(rng, prior.landscapes)
    draw = {
        "hotspots": _hotspots,
        "autoregressive": _autoregressive,
        "heavy_tails": _heavy_tails,
        "piecewise": _piecewise,
        "flat": lambda *_: (np.array([0, length]), np.ones(1)),
    }[name]
    position, relative = draw(rng, prior, length)
    mean = np.average(relative, weights=np.diff(position))
    ratio = relative / mean * prior.rate_ratio.draw(rng)
    rate = np.minimum(ratio, prior.largest_ratio.draw(rng)) * mutation_rate
    return name, msprime.RateMap(position=position, rate=rate)


def draw_mutation(
    rng: np.random.Generator, prior: Prior, length: int, mutation_rate: float
) -> msprime.RateMap:
    """Draw mutation rates along a region of ``length`` bp whose mean is ``mutation_rate``; most often even."""
    is_uneven = rng.random() < prior.uneven_mutation
    position = _grid(length, prior.mutation_step.draw(rng))
    log_rate = _correlated(
        rng, len(position) - 1, prior.correlation.draw(rng), prior.mutation_spread.draw(rng)
    )
    relative = np.exp(log_rate * is_uneven)
    mean = np.average(relative, weights=np.diff(position))
    return msprime.RateMap(position=position, rate=relative / mean * mutation_rate)


def _grid(length: int, step: float) -> np.ndarray:
    return np.append(np.arange(0, length, max(1, round(step))), length)


def _correlated(rng: np.random.Generator, n: int, correlation: float, spread: float) -> np.ndarray:
    """Draw n values of a stationary first-order autoregressive process with mean 0."""
    value = np.empty(n)
    shock = rng.normal(0, spread, n)
    value[0] = shock[0]
    shock *= np.sqrt(1 - correlation**2)
    for i in range(1, n):
        value[i] = correlation * value[i - 1] + shock[i]
    return value


def _autoregressive(
    rng: np.random.Generator, prior: Prior, length: int, spread: Range | None = None
) -> tuple[np.ndarray, np.ndarray]:
    position = _grid(length, prior.step.draw(rng))
    sd = (prior.spread if spread is None else spread).draw(rng)
    return position, np.exp(_correlated(rng, len(position) - 1, prior.correlation.draw(rng), sd))


def _heavy_tails(rng: np.random.Generator, prior: Prior, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Short steps of irregular length, log-normal, over a smooth background: as maps inferred from LD look."""
    step = prior.heavy_step.draw(rng)
    inner = np.cumsum(np.ceil(rng.exponential(step, int(2 * length / step) + 10))).astype(np.int64)
    position = np.concatenate([[0], inner[inner < length], [length]])
    fine = rng.normal(0, prior.heavy_spread.draw(rng), len(position) - 1)
    background_position, background = _autoregressive(rng, prior, length)
    at = np.searchsorted(background_position, position[:-1], side="right") - 1
    return position, np.exp(fine) * background[at]


def _piecewise(rng: np.random.Generator, prior: Prior, length: int) -> tuple[np.ndarray, np.ndarray]:
    pieces = max(1, prior.pieces.draw_int(rng))
    inner = np.unique(rng.integers(1, max(length, 2), pieces - 1))
    position = np.concatenate([[0], inner[inner < length], [length]])
    return position, np.exp(rng.normal(0, prior.spread.draw(rng), len(position) - 1))


def _hotspots(rng: np.random.Generator, prior: Prior, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Hotspots with a given share of the genetic length on an autoregressive background."""
    background_position, background = _autoregressive(rng, prior, length, prior.hotspot_background)
    n = max(1, int(rng.poisson(length / prior.hotspot_spacing.draw(rng))))
    width = np.array([prior.hotspot_width.draw_int(rng) for _ in range(n)])
    start = rng.integers(0, length, n)
    end = np.minimum(start + width, length)
    heat = np.exp(rng.normal(0, prior.hotspot_spread.draw(rng), n))
    position = np.unique(np.concatenate([background_position, start, end]))
    change = np.zeros(len(position))
    np.add.at(change, np.searchsorted(position, start), heat)
    np.add.at(change, np.searchsorted(position, end), -heat)
    spots = np.cumsum(change)[:-1].clip(0)
    calm = background[np.searchsorted(background_position, position[:-1], side="right") - 1]
    span = np.diff(position)
    share = prior.hotspot_share.draw(rng)
    return position, share * spots / (spots @ span) + (1 - share) * calm / (calm @ span)
