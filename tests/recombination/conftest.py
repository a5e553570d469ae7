"""Samples simulated under the coalescent, as reading their VCF would give them, and a stand-in for a network."""

from __future__ import annotations

from types import SimpleNamespace

import msprime
import numpy as np
import pytest

from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.features import compute_features
from tfbind.recombination.mapping.posterior import Calibration, TokenPosterior

NE, MU = 1e4, 1.25e-8


@pytest.fixture(scope="session")
def as_genotypes():
    """Turn (sites, haplotypes) into Genotypes of samples s0, s1, ...; unphased ones where asked for."""

    def as_genotypes(haplotypes, positions, length, ploidy=2, phased=True):
        ones = haplotypes.sum(axis=1)
        varies = (ones > 0) & (ones < haplotypes.shape[1])
        calls, positions = haplotypes[varies].astype(np.int8), np.asarray(positions, np.int64)[varies]
        n = calls.shape[1] // ploidy
        sample = np.repeat(np.arange(n), ploidy)
        if not phased:
            calls, sample = calls.reshape(len(calls), n, ploidy).sum(axis=2).astype(np.int8), None
        names = tuple(f"s{i}" for i in range(n))
        found = Genotypes("1", positions, calls, 1 if phased else 2, 0, int(length), names, sample=sample)
        return found.recounted()

    return as_genotypes


@pytest.fixture(scope="session")
def simulate(as_genotypes):
    """Simulate samples (a number, or a number each of two populations that split ``generations`` ago)."""

    def simulate(samples, length, seed, *, ploidy=2, phased=True, rate=1e-8, generations=0):
        # so that as many differences are expected whatever the ploidy
        size = NE * 2 / ploidy
        demography = msprime.Demography.isolated_model([size])
        if generations:
            demography = msprime.Demography()
            for name in "ABC":
                demography.add_population(name=name, initial_size=size)
            demography.add_population_split(time=generations, derived=["A", "B"], ancestral="C")
        trees = msprime.sim_ancestry(
            samples,
            demography=demography,
            ploidy=ploidy,
            sequence_length=length,
            recombination_rate=rate,
            random_seed=seed,
        )
        trees = msprime.sim_mutations(trees, rate=MU, model=msprime.BinaryMutationModel(), random_seed=seed)
        positions = trees.tables.sites.position
        return as_genotypes(trees.genotype_matrix(), positions, length, ploidy, phased)

    return simulate


class StandIn:
    """Says that r/mu is 1 everywhere, or 20 within the hot intervals, give or take a fifth."""

    def __init__(self, unlike="", hot=()):
        self.card = SimpleNamespace(calibration=Calibration((-1.96,) * 5, (1.96,) * 5))
        self.unlike, self.hot = unlike, hot

    def read(self, genotypes, mask=None, diversity=None, *, keep_calls=True):
        return self.token_rates(compute_features(genotypes, mask, diversity)), self.unlike

    def token_rates(self, features):
        rate = np.ones(len(features.start))
        for start, end in self.hot:
            rate[(features.start < end) & (features.end > start)] = 20.0
        edges = np.append(features.start, features.end[-1:])
        return TokenPosterior.from_edges(edges, rate, np.full((len(rate), 5), 0.2))


@pytest.fixture(scope="session")
def stand_in():
    """Make a stand-in for `tfbind.recombination.mapping.rate_model.RateModel`."""
    return StandIn
