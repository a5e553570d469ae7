"""Rates as high as the highest that a network was trained on: it cannot say how much higher they are."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from tfbind.recombination.checks.noted_blocks import NotedBlocks
from tfbind.steps import StepFunction

logger = logging.getLogger(__name__)

NOTE = "rate_at_limit"
# A posterior mean stays below the edge of its prior. Where the true mean rate was as high as the highest in training,
# the predicted one was 0.76 to 0.9 of it; where it was twice as high, 0.9 to 1.2
LEANS = 0.8
# read on either side of a block, in blocks: training draws the mean rate of a region, and its peaks may be far above
MARGIN = 1.5


def highest_rate(settings: list[dict[str, Any]]) -> float:
    """Give the highest mean rate of a region, r/mu, that simulations were drawn with; infinite if they do not say.

    Parameters
    ----------
    settings : list of dict
        Of the simulations, as in a model's card.
    """
    found = [_highest(each) for each in settings]
    return max(found, default=np.inf)


def _highest(setting: dict[str, Any]) -> float:
    prior = setting.get("prior")
    ratio = prior.get("rate_ratio") if isinstance(prior, dict) else None
    ratios = ratio if isinstance(ratio, list) else [ratio]
    # rates of a map that was given are not drawn from the prior
    if setting.get("rate_map_given") or not all(isinstance(each, (int, float)) for each in ratios):
        return np.inf
    return float(max(ratios, default=np.inf))


def find_rates_at_limit(rate: StepFunction, edges: np.ndarray, highest: float) -> NotedBlocks:
    """Find the blocks around which the mean rate is close to the highest in training.

    Parameters
    ----------
    rate : StepFunction
        r/mu along the contig.
    edges : (blocks + 1,) int64
        Of the blocks, bp.
    highest : float
        From `highest_rate`.
    """
    margin = (MARGIN * np.diff(edges)).astype(np.int64)
    around = rate.means(np.maximum(edges[:-1] - margin, edges[0]), np.minimum(edges[1:] + margin, edges[-1]))
    return NotedBlocks(NOTE, edges, around > LEANS * highest)


def warn_of_rates_at_limit(found: NotedBlocks, highest: float, where: str) -> None:
    """Say that rates may be far higher than the map says, if any are at the limit."""
    if found.is_noted.any():
        logger.warning(
            "%s: on %.0f%% of the contig the mean r/mu is close to %g, the highest that the network was trained on: it"
            " may be many times higher than the map says there, and is noted %s. See rate_ratio of tfbind recombination"
            " simulate --prior",
            where,
            100 * found.share,
            highest,
            NOTE,
        )
