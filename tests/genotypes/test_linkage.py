"""The compiled sums against plain NumPy, pair by pair."""

import numpy as np
import pytest

from tfbind.genotypes.linkage import FAR_REACH, sum_over_pairs

REACH = np.array([8.0, 30.0, 90.0])
N_BINS = 12


def two_by_two(g, h):
    """Four gametes of two phased sites."""
    return len(set(zip(g.tolist(), h.tolist(), strict=True))) == 4


def certain_gametes(g, h):
    """Four gametes of two unphased sites: those of samples that are not heterozygous at both."""
    alleles = {0: (0,), 1: (0, 1), 2: (1,)}
    shown = {
        (a, b)
        for one, other in zip(g.tolist(), h.tolist(), strict=True)
        if (one, other) != (1, 1)
        for a in alleles[one]
        for b in alleles[other]
    }
    return len(shown) == 4


def statistics(g, h, ploidy):
    """What a pair adds to the sums, from columns in which both sites are called."""
    known = (g >= 0) & (h >= 0)
    g, h = g[known], h[known]
    if len(g) == 0 or g.std() == 0 or h.std() == 0:
        return np.zeros(6)
    p, q = g.mean() / ploidy, h.mean() / ploidy
    d = np.cov(g, h, bias=True)[0, 1] / ploidy
    largest = min(p * (1 - q), (1 - p) * q) if d > 0 else min(p * q, (1 - p) * (1 - q))
    four = two_by_two(g, h) if ploidy == 1 else certain_gametes(g, h)
    r2 = np.corrcoef(g, h)[0, 1] ** 2 - 1 / len(g)
    return np.array([1, r2, four, min(abs(d) / largest, 1), d**2, p * (1 - p) * q * (1 - q)])


def reference(calls, ploidy, positions, bins, most):
    by_bin, in_all = np.zeros((len(REACH), N_BINS, 6)), np.zeros((len(REACH), 6))
    for i in range(len(calls)):
        bands = np.searchsorted(REACH, positions[i + 1 :] - positions[i])
        for band in range(len(REACH)):
            partners = i + 1 + np.flatnonzero(bands == band)
            stride = max(1, -(-len(partners) // most))
            for j in partners[::stride]:
                found = stride * statistics(calls[i], calls[j], ploidy)
                in_all[band] += found
                by_bin[band, bins[i] : bins[j] + 1] += found
    return by_bin, in_all


def random_sites(ploidy, missing, columns=20, sites=70, seed=0):
    rng = np.random.default_rng(seed)
    frequency = rng.uniform(0.1, 0.9, (sites, 1))
    alleles = rng.random((sites, columns, ploidy)) < frequency[..., None]
    # neighbours resemble each other
    for site in range(1, sites):
        copied = rng.random((columns, ploidy)) < 0.6
        alleles[site] = np.where(copied, alleles[site - 1], alleles[site])
    calls = alleles.sum(axis=2).astype(np.int8)
    calls[rng.random(calls.shape) < missing] = -1
    calls[:, 0], calls[:, 1] = 0, ploidy
    positions = np.sort(rng.choice(240, sites, replace=False)).astype(np.int64)
    return calls, positions, positions // 20


@pytest.mark.parametrize("most", [1000, 5], ids=["all partners", "few partners"])
@pytest.mark.parametrize("columns", [20, 130])
@pytest.mark.parametrize("missing", [0, 0.2])
@pytest.mark.parametrize("ploidy", [1, 2])
def test_equals_the_sum_pair_by_pair(ploidy, missing, columns, most):
    calls, positions, bins = random_sites(ploidy, missing, columns)
    found = sum_over_pairs(calls, ploidy, positions, bins, N_BINS, REACH, most)
    by_bin, in_all = reference(calls, ploidy, positions, bins, most)
    np.testing.assert_allclose(found.by_bin, by_bin, atol=1e-8)
    np.testing.assert_allclose(found.in_all, in_all, atol=1e-8)


def test_far_pairs_lie_beyond_the_last_band():
    calls, positions, bins = random_sites(1, 0.1, sites=15)
    found = sum_over_pairs(calls, 1, positions, bins, N_BINS, REACH / 3)
    distance = positions[None] - positions[:, None]
    is_far = (distance > REACH[-1] / 3) & (distance <= FAR_REACH * REACH[-1] / 3)
    pairs = np.array([statistics(calls[i], calls[j], 1) for i, j in np.argwhere(is_far)])
    np.testing.assert_allclose(found.far, pairs[:, :2].sum(axis=0), atol=1e-9)


class TestLiteralPairs:
    def sums(self, first, second, ploidy=1):
        calls = np.array([first, second], np.int8)
        zeros = np.zeros(2, np.int64)
        return sum_over_pairs(calls, ploidy, np.array([0, 5]), zeros, 1, REACH).in_all[0]

    def test_of_complete_linkage(self):
        np.testing.assert_allclose(self.sums([0, 0, 1, 1], [0, 0, 1, 1]), [1, 0.75, 0, 1, 1 / 16, 1 / 16])

    def test_of_no_linkage(self):
        np.testing.assert_allclose(self.sums([0, 0, 1, 1], [0, 1, 0, 1]), [1, -0.25, 1, 0, 0, 1 / 16])

    def test_of_three_gametes(self):
        # p = 1/2, q = 1/4, D = 1/4 - 1/8 = 1/8, the most that they allow
        expected = [1, 1 / 3 - 0.25, 0, 1, 1 / 64, 3 / 64]
        np.testing.assert_allclose(self.sums([0, 0, 1, 1], [0, 0, 0, 1]), expected)

    def test_of_sites_without_a_call_in_common(self):
        assert self.sums([0, 1, -1, -1], [-1, -1, 0, 1]).tolist() == [0] * 6

    def test_of_a_site_that_no_longer_varies(self):
        assert self.sums([0, 0, 0, 1], [0, 1, 1, -1]).tolist() == [0] * 6

    def test_double_heterozygotes_show_no_gamete(self):
        assert self.sums([0, 1, 2, 0], [0, 1, 2, 0], ploidy=2)[2] == 0
        assert self.sums([0, 1, 2, 0], [0, 0, 1, 1], ploidy=2)[2] == 1


class TestPartnersByDefault:
    # sites by turns with r^2 = 1 to those two on and 0 to those next to them, less 1/4 each
    TURNS = np.array([[0, 0, 1, 1], [0, 1, 0, 1]], np.int8)

    def sums(self, positions, reach):
        calls = np.resize(self.TURNS, (len(positions), 4))
        zeros = np.zeros(len(positions), np.int64)
        return sum_over_pairs(calls, 1, np.asarray(positions), zeros, 1, np.array([reach]))

    def test_each_site_meets_96_in_a_band(self):
        # 49 x 48 pairs are of neighbours by an odd number, 49 x 48 / 2 + 48 x 47 / 2 by an even one
        found = self.sums(np.arange(97), 1_000.0).in_all[0]
        assert found[:2].tolist() == pytest.approx([97 * 96 / 2, 0.75 * 2_304 - 0.25 * 2_352])

    def test_with_more_it_meets_every_second_one_which_counts_twice(self):
        # one more site has 97 partners, of which it meets the first, third, ... and so 49 that are unlike it
        found = self.sums(np.arange(98), 1_000.0).in_all[0]
        pairs, r2 = 97 * 96 / 2 + 2 * 49, 0.75 * 2_304 - 0.25 * 2_352 - 2 * 49 * 0.25
        assert found[:2].tolist() == pytest.approx([pairs, r2])

    @pytest.mark.parametrize(("partners", "met"), [(16, 16), (17, 9)])
    def test_of_far_ones_it_meets_16(self, partners, met):
        # those from 1,001 on are within reach of each other
        found = self.sums([0, *range(1_001, 1_001 + partners)], 1_000.0).far
        assert found[0] == met
        # half of 16 are like the first site; of 17 none of those that are met
        like = met // 2 if partners == 16 else 0
        assert found[1] == pytest.approx(like - 0.25 * met)

    @pytest.mark.parametrize(("distance", "is_far"), [(1_000, 0), (1_001, 1), (3_000, 1), (3_001, 0)])
    def test_far_is_beyond_the_last_band_up_to_three_times_its_end(self, distance, is_far):
        assert self.sums([0, distance], 1_000.0).far[0] == is_far
