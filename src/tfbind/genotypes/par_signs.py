"""Signs of a pseudoautosomal region that nobody stated: samples that are heterozygous on a part of the contig alone."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from tfbind.genotypes.calls import count_heterozygotes, unpack_pairs
from tfbind.genotypes.layout import FEWEST_EXPECTED, MOST_STRAY

logger = logging.getLogger(__name__)

# sites of a bin, and bins
SITES, FEWEST_BINS = 256, 8
# of a sample's bins without heterozygous genotypes; of samples that agree on which these are
LEAST_HOMOZYGOUS, LEAST_AGREEING = 0.3, 0.9
FEWEST_SAMPLES = 2
STRETCHES_SHOWN = 3


def warn_of_par(codes: np.ndarray, n_samples: int, positions: NDArray[np.int64], where: str) -> int:
    """Warn if samples are heterozygous along the same parts of a contig and nowhere else, as males of an X are.

    Runs of homozygosity differ between samples, and do not count.

    Parameters
    ----------
    codes : (sites, bytes) uint8
        What `tfbind.genotypes.calls.settle` gives, packed.
    n_samples : int
    positions : (sites,) int64
    where : str
        What a warning begins with.

    Returns
    -------
    int
        The number of such samples.
    """
    n_bins = len(positions) // SITES
    if n_bins < FEWEST_BINS:
        return 0
    found, expected = np.zeros((2, n_bins, n_samples))
    # the last sites are in no bin
    for number in range(n_bins):
        calls = unpack_pairs(codes[number * SITES : (number + 1) * SITES], n_samples)
        count_heterozygotes(calls, found[number], expected[number])
    enough = expected >= FEWEST_EXPECTED
    homozygous = enough & (found < MOST_STRAY * expected)
    heterozygous = enough & ~homozygous
    alike = (homozygous.sum(axis=0) >= LEAST_HOMOZYGOUS * n_bins) & heterozygous.any(axis=0)
    if alike.sum() < FEWEST_SAMPLES:
        return 0
    agreeing = homozygous[:, alike].mean(axis=1)
    outside, inside = agreeing >= LEAST_AGREEING, agreeing <= 1 - LEAST_AGREEING
    # a bin at an edge is neither
    if outside.sum() < LEAST_HOMOZYGOUS * n_bins or not inside.any():
        return 0
    if (outside | inside).sum() < LEAST_AGREEING * n_bins:
        return 0
    first = np.flatnonzero(inside & ~np.append(False, inside[:-1]))
    last = np.flatnonzero(inside & ~np.append(inside[1:], False))
    shown = ", ".join(
        f"{positions[start * SITES] + 1:,}-{positions[(end + 1) * SITES - 1] + 1:,}"
        for start, end in zip(first[:STRETCHES_SHOWN], last[:STRETCHES_SHOWN], strict=True)
    )
    logger.warning(
        "%s: %d of %d samples are heterozygous near %s and nowhere else, as males in pseudoautosomal regions: give"
        " these with --par, or rates are wrong",
        where,
        int(alike.sum()),
        n_samples,
        shown + (", ..." if len(first) > STRETCHES_SHOWN else ""),
    )
    return int(alike.sum())
