"""Population structure: whether the samples fall into groups that differ in their alleles all along the contig."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.features import COMMON
from tfbind.recombination.checks.relatives import fewest_to_leave_out, ratio_to_usual
from tfbind.recombination.checks.site_matrix import (
    differences,
    expected_differences,
    first_axis,
    frequencies_by_sample,
    most_sites,
    thin,
)

MOST_BLOCKS = 20
FEWEST_BLOCKS = 6
# of a block, after thinning
FEWEST_SITES = 30
# of a block, in expected pairwise differences: further apart, sites know little of each other
FEWEST_UNITS = 100
FEWEST_SAMPLES = 8
# of a haploid sample, half as much of a diploid one: what two have that share much of a contig by chance
CLOSE = 0.36
# of the samples; where more are close they are groups
MOST_CLOSE = 0.25
# of the contig: linkage reaches no further, even at an r/mu of 0.1 on 2 Mb of the human genome
NEAR = 0.25
# 130 panmictic samples of 4 to 400 chromosomes on 2 to 6 Mb at Ne 10,000 stayed below both at r/mu of 0.8, 123 at 0.1
LEAST_FST = 0.03
LEAST_Z = 5.5


@dataclass(frozen=True, eq=False)
class Groups:
    """Two groups of samples: which are in the smaller one, (samples,) bool, and FST between the two."""

    smaller: np.ndarray
    fst: float
    standard_error: float


def find_groups(genotypes: Genotypes) -> Groups | None:
    """Split the samples in two, and tell whether the two groups differ on sites that had no part in the split.

    The contig is cut into blocks. For each one the samples are split by the sign of the first principal coordinate
    (Gower 1966, Biometrika 53:325) of their differences on the blocks far from it, and FST
    between the two groups is measured on the block itself (Hudson 1992, Genetics 132:583, as a ratio of sums: Bhatia
    2013, Genome Res 23:1514). In a panmictic sample it is 0 on average, however strong the linkage within a block is,
    for which the Tracy-Widom distribution of the first eigenvalue (Patterson 2006, PLoS Genet 2:e190) makes no
    allowance. The standard error is that of the jackknife over blocks,
    and larger where neighbours resemble each other.

    Returns
    -------
    Groups or None
        None if FST is below LEAST_FST or below LEAST_Z standard errors, or the contig too short to tell.
    """
    frequencies = frequencies_by_sample(thin(genotypes, most_sites(genotypes), COMMON))
    n_samples = frequencies.shape[1]
    if n_samples < FEWEST_SAMPLES or len(frequencies) < FEWEST_BLOCKS * FEWEST_SITES:
        return None
    together = differences(frequencies)
    n_blocks = min(
        MOST_BLOCKS,
        len(frequencies) // FEWEST_SITES,
        int(expected_differences(genotypes) / FEWEST_UNITS),
    )
    distinct = _without_close_pairs(together, CLOSE * n_samples / genotypes.n_chromosomes)
    if n_blocks < FEWEST_BLOCKS or distinct.sum() < FEWEST_SAMPLES:
        return None
    frequencies = frequencies[:, distinct]
    blocks = np.array_split(frequencies, n_blocks)
    # twice, as thousands of samples would fill memory if all were held
    in_all = _sum(_apart(blocks))
    pairs = _with_neighbors(_apart(blocks), n_blocks)
    sums = np.array([_within_and_between(here, _split(in_all - around)) for here, around in pairs])
    if not sums[:, 1].any():
        return None
    without = sums.sum(axis=0) - sums
    fst = 1 - sums[:, 0].sum() / sums[:, 1].sum()
    jackknifed = 1 - without[:, 0] / without[:, 1]
    error = float(np.sqrt((n_blocks - 1) * jackknifed.var() * _inflation(jackknifed)))
    if not (fst >= LEAST_FST and fst >= LEAST_Z * error):
        return None
    split = _split(in_all)
    smaller = np.zeros(n_samples, bool)
    smaller[distinct] = split if split.mean() <= 0.5 else ~split
    return Groups(smaller, float(fst), error)


def _inflation(values: np.ndarray) -> float:
    """Factor of a mean's variance where each value resembles the one before, by their correlation."""
    apart = values - values.mean()
    correlation = (apart[1:] * apart[:-1]).sum() / max((apart**2).sum(), 1e-12)
    correlation = min(max(correlation, 0.0), 0.9)
    return (1 + correlation) / (1 - correlation)


def _without_close_pairs(apart: np.ndarray, close: float) -> np.ndarray:
    """Tell which samples to keep so that no pair is close; all, if many would go, as within groups far apart."""
    pairs = np.argwhere(np.triu(1 - ratio_to_usual(apart) > close, 1)).tolist()
    keep = np.ones(len(apart), bool)
    keep[fewest_to_leave_out(pairs)] = False
    return keep if keep.mean() >= 1 - MOST_CLOSE else np.ones(len(apart), bool)


def _apart(blocks: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """Count the differences between samples in each block: (samples, samples) float32."""
    return (differences(block) * len(block) for block in blocks)


def _with_neighbors(apart: Iterator[np.ndarray], n_blocks: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give each block's differences, and their sum over the blocks no further from it than a share NEAR of all."""
    near = int(NEAR * n_blocks)
    held: deque[np.ndarray] = deque()
    first = 0
    for last in range(n_blocks + near):
        if last < n_blocks:
            held.append(next(apart))
        while first < last - 2 * near:
            held.popleft()
            first += 1
        if last >= near:
            yield held[last - near - first], _sum(held)


def _sum(apart: Iterable[np.ndarray]) -> np.ndarray:
    """Add matrices in their order, which holds two of them."""
    rest = iter(apart)
    total = next(rest).copy()
    for each in rest:
        total += each
    return total


def _split(apart: np.ndarray) -> np.ndarray:
    """Tell which samples have a first principal coordinate above 0: (samples,) bool."""
    apart = apart * (1 - np.eye(len(apart)))
    centred = -(apart - apart.mean(axis=0) - apart.mean(axis=1)[:, None] + apart.mean())
    return first_axis(centred) > 0


def _within_and_between(apart: np.ndarray, split: np.ndarray) -> tuple[float, float]:
    """Mean differences within and between two groups of samples; a sample is not compared with itself.

    Both are 0 where one group has nobody, as where nothing is known of the samples.
    """
    if split.all() or not split.any():
        return 0.0, 0.0
    within = [
        apart[np.ix_(group, group)].sum() - np.trace(apart[np.ix_(group, group)]) for group in (split, ~split)
    ]
    pairs = [int(group.sum()) * (int(group.sum()) - 1) for group in (split, ~split)]
    known = [total / n for total, n in zip(within, pairs, strict=True) if n]
    return float(np.mean(known)), float(apart[np.ix_(split, ~split)].mean())
