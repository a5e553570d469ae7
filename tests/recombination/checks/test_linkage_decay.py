"""Contigs simulated with a diversity of 0.004: 400 bp, a tract of gene conversion, are 1.6 expected differences."""

import msprime
import numpy as np
import pytest

from tfbind.genotypes.contig import Genotypes
from tfbind.recombination.checks.linkage_decay import (
    decay_score,
    find_unexplained_decay,
    warn_of_unexplained_decay,
)


def simulated(seed, conversion, n=30):
    more = (
        {"gene_conversion_rate": conversion * 1e-8, "gene_conversion_tract_length": 400} if conversion else {}
    )
    trees = msprime.sim_ancestry(
        n,
        ploidy=1,
        population_size=2e5,
        recombination_rate=1e-8,
        sequence_length=150_000,
        random_seed=seed,
        **more,
    )
    trees = msprime.sim_mutations(trees, rate=1e-8, model=msprime.BinaryMutationModel(), random_seed=seed)
    calls = trees.genotype_matrix().astype(np.int8)
    varies = (calls.max(axis=1) == 1) & (calls.min(axis=1) == 0)
    positions = trees.tables.sites.position.astype(np.int64)
    return Genotypes("1", positions[varies], calls[varies], 1, 0, 150_000)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_gene_conversion_and_crossovers_alone(seed):
    assert decay_score(simulated(seed, 3), None) > 1
    assert decay_score(simulated(seed, 0), None) < -1


def test_what_says_nothing():
    found = simulated(1, 0)
    unphased = Genotypes("1", found.positions, found.calls[:, ::2] + found.calls[:, 1::2], 2, 0, 150_000)
    few = Genotypes("1", found.positions, found.calls[:, :10], 1, 0, 150_000)
    short = found.select(np.arange(len(found.positions)) < 30, "masked")
    assert all(np.isnan(decay_score(each, None)) for each in (unphased, few, short))


@pytest.mark.parametrize(
    ("score", "expected"), [(0.1, [True] * 2), (-0.1, [False] * 2), (np.nan, [False] * 2)]
)
def test_the_whole_contig_is_noted(caplog, score, expected):
    found = find_unexplained_decay(score, np.array([0, 10, 20]))
    assert found.is_noted.tolist() == expected
    warn_of_unexplained_decay(found, "v.vcf: contig 1")
    assert ("v.vcf: contig 1: linkage disequilibrium falls faster" in caplog.text) == expected[0]
