"""Pseudo-haploid calls: at each site the allele of one read, so a sample mixes both chromosomes of an individual.

Of two sites, the alleles of a pseudo-haploid sample are of one chromosome half of the time. That halves the linkage
disequilibrium D at any distance: of haplotypes D is as large as the allele frequencies let it be (|D'| = 1) between
sites so close that nothing has recombined between them; of pseudo-haploid samples it is half as large, however close
they are. D^2, summed over pairs of near sites, over its largest value has a limit of 1 and of 1/4. It is taken at two
distances and extrapolated to none, since recombination and gene conversion lower it at both.

Neighboring sites that one read covers do have the linkage of a haplotype. So the sites are further apart than a read of
ancient DNA is long, unless the diversity is so high that recombination may have broken all linkage there.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.gaps import accessible_stretches
from tfbind.genotypes.groups import split_samples
from tfbind.genotypes.mask import Accessible
from tfbind.genotypes.packed import SITES_AT_ONCE, PackedCalls
from tfbind.recombination.checks.site_matrix import expected_differences

logger = logging.getLogger(__name__)

NOTE = "pseudo_haploid_suspected"
# bp: where the nearer pairs begin, where the further ones begin, and where they end
DISTANCES = (100, 200, 400)
DISTANCES_OF_DIVERSE = (30, 60, 150)
DIVERSE = 3e-3
# rarer alleles are too few to tell
LEAST_FREQUENCY = 0.1
FEWEST_SAMPLES = 10
FEWEST_CALLS = 8
FEWEST_PAIRS = 100
# pairs are sought from this many sites, to this many partners on
MOST_SITES = 10_000
MOST_PARTNERS = 24
MOST_CHROMOSOMES = 400
# between 1/4 and 1; all three were chosen on 109 simulated contigs, and tests/benchmarks/pseudo_haploid.py judges them
# on others
MOST_LINKAGE = 0.45
# Linkage that is weaker, or falls faster from the nearer pairs to the further ones, cannot be extrapolated. Haplotypes
# with an r/mu of 7 and more and conversion three times as frequent as crossovers had 0.2, and 0.74 of that further on
LEAST_LINKAGE = 0.12
LEAST_LEFT = 0.75


class NearLinkage(NamedTuple):
    """Linkage disequilibrium between sites that are close together.

    distances : (int, int, int)
        bp, as DISTANCES.
    pairs : (int, int)
        Of sites: nearer ones and further ones.
    near, far : float
        Sum of D^2, less what chance gives, over the sum of its largest values.
    """

    distances: tuple[int, int, int]
    pairs: tuple[int, int]
    near: float
    far: float

    @property
    def extrapolated(self) -> float:
        """At a distance of zero, where the logarithm is a line."""
        return self.near * self.near / self.far if self.far > 0 else self.near

    @property
    def is_pseudo_haploid(self) -> bool:
        """Whether it is too weak for haplotypes."""
        can_tell = self.near > LEAST_LINKAGE and self.far > LEAST_LEFT * self.near
        return can_tell and self.extrapolated < MOST_LINKAGE


@njit(cache=True, nogil=True, error_model="numpy")
def _add_pairs(
    calls, positions, n_first, distances, step, most_partners, sums
):  # pragma: no cover - compiled
    """Add the pairs of two distances whose first site is before ``n_first`` to ``sums``, as of `_sum_pairs`."""
    n_sites, n_columns = calls.shape
    for i in range(0, n_first, step):
        partners = 0
        for j in range(i + 1, n_sites):
            distance = positions[j] - positions[i]
            if distance >= distances[2] or partners == most_partners:
                break
            if distance < distances[0]:
                continue
            n = a = b = both = 0
            for column in range(n_columns):
                first, second = calls[i, column], calls[j, column]
                if first >= 0 and second >= 0:
                    n += 1
                    a += first
                    b += second
                    both += first & second
            rarer = min(a, n - a, b, n - b)
            if n < FEWEST_CALLS or rarer < 2 or rarer < LEAST_FREQUENCY * n:
                continue
            partners += 1
            p, q = a / n, b / n
            d = both / n - p * q
            largest = min(p * (1 - q), (1 - p) * q) if d > 0 else min(p * q, (1 - p) * (1 - q))
            further = 1 if distance >= distances[1] else 0
            sums[further, 0] += 1
            # of independent sites D^2 is p (1 - p) q (1 - q) / (n - 1) by chance (Hill & Robertson 1968)
            sums[further, 1] += d * d - p * (1 - p) * q * (1 - q) / (n - 1)
            sums[further, 2] += largest * largest


def _sum_pairs(
    calls: PackedCalls | np.ndarray,
    positions: NDArray[np.int64],
    distances: NDArray[np.int64],
    step: int,
    most_partners: int,
) -> NDArray[np.float64]:
    """Sum over the pairs of two distances: (2, 3) float64 of pairs, D^2 less chance, and the largest D^2."""
    sums = np.zeros((2, 3))
    # in portions of the first sites, since the calls of a whole chromosome would fill half a gigabyte
    portion = max(SITES_AT_ONCE // step, 1) * step
    for first in range(0, len(positions), portion):
        n_first = min(portion, len(positions) - first)
        last = np.searchsorted(positions, positions[first + n_first - 1] + distances[2])
        _add_pairs(
            np.asarray(calls[first:last]),
            positions[first:last],
            n_first,
            distances,
            step,
            most_partners,
            sums,
        )
    return sums


def near_linkage(genotypes: Genotypes, mask: Accessible | None = None) -> NearLinkage | None:
    """Measure linkage between near sites, in samples of one chromosome each.

    Parameters
    ----------
    genotypes : Genotypes
    mask : Accessible or None
        The contig's accessible intervals.

    Returns
    -------
    NearLinkage or None
        None if a sample has two chromosomes, or there are too few samples or pairs of sites.
    """
    n = genotypes.calls.shape[1]
    if genotypes.ploidy != 1 or n < FEWEST_SAMPLES or len(np.unique(genotypes.sample_of_column())) < n:
        return None
    # the calls of thousands would fill gigabytes, and tell no more
    genotypes = next(split_samples(genotypes, MOST_CHROMOSOMES))
    n_bases = accessible_stretches(genotypes, mask).n_bases
    is_diverse = n_bases > 0 and expected_differences(genotypes) >= DIVERSE * n_bases
    distances = DISTANCES_OF_DIVERSE if is_diverse else DISTANCES
    ones, called = genotypes.allele_counts()
    common = np.flatnonzero(np.minimum(ones, called - ones) >= LEAST_FREQUENCY * called)
    sums = _sum_pairs(
        genotypes.calls[common],
        genotypes.positions[common],
        np.array(distances, np.int64),
        max(1, -(-len(common) // MOST_SITES)),
        MOST_PARTNERS,
    )
    pairs = int(sums[0, 0]), int(sums[1, 0])
    if min(pairs) < FEWEST_PAIRS:
        return None
    near, far = (sums[:, 1] / sums[:, 2]).tolist()
    return NearLinkage(distances, pairs, near, far)


def warn_of_pseudo_haploids(genotypes: Genotypes, where: str, mask: Accessible | None = None) -> str:
    """Warn where samples look pseudo-haploid; give the note of the contig's rows, empty if they do not."""
    found = near_linkage(genotypes, mask)
    if found is None or not found.is_pseudo_haploid:
        return ""
    logger.warning(
        "%s: linkage between sites %d to %d bp apart is %.2f of the largest possible (%s pairs), and %.2f at twice the"
        " distance; haplotypes have nearly 1 there, and pseudo-haploid calls (one random allele a site, as of ancient"
        " DNA) 0.25. If they are, rates are two to three times too high and mean nothing; use diploid genotypes",
        where,
        found.distances[0],
        found.distances[1],
        found.near,
        f"{found.pairs[0]:,}",
        found.far,
    )
    return NOTE
