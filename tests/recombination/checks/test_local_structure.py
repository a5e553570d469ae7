"""Small contigs of two kinds of chromosomes, simulated with a diversity of 0.004: a block is 25 kb."""

from functools import partial

import msprime
import numpy as np
import pytest

from tfbind.genotypes.contig import Genotypes
from tfbind.recombination.checks.local_structure import (
    BlockRate,
    find_local_structure,
    read_groups,
)
from tfbind.recombination.mapping.prediction import map_contig
from tfbind.recombination.mapping.rate_model import load_rate_model

SIZE = 2e5


def simulated(length, seed, demography=None, samples=None):
    more = {"demography": demography} if demography else {"population_size": SIZE}
    trees = msprime.sim_ancestry(
        samples or 24, ploidy=1, recombination_rate=1e-8, sequence_length=length, random_seed=seed, **more
    )
    trees = msprime.sim_mutations(trees, rate=1e-8, model=msprime.BinaryMutationModel(), random_seed=seed)
    return trees.tables.sites.position.astype(np.int64), trees.genotype_matrix().astype(np.int8)


def inversion(seed):
    """100 kb, and 100 kb in two arrangements that have not recombined for four times the coalescence time."""
    history = msprime.Demography()
    for name, size in (("I", SIZE / 2), ("S", SIZE / 2), ("R", SIZE)):
        history.add_population(name=name, initial_size=size)
    history.add_population_split(time=4 * SIZE, derived=["I", "S"], ancestral="R")
    parts = [
        simulated(100_000, seed),
        simulated(100_000, seed + 1, history, [msprime.SampleSet(10, "I"), msprime.SampleSet(14, "S")]),
    ]
    positions = np.concatenate([parts[0][0], parts[1][0] + 100_000])
    return genotypes_of(positions, np.concatenate([parts[0][1], parts[1][1]]), 200_000)


def genotypes_of(positions, haplotypes, length):
    varies = (haplotypes.max(axis=1) == 1) & (haplotypes.min(axis=1) == 0)
    return Genotypes("1", positions[varies], haplotypes[varies], 1, 0, length)


@pytest.fixture(scope="module")
def model():
    return load_rate_model(threads=1)


def test_an_inversion_is_noted_where_it_is(model, caplog):
    table = map_contig(inversion(3), model, "v.vcf: contig 1").table(10_000)
    noted = table["note"].str.contains("local_structure")
    inside = table["start"] >= 100_000
    # the block at the breakpoint is of both
    assert noted[inside].mean() > 0.9
    assert not noted[table["end"] <= 70_000].any()
    assert "the samples are of two kinds" in caplog.text


def test_a_panmictic_contig_is_not(model, caplog):
    table = map_contig(genotypes_of(*simulated(200_000, 5), 200_000), model, "v").table(10_000)
    assert (table["note"] == "").all()
    assert caplog.text == ""


def test_unphased_genotypes(model):
    phased = inversion(3)
    # samples of both arrangements, as random mating makes them
    order = np.random.default_rng(1).permutation(24)
    dosages = phased.calls[:, order[::2]] + phased.calls[:, order[1::2]]
    genotypes = Genotypes("1", phased.positions, dosages, 2, 0, 200_000)
    edges = np.array([0, 100_000, 200_000])
    assert [group.start for group in read_groups(genotypes, edges, lambda parts: list(parts))]


def group(start, log_rate, sd=0.3):
    return BlockRate(start, start + 10, log_rate, sd)


EDGES = np.arange(0, 110, 10)


def of_all(starts, ends, sd=0.4):
    assert (starts % 10 == 0).all()
    assert (ends == starts + 10).all()
    return np.zeros(len(starts)), np.full(len(starts), sd)


# the standard deviation of a difference is 0.5
@pytest.mark.parametrize(("log_rate", "expected"), [(1.24, False), (1.26, True)])
def test_a_block_by_itself(log_rate, expected):
    found = find_local_structure(EDGES, [group(30, log_rate)], of_all)
    assert found.is_noted.tolist() == [False] * 3 + [expected] + [False] * 6


def test_a_small_difference_is_not_noted_however_certain():
    certain = [BlockRate(30, 40, 0.79, 0.01)]
    assert not find_local_structure(EDGES, certain, partial(of_all, sd=0.01)).is_noted.any()


# of ten blocks the standard error is 0.5 / sqrt(10) = 0.158, and 2.6 of it 0.411
@pytest.mark.parametrize(("log_rate", "expected"), [(0.40, False), (0.42, True)])
def test_all_blocks_together(log_rate, expected):
    groups = [group(start, log_rate) for start in range(0, 100, 10)]
    assert find_local_structure(EDGES, groups, of_all).is_noted.tolist() == [expected] * 10


def test_blocks_by_themselves_do_not_speak_for_the_others():
    groups = [group(start, 3.0 if start < 40 else 0.0) for start in range(0, 100, 10)]
    assert find_local_structure(EDGES, groups, of_all).is_noted.tolist() == [True] * 4 + [False] * 6


def test_few_samples_are_not_split():
    few = Genotypes("1", np.arange(50), np.tile(np.array([0, 1], np.int8), (50, 5)), 1, 0, 50)
    assert read_groups(few, np.array([0, 50]), lambda parts: list(parts)) == []
