"""Whether the calls of a contig fit the ploidies that are stated."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from tfbind.errors import TfbindError
from tfbind.genotypes.layout import MOST_OF_OTHER_PLOIDY, MOST_STRAY, Seen, some
from tfbind.genotypes.ploidy import DIPLOID, HAPLOID, Region

logger = logging.getLogger(__name__)

# fewer heterozygous calls of a haploid, or haploid calls of a diploid, are errors of calling
FEWEST_CALLS = 10
# Of n heterozygous genotypes expected along a stretch, an outbred sample has under a tenth with a probability of 1 / n
# to 2 / n at the recombination rate of humans, and of 10 / n at a fifth of it (100 samples on 20 kb to 1 Mb, 40
# simulations of each length), as two chromosomes may have a recent ancestor all along it. Nothing is said of samples
# that are fewer than this many times the sum of 1 / n
TIMES_BY_CHANCE = 20


def check_stated(seen: Seen, names: Sequence[str], region: Region, where: str) -> None:
    """Refuse calls that contradict what is stated of a sample; warn of a few, which count as missing.

    Parameters
    ----------
    seen : Seen
    names : sequence of str
        Of the samples.
    region : Region
    where : str
        What messages begin with.

    Raises
    ------
    TfbindError
        If a haploid sample has more than a tenth of the heterozygous calls that are expected of a diploid, or more
        than 1% of the calls of a diploid sample are haploid.
    """
    haploid, diploid = region.stated == HAPLOID, region.stated == DIPLOID
    diploid_as = "diploid, as in a pseudoautosomal region" if region.is_par else "diploid"
    calls = seen.ploidies.sum(axis=1)
    stray, singles = np.where(haploid, seen.found, 0), np.where(diploid, seen.ploidies[:, 0], 0)
    for sample in np.flatnonzero((stray >= FEWEST_CALLS) & (stray > MOST_STRAY * seen.expected)).tolist():
        raise TfbindError(
            f"{where}: sample {names[sample]} is stated haploid by {region.source}, found {int(stray[sample]):,}"
            f" heterozygous among {int(calls[sample]):,} calls, expected hardly any; correct the file, or leave the"
            " sample out"
        )
    for sample in np.flatnonzero(
        (singles >= FEWEST_CALLS) & (singles > MOST_OF_OTHER_PLOIDY * calls)
    ).tolist():
        raise TfbindError(
            f"{where}: sample {names[sample]} is {diploid_as} by {region.source}, found {int(singles[sample]):,}"
            f" haploid among {int(calls[sample]):,} calls, expected none; correct the file, or leave the sample out"
        )
    for found, which, what in (
        (stray, "haploid", "heterozygous"),
        (singles, "diploid", "haploid"),
    ):
        if found.any():
            logger.warning(
                "%s: %s calls of %d samples that are stated %s are %s (%s): they count as missing",
                where,
                f"{int(found.sum()):,}",
                int((found > 0).sum()),
                which,
                what,
                some(names, found > 0),
            )
    judged = diploid & (seen.expected >= 2 * FEWEST_CALLS)
    homozygous = judged & (seen.found < MOST_STRAY * seen.expected)
    if homozygous.sum() > TIMES_BY_CHANCE * (1 / seen.expected[judged]).sum():
        logger.warning(
            "%s: %d of %d samples that are stated diploid have hardly a heterozygous call, like haploids written as"
            " diploid (%s): each counts as two equal chromosomes, and rates are too low; see --ploidy",
            where,
            int(homozygous.sum()),
            int(diploid.sum()),
            some(names, homozygous),
        )
