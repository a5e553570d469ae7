import numpy as np
import pytest

from tfbind.genotypes.observation import (
    Observation,
    chosen_for_chip,
    draw_observation,
    find_variants,
    flip_alleles,
    is_segregating,
    lose_calls,
    minor_count,
    observe,
    switch_phase,
)
from tfbind.genotypes.prior import Prior

SITES, N = 2000, 20


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.fixture
def haplotypes():
    rng = np.random.default_rng(1)
    return (rng.random((SITES, N)) < rng.random((SITES, 1))).astype(np.int8)


def genotypes(haplotypes):
    return haplotypes.reshape(len(haplotypes), -1, 2).sum(axis=2)


def test_minor_count_passes_missing_calls_over():
    found = minor_count(np.array([[0, 1, 1, 1], [-1, -1, 0, 1], [0, -1, 0, 0]], np.int8))
    assert found.tolist() == [1, 1, 0]


def test_errors_flip_the_share_asked_for(rng, haplotypes):
    found = flip_alleles(rng, haplotypes, 0.01)
    assert (found != haplotypes).mean() == pytest.approx(0.01, rel=0.2)
    assert found.dtype == np.int8
    assert set(np.unique(found)) == {0, 1}


class TestPhase:
    def test_switches_keep_genotypes(self, rng, haplotypes):
        found = switch_phase(rng, haplotypes, 0.05)
        assert (found != haplotypes).any()
        np.testing.assert_array_equal(genotypes(found), genotypes(haplotypes))

    def test_a_switch_lasts_until_the_next(self, rng):
        heterozygous = np.tile(np.array([0, 1], np.int8), (5000, 1))
        found = switch_phase(rng, heterozygous, 0.02)[:, 0]
        assert (np.diff(found) != 0).mean() == pytest.approx(0.02, rel=0.25)

    def test_a_half_is_no_phase(self, rng):
        heterozygous = np.tile(np.array([0, 1], np.int8), (5000, 1))
        assert switch_phase(rng, heterozygous, 0.5)[:, 0].mean() == pytest.approx(0.5, abs=0.03)

    def test_homozygous_sites_are_no_switches(self, rng):
        same = np.ones((50, 4), np.int8)
        np.testing.assert_array_equal(switch_phase(rng, same, 1.0), same)


class TestMissingCalls:
    def test_whole_samples_go(self, rng, haplotypes):
        found = lose_calls(rng, haplotypes, 2, 0.1)
        is_lost = (found == -1).reshape(SITES, -1, 2)
        np.testing.assert_array_equal(is_lost[..., 0], is_lost[..., 1])
        assert is_lost.mean() == pytest.approx(0.1, rel=0.15)
        np.testing.assert_array_equal(found[found != -1], haplotypes[found != -1])

    def test_of_haploids_single_ones(self, rng, haplotypes):
        is_lost = lose_calls(rng, haplotypes, 1, 0.3) == -1
        assert (is_lost[:, ::2] != is_lost[:, 1::2]).any()

    def test_all(self, rng, haplotypes):
        assert (lose_calls(rng, haplotypes, 2, 1.0) == -1).all()


class TestMissingVariants:
    def test_singletons_are_missed_more(self, rng):
        sites = np.zeros((6000, N), np.int8)
        sites[:, 0] = 1
        sites[3000:, :10] = 1
        found = find_variants(rng, sites, singletons=0.4, variants=0.1)
        assert found[:3000].mean() == pytest.approx(0.9 * 0.6, abs=0.03)
        assert found[3000:].mean() == pytest.approx(0.9 * 0.96, abs=0.03)

    def test_none(self, rng, haplotypes):
        assert find_variants(rng, haplotypes, 0, 0).all()


class TestChip:
    def test_is_spaced_and_common(self, rng, haplotypes):
        position = np.arange(SITES) * 50
        haplotypes[::2] = 0
        haplotypes[::2, 0] = 1  # singletons
        chosen = chosen_for_chip(rng, haplotypes, position, spacing=1000, panel=6)
        assert len(np.unique(position[chosen] // 1000)) == chosen.sum() == pytest.approx(100, abs=3)
        counts = minor_count(haplotypes)
        assert counts[chosen].mean() > counts.mean() + 1


class TestObserve:
    def test_perfect_is_the_truth(self, haplotypes):
        position = np.arange(SITES, dtype=np.int32)
        found, at = observe(haplotypes, position, 2, Observation(), np.random.SeedSequence(0))
        keep = is_segregating(haplotypes)
        np.testing.assert_array_equal(found, haplotypes[keep])
        np.testing.assert_array_equal(at, position[keep])

    def test_same_seed_same_noise_and_each_on_its_own(self, haplotypes):
        position = np.arange(SITES, dtype=np.int32)
        noise = Observation(error_rate=0.01, missing_rate=0.05)

        def observed(how):
            return observe(haplotypes, position, 2, how, np.random.SeedSequence(3))

        first, again = observed(noise), observed(noise)
        np.testing.assert_array_equal(first[0], again[0])
        thinned, at = observed(Observation(dropout_variants=0.5))
        thinned_too, at_too = observed(Observation(dropout_variants=0.5, switch_rate=0.1))
        np.testing.assert_array_equal(at, at_too)
        np.testing.assert_array_equal(genotypes(thinned), genotypes(thinned_too))

    def test_what_does_not_vary_any_more_is_left_out(self, haplotypes):
        how = Observation(missing_rate=0.8)
        found, _ = observe(haplotypes, np.arange(SITES), 2, how, np.random.SeedSequence(0))
        assert 0 < len(found) < is_segregating(haplotypes).sum()
        assert is_segregating(found).all()

    def test_where_nothing_varies(self):
        noise = Observation(
            switch_rate=0.1, error_rate=0.01, missing_rate=0.1, chip_spacing=100, chip_panel=4
        )
        none = np.zeros((0, 8), np.int8), np.zeros(0, np.int32)
        found, at = observe(*none, 2, noise, np.random.SeedSequence(0))
        assert (found.shape, at.shape) == ((0, 8), (0,))


class TestDrawn:
    def test_shares_are_the_priors(self):
        rng = np.random.default_rng(0)
        prior = Prior(unphased=0.25, switches=0.35, errors=0.3, chip=0.1)
        drawn = [draw_observation(rng, prior, 2) for _ in range(1000)]
        assert np.mean([not how.phased for how in drawn]) == pytest.approx(0.25, abs=0.04)
        assert np.mean([0 < how.switch_rate < 0.5 for how in drawn]) == pytest.approx(0.35, abs=0.05)
        assert np.mean([how.error_rate > 0 for how in drawn]) == pytest.approx(0.3, abs=0.05)
        assert np.mean([how.chip_spacing > 0 for how in drawn]) == pytest.approx(0.1, abs=0.03)

    def test_haploids_have_a_phase(self):
        rng = np.random.default_rng(0)
        assert all(
            how.phased and not how.switch_rate
            for how in (draw_observation(rng, Prior(), 1) for _ in range(50))
        )

    def test_unphased_genotypes_switch_at_every_second_site(self):
        prior = Prior(unphased=1.0)
        for seed in range(5):
            found = draw_observation(np.random.default_rng(seed), prior, ploidy=2)
            assert (found.phased, found.switch_rate) == (False, 0.5)
