"""What the rates of a sex chromosome or an organelle mean.

A copy of the X spends two thirds of its generations in females, and outside of the pseudoautosomal region recombines
there alone. Linkage disequilibrium shows the rate of an average copy in an average generation, 2/3 of the female one.
The size of the population, 3/4 of the autosomes', drops out, since rates are measured against mutations: those of the
X, whose mutation rate differs where males mutate more often (Miyata 1987, Cold Spring Harb Symp Quant Biol 52:863).

The rate of an average copy is what a map of linkage disequilibrium is: what phasing and imputation want, and what
compares with autosomes. So nothing is converted, since a factor of 1.5 without a word would be wrong for them. A
pedigree's map of the X is of female meioses, 1.5 times as long.
"""

from __future__ import annotations

import logging

from tfbind.contigs import bare
from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.inheritance import PSEUDOAUTOSOMAL, SEX_LINKED, UNIPARENTAL

logger = logging.getLogger(__name__)


def note_of_inheritance(genotypes: Genotypes, where: str) -> str:
    """Warn of what the rates of a contig mean if it is not inherited as an autosome; give the note of its rows."""
    n_samples = len(genotypes.samples) + len(genotypes.samples_left_out)
    if genotypes.inheritance == SEX_LINKED:
        sex = "males" if bare(genotypes.contig).upper() == "Z" else "females"
        logger.warning(
            "%s: read as a sex chromosome outside of its pseudoautosomal region; %d of %d samples are haploid. Rates"
            " are those of an average copy, which recombines in %s alone, where it is in 2/3 of generations: 1.5"
            " times the rates are those of %s. --mutation-rate must be this chromosome's",
            where,
            genotypes.n_single,
            n_samples,
            sex,
            sex,
        )
    elif genotypes.inheritance == PSEUDOAUTOSOMAL:
        logger.warning(
            "%s: read as pseudoautosomal, with two chromosomes of each sample: rates are the mean of both sexes, which"
            " may differ widely there",
            where,
        )
    elif genotypes.inheritance == UNIPARENTAL:
        logger.warning(
            "%s: by its name a Y or W chromosome, a mitochondrion or a plastid, which does not recombine in the usual"
            " sense: rates are not those of crossing over",
            where,
        )
    return genotypes.inheritance
