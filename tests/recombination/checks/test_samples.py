from dataclasses import replace

import numpy as np
import pytest

from tfbind.genotypes.contig import Genotypes
from tfbind.recombination.checks.relatives import Closeness, closeness
from tfbind.recombination.checks.samples import (
    is_clonal,
    warn_of_no_recombination,
    warn_of_relatives,
    warn_of_structure,
)
from tfbind.recombination.checks.site_matrix import expected_differences


class TestClonal:
    @pytest.mark.parametrize("samples", [6, 10, 100])
    def test_without_recombination(self, simulate, samples):
        for seed in (1, 2):
            assert is_clonal(simulate(samples, 2e6, seed, ploidy=1, rate=0))

    def test_errors_do_not_hide_it(self, simulate):
        genotypes = simulate(60, 2e6, 3, ploidy=1, rate=0)
        genotypes.calls[:] ^= np.random.default_rng(1).random(genotypes.calls.shape) < 1e-3
        assert is_clonal(genotypes)

    def test_haploids_called_as_unphased_diploids(self, simulate, as_genotypes):
        found = simulate(20, 2e6, 3, ploidy=1, rate=0)
        haplotypes = np.repeat(found.calls, 2, axis=1)
        assert is_clonal(as_genotypes(haplotypes, found.positions, 2e6, phased=False))

    @pytest.mark.parametrize(("samples", "ploidy"), [(4, 1), (20, 1), (200, 1), (10, 2)])
    @pytest.mark.parametrize("rate", [1.25e-9, 1e-8])
    def test_a_little_recombination_is_enough(self, simulate, samples, ploidy, rate):
        for seed in (1, 2, 3):
            assert not is_clonal(simulate(samples, 2e6, seed, ploidy=ploidy, phased=ploidy == 1, rate=rate))

    def test_a_short_contig_tells_nothing(self, simulate):
        assert not is_clonal(simulate(20, 2e5, 1, ploidy=1, rate=0))

    def test_a_stray_record_far_off_does_not_hide_it(self, simulate):
        found = simulate(10, 2e6, 1, ploidy=1, rate=0)
        assert is_clonal(replace(found, end=60_000_000))


class TestNoRecombination:
    @pytest.mark.parametrize(("samples", "length"), [(30, 1e5), (100, 2e4)])
    def test_in_short_data(self, simulate, samples, length):
        for seed in (1, 2, 3):
            assert warn_of_no_recombination(simulate(samples, length, seed, ploidy=1, rate=0), "a.vcf")

    @pytest.mark.parametrize(
        ("samples", "length", "phased"), [(30, 1e5, True), (100, 2e4, True), (20, 1e5, False)]
    )
    def test_some_recombination_is_seen(self, simulate, samples, length, phased):
        for seed in (1, 2, 3):
            found = simulate(samples, length, seed, ploidy=1 if phased else 2, phased=phased)
            assert not warn_of_no_recombination(found, "a.vcf")

    def test_few_chromosomes_or_sites_tell_nothing(self, simulate):
        assert not warn_of_no_recombination(simulate(5, 1e5, 1, ploidy=1, rate=0), "a.vcf")
        assert not warn_of_no_recombination(simulate(20, 3e3, 1, ploidy=1, rate=0), "a.vcf")


class TestWarnings:
    def test_relatives_by_name(self, simulate, caplog):
        genotypes = simulate(8, 10e6, seed=2)
        genotypes.calls[:, 4:6] = genotypes.calls[:, 0:2]
        genotypes.calls[:, 10] = genotypes.calls[:, 7]
        warn_of_relatives(closeness(genotypes), "a.vcf")
        twins, relatives = (record.getMessage() for record in caplog.records)
        assert twins == (
            "a.vcf: 1 pair of samples have the same genotypes: one individual twice, or clones (s0 and s2); leave out"
            " s2 with --samples"
        )
        assert relatives.startswith(
            "a.vcf: 1 pair of samples share far too many alleles that nobody else has"
        )
        assert relatives.endswith("(s3 and s5); leave out s5 with --samples")

    def test_structure_by_name(self, simulate, caplog):
        genotypes = simulate({"A": 14, "B": 8}, 4e6, seed=1, generations=6000)
        assert warn_of_structure(genotypes, "a.vcf: contig 1")
        (message,) = (record.getMessage() for record in caplog.records)
        assert message.startswith("a.vcf: contig 1: the samples fall into groups (FST 0.2")
        assert "between 8 of them and the rest: s14, s15, s16, s17, s18, s19, ...)" in message

    def test_nothing_is_said_of_a_random_sample(self, simulate, caplog):
        genotypes = simulate(8, 4e6, seed=2)
        warn_of_relatives(closeness(genotypes), "a.vcf")
        assert not warn_of_structure(genotypes, "a.vcf: contig 1")
        assert not caplog.records


def half_and_half(n, like=0):
    """An allele in half of n haplotypes: the first half, or (like 1) every second one, or (2) those in both."""
    first, second = np.arange(n) < n // 2, np.arange(n) % 2 == 0
    return np.array([first, second, first & second][like], np.int8)


def genotypes_of(rows, spacing=100, ploidy=1, positions=None):
    calls = np.array(rows, np.int8) * ploidy
    positions = np.arange(len(calls)) * spacing if positions is None else np.asarray(positions)
    return Genotypes("1", positions, calls, ploidy, 0, int(positions[-1]) + spacing).recounted()


class TestClonalByHand:
    """Sites at which one half of the haplotypes differs from the other, and a few at which other halves do.

    Pairs of sites of one kind have a |D'| of 1, those of two kinds one of 0 and all four gametes. At such a site two of
    20 haplotypes differ with the probability 10/19.
    """

    @staticmethod
    def mixed(n_sites, n_others, n=20, ploidy=1):
        rows = np.tile(half_and_half(n), (n_sites, 1))
        every = n_sites // max(n_others, 1)
        rows[every // 2 :: every][:n_others] = half_and_half(n, 1)
        return genotypes_of(rows, ploidy=ploidy)

    @pytest.mark.parametrize(("n_others", "clonal"), [(20, True), (21, False)])
    def test_the_mean_of_d_prime_is_above_98_hundredths(self, n_others, clonal):
        # of pairs of random sites 2 x 0.01 x 0.99 = 0.0198 are of two kinds; with 21 of 2,000 others 0.0208
        assert is_clonal(self.mixed(2_000, n_others)) == clonal

    @pytest.mark.parametrize(("n_others", "clonal"), [(20, True), (21, False)])
    def test_unphased_less_than_two_in_a_hundred_pairs_have_four_gametes(self, n_others, clonal):
        # ten haploids that were called as homozygous diploids, which differ as often as ten haplotypes twice
        assert is_clonal(self.mixed(2_000, n_others, n=10, ploidy=2)) == clonal

    @pytest.mark.parametrize(("n_sites", "clonal"), [(569, False), (571, True)])
    def test_300_differences_are_needed(self, n_sites, clonal):
        # 570 x 10 / 19 = 300
        assert is_clonal(self.mixed(n_sites, 0)) == clonal

    @pytest.mark.parametrize(("n", "clonal"), [(5, False), (6, True)])
    def test_six_chromosomes_are_needed(self, n, clonal):
        assert is_clonal(genotypes_of(np.tile(half_and_half(n), (2_000, 1)))) == clonal

    @staticmethod
    def with_clusters(*clusters, n_rare=2_400, length=1_000_000):
        """Clusters of (position, sites, kind) among sites at which three of 40 haplotypes have one allele."""
        rare = np.arange(40) < 3
        positions = list(range(50, length, length // n_rare))
        rows = [rare] * len(positions)
        for at, n_sites, like in clusters:
            positions += range(at, at + n_sites)
            rows += [half_and_half(40, like)] * n_sites
        order = np.argsort(positions)
        return genotypes_of(np.array(rows)[order], positions=np.array(positions)[order])

    @pytest.mark.parametrize(("n_sites", "clonal"), [(19, False), (20, True)])
    def test_200_pairs_are_needed(self, n_sites, clonal):
        # ten sites at 0.1 Mb, 19 or 20 at 0.9 Mb
        assert is_clonal(self.with_clusters((100_000, 10, 0), (900_000, n_sites, 0))) == clonal

    @pytest.mark.parametrize(("beyond", "clonal"), [(-100, True), (100, False)])
    def test_pairs_count_that_are_60_differences_apart(self, beyond, clonal):
        # Sites of two kinds have no |D'| with each other, and 1 with those of a third kind far off, at which haplotypes
        # differ that have both
        def clusters(apart):
            return self.with_clusters((100_000, 15, 0), (100_000 + apart, 15, 1), (900_000, 15, 2))

        found = clusters(300_000)
        apart = 60 * (found.end - found.start) / expected_differences(found)
        assert 100_000 < apart < 300_000
        assert is_clonal(clusters(round(apart) + beyond)) == clonal

    @pytest.mark.parametrize(("n_carriers", "clonal"), [(3, True), (4, False)])
    def test_alleles_in_a_tenth_of_the_chromosomes_count(self, n_carriers, clonal):
        # of 40 haplotypes; carriers are in either half, so that all four gametes occur
        rare = np.zeros(40, np.int8)
        rare[[0, 20, 1, 21][:n_carriers]] = 1
        rows = np.array([half_and_half(40), rare] * 600)
        assert is_clonal(genotypes_of(rows)) == clonal


class TestNoRecombinationByHand:
    @staticmethod
    def warns(rows, ploidy=1):
        return warn_of_no_recombination(genotypes_of(rows, ploidy=ploidy), "a.vcf")

    @pytest.mark.parametrize(("n_sites", "warned"), [(200, False), (201, True)])
    def test_one_in_a_hundred_pairs_with_four_gametes_is_a_sign(self, n_sites, warned):
        # one site among n is in n - 1 pairs out of n (n - 1) / 2
        rows = np.tile(half_and_half(20), (n_sites, 1))
        rows[n_sites // 2] = half_and_half(20, 1)
        assert self.warns(rows) == warned

    @pytest.mark.parametrize(("n_sites", "warned"), [(10, False), (11, True)])
    def test_fifty_pairs_are_needed(self, n_sites, warned):
        assert self.warns(np.tile(half_and_half(20), (n_sites, 1))) == warned

    @pytest.mark.parametrize(
        ("n", "ploidy", "warned"), [(5, 1, False), (6, 1, True), (11, 2, False), (12, 2, True)]
    )
    def test_six_chromosomes_are_needed_and_four_times_as_many_unphased(self, n, ploidy, warned):
        assert self.warns(np.tile(half_and_half(n), (50, 1)), ploidy) == warned

    @pytest.mark.parametrize(("n_carriers", "warned"), [(4, True), (5, False)])
    def test_alleles_in_a_twentieth_of_the_chromosomes_count(self, n_carriers, warned):
        rare = np.zeros(100, np.int8)
        rare[[0, 50, 1, 51, 2][:n_carriers]] = 1
        assert self.warns(np.array([half_and_half(100), rare] * 20)) == warned


class TestNames:
    @staticmethod
    def warned(caplog, n_pairs, samples=()):
        """Warn of so many pairs with the same genotypes among 40 samples."""
        mismatches = np.full((40, 40), 1_000.0)
        for pair in range(n_pairs):
            mismatches[[2 * pair, 2 * pair + 1], [2 * pair + 1, 2 * pair]] = 0
        zeros = np.zeros((40, 40), np.int64)
        differences = np.full((40, 40), 1_000.0)
        warn_of_relatives(Closeness(samples, 1, 1e6, differences, mismatches, zeros, np.zeros(40)), "a.vcf")
        (message,) = (record.getMessage() for record in caplog.records)
        return message

    def test_samples_without_a_name_are_numbered_from_1(self, caplog):
        message = self.warned(caplog, 1)
        assert message.startswith("a.vcf: 1 pair of samples have the same genotypes")
        assert message.endswith("(sample 1 and sample 2); leave out sample 2 with --samples")

    @pytest.mark.parametrize(("n_pairs", "more"), [(6, ""), (7, "; ...")])
    def test_six_pairs_are_shown(self, caplog, n_pairs, more):
        names = tuple(f"s{i}" for i in range(40))
        message = self.warned(caplog, n_pairs, names)
        pairs = "; ".join(f"s{2 * i} and s{2 * i + 1}" for i in range(6))
        assert f": {n_pairs} pairs of samples" in message
        assert f"({pairs}{more}); leave out s1, s3" in message
