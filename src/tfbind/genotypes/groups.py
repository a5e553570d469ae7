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


def split_samples(genotypes: Genotypes, most: int, *, keep_calls: bool = True) -> Iterator[Genotypes]:
    """Deal samples out to groups of ``most`` chromosomes at most, as many in each as can be.

    Neighbors in the file, which are often of one place, go to different groups. The sites of a group are those that
    vary in it; the account stays that of all.

    Parameters
    ----------
    genotypes : Genotypes
    most : int
        Chromosomes.
    keep_calls : bool
        Whether the calls can still be read afterwards. If not, packed calls are let go as they are read, those of a
        group when the next one is asked for, so that memory never holds more than all the calls.

    Yields
    ------
    Genotypes
        One, as it was given, if it is small enough. If calls are kept, each is made when it is asked for, so that
        memory holds one.
    """
    n_groups = number_of_groups(genotypes, most)
    if n_groups <= 1:
        yield genotypes
        if not keep_calls:
            genotypes.let_go()
        return
    group_of_column = genotypes.sample_of_column() % n_groups
    groups = [np.flatnonzero(group_of_column == group) for group in range(n_groups)]
    if keep_calls or not isinstance(genotypes.calls, PackedCalls):
        for columns in groups:
            yield choose_columns(genotypes, columns)
        return
    dealt = genotypes.calls.deal(groups)[::-1]
    for columns in groups:
        part = _with_columns(genotypes, columns, dealt.pop())
        yield part
        part.let_go()


def choose_columns(genotypes: Genotypes, columns: np.ndarray) -> Genotypes:
    """Copy some of the columns, by number, with the sites that vary in them; the account stays that of all."""
    calls = genotypes.calls
    if isinstance(calls, PackedCalls):
        return _with_columns(genotypes, columns, calls.columns(columns))
    return _with_columns(genotypes, columns, np.ascontiguousarray(calls[:, columns]))


def _with_columns(genotypes: Genotypes, columns: np.ndarray, calls: np.ndarray | PackedCalls) -> Genotypes:
    samples, sample = np.unique(genotypes.sample_of_column()[columns], return_inverse=True)
    part = replace(
        genotypes,
        calls=calls,
        samples=tuple(genotypes.samples[i] for i in samples) if genotypes.samples else (),
        sample=sample,
    )
    ones, called = part.allele_counts()
    varies = (ones > 0) & (ones < called)
    return replace(part, positions=part.positions[varies], calls=part.calls[varies])
