"""Where a map cannot be right: what is looked for in the genotypes, and the blocks of a contig that get a note."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.features import share_of_sites
from tfbind.genotypes.mask import Accessible
from tfbind.recombination.checks.linkage_decay import (
    decay_score,
    find_unexplained_decay,
    warn_of_unexplained_decay,
)
from tfbind.recombination.checks.local_structure import (
    BlockRate,
    find_local_structure,
    read_groups,
    warn_of_local_structure,
)
from tfbind.recombination.checks.noted_blocks import NotedBlocks, block_edges
from tfbind.recombination.checks.rate_limit import (
    find_rates_at_limit,
    highest_rate,
    warn_of_rates_at_limit,
)
from tfbind.recombination.mapping.card import settings_of
from tfbind.recombination.mapping.posterior import TokenPosterior
from tfbind.recombination.mapping.rate_model import RateModel, block_rates
from tfbind.recombination.mapping.relernn import RelernnModel


class Signs(NamedTuple):
    """What the genotypes of a contig show, before its map is known.

    edges : (blocks + 1,) int64
        Of the blocks, bp.
    groups : sequence of BlockRate
        From `tfbind.recombination.checks.local_structure.read_groups`.
    decay : float
        From `tfbind.recombination.checks.linkage_decay.decay_score`.
    share : float
        Of the network's rates, what the map has; see `tfbind.genotypes.features.share_of_sites`.
    """

    edges: np.ndarray
    groups: Sequence[BlockRate]
    decay: float
    share: float


def find_signs(
    genotypes: Genotypes, model: RateModel | RelernnModel, mask: Accessible | None, diversity: float | None
) -> Signs:
    """Look at the genotypes of a contig; arguments as in `tfbind.recombination.mapping.prediction.map_contig`."""
    edges = block_edges(genotypes, mask)
    # Of a chip neither the diversity of one group of samples is known nor the linkage at short distances, and none of
    # this was tried with networks that read sites
    if diversity is not None or not isinstance(model, RateModel):
        return Signs(edges, (), np.nan, 1.0)
    groups = read_groups(genotypes, edges, partial(model.read_stretches, mask=mask))
    return Signs(edges, groups, decay_score(genotypes, mask), share_of_sites(genotypes, mask))


def note_blocks(
    signs: Signs, tokens: TokenPosterior, model: RateModel | RelernnModel, where: str
) -> tuple[NotedBlocks, ...]:
    """Find where the map cannot be right, and warn of it; ``where`` is what warnings begin with."""
    highest = highest_rate(settings_of(model.card.training)) if isinstance(model, RateModel) else np.inf
    # the limit is that of the network, which knows of no mask
    at_limit = find_rates_at_limit(tokens.rate, signs.edges, highest * signs.share)
    warn_of_rates_at_limit(at_limit, highest, where)
    local = find_local_structure(signs.edges, signs.groups, partial(block_rates, tokens))
    warn_of_local_structure(local, where)
    unexplained = find_unexplained_decay(signs.decay, signs.edges)
    warn_of_unexplained_decay(unexplained, where)
    return at_limit, local, unexplained
