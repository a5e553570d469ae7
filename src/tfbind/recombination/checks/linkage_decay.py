"""Linkage disequilibrium that decays with distance as crossovers alone do not make it decay.

Gene conversion breaks linkage between sites that are closer than a tract is long, and hardly adds to it further on. So
linkage falls fast at short distances and slowly at long ones. Genotype errors look the same. A network that was trained
on crossovers takes the fast decay for a high rate: where sites are so dense that many pairs are within a tract, its
rates are up to several times too high.
"""

from __future__ import annotations

import logging

import numpy as np

from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.features import COMMON
from tfbind.genotypes.gaps import accessible_stretches
from tfbind.genotypes.groups import split_samples
from tfbind.genotypes.linkage import STATISTICS, sum_over_pairs
from tfbind.genotypes.mask import Accessible
from tfbind.recombination.checks.noted_blocks import NotedBlocks
from tfbind.recombination.checks.site_matrix import expected_differences

logger = logging.getLogger(__name__)

NOTE = "ld_unexplained"
# upper ends of bands of distance, in expected pairwise differences
BANDS = np.array([0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128])
LEAST_FREQUENCY = 0.1
# of each band
FEWEST_PAIRS = 20
MOST_PARTNERS = 24
FEWEST_CHROMOSOMES = 12
MOST_CHROMOSOMES = 400
# What to multiply the logarithm of sigma_d^2 in each band by, and that of the number of chromosomes. A logistic
# regression told 145 simulated contigs with gene conversion and rates more than 1.35 times too high from 485 drawn from
# the prior without it, with diversities from 2e-4 to 6e-3. The constant was then set so that conversion as frequent as
# crossovers, in tracts of 1.6 expected differences, is found. tests/benchmarks/map_limits.py judges all this on others
WEIGHTS = np.array([7.2, -0.4, -1.2, -8.0, -3.2, 3.7, 1.1, 1.5, -0.5, -0.3])
WEIGHT_OF_LOG_N = -0.5
CONSTANT = 0.2
# of sigma_d^2, below which it is all chance
LEAST_SIGMA = 0.005


def decay_score(genotypes: Genotypes, mask: Accessible | None) -> float:
    """Score the decay of linkage disequilibrium, sigma_d^2 (Ohta & Kimura 1971, Genetics 68:571), with distance.

    Parameters
    ----------
    genotypes : Genotypes
    mask : Accessible or None
        The contig's accessible intervals.

    Returns
    -------
    float
        Above 0 if crossovers do not explain it; NaN if genotypes are unphased, or chromosomes or pairs of sites too
        few to tell.
    """
    if genotypes.ploidy != 1 or genotypes.n_chromosomes < FEWEST_CHROMOSOMES:
        return np.nan
    # the sites of a group that vary in it are others, and so are their differences
    genotypes = next(split_samples(genotypes, MOST_CHROMOSOMES))
    n_bases = accessible_stretches(genotypes, mask).n_bases
    ones, called = genotypes.allele_counts()
    is_common = np.minimum(ones, called - ones) >= np.maximum(COMMON, LEAST_FREQUENCY * called)
    units_per_bp = expected_differences(genotypes) / max(n_bases, 1)
    if not units_per_bp or is_common.sum() < 2:
        return np.nan
    sums = sum_over_pairs(
        genotypes.calls[is_common],
        genotypes.ploidy,
        genotypes.positions[is_common],
        np.zeros(int(is_common.sum()), np.int64),
        1,
        BANDS / units_per_bp,
        MOST_PARTNERS,
    ).in_all
    pairs, d_squared, heterozygosity = (
        sums[:, STATISTICS.index(name)] for name in ("pairs", "d_squared", "heterozygosity")
    )
    if pairs.min() < FEWEST_PAIRS:
        return np.nan
    sigma = np.clip(d_squared / heterozygosity, LEAST_SIGMA, 1)
    return float(WEIGHTS @ np.log(sigma) + WEIGHT_OF_LOG_N * np.log(genotypes.n_chromosomes) + CONSTANT)


def find_unexplained_decay(score: float, edges: np.ndarray) -> NotedBlocks:
    """Note all blocks of a contig if its score, from `decay_score`, is above 0."""
    return NotedBlocks(NOTE, edges, np.full(len(edges) - 1, score > 0))


def warn_of_unexplained_decay(found: NotedBlocks, where: str) -> None:
    """Say that rates may be too high, if any are noted."""
    if found.is_noted.any():
        logger.warning(
            "%s: linkage disequilibrium falls faster at short distances and slower at long ones than with crossovers"
            " alone, as with gene conversion or genotype errors: rates may be several times too high, and are noted %s."
            " See gene_conversion of tfbind recombination simulate --prior",
            where,
            NOTE,
        )
