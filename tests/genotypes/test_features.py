from dataclasses import replace

import msprime
import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.features import BANDS, FEATURES, LINKAGE_FEATURES, LOCAL_FEATURES, compute_features
from tfbind.genotypes.mask import Accessible

LOCAL = slice(len(LINKAGE_FEATURES), len(LINKAGE_FEATURES) + len(LOCAL_FEATURES))


def random_genotypes(n_sites=80, columns=12, length=20_000, seed=4):
    """Sites that are all common: 20 tokens of 1,000 bp."""
    rng = np.random.default_rng(seed)
    calls = (rng.random((n_sites, columns)) < rng.uniform(0.1, 0.9, (n_sites, 1))).astype(np.int8)
    calls[:, :4] = [0, 0, 1, 1]
    positions = np.sort(rng.choice(length, n_sites, replace=False)).astype(np.int64)
    return Genotypes("1", positions, calls, 1, 0, length).recounted()


def column(features, name):
    return features.x[:, FEATURES.index(name)]


def test_there_are_59_features_each_with_a_name():
    assert len(set(FEATURES)) == len(FEATURES) == 59
    found = compute_features(random_genotypes())
    assert found.x.shape == (len(found.start), 59)
    assert found.x.dtype == np.float32
    assert np.isfinite(found.x).all()


class TestTokens:
    def test_tile_the_contig_evenly(self):
        found = compute_features(random_genotypes())
        assert found.start[0] == 0
        assert found.end[-1] == 20_000
        assert (found.end[:-1] == found.start[1:]).all()
        assert np.ptp(found.end - found.start) <= 1
        assert found.n_sites.sum() == 80

    def test_hold_four_common_sites_on_average(self):
        assert len(compute_features(random_genotypes()).start) == 20

    def test_may_begin_elsewhere(self):
        found, shifted = (
            compute_features(random_genotypes()),
            compute_features(random_genotypes(), shift=0.25),
        )
        assert shifted.start.tolist() == [0, *range(250, 20_000, 1000)]
        assert shifted.end.tolist() == [*range(250, 20_000, 1000), 20_000]
        assert shifted.n_sites.sum() == 80
        of_region = slice(LOCAL.stop, None)
        np.testing.assert_array_equal(shifted.x[0, of_region], found.x[0, of_region])

    def test_no_token_is_empty_where_a_shift_is_less_than_a_base(self):
        calls = np.tile(np.array([0, 0, 1, 1], np.int8), (3, 1))
        found = compute_features(Genotypes("1", np.arange(3), calls, 1, 0, 3), shift=0.25)
        assert (found.end > found.start).all()


class TestUnits:
    def test_are_expected_differences(self):
        calls = np.array([[0, 0, 1, 1], [0, 1, 1, 0], [0, 1, 1, 1]], np.int8)
        found = compute_features(Genotypes("1", np.array([10, 20, 99]), calls, 1, 0, 100))
        # of six pairs of haplotypes four differ at the first two sites, three at the last one
        assert found.units_per_bp == pytest.approx((4 + 4 + 3) / 6 / 100)
        assert column(found, "log_width")[0] == pytest.approx(np.log(11 / 6))

    def test_take_the_calls_that_there_are(self):
        calls = np.array([[0, 0, 1, 1, -1], [0, 1, 1, 0, -1]], np.int8)
        found = compute_features(Genotypes("1", np.array([10, 20]), calls, 1, 0, 100))
        assert found.units_per_bp == pytest.approx(8 / 6 / 100)
        assert column(found, "region_missing")[0] == pytest.approx(0.2)

    def test_a_stretched_contig_looks_the_same(self):
        genotypes = random_genotypes()
        stretched = replace(genotypes, positions=genotypes.positions * 7, end=genotypes.end * 7)
        assert compute_features(stretched).units_per_bp == pytest.approx(
            compute_features(genotypes).units_per_bp / 7
        )
        np.testing.assert_allclose(
            compute_features(stretched).x, compute_features(genotypes).x, rtol=1e-5, atol=1e-5
        )

    def test_a_diversity_from_elsewhere_sets_the_distances(self):
        genotypes = random_genotypes()
        found, given = compute_features(genotypes), compute_features(genotypes, diversity=0.5)
        assert given.units_per_bp == 0.5
        shift = np.log(0.5 / found.units_per_bp)
        np.testing.assert_allclose(column(given, "log_width"), column(found, "log_width") + shift, rtol=1e-5)
        np.testing.assert_allclose(column(given, "diversity"), column(found, "diversity"))


class TestSymmetries:
    def test_alleles_are_folded(self):
        genotypes = random_genotypes()
        flipped = replace(genotypes, calls=1 - genotypes.calls)
        np.testing.assert_allclose(compute_features(flipped).x, compute_features(genotypes).x, atol=1e-5)

    def test_a_contig_read_from_its_other_end(self):
        genotypes = random_genotypes()
        mirrored = replace(
            genotypes, calls=genotypes.calls[::-1], positions=genotypes.end - 1 - genotypes.positions[::-1]
        )
        for there, back in ((0, 0), (0.25, 0.75), (0.5, 0.5)):
            np.testing.assert_allclose(
                compute_features(mirrored, shift=back).x[::-1],
                compute_features(genotypes, shift=there).x,
                rtol=1e-5,
                atol=1e-5,
            )

    def test_phase_changes_only_what_depends_on_it(self):
        genotypes = random_genotypes()
        dosages = genotypes.calls.reshape(80, 6, 2).sum(axis=2).astype(np.int8)
        phased, unphased = (
            compute_features(one) for one in (genotypes, replace(genotypes, calls=dosages, ploidy=2))
        )
        assert (unphased.n_chromosomes, unphased.phased) == (12, False)
        np.testing.assert_allclose(unphased.x[:, LOCAL], phased.x[:, LOCAL], rtol=1e-6)
        assert column(unphased, "region_phased")[0] == 0
        np.testing.assert_allclose(column(unphased, "region_to_0.5"), column(phased, "region_to_0.5"))


class TestLocal:
    def test_literal_tokens(self):
        # four tokens of 25 bp; the second one has no site
        positions = np.array([3, 5, 9, 12, 55, 58, 60, 70, 77, 80, 85, 99, *range(13, 17)])
        calls = np.tile(np.array([[0, 0, 1, 1]], np.int8), (16, 1))
        calls[4] = [0, 0, 0, 1]
        order = np.argsort(positions)
        found = compute_features(Genotypes("1", positions[order], calls[order], 1, 0, 100))
        assert found.start.tolist() == [0, 25, 50, 75]
        assert found.n_sites.tolist() == [8, 0, 4, 4]
        np.testing.assert_allclose(column(found, "log_common"), np.log1p([8, 0, 3, 4]), rtol=1e-6)
        np.testing.assert_allclose(column(found, "log_singletons"), np.log1p([0, 0, 1, 0]), rtol=1e-6)
        np.testing.assert_allclose(column(found, "minor_frequency"), [0.5, 0, 0.5, 0.5])
        np.testing.assert_allclose(column(found, "accessible"), 1)
        differences = np.array([8, 0, 3, 4]) * 2 / 3 + [0, 0, 0.5, 0]
        expected = differences.sum() / 4
        ratio = np.sqrt((differences + 0.25) / (expected + 0.25))
        np.testing.assert_allclose(column(found, "diversity"), ratio, rtol=1e-6)
        np.testing.assert_allclose(column(found, "region_singletons"), 1 / 16)
        np.testing.assert_allclose(column(found, "region_doubletons"), 15 / 16)
        theta = 16 / (1 + 1 / 2 + 1 / 3)
        np.testing.assert_allclose(
            column(found, "region_log_pi_over_theta"), np.log(differences.sum() / theta), rtol=1e-5
        )

    def test_pairs_count_in_every_token_that_they_touch(self):
        # two sites a token, so that four sites and one pair in the middle are spanned from 0 to 3
        calls = np.tile(np.array([[0, 0, 1, 1]], np.int8), (8, 1))
        found = compute_features(Genotypes("1", np.array([0, 1, 2, 3, 96, 97, 98, 99]), calls, 1, 0, 100))
        assert found.start.tolist() == [0, 50]
        # 8 x 2 / 3 differences in 100 bp: neighbours within 18 bp are the first band, the rest is beyond the second
        np.testing.assert_allclose(column(found, "log_pairs_1"), np.log1p([6, 6]), rtol=1e-6)
        np.testing.assert_allclose(column(found, "log_pairs_8"), np.log1p([16, 16]), rtol=1e-6)
        np.testing.assert_allclose(column(found, "r2_1"), 0.75)
        np.testing.assert_allclose(column(found, "sigma_d_1"), 1)


class TestMask:
    def test_hides_sites_as_a_lower_mutation_rate_would(self):
        genotypes = random_genotypes()
        # every second base of each ten is masked, and no site lies there
        genotypes = genotypes.select(genotypes.positions % 10 < 5, "masked")
        starts = np.arange(0, 20_000, 10)
        plain, masked = (compute_features(genotypes, mask) for mask in (None, Accessible(starts, starts + 5)))
        np.testing.assert_array_equal(masked.x, plain.x)
        assert masked.units_per_bp == plain.units_per_bp
        assert (plain.share, masked.share) == (1, pytest.approx(0.5, abs=0.001))

    @pytest.mark.parametrize(("diversity", "share"), [(None, 0.8), (0.001, 1.0)])
    def test_sites_that_are_left_out_lower_the_diversity_as_a_mask_does(self, diversity, share):
        genotypes = random_genotypes()
        found = compute_features(replace(genotypes, kept_share=0.8), diversity=diversity)
        assert found.share == share
        np.testing.assert_array_equal(found.x, compute_features(genotypes, diversity=diversity).x)

    def test_a_given_diversity_counts_what_is_masked_already(self):
        genotypes = random_genotypes()
        genotypes = genotypes.select(genotypes.positions % 10 < 5, "masked")
        starts = np.arange(0, 20_000, 10)
        assert compute_features(genotypes, Accessible(starts, starts + 5), diversity=0.001).share == 1


class TestGaps:
    """The sites of a region once more, far behind it."""

    @pytest.fixture(params=[False, True], ids=["without a mask", "with a mask"])
    def twice(self, request):
        genotypes = random_genotypes(n_sites=400, length=100_000)
        far = 10_000_000
        mask = Accessible(np.array([0, far]), np.array([100_000, far + 100_000])) if request.param else None
        double = replace(
            genotypes,
            positions=np.concatenate([genotypes.positions, genotypes.positions + far]),
            calls=np.concatenate([genotypes.calls, genotypes.calls]),
            end=far + 100_000,
        )
        return compute_features(genotypes), compute_features(double, mask)

    def test_do_not_dilute_diversity(self, twice):
        alone, both = twice
        assert both.units_per_bp == pytest.approx(alone.units_per_bp, rel=0.01)

    def test_do_not_widen_tokens(self, twice):
        alone, both = twice
        assert len(both.start) == 2 * len(alone.start) == 200
        assert both.accessible == pytest.approx(1_000, rel=0.01)
        assert (np.diff(both.end[:99]) < 1_010).all()
        assert both.accessible.sum() == pytest.approx(200_000, rel=0.01)

    def test_part_what_lies_on_either_side(self, twice):
        alone, both = twice
        for name in ("r2_8", "log_common", "diversity", "log_width"):
            np.testing.assert_allclose(
                column(both, name)[:90].mean(), column(alone, name)[:90].mean(), rtol=0.03
            )


class TestRefuses:
    def test_a_contig_without_pairs(self):
        calls = np.array([[0, 0, 1, 1], [0, 0, 0, 1]], np.int8)
        with pytest.raises(TfbindError, match=r"contig 7: found 1 sites .*, expected at least 2"):
            compute_features(Genotypes("7", np.array([1, 2]), calls, 1, 0, 9))

    @pytest.mark.parametrize("diversity", [0, -1, 2])
    def test_a_diversity_that_is_none(self, diversity):
        with pytest.raises(TfbindError, match="found a diversity of"):
            compute_features(random_genotypes(), diversity=diversity)


class TestSimulated:
    """A population of known r / mu."""

    @staticmethod
    def region_mean(name, rate_ratio, seed=3, length=600_000):
        trees = msprime.sim_ancestry(
            40,
            ploidy=1,
            population_size=20_000,
            recombination_rate=rate_ratio * 1.5e-8,
            sequence_length=length,
            random_seed=seed,
        )
        # infinite sites: a site that mutates twice shows four gametes as well
        trees = msprime.sim_mutations(
            trees, rate=1.5e-8, random_seed=seed, model="binary", discrete_genome=False
        )
        calls, positions = trees.genotype_matrix().astype(np.int8), trees.sites_position.astype(np.int64)
        varies = (np.ptp(calls, axis=1) > 0) & (np.diff(positions, prepend=-1) > 0)
        genotypes = Genotypes("1", positions[varies], calls[varies], 1, 0, length)
        found = compute_features(genotypes, diversity=2 * 20_000 * 1.5e-8)
        return [float(column(found, f"{name}_{band}").mean()) for band in BANDS]

    def test_linkage_falls_with_distance(self):
        r2 = self.region_mean("region_r2", 1)
        assert r2 == sorted(r2, reverse=True)
        assert r2[0] > 0.15
        assert r2[-1] < 0.03
        gametes = self.region_mean("four_gametes", 1)
        assert gametes == sorted(gametes)

    def test_linkage_falls_with_the_rate(self):
        low, middle, high = (self.region_mean("region_r2", ratio) for ratio in (0.1, 1, 10))
        assert (np.array(low)[2:] > middle[2:]).all()
        assert (np.array(middle)[:4] > high[:4]).all()

    def test_no_four_gametes_without_recombination(self):
        assert self.region_mean("four_gametes", 0) == [0] * len(BANDS)

    def test_sigma_d_is_what_ohta_and_kimura_expect(self):
        # (10 + R) / (22 + 13 R + R^2) at R = 4 N r d: about 14 in the band from 8 to 20 units, and 1 / n by chance
        found = np.mean([self.region_mean("sigma_d", 1, seed)[3] for seed in (1, 2, 3)])
        assert found**2 == pytest.approx(24 / (22 + 13 * 14 + 14**2) + 1 / 40, rel=0.35)


class TestAround:
    """Forty tokens of 100 bp with four sites each at which half of the haplotypes differ, and one with more sites."""

    @pytest.fixture
    def ratio(self):
        common = np.arange(0, 4_000, 25)
        # twenty alleles that were seen once do not change the number of tokens
        rare = 2_000 + np.delete(np.arange(100), [0, 25, 50, 75])[:20]
        positions = np.concatenate([common, rare])
        calls = np.repeat(np.array([[0, 0, 1, 1], [0, 0, 0, 1]], np.int8), [160, 20], axis=0)
        order = np.argsort(positions)
        found = compute_features(Genotypes("1", positions[order], calls[order], 1, 0, 4_000))
        assert found.start.tolist() == list(range(0, 4_000, 100))
        return column(found, "diversity_around")

    # of six pairs of haplotypes four differ at a common site, three at a rare one
    PLAIN, MORE = 4 * 4 / 6, 20 * 3 / 6
    MEAN = PLAIN + MORE / 40

    @classmethod
    def expected(cls, n_tokens, more):
        return np.sqrt((n_tokens * cls.PLAIN + more + 0.25) / (n_tokens * cls.MEAN + 0.25))

    def test_is_eight_tokens_on_either_side(self, ratio):
        # those from 12 to 28 have number 20 around them
        np.testing.assert_allclose(ratio[12:29], self.expected(17, self.MORE), rtol=1e-6)
        np.testing.assert_allclose(ratio[8:12], self.expected(17, 0), rtol=1e-6)
        np.testing.assert_allclose(ratio[29:32], self.expected(17, 0), rtol=1e-6)

    def test_is_one_sided_at_the_ends(self, ratio):
        np.testing.assert_allclose(ratio[:8], [self.expected(n, 0) for n in range(9, 17)], rtol=1e-6)
        np.testing.assert_allclose(ratio[32:], [self.expected(n, 0) for n in range(16, 8, -1)], rtol=1e-6)


# of eight haplotypes: one allele in a quarter of them, one in half, always together
QUARTER, HALF = [1, 1, 0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0, 0]


def two_sites(distance, first=QUARTER, second=HALF, diversity=0.5):
    """Features of a contig whose only sites are ``distance`` units from each other, in one token."""
    positions = np.array([10, 10 + round(distance / diversity)])
    calls = np.array([first, second], np.int8)
    return compute_features(
        Genotypes("1", positions, calls, 1, 0, int(positions[1]) + 10), diversity=diversity
    )


class TestOnePairByHand:
    # D = 1/4 - 1/4 x 1/2 = 1/8, so that r^2 = (1/8)^2 / (3/16 x 1/4) = 1/3 and sigma_d is its root; of r^2 1/8 is
    # expected by chance
    R2, SIGMA_D = 1 / 3 - 1 / 8, np.sqrt(1 / 3)

    @pytest.mark.parametrize("band", BANDS)
    def test_is_in_the_band_that_ends_at_its_distance(self, band):
        # a band of one pair, whose distance is the longest of the band
        found = two_sites(band)
        expected = {"r2": self.R2, "four_gametes": 0, "d_prime": 1, "sigma_d": self.SIGMA_D}
        for name, value in (expected | {"log_pairs": np.log(2)}).items():
            assert column(found, f"{name}_{band}").tolist() == pytest.approx([value])
        assert column(found, f"region_r2_{band}").tolist() == pytest.approx([self.R2])
        others = [name for name in LINKAGE_FEATURES if not name.endswith(f"_{band}")]
        assert not found.x[:, [FEATURES.index(name) for name in others]].any()

    @pytest.mark.parametrize(("distance", "band"), [(1.5, 3), (3.5, 8), (8.5, 20), (20.5, 60), (60.5, 180)])
    def test_is_in_the_next_band_beyond(self, distance, band):
        assert column(two_sites(distance), f"log_pairs_{band}").tolist() == pytest.approx([np.log(2)])

    def test_sigma_d_of_the_contig_is_that_from_8_to_20_units(self):
        assert column(two_sites(15), "region_sigma_d_20").tolist() == pytest.approx([self.SIGMA_D])
        assert column(two_sites(21), "region_sigma_d_20").tolist() == [0]

    @pytest.mark.parametrize(("distance", "value"), [(180, 0), (181, R2), (540, R2), (541, 0)])
    def test_is_far_from_180_to_540_units(self, distance, value):
        assert column(two_sites(distance), "region_r2_far").tolist() == pytest.approx([value])


class TestMoreByHand:
    def test_far_linkage_is_a_mean_over_pairs(self):
        calls = np.array([[0, 0, 1, 1]] * 4, np.int8)
        genotypes = Genotypes("1", np.array([0, 1, 500, 501]), calls, 1, 0, 600)
        # each of the four pairs from 499 to 501 bp has an r^2 of 1, of which 1/4 by chance
        assert column(compute_features(genotypes, diversity=0.5), "region_r2_far").tolist() == [0.75]

    def test_the_spectrum(self):
        # of 100 haplotypes; the upper end of each class belongs to it
        seen = [1, 1, 1, 2, 3, 5, 6, 10, 11, 12, 20, 21, 30, 31, 40, 41, 41, 41, 49, 50]
        calls = (np.arange(100) < np.array(seen)[:, None]).astype(np.int8)
        found = compute_features(Genotypes("1", np.arange(20) * 10, calls, 1, 0, 200))
        names = ["region_singletons", "region_doubletons"]
        names += [f"region_to_{frequency}" for frequency in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)]
        shares = [column(found, name)[0] for name in names]
        assert shares == pytest.approx(np.array([3, 1, 2, 2, 3, 2, 2, 5]) / 20)

    def test_a_phased_sample_says_so(self):
        found = compute_features(random_genotypes())
        assert found.phased
        assert column(found, "region_phased")[0] == 1

    def test_the_minor_frequency_of_a_token_with_one_common_site(self):
        # two tokens of 50 bp, with one and with seven common sites
        calls = np.array([QUARTER, *[HALF] * 7], np.int8)
        found = compute_features(Genotypes("1", np.array([10, *range(60, 67)]), calls, 1, 0, 100))
        assert column(found, "minor_frequency").tolist() == [0.25, 0.5]
        assert column(found, "log_common").tolist() == pytest.approx(np.log([2, 8]))

    def test_a_shifted_token_of_one_base(self):
        calls = np.tile(np.array([0, 0, 1, 1], np.int8), (3, 1))
        found = compute_features(Genotypes("1", np.arange(3), calls, 1, 0, 3), shift=0.25)
        # 3/4 of a base are rounded to one; pairs differ at 2/3 of the sites, of which there is one a base
        assert (found.start.tolist(), found.end.tolist()) == ([0, 1], [1, 3])
        assert column(found, "log_width").tolist() == pytest.approx(np.log([2 / 3, 4 / 3]))

    def test_a_mask_may_begin_before_the_first_record(self):
        genotypes = replace(random_genotypes(), start=0)
        genotypes = replace(genotypes, positions=genotypes.positions + 5_000, start=5_000, end=25_000)
        # half of the bases from 5,000 to 25,000 are accessible
        found = compute_features(genotypes, Accessible(np.array([1_000]), np.array([15_000])))
        assert found.share == pytest.approx(0.5)

    @pytest.mark.parametrize("diversity", [1, 1.5])
    def test_two_chromosomes_cannot_differ_at_every_base(self, diversity):
        with pytest.raises(TfbindError, match="found a diversity of"):
            compute_features(random_genotypes(), diversity=diversity)
