"""Local structure: stretches where the samples are of two kinds that hardly recombine with each other.

An inversion has two arrangements, and a population that is admixed has chromosomes of two ancestries. Between the two
kinds linkage disequilibrium is strong whatever the recombination rate is, so that a map of all samples is far too low.
Within one kind recombination shows as it should. So the samples of each block of a contig are split in two by the first
principal component of their genotypes there (as Li & Ralph 2019, Genetics 211:289, look at windows), and the larger
group is read by itself: where its rates are far above those of all samples, the map is wrong. Where recombination is
rare, the rates of one group are low, too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from tfbind.genotypes.contig import MISSING, Genotypes
from tfbind.genotypes.features import COMMON
from tfbind.genotypes.groups import choose_columns, split_samples
from tfbind.recombination.checks.noted_blocks import NotedBlocks
from tfbind.recombination.checks.site_matrix import first_axis, most_sites, thin

logger = logging.getLogger(__name__)

NOTE = "local_structure"
# read on either side of a block, in blocks
MARGIN = 0.3
FEWEST_CHROMOSOMES = 12
FEWEST_IN_GROUP = 6
FEWEST_SITES = 20
# a larger sample tells no more
MOST_CHROMOSOMES = 400
# Of the logarithm of a group's rate over that of all. A block by itself: this much, and this many standard deviations
# of both posteriors. All other blocks of a contig together: this much on average, and this many standard errors. Chosen
# on 35 contigs admixed 100 to 300 generations ago, 21 with an inversion, 40 without either and 300 regions of the
# prior; tests/benchmarks/map_limits.py judges them on others
LEAST_RATIO, LEAST_Z = 0.8, 2.5
LEAST_MEAN, LEAST_ERRORS = 0.3, 2.6
FEWEST_BLOCKS = 4


class Stretch(NamedTuple):
    """Genotypes, of which the rate between two positions is asked."""

    genotypes: Genotypes
    start: int
    end: int


class BlockRate(NamedTuple):
    """What is known of the mean rate between two positions: median of its logarithm, and standard deviation."""

    start: int
    end: int
    log_rate: float
    sd: float


def read_groups(
    genotypes: Genotypes, edges: np.ndarray, read: Callable[[Iterable[Stretch]], list[BlockRate]]
) -> list[BlockRate]:
    """Read the larger group of samples of each block by itself.

    Parameters
    ----------
    genotypes : Genotypes
    edges : (blocks + 1,) int64
        Of the blocks, bp.
    read : callable
        Gives the rates of stretches, each of which is made when it is asked for.

    Returns
    -------
    list of BlockRate
        Of the blocks that have sites and samples enough.
    """
    if genotypes.n_chromosomes < FEWEST_CHROMOSOMES:
        return []
    some = next(split_samples(genotypes, MOST_CHROMOSOMES))
    groups = (_larger_group(some, start, end) for start, end in pairwise(edges.tolist()))
    return read(group for group in groups if group is not None)


def find_local_structure(
    edges: np.ndarray,
    groups: Sequence[BlockRate],
    of_all: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]],
) -> NotedBlocks:
    """Compare the rates of groups of samples with those of all.

    Parameters
    ----------
    edges : (blocks + 1,) int64
        Of the blocks, bp.
    groups : sequence of BlockRate
        From `read_groups`.
    of_all : callable
        From starts and ends, (groups,) int64, to the rates of all samples there: medians of their logarithms and
        standard deviations. It is asked once, since a map of a large sample has millions of steps.
    """
    n_blocks = len(edges) - 1
    log_ratio, sd = np.full(n_blocks, np.nan), np.full(n_blocks, np.nan)
    if groups:
        starts, ends, log_rate, own_sd = (np.array(column) for column in zip(*groups, strict=True))
        log_rate_of_all, sd_of_all = of_all(starts, ends)
        blocks = np.searchsorted(edges, starts)
        log_ratio[blocks], sd[blocks] = log_rate - log_rate_of_all, np.hypot(own_sd, sd_of_all)
    by_itself = (log_ratio > LEAST_RATIO) & (log_ratio > LEAST_Z * sd)
    # blocks of an inversion must not speak for the rest of the contig
    return NotedBlocks(NOTE, edges, by_itself | _is_everywhere(log_ratio[~by_itself], sd[~by_itself]))


def _is_everywhere(log_ratio: np.ndarray, sd: np.ndarray) -> bool:
    """Tell whether a group's rates are above those of all along the contig, if not in any one block."""
    known = ~np.isnan(log_ratio)
    log_ratio, sd = log_ratio[known], sd[known]
    if len(log_ratio) < FEWEST_BLOCKS:
        return False
    weight = 1 / sd**2
    mean = float((weight * log_ratio).sum() / weight.sum())
    error = max(weight.sum() ** -0.5, log_ratio.std(ddof=1) / len(log_ratio) ** 0.5)
    return mean > LEAST_MEAN and mean > LEAST_ERRORS * error


def _larger_group(genotypes: Genotypes, start: int, end: int) -> Stretch | None:
    """Give the larger of a block's two groups of samples, with the sites in and around the block."""
    block = _between(genotypes, start, end)
    block = thin(block, most_sites(block), COMMON)
    if len(block.positions) < FEWEST_SITES:
        return None
    columns = np.flatnonzero(_split(np.asarray(block.calls), genotypes.ploidy))
    if len(columns) * genotypes.ploidy < FEWEST_IN_GROUP:
        return None
    margin = int(MARGIN * (end - start))
    around = _between(genotypes, max(start - margin, genotypes.start), min(end + margin, genotypes.end))
    group = choose_columns(around, columns)
    ones, called = group.allele_counts()
    common = np.minimum(ones, called - ones) >= COMMON
    return Stretch(group, start, end) if common.sum() >= FEWEST_SITES else None


def _between(genotypes: Genotypes, start: int, end: int) -> Genotypes:
    first, last = np.searchsorted(genotypes.positions, [start, end])
    return replace(
        genotypes,
        positions=genotypes.positions[first:last],
        calls=genotypes.calls[first:last],
        start=start,
        end=end,
    )


def _split(calls: np.ndarray, ploidy: int) -> np.ndarray:
    """Tell which columns are in the larger group: (columns,) bool.

    Haplotypes are split by the sign of the first principal component. Unphased genotypes have three kinds, of which
    the middle one is of both groups: only the outer half of either side counts.
    """
    is_known = calls != MISSING
    mean = np.where(is_known, calls, 0).sum(axis=1) / np.maximum(is_known.sum(axis=1), 1)
    apart = np.where(is_known, calls - mean[:, None], 0).astype(np.float32)
    axis = first_axis(apart.T @ apart)
    sides = [axis > 0, axis < 0]
    if ploidy == 2:
        sides = [axis > axis.max() / 2, axis < axis.min() / 2]
    return max(sides, key=np.count_nonzero)


def warn_of_local_structure(found: NotedBlocks, where: str) -> None:
    """Say how much of a contig shows local structure, if any does."""
    if found.is_noted.any():
        logger.warning(
            "%s: on %.0f%% of the contig (first at %s) the samples are of two kinds, and recombination is far more"
            " frequent within one than between them, as at an inversion or after admixture: rates there are too low,"
            " and noted %s",
            where,
            100 * found.share,
            f"{found.edges[np.argmax(found.is_noted)] + 1:,}",
            NOTE,
        )
