"""From what the network says of tokens to rates of windows, each with an interval of its own scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfbind.recombination.options import FLOOR, LOG_RATES, LOG_SPREADS, MOST_VARIANCE, SCALES


@dataclass(frozen=True, eq=False)
class TokenRates:
    """What is known of the rate at each token along a contig, or at each piece of some; 0-based, half-open.

    start, end : (tokens,) int64
        Each one's end is the next one's start.
    rate : (tokens,) float64
        Posterior mean of r/mu.
    log_sd : (tokens, scales) float64
        Standard deviation of the log rate of the window round the token, at each
        of `tfbind.recombination.options.SCALES`.
    pieces : int
        How many of these stand for one token; see `average`.
    """

    start: np.ndarray
    end: np.ndarray
    rate: np.ndarray
    log_sd: np.ndarray
    pieces: int = 1

    def token_width(self) -> float:
        """Median over the tokens, bp."""
        return float(np.median(self.end - self.start)) * self.pieces


def average(grids: Sequence[TokenRates]) -> TokenRates:
    """Average what is known of the same contig at tokens that begin elsewhere, evenly shifted: pieces between edges."""
    edges = np.unique(np.concatenate([np.append(grid.start, grid.end[-1:]) for grid in grids]))
    start, end = edges[:-1], edges[1:]
    token = [np.searchsorted(grid.start, start, side="right") - 1 for grid in grids]
    rate = np.mean([grid.rate[at] for grid, at in zip(grids, token, strict=True)], axis=0)
    log_sd = np.mean([grid.log_sd[at] for grid, at in zip(grids, token, strict=True)], axis=0)
    return TokenRates(start, end, rate, log_sd, len(grids))


@dataclass(frozen=True)
class Calibration:
    """How far, in standard deviations, the interval reaches below and above the posterior's median.

    lower, upper : a value for each of SCALES
    """

    lower: tuple[float, ...]
    upper: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Windows:
    """The posterior of windows' rates before calibration.

    rate : (windows,) float64, posterior mean of r/mu; NaN where no token overlaps
    sd : (windows,) float64, of the log rate
    n_tokens : (windows,) float64, how many tokens overlap, parts of them counted as parts
    """

    rate: np.ndarray
    sd: np.ndarray
    n_tokens: np.ndarray

    def median_log(self) -> np.ndarray:
        """Logarithm of the posterior's median, FLOOR added to the mean: (windows,) float64."""
        return np.log(self.rate + FLOOR) - np.minimum(self.sd**2, MOST_VARIANCE) / 2


def windows_of(tokens: TokenRates, starts: np.ndarray, ends: np.ndarray) -> Windows:
    """Average tokens over windows, each as far as there are tokens.

    The spread of a window is that of its number of tokens, between the scales by the logarithm of it: neither the
    spread of its tokens, which are not independent, nor their mean.

    Parameters
    ----------
    tokens : TokenRates
    starts, ends : (windows,) int
        0-based, half-open, bp.
    """
    edges = np.append(tokens.start, tokens.end[-1:]).astype(float)

    def within(values: np.ndarray) -> np.ndarray:
        total = np.concatenate([[0.0], np.cumsum(values)])
        return np.interp(ends, edges, total) - np.interp(starts, edges, total)

    width = np.diff(edges)
    overlap = within(width)
    n_tokens = within(np.ones(len(width))) / tokens.pieces
    some = overlap > 0
    per_bp = np.divide(1.0, overlap, out=np.full(len(overlap), np.nan), where=some)
    rate = within(tokens.rate * width) * per_bp
    by_scale = np.stack([within(column * width) * per_bp for column in tokens.log_sd.T], axis=1)
    sd = _between(n_tokens, by_scale)
    return Windows(rate, np.where(some, sd, np.nan), n_tokens)


def _between(n_tokens: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Interpolate a row of ``values`` (windows, scales) at each window's own number of tokens."""
    at = np.interp(np.log(np.maximum(n_tokens, 1e-9)), np.log(SCALES), np.arange(len(SCALES)))
    below = np.minimum(at.astype(int), len(SCALES) - 2)
    weight = at - below
    row = np.arange(len(at))
    return values[row, below] * (1 - weight) + values[row, below + 1] * weight


def window_rates(
    tokens: TokenRates, starts: np.ndarray, ends: np.ndarray, calibration: Calibration
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Posterior mean and 95% interval of the rate of windows.

    Parameters
    ----------
    tokens : TokenRates
    starts, ends : (windows,) int
        0-based, half-open, bp.
    calibration : Calibration

    Returns
    -------
    rate, lower, upper : (windows,) float64
        r/mu; NaN where no token overlaps the window.
    """
    windows = windows_of(tokens, starts, ends)
    at = np.log(np.maximum(windows.n_tokens, 1e-9))
    low, high = (np.interp(at, np.log(SCALES), reach) for reach in (calibration.lower, calibration.upper))
    median = windows.median_log()
    lower = np.maximum(np.exp(median + low * windows.sd) - FLOOR, 0)
    upper = np.exp(median + high * windows.sd) - FLOOR
    # where the spread is wide a mean may lie outside its own interval: then the interval reaches to it
    return windows.rate, np.minimum(lower, windows.rate), np.maximum(upper, windows.rate)


def token_rates(start: np.ndarray, end: np.ndarray, outputs: np.ndarray) -> TokenRates:
    """Read a network's outputs, (tokens, OUTPUTS) float32, of a contig's tokens."""
    log_rate, log_sd = np.clip(outputs[:, 0], *LOG_RATES), np.clip(outputs[:, 1:], *LOG_SPREADS)
    return TokenRates(start, end, np.exp(log_rate.astype(float)), np.exp(log_sd.astype(float)))
