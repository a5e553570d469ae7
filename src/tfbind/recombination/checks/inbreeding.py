"""Inbreeding: a population that selfs recombines where it shows less often than its meioses do."""

from __future__ import annotations

import logging
from typing import NamedTuple

import numpy as np

from tfbind.genotypes.contig import Genotypes

logger = logging.getLogger(__name__)

DEFICIT, CORRECTED, UNMEASURED = "heterozygote_deficit", "inbreeding_corrected", "inbreeding_unmeasured"
# a deficit of heterozygotes that drift, structure and errors do not make in a random sample
LEAST_DEFICIT = 0.1
# above it what few heterozygous genotypes there are may be errors, and 1 / (1 - F) may be anything
MOST_MEASURABLE = 0.98


class Outcrossing(NamedTuple):
    """What rates are to be multiplied by, and the note of their rows."""

    factor: float
    note: str


def find_outcrossing(genotypes: Genotypes, inbreeding: float | str | None, where: str) -> Outcrossing:
    """Find by what rates must be multiplied for the recombination of meioses, and say what was assumed.

    Crossing over between chromosomes that are identical by descent leaves no trace. So linkage disequilibrium shows the
    rate r (1 - F), with the inbreeding coefficient F (Nordborg 2000, Genetics 154:923).

    Parameters
    ----------
    genotypes : Genotypes
    inbreeding : float, "auto" or None
        F from 0 to below 1, or "auto" to measure it; None to leave the rates as they are.
    where : str
        What a warning begins with.

    Returns
    -------
    Outcrossing
        The factor 1 / (1 - F), or 1.
    """
    found = genotypes.inbreeding
    if inbreeding is None:
        if found > LEAST_DEFICIT:
            logger.warning(
                "%s: heterozygous genotypes are fewer than expected (F = %.2f), as from selfing, inbreeding, or groups"
                " that were sampled together. If the population selfs, the rates are too low: --inbreeding auto divides"
                " them by 1 - F",
                where,
                found,
            )
            return Outcrossing(1.0, DEFICIT)
        return Outcrossing(1.0, "")
    if inbreeding != "auto":
        logger.warning(
            "%s: rates divided by 1 - F for the inbreeding coefficient F = %g given", where, inbreeding
        )
        return Outcrossing(1 / (1 - float(inbreeding)), CORRECTED)
    # not above, since it may be NaN
    if not found <= MOST_MEASURABLE:
        logger.warning(
            "%s: %s: rates are not divided by 1 - F; name F, such as --inbreeding 0.9",
            where,
            "F cannot be measured without diploid genotypes"
            if np.isnan(found)
            else f"F is {found:.3f}, too close to 1 to be measured",
        )
        return Outcrossing(1.0, UNMEASURED)
    measured = max(found, 0.0)
    logger.warning("%s: rates divided by 1 - F; F = %.3f, from the deficit of heterozygotes", where, measured)
    return Outcrossing(1 / (1 - measured), CORRECTED)
