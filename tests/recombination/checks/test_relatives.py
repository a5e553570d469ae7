import numpy as np
import pytest

from tfbind.genotypes.contig import MISSING, Genotypes
from tfbind.recombination.checks.relatives import (
    Closeness,
    closeness,
    fewest_to_leave_out,
    find_relatives,
)

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


def test_the_choice_of_whom_to_leave_out_takes_hundreds_of_samples():
    """A village of 300 where everybody is related to everybody but for one pair in ten."""
    rng = np.random.default_rng(0)
    pairs = [(i, j) for i in range(300) for j in range(i) if rng.random() < 0.9]
    left_out = set(fewest_to_leave_out(pairs))
    assert len(left_out) < 300
    assert all(left_out & set(pair) for pair in pairs)


def choose_one_by_one(pairs):
    """Whom to leave out, counted again for each: what the quick way must give as well."""
    left, out = [set(pair) for pair in pairs], []
    while left:
        members = [sample for pair in left for sample in pair]
        out.append(max(sorted(set(members), reverse=True), key=members.count))
        left = [pair for pair in left if out[-1] not in pair]
    return sorted(out)


@pytest.mark.parametrize("seed", range(20))
def test_the_choice_is_that_of_counting_again_each_time(seed):
    rng = np.random.default_rng(seed)
    pairs = sorted({tuple(sorted(map(int, rng.choice(12, 2, replace=False)))) for _ in range(15)})
    assert fewest_to_leave_out(pairs) == choose_one_by_one(pairs)


def closeness_of(
    n_samples=12,
    *,
    chromosomes=1,
    units=1e5,
    kinship=0.0,
    spread=0.0,
    doubletons=100,
    singletons=0.0,
    mismatches=1.0,
):
    """Samples of which the first and the seventh may be related.

    Differences, mismatches and numbers of doubletons are those of this pair. Others have 1,000 differences, more or
    less by the share ``spread`` in as many pairs of each sample as there are of the other, so that their kinship is 0
    in the median.
    """
    apart = (np.arange(n_samples)[:, None] - np.arange(n_samples)) % n_samples
    apart = np.minimum(apart, n_samples - apart)
    deviation = np.select([np.isin(apart, (1, 3)), np.isin(apart, (2, 4))], [-spread, spread], 0.0)
    of_pair = np.zeros((n_samples, n_samples), bool)
    if n_samples > 6:
        of_pair[[0, 6], [6, 0]] = True
    return Closeness(
        tuple(f"s{i}" for i in range(n_samples)),
        chromosomes,
        units,
        np.where(of_pair, 1 - kinship, 1 + deviation) * 1_000,
        np.where(of_pair, mismatches, 1.0) * 2_000,
        np.where(of_pair, doubletons, 0),
        np.full(n_samples, singletons),
    )


class TestRelativesMust:
    """Each limit of `find_relatives`, with all else that is asked for given."""

    @staticmethod
    def is_found(**values):
        found = find_relatives(closeness_of(**values))
        assert found in ([], [(0, 6, False, values.get("doubletons", 100))])
        return bool(found)

    @pytest.mark.parametrize(("chromosomes", "least"), [(1, 0.36), (2, 0.18)])
    def test_be_kin(self, chromosomes, least):
        assert not self.is_found(chromosomes=chromosomes, kinship=least - 0.01)
        assert self.is_found(chromosomes=chromosomes, kinship=least + 0.01)

    def test_be_five_standard_deviations_closer_than_others(self):
        # the median deviation is 0.1 and a standard deviation 1.48 times as much: five of them are 0.74
        assert not self.is_found(spread=0.1, kinship=0.73)
        assert self.is_found(spread=0.1, kinship=0.75)

    def test_share_fifteen_alleles_that_nobody_else_has(self):
        assert not self.is_found(kinship=0.5, doubletons=14)
        assert self.is_found(kinship=0.5, doubletons=15)

    def test_share_three_tenths_of_their_rare_alleles(self):
        assert not self.is_found(kinship=0.5, doubletons=30, singletons=71)
        assert self.is_found(kinship=0.5, doubletons=30, singletons=69)

    def test_be_among_eight_chromosomes(self):
        assert not self.is_found(n_samples=7, kinship=0.5)
        assert self.is_found(n_samples=8, kinship=0.5)
        assert self.is_found(n_samples=7, chromosomes=2, kinship=0.5)

    @pytest.mark.parametrize(("chromosomes", "units"), [(1, 1_100), (2, 4_400)])
    def test_be_on_contigs_where_chance_makes_less_than_six_in_a_hundred_such_pairs(self, chromosomes, units):
        # 12 samples are 66 pairs, with 66 or 4 x 66 pairs of chromosomes, of which one of so many units is the same
        assert not self.is_found(chromosomes=chromosomes, kinship=0.5, units=units - 10)
        assert self.is_found(chromosomes=chromosomes, kinship=0.5, units=units + 10)


class TestOneIndividualTwice:
    @staticmethod
    def is_found(**values):
        found = find_relatives(closeness_of(doubletons=0, **values))
        assert found in ([], [(0, 6, True, 0)])
        return bool(found)

    def test_differs_at_less_than_a_twentieth_of_the_usual_sites(self):
        assert not self.is_found(mismatches=0.051)
        assert self.is_found(mismatches=0.049)

    @pytest.mark.parametrize(("chromosomes", "units"), [(1, 3_300), (2, 57.4)])
    def test_is_not_taken_for_such_where_chance_makes_two_in_a_hundred(self, chromosomes, units):
        # 66 pairs, each of which is the same on all its chromosomes with a probability of 1 / units for each of these
        assert not self.is_found(mismatches=0, chromosomes=chromosomes, units=units * 0.99)
        assert self.is_found(mismatches=0, chromosomes=chromosomes, units=units * 1.01)


class TestClosenessByHand:
    # alleles of four diploids; the rarer one was seen once at the first two sites, else twice. It is the 0 at every
    # second site. At the fifth site one sample has both copies, and at the last one a sample is unknown
    HAPLOTYPES = np.array(
        [
            [1, 0, 0, 0, 0, 0, 0, 0],
            [1, 1, 0, 1, 1, 1, 1, 1],
            [0, 0, 1, 0, 0, 0, 0, 1],
            [0, 1, 1, 1, 1, 0, 1, 1],
            [0, 0, 0, 0, 1, 1, 0, 0],
            [0, 1, 1, 1, 1, 0, -1, -1],
        ],
        np.int8,
    )

    @pytest.fixture(params=["phased", "unphased"])
    def found(self, request):
        calls, sample, ploidy = self.HAPLOTYPES, np.repeat(np.arange(4), 2), 1
        if request.param == "unphased":
            pairs = calls.reshape(6, 4, 2)
            calls, sample, ploidy = (
                np.where(pairs[..., 0] < 0, -1, pairs.sum(axis=2)).astype(np.int8),
                None,
                2,
            )
        names = ("a", "b", "c", "d")
        return closeness(Genotypes("1", np.arange(6) * 10, calls, ploidy, 0, 100, names, sample=sample))

    def test_alleles_that_only_two_samples_have(self, found):
        expected = np.zeros((4, 4))
        expected[[1, 3], [3, 1]] = 1
        expected[[0, 2], [2, 0]] = 2
        assert found.doubletons.tolist() == expected.tolist()

    def test_alleles_that_only_one_chromosome_has(self, found):
        # of two chromosomes each
        assert found.singletons.tolist() == [0.5, 0.5, 0, 0]

    def test_expected_differences(self, found):
        # of 28 pairs 7 differ where one of eight has an allele, 12 where two have; of 15 pairs of six, 8
        assert found.units == pytest.approx(2 * 7 / 28 + 3 * 12 / 28 + 8 / 15)
        assert found.chromosomes == 2

    def test_differences_and_mismatches_of_two_samples(self, found):
        # of the first two samples a half of the pairs of chromosomes differ at each site but the fifth
        assert found.differences[0, 1] == pytest.approx(2.5)
        assert found.mismatches[0, 1] == pytest.approx(5)
        # the last sample is known at five of six sites, for which the mean is taken
        assert found.mismatches[1, 3] == pytest.approx(6 * 1 / 5)
        np.testing.assert_allclose(found.mismatches, found.mismatches.T)

    def test_contigs_are_added(self, found):
        other = closeness_of(4, chromosomes=1, units=found.units * 3, doubletons=0)
        both = found + other
        # chromosomes are weighed by the expected differences
        assert both.chromosomes == pytest.approx((2 + 3) / 4)
        assert both.units == pytest.approx(4 * found.units)
        assert both.mismatches[0, 1] == pytest.approx(2_005)
        assert both.singletons.tolist() == [0.5, 0.5, 0, 0]
