"""Large samples as several smaller ones of a size that a network knows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tfbind.genotypes.contig import Genotypes


def split_samples(genotypes: Genotypes, most: int) -> list[Genotypes]:
    """Deal samples out to groups of ``most`` chromosomes at most, as many in each as can be.

    Neighbors in the file, which are often of one place, go to different groups. The sites of a group are those that
    vary in it; the account stays that of all.

    Parameters
    ----------
    genotypes : Genotypes
    most : int
        Chromosomes.

    Returns
    -------
    list of Genotypes
        One, as it was given, if it is small enough.
    """
    n_groups = -(-genotypes.n_chromosomes // most)
    if n_groups <= 1:
        return [genotypes]
    group_of_column = genotypes.sample_of_column() % n_groups
    return [_columns(genotypes, np.flatnonzero(group_of_column == group)) for group in range(n_groups)]


def _columns(genotypes: Genotypes, columns: np.ndarray) -> Genotypes:
    samples, sample = np.unique(genotypes.sample_of_column()[columns], return_inverse=True)
    part = replace(
        genotypes,
        calls=np.ascontiguousarray(genotypes.calls[:, columns]),
        samples=tuple(genotypes.samples[i] for i in samples) if genotypes.samples else (),
        sample=sample,
    )
    ones, called = part.allele_counts()
    varies = (ones > 0) & (ones < called)
    return replace(part, positions=part.positions[varies], calls=part.calls[varies])
