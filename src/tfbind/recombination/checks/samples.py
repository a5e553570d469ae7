"""Whether a contig's genotypes are such as a recombination map can be made of; what is wrong is said by name."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.features import COMMON
from tfbind.genotypes.gaps import accessible_stretches
from tfbind.genotypes.linkage import STATISTICS, sum_over_pairs
from tfbind.genotypes.mask import Accessible
from tfbind.recombination.checks.relatives import Closeness, fewest_to_leave_out, find_relatives
from tfbind.recombination.checks.site_matrix import expected_differences, thin
from tfbind.recombination.checks.structure import find_groups

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
# Of all pairs, on a contig of any length, of sites somewhat rarer. Fewer had four gametes in 40 of 40 simulated samples
# of 30 haplotypes on 100 kb and 33 of 35 of 100 on 16.6 kb without recombination; in 16 of 40 at an r/mu of 0.03, in
# none of 40 at 0.1 and of 229 at 0.8
NO_SIGN, NO_SIGN_FREQUENCY, FEWEST_PAIRS_FOR_A_SIGN = 0.01, 0.05, 50
NAMES_SHOWN = 6


def is_clonal(genotypes: Genotypes, mask: Accessible | None = None) -> bool:
    """Tell whether hardly any recombination shows between distant sites: |D'| is 1 still, or no pair has four gametes.

    Clones have that, as have chromosomes that do not recombine (mitochondria, most of the Y). In simulated samples of
    6 to 100 haplotypes on 2 Mb at Ne 10,000 the mean of |D'| was 0.996 at least without recombination, 0.99 with an
    error in each 1,000 alleles of 400, and 0.90 at most at an r/mu of 0.1; at 0.01 it lies in between.
    """
    if genotypes.n_chromosomes < FEWEST_CHROMOSOMES:
        return False
    units = expected_differences(genotypes)
    if units < LONG:
        return False
    far = FAR * accessible_stretches(genotypes, mask).n_bases / units
    pairs, four_gametes, d_prime = _pairs_beyond(genotypes, far, LEAST_FREQUENCY)
    if pairs < FEWEST_PAIRS:
        return False
    if genotypes.ploidy == 1:
        return d_prime / pairs > MOST_D_PRIME
    return four_gametes / pairs < MOST_FOUR_GAMETES


def _pairs_beyond(genotypes: Genotypes, distance: float, frequency: float) -> tuple[float, float, float]:
    """Count the pairs of frequent sites that are further apart, those with four gametes, and sum their |D'|."""
    frequent = thin(genotypes, MOST_SITES, max(COMMON, int(frequency * genotypes.n_chromosomes)))
    if len(frequent.positions) < 2:
        return 0.0, 0.0, 0.0
    bins, reach = np.zeros(len(frequent.positions), np.int64), np.array([distance, np.inf])
    sums = sum_over_pairs(frequent.calls, frequent.ploidy, frequent.positions, bins, 1, reach).in_all[-1]
    pairs, four_gametes, d_prime = (
        float(sums[STATISTICS.index(name)]) for name in ("pairs", "four_gametes", "d_prime")
    )
    return pairs, four_gametes, d_prime


def warn_of_no_recombination(genotypes: Genotypes, where: str) -> bool:
    """Warn where hardly any pair of sites shows four gametes; tell whether that is so.

    `is_clonal` refuses long contigs; on a short one there may be none by chance, but nor do the data tell a rate.
    """
    pairs, four_gametes, _ = _pairs_beyond(genotypes, 0.0, NO_SIGN_FREQUENCY)
    # a few samples without phase show few gametes for certain
    fewest = FEWEST_CHROMOSOMES * genotypes.ploidy**2
    if genotypes.n_chromosomes < fewest or pairs < FEWEST_PAIRS_FOR_A_SIGN:
        return False
    if four_gametes / pairs >= NO_SIGN:
        return False
    logger.warning(
        "%s: no sign of any recombination (%s of %s pairs of sites show all four gametes): rates may be far too high,"
        " as on a mitochondrion or among clones",
        where,
        f"{four_gametes:,.0f}",
        f"{pairs:,.0f}",
    )
    return True


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
