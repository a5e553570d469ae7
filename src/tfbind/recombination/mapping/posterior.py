"""From what the network says of tokens to rates of windows, each with an interval of its own scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tfbind.recombination.options import FLOOR, LOG_RATES, LOG_SPREADS, MOST_VARIANCE, SCALES
from tfbind.steps import StepFunction

# of a map, averaged at once
PIECES_AT_ONCE = 1 << 20


@dataclass(frozen=True, eq=False)
class TokenPosterior:
    """What is known of the rate at each token along a contig, or at each piece of some.

    rate : StepFunction
        Posterior mean of r/mu.
    log_sd : StepFunction of the same edges, a column for each of `tfbind.recombination.options.SCALES`
        Standard deviation of the log rate of the window around the token, at that scale.
    pieces : int
        How many steps make one token; see `average`.
    """

    rate: StepFunction
    log_sd: StepFunction
    pieces: int = 1

    @classmethod
    def from_edges(
        cls, edges: np.ndarray, rate: np.ndarray, log_sd: np.ndarray, pieces: int = 1
    ) -> TokenPosterior:
        """Take (n + 1,) int64 edges of (n,) float64 rates and (n, scales) float64 spreads."""
        return cls(StepFunction(edges, rate), StepFunction(edges, log_sd), pieces)

    def token_width(self) -> float:
        """Median over the tokens, bp."""
        return float(np.median(self.rate.width)) * self.pieces

    def warped(self, edges: np.ndarray) -> TokenPosterior:
        """Measure tokens in another unit of length; see `StepFunction.warped`."""
        rate, log_sd = self.rate.warped(edges), self.log_sd.warped(edges)
        return TokenPosterior(rate, StepFunction.sharing(rate.edges, log_sd.values), self.pieces)


def average(
    all_edges: Sequence[np.ndarray], grids: Iterator[TokenPosterior], share: float = 1.0
) -> TokenPosterior:
    """Average what is known of the same contig at tokens that begin elsewhere, evenly shifted: pieces between edges.

    Parameters
    ----------
    all_edges : sequence of (n + 1,) int64
        The edges of each of the grids.
    grids : iterator of TokenPosterior
        Each is asked for once, so that memory need not hold them all.
    share : float
        What the rates are multiplied by.
    """
    n_grids = len(all_edges)
    edges = np.unique(np.concatenate(all_edges))
    rate = np.zeros(len(edges) - 1)
    log_sd = np.zeros((len(edges) - 1, len(SCALES)), order="F")
    for grid in grids:
        # a large sample has millions of pieces, of which a column is added at a time
        for at in range(0, len(rate), PIECES_AT_ONCE):
            here = slice(at, at + PIECES_AT_ONCE)
            token = np.searchsorted(grid.rate.edges, edges[:-1][here], side="right") - 1
            rate[here] += grid.rate.values[token]
            for scale in range(len(SCALES)):
                log_sd[here, scale] += grid.log_sd.values[token, scale]
    rate /= n_grids
    rate *= share
    log_sd /= n_grids
    return TokenPosterior(StepFunction.sharing(edges, rate), StepFunction.sharing(edges, log_sd), n_grids)


@dataclass(frozen=True)
class Calibration:
    """How far, in standard deviations, the interval reaches below and above the posterior's median.

    lower, upper : a value for each of SCALES
    """

    lower: tuple[float, ...]
    upper: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class WindowPosterior:
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


def windows_of(tokens: TokenPosterior, starts: np.ndarray, ends: np.ndarray) -> WindowPosterior:
    """Average tokens over windows, each as far as there are tokens.

    The spread of a window is that of its number of tokens, between the scales by the logarithm of it: neither the
    spread of its tokens, which are not independent, nor their mean.

    Parameters
    ----------
    tokens : TokenPosterior
    starts, ends : (windows,) int
        0-based, half-open, bp.
    """
    n_tokens = tokens.rate.steps_within(starts, ends) / tokens.pieces
    sd = _between(n_tokens, tokens.log_sd.means(starts, ends))
    return WindowPosterior(tokens.rate.means(starts, ends), sd, n_tokens)


def _between(n_tokens: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Interpolate a row of ``values`` (windows, scales) at each window's own number of tokens."""
    at = np.interp(np.log(np.maximum(n_tokens, 1e-9)), np.log(SCALES), np.arange(len(SCALES)))
    below = np.minimum(at.astype(int), len(SCALES) - 2)
    weight = at - below
    row = np.arange(len(at))
    return values[row, below] * (1 - weight) + values[row, below + 1] * weight


def window_rates(
    tokens: TokenPosterior, starts: np.ndarray, ends: np.ndarray, calibration: Calibration
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Posterior mean and 95% interval of the rate of windows.

    Parameters
    ----------
    tokens : TokenPosterior
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


class TokenOutputs(NamedTuple):
    """What a network says of a contig's tokens.

    edges : (tokens + 1,) int64
        bp.
    outputs : (tokens, OUTPUTS) float32
    """

    edges: np.ndarray
    outputs: np.ndarray

    def posterior(self) -> TokenPosterior:
        """Give the rates and their spreads, within limits."""
        log_rate, log_sd = np.clip(self.outputs[:, 0], *LOG_RATES), np.clip(self.outputs[:, 1:], *LOG_SPREADS)
        return TokenPosterior.from_edges(
            self.edges, np.exp(log_rate.astype(float)), np.exp(log_sd.astype(float))
        )


def average_outputs(grids: list[TokenOutputs], share: float = 1.0) -> TokenPosterior:
    """Average what a network says of the same contig at tokens that begin elsewhere; see `average`.

    The list is empty afterwards: a large sample's outputs fill gigabytes, and each is freed when it is added.
    """
    all_edges = [grid.edges for grid in grids]
    grids.reverse()
    return average(all_edges, (grids.pop().posterior() for _ in all_edges), share)
