"""Whether a contig's genotypes are such as a recombination map can be made of; what is wrong is said by name."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.features import COMMON
from tfbind.genotypes.linkage import STATISTICS, sum_over_pairs
from tfbind.recombination.relatives import Closeness, fewest_to_leave_out, find_relatives
from tfbind.recombination.site_matrix import expected_differences, thin
from tfbind.recombination.structure import find_groups

logger = logging.getLogger(__name__)

MOST_SITES = 3_000
# rarer alleles are in complete disequilibrium whatever happens
LEAST_FREQUENCY = 0.1
FEWEST_PAIRS = 200
# in expected differences: pairs of sites further apart than FAR; on a contig that is LONG, or chance may do it
FAR = 60
LONG = 300
# of fewer chromosomes, distant sites look linked by chance: nothing is said
FEWEST_CHROMOSOMES = 6
MOST_D_PRIME = 0.98
# unphased, |D'| is no use: double heterozygotes blur it
MOST_FOUR_GAMETES = 0.02
NAMES_SHOWN = 6


def is_clonal(genotypes: Genotypes) -> bool:
    """Tell whether hardly any recombination shows between distant sites: |D'| is 1 still, or no pair has four gametes.

    Clones have that, as have chromosomes that do not recombine (mitochondria, most of the Y). In simulated samples of
    6 to 100 haplotypes on 2 Mb at Ne 10,000 the mean of |D'| was 0.996 at least without recombination, 0.99 with an
    error in each 1,000 alleles of 400, and 0.90 at most at an r/mu of 0.1; at 0.01 it lies in between.
    """
    if genotypes.n_chromosomes < FEWEST_CHROMOSOMES:
        return False
    common = thin(genotypes, MOST_SITES, max(COMMON, int(LEAST_FREQUENCY * genotypes.n_chromosomes)))
    if len(common.positions) < 2:
        return False
    units = expected_differences(genotypes)
    if units < LONG:
        return False
    far = FAR * (genotypes.end - genotypes.start) / units
    reach = np.array([far, np.inf])
    bins = np.zeros(len(common.positions), np.int64)
    sums = sum_over_pairs(common.calls, common.ploidy, common.positions, bins, 1, reach).in_all[-1]
    pairs, four_gametes, d_prime = (
        float(sums[STATISTICS.index(name)]) for name in ("pairs", "four_gametes", "d_prime")
    )
    if pairs < FEWEST_PAIRS:
        return False
    if genotypes.ploidy == 1:
        return d_prime / pairs > MOST_D_PRIME
    return four_gametes / pairs < MOST_FOUR_GAMETES


def warn_of_relatives(found: Closeness, where: str) -> None:
    """Warn of related and identical samples by name, and say whom to leave out."""
    pairs = find_relatives(found)
    for identical, what in (
        (True, "have the same genotypes: one individual twice, or clones"),
        (False, "share far too many alleles that nobody else has: relatives"),
    ):
        such = [pair for pair in pairs if pair.identical == identical]
        if such:
            shown = "; ".join(_names(found.samples, pair[:2], " and ") for pair in such[:NAMES_SHOWN])
            logger.warning(
                "%s: %s of samples %s (%s%s); leave out %s with --samples",
                where,
                f"{len(such):,} pair{'s' if len(such) > 1 else ''}",
                what,
                shown,
                "; ..." if len(such) > NAMES_SHOWN else "",
                _names(found.samples, fewest_to_leave_out(such)),
            )


def warn_of_structure(genotypes: Genotypes, where: str) -> bool:
    """Warn of population structure, naming the smaller group; tell whether there is any."""
    groups = find_groups(genotypes)
    if groups is None:
        return False
    members = np.flatnonzero(groups.smaller).tolist()
    shown = _names(genotypes.samples, members[:NAMES_SHOWN]) + (", ..." if len(members) > NAMES_SHOWN else "")
    logger.warning(
        "%s: the samples fall into groups (FST %.2f, standard error %.2f, between %d of them and the rest: %s), which"
        " raises linkage as little recombination does; map one group at a time with --samples",
        where,
        groups.fst,
        groups.standard_error,
        len(members),
        shown,
    )
    return True


def _names(samples: Sequence[str], numbers: Sequence[int], separator: str = ", ") -> str:
    return separator.join(samples[i] if samples else f"sample {i + 1}" for i in numbers)
