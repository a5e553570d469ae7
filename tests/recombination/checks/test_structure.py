import numpy as np
import pytest

from tfbind.genotypes.contig import Genotypes
from tfbind.recombination.checks.site_matrix import expected_differences
from tfbind.recombination.checks.structure import _with_neighbors, find_groups


@pytest.mark.parametrize(
    ("samples", "ploidy", "length", "rate"),
    [
        (4, 1, 4e6, 1e-8),
        (8, 1, 4e6, 1e-8),
        (20, 1, 2e6, 1e-8),
        (20, 1, 4e6, 3e-9),
        (10, 2, 2e6, 1e-8),
        (200, 2, 2e6, 1e-8),
        (12, 2, 0.3e6, 1e-8),
    ],
)
def test_one_population_has_no_groups(simulate, samples, ploidy, length, rate):
    for seed in range(1, 5):
        assert find_groups(simulate(samples, length, seed, ploidy=ploidy, rate=rate)) is None


# generations / (generations + 2 Ne) is FST: 0.1
@pytest.mark.parametrize(("samples", "phased"), [(10, True), (10, False), (40, True)])
def test_two_populations_are_found(simulate, samples, phased):
    genotypes = simulate({"A": samples, "B": samples}, 4e6, seed=3, phased=phased, generations=2200)
    groups = find_groups(genotypes)
    assert groups is not None
    assert groups.fst == pytest.approx(0.1, abs=0.03)
    assert sorted([groups.smaller[:samples].mean(), groups.smaller[samples:].mean()]) == pytest.approx(
        [0, 1], abs=0.2
    )


def test_missing_calls_do_not_matter(simulate):
    genotypes = simulate({"A": 10, "B": 10}, 4e6, seed=3, generations=2200)
    whole = find_groups(genotypes)
    genotypes.calls[np.random.default_rng(1).random(genotypes.calls.shape) < 0.1] = -1
    assert find_groups(genotypes).fst == pytest.approx(whole.fst, abs=0.02)


def test_a_pair_of_clones_is_no_group(simulate):
    genotypes = simulate(20, 4e6, seed=4, ploidy=1)
    genotypes.calls[:, 3] = genotypes.calls[:, 11]
    assert find_groups(genotypes) is None


@pytest.mark.filterwarnings("error")
def test_samples_that_are_haploid_along_half_of_the_contig(simulate):
    genotypes = simulate({"A": 10, "B": 10}, 4e6, seed=3, generations=2200)
    genotypes.calls[len(genotypes.calls) // 2 :, 1::2] = -1
    find_groups(genotypes)
    genotypes.calls[:, 1::2] = -1
    assert find_groups(genotypes) is None


class TestOfHandMadeBlocks:
    """Two groups of ten haploids on twenty blocks of 212 sites whose differences can be counted.

    At a site of one kind all of one group differ from all of the other. At the others half of each group has the
    allele: of its 45 pairs 25 differ, as do half of the 100 pairs between the groups.
    """

    SITES, BLOCKS = 212, 20

    @classmethod
    def genotypes(cls, apart):
        """Make blocks of which the first, second, ... has this many sites that tell the groups apart."""
        rng = np.random.default_rng(11)
        one_group = np.repeat([[0] * 5 + [1] * 5], 2 * cls.BLOCKS * cls.SITES, axis=0)
        calls = rng.permuted(one_group, axis=1).reshape(-1, 20).astype(np.int8)
        for block, n in enumerate(apart):
            calls[block * cls.SITES : block * cls.SITES + n] = [0] * 10 + [1] * 10
        return Genotypes("1", np.arange(len(calls)) * 100, calls, 1, 0, len(calls) * 100).recounted()

    @classmethod
    def expected(cls, apart):
        """FST of the blocks as a ratio of sums, and its standard error by the jackknife."""
        apart = np.array(apart)
        within, between = (cls.SITES - apart) * 25 / 45, apart + (cls.SITES - apart) / 2
        fst = 1 - within.sum() / between.sum()
        without = 1 - (within.sum() - within) / (between.sum() - between)
        return fst, np.sqrt((cls.BLOCKS - 1) / cls.BLOCKS * ((without - without.mean()) ** 2).sum())

    @staticmethod
    def alternating(low, high):
        # neighbours do not resemble each other, so that the error is that of independent blocks
        return [low, high] * 10

    def test_fst_and_its_error(self):
        apart = self.alternating(36, 50)
        found = find_groups(self.genotypes(apart))
        assert (found.fst, found.standard_error) == pytest.approx(self.expected(apart), rel=1e-3)
        assert found.smaller.tolist() in ([True] * 10 + [False] * 10, [False] * 10 + [True] * 10)

    @pytest.mark.parametrize(
        ("low", "high", "errors", "is_told"), [(12, 21, 5.3, False), (14, 40, 5.7, True)]
    )
    def test_fst_must_exceed_five_and_a_half_errors(self, low, high, errors, is_told):
        apart = self.alternating(low, high)
        fst, error = self.expected(apart)
        assert fst > 0.03
        assert fst / error == pytest.approx(errors, abs=0.05)
        assert (find_groups(self.genotypes(apart)) is not None) == is_told

    @pytest.mark.parametrize(("apart", "fst", "is_told"), [(14, 0.0265, False), (15, 0.0357, True)])
    def test_fst_must_reach_three_hundredths(self, apart, fst, is_told):
        apart = [apart] * self.BLOCKS
        assert self.expected(apart)[0] == pytest.approx(fst, abs=1e-4)
        assert (find_groups(self.genotypes(apart)) is not None) == is_told


class TestWhatIsNeeded:
    """Two groups that are told apart by one site in six, while the others differ at random in each group."""

    @staticmethod
    def genotypes(sizes=(9, 11), n_sites=4_000, copied=()):
        """Groups of these sizes; of each (first, second, share), the second copies the first at this share of sites."""
        rng = np.random.default_rng(2)
        first, second = (np.arange(n) < n // 2 for n in sizes)
        calls = np.concatenate(
            [rng.permuted(np.tile(group, (n_sites, 1)), axis=1) for group in (first, second)], axis=1
        ).astype(np.int8)
        for one, other, share in copied:
            at = rng.random(n_sites) < share
            calls[at, other] = calls[at, one]
        calls[::6] = np.repeat([0, 1], sizes)
        return Genotypes("1", np.arange(n_sites) * 100, calls, 1, 0, n_sites * 100).recounted()

    @pytest.mark.parametrize(("sizes", "is_told"), [((4, 4), True), ((3, 4), False)])
    def test_eight_samples(self, sizes, is_told):
        assert (find_groups(self.genotypes(sizes)) is not None) == is_told

    @pytest.mark.parametrize(("units", "is_told"), [(595, False), (605, True)])
    def test_six_blocks_of_a_hundred_expected_differences(self, units, is_told):
        genotypes = self.genotypes((10, 10), n_sites=4_000)
        per_site = expected_differences(genotypes) / 4_000
        short = self.genotypes((10, 10), n_sites=round(units / per_site))
        assert expected_differences(short) == pytest.approx(units, abs=3)
        assert (find_groups(short) is not None) == is_told

    def members(self, copied):
        groups = find_groups(self.genotypes(copied=copied))
        return np.flatnonzero(groups.smaller).tolist()

    @pytest.mark.parametrize(("kinship", "is_left_out"), [(0.33, False), (0.39, True)])
    def test_one_of_two_that_are_closer_than_36_hundredths_is_left_out(self, kinship, is_left_out):
        # Kinship is 1 less the ratio of differences to those with other samples, most of which are of the other group.
        # It is 1 - 0.46 / 0.58 in a group, and between two of which one copies the other 1 - 0.46 (1 - share) / 0.58
        within = 5 / 6 * 20 / 36
        between = 1 / 6 + 5 / 6 * (4 * 6 + 5 * 5) / (9 * 11)
        share = 1 - (1 - kinship) * between / within
        assert 0 < share < 1
        expected = list(range(9))
        if is_left_out:
            expected.remove(1)
        assert self.members([(0, 1, share)]) == expected

    def test_up_to_a_quarter_of_the_samples_is_left_out(self):
        # five pairs, of which one each, or six, as within groups far apart
        pairs = [(0, 1), (2, 3), (4, 5), (6, 7), (9, 10), (11, 12)]
        assert self.members([(*pair, 0.9) for pair in pairs[:5]]) == [0, 2, 4, 6, 8]
        assert self.members([(*pair, 0.9) for pair in pairs]) == list(range(9))

    def test_groups_that_differ_at_every_site_have_an_fst_of_1(self):
        calls = np.repeat([[0] * 8 + [1] * 12], 2_000, axis=0).astype(np.int8)
        found = find_groups(Genotypes("1", np.arange(2_000), calls, 1, 0, 2_000).recounted())
        assert (found.fst, found.standard_error) == (1, 0)
        assert np.flatnonzero(found.smaller).tolist() == list(range(8))


@pytest.mark.parametrize("n_blocks", [6, 20])
def test_neighbors_of_a_block_are_those_within_a_quarter_of_the_contig(n_blocks):
    apart = np.random.default_rng(1).random((n_blocks, 3, 3))
    near = n_blocks // 4
    found = list(_with_neighbors(iter(apart), n_blocks))
    assert len(found) == n_blocks
    for block, (here, around) in enumerate(found):
        np.testing.assert_array_equal(here, apart[block])
        np.testing.assert_allclose(around, apart[max(block - near, 0) : block + near + 1].sum(axis=0))
