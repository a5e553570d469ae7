from dataclasses import replace

import numpy as np
import pytest

from tfbind.recombination.checks.relatives import closeness
from tfbind.recombination.checks.samples import (
    is_clonal,
    warn_of_no_recombination,
    warn_of_relatives,
    warn_of_structure,
)


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
