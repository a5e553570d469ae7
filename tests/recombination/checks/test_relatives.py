import numpy as np
import pytest

from tfbind.genotypes.contig import MISSING
from tfbind.recombination.checks.relatives import closeness, fewest_to_leave_out, find_relatives

LENGTH = 10e6


@pytest.fixture(scope="module")
def strangers(simulate):
    """Ten diploids on 10 Mb."""
    return simulate(10, LENGTH, seed=7)


def gamete(genotypes, sample, seed):
    """One crossover between the two chromosomes of a sample."""
    rng = np.random.default_rng(seed)
    at, first = rng.integers(LENGTH), int(rng.integers(2))
    left, right = genotypes.calls[:, 2 * sample + first], genotypes.calls[:, 2 * sample + 1 - first]
    return np.where(genotypes.positions < at, left, right)


def with_sample(genotypes, sample, first, second):
    haplotypes = genotypes.calls.copy()
    haplotypes[:, 2 * sample], haplotypes[:, 2 * sample + 1] = first, second
    return haplotypes


def found_in(genotypes):
    return [(pair.first, pair.second, pair.identical) for pair in find_relatives(closeness(genotypes))]


@pytest.mark.parametrize("phased", [True, False], ids=["phased", "unphased"])
class TestDiploids:
    def test_strangers(self, strangers, as_genotypes, phased):
        assert found_in(as_genotypes(strangers.calls, strangers.positions, LENGTH, 2, phased)) == []

    def test_parents_and_child(self, strangers, as_genotypes, phased):
        haplotypes = with_sample(strangers, 2, gamete(strangers, 0, 1), gamete(strangers, 1, 2))
        genotypes = as_genotypes(haplotypes, strangers.positions, LENGTH, 2, phased)
        assert found_in(genotypes) == [(0, 2, False), (1, 2, False)]

    def test_one_individual_twice_with_errors_and_missing_calls(self, strangers, as_genotypes, phased):
        haplotypes = with_sample(strangers, 9, strangers.calls[:, 6], strangers.calls[:, 7])
        rng = np.random.default_rng(3)
        haplotypes ^= rng.random(haplotypes.shape) < 1e-3
        genotypes = as_genotypes(haplotypes, strangers.positions, LENGTH, 2, phased)
        genotypes.calls[rng.random(genotypes.calls.shape) < 0.05] = MISSING
        assert found_in(genotypes) == [(3, 9, True)]


@pytest.mark.parametrize(("samples", "ploidy"), [(4, 1), (40, 1), (10, 2), (200, 2)])
def test_nothing_is_said_of_what_chance_does_on_a_short_contig(simulate, samples, ploidy):
    for seed in range(1, 5):
        assert find_relatives(closeness(simulate(samples, 2e6, seed, ploidy=ploidy))) == []


def test_two_samples_of_a_population_of_their_own_are_no_relatives(simulate):
    genotypes = simulate({"A": 8, "B": 2}, LENGTH, seed=2, generations=2200)
    assert find_relatives(closeness(genotypes)) == []


def test_contigs_tell_together_what_each_alone_does_not(simulate, as_genotypes):
    contigs = []
    for seed in range(1, 6):
        found = simulate(10, 2e6, seed)
        haplotypes = found.calls.copy()
        haplotypes[:, 4] = haplotypes[:, 0]
        contigs.append(closeness(as_genotypes(haplotypes, found.positions, 2e6)))
    assert all(find_relatives(contig) == [] for contig in contigs)
    (pair,) = find_relatives(sum(contigs[1:], contigs[0]))
    assert pair[:3] == (0, 2, False)
    assert pair.doubletons == sum(contig.doubletons[0, 2] for contig in contigs)


def test_two_samples_tell_nothing(simulate):
    assert find_relatives(closeness(simulate(2, 1e6, seed=1))) == []


def test_the_one_in_most_pairs_is_left_out_first():
    assert fewest_to_leave_out([(0, 5), (1, 5), (2, 3)]) == [3, 5]
    assert fewest_to_leave_out([]) == []
