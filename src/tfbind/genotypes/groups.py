"""Large samples as several smaller ones of a size that a network knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.packed import PackedCalls


def number_of_groups(genotypes: Genotypes, most: int) -> int:
    """Tell how many groups of ``most`` chromosomes at most there are."""
    return -(-genotypes.n_chromosomes // most)


def split_samples(genotypes: Genotypes, most: int) -> Iterator[Genotypes]:
    """Deal samples out to groups of ``most`` chromosomes at most, as many in each as can be.

    Neighbors in the file, which are often of one place, go to different groups. The sites of a group are those that
    vary in it; the account stays that of all.

    Parameters
    ----------
    genotypes : Genotypes
    most : int
        Chromosomes.

    Yields
    ------
    Genotypes
        One, as it was given, if it is small enough. Each is made when it is asked for, so that memory holds one.
    """
    n_groups = number_of_groups(genotypes, most)
    if n_groups <= 1:
        yield genotypes
        return
    group_of_column = genotypes.sample_of_column() % n_groups
    for group in range(n_groups):
        yield choose_columns(genotypes, np.flatnonzero(group_of_column == group))


def choose_columns(genotypes: Genotypes, columns: np.ndarray) -> Genotypes:
    """Copy some of the columns, by number, with the sites that vary in them; the account stays that of all."""
    samples, sample = np.unique(genotypes.sample_of_column()[columns], return_inverse=True)
    calls = genotypes.calls
    part = replace(
        genotypes,
        calls=calls.columns(columns)
        if isinstance(calls, PackedCalls)
        else np.ascontiguousarray(calls[:, columns]),
        samples=tuple(genotypes.samples[i] for i in samples) if genotypes.samples else (),
        sample=sample,
    )
    ones, called = part.allele_counts()
    varies = (ones > 0) & (ones < called)
    return replace(part, positions=part.positions[varies], calls=part.calls[varies])
