import msprime
import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.genotype_tensors import packed, unpacked
from tfbind.genotypes.demographies import SizeHistory
from tfbind.genotypes.prior import Prior, Range
from tfbind.genotypes.simulation import Setting, known_stretches, simulate_region
from tfbind.genotypes.vcf import read_genotypes
from tfbind.genotypes.vcf_writing import write_vcf
from tfbind.steps import StepFunction

MU = 1.25e-8
CONSTANT = SizeHistory((0.0,), (10_000.0,)).to_demography()


def mean_pairwise_differences(region):
    n = region.haplotypes.shape[1]
    derived = (region.haplotypes == 1).sum(axis=1)
    return (2 * derived * (n - derived) / (n * (n - 1))).sum() / region.length


@pytest.fixture(scope="module")
def regions():
    return [simulate_region(Setting(length=50_000), 7, i) for i in range(25)]


class TestRegion:
    def test_sites_are_sorted_inside_and_vary(self, regions):
        for region in regions:
            assert region.haplotypes.dtype == np.int8
            assert region.position.dtype == np.int32
            assert len(region.position) == len(region.haplotypes)
            assert (np.diff(region.position) > 0).all()
            assert ((region.haplotypes == 0).any(axis=1) & (region.haplotypes == 1).any(axis=1)).all()
            if len(region.position):
                assert 0 <= region.position[0] <= region.position[-1] < 50_000

    def test_rates_cover_the_region(self, regions):
        for region in regions:
            assert region.rate_start[0] == 0
            assert region.rate_map().sequence_length == 50_000
            assert region.rate_map().mean_rate == pytest.approx(region.parameters["mean_rate"])

    def test_prior_shows(self, regions):
        assert len({region.haplotypes.shape[1] for region in regions}) > 10
        assert len({region.parameters["demography"] for region in regions}) > 3
        assert len({region.parameters["landscape"] for region in regions}) > 3
        assert {region.phased for region in regions} == {True, False}
        assert any((region.haplotypes == -1).any() for region in regions)
        assert any(region.parameters["conversion_ratio"] for region in regions)

    def test_is_a_pure_function(self, regions):
        again = simulate_region(Setting(length=50_000), 7, 3)
        np.testing.assert_array_equal(again.haplotypes, regions[3].haplotypes)
        assert again.parameters == regions[3].parameters
        other = simulate_region(Setting(length=50_000), 8, 3)
        assert other.parameters["mean_rate"] != again.parameters["mean_rate"]


class TestDiversity:
    """Mean pairwise differences are what the demography says, within four standard errors."""

    @staticmethod
    def check(setting, n=60):
        regions = [simulate_region(setting, 1, i) for i in range(n)]
        ratio = np.array([mean_pairwise_differences(region) / region.diversity for region in regions])
        assert abs(ratio.mean() - 1) < 4 * ratio.std(ddof=1) / np.sqrt(n)
        return regions

    def test_constant_size_has_4_n_mu(self):
        setting = Setting(
            length=50_000,
            demography=CONSTANT,
            mutation_rate=MU,
            samples=5,
            perfect=True,
            prior=Prior(gene_conversion=0),
        )
        regions = self.check(setting)
        assert {region.diversity for region in regions} == {4 * 10_000 * MU}

    def test_drawn_histories_have_the_diversity_drawn(self):
        self.check(Setting(length=50_000, samples=5, perfect=True))


class TestGiven:
    def test_perfect_has_no_noise(self):
        for i in range(5):
            region = simulate_region(Setting(length=20_000, perfect=True, samples=3), 0, i)
            assert region.phased
            assert (region.haplotypes >= 0).all()
            assert region.haplotypes.shape[1] == 6

    def test_haploid_samples(self):
        region = simulate_region(Setting(length=20_000, samples=5, ploidy=1), 0, 0)
        assert region.haplotypes.shape[1] == 5
        assert region.ploidy == 1

    def test_rate_map(self):
        rates = msprime.RateMap(position=[0, 40_000, 100_000], rate=[1e-8, 3e-8])
        setting = Setting(length=30_000, stretches=(("c", 500, rates),), mutation_rate=MU, samples=2)
        starts = set()
        for i in range(8):
            region = simulate_region(setting, 0, i)
            start = region.parameters["start"] - 500
            starts.add(start)
            assert region.rate_map() == rates.slice(start, start + 30_000, trim=True)
            assert region.parameters["conversion_ratio"] == 0
        assert len(starts) == 8

    def test_a_map_of_the_regions_length(self):
        rates = msprime.RateMap.uniform(30_000, 1e-8)
        setting = Setting(length=30_000, stretches=(("c", 0, rates),), mutation_rate=MU, samples=2)
        assert simulate_region(setting, 0, 0).parameters["start"] == 0


@pytest.mark.parametrize("unphased", [0, 1])
def test_a_region_in_which_nothing_varies_has_no_sites(unphased):
    prior = Prior().changed({"unphased": unphased, "switches": 1 - unphased})
    region = simulate_region(Setting(prior=prior, length=20, samples=4), 0, 0)
    assert region.haplotypes.shape == (0, 8)
    assert region.genotypes().calls.shape == (0, 4 if unphased else 8)
    assert unpacked(packed(region)).haplotypes.shape == (0, 8)


class TestKnownStretches:
    RATES = StepFunction([0, 10, 20, 40, 50, 100], [np.nan, 1, 2, np.nan, 3])

    def test_between_gaps(self):
        found = known_stretches({"1": self.RATES}, 25, "map.txt")
        assert [(contig, start, rates.sequence_length) for contig, start, rates in found] == [
            ("1", 10, 30),
            ("1", 50, 50),
        ]

    def test_none_is_long_enough(self):
        with pytest.raises(
            TfbindError, match=r"map\.txt: found 50 bp without a gap, expected .* --length, 60"
        ):
            known_stretches({"1": self.RATES}, 60, "map.txt")


class TestGenotypes:
    """What the features read is what reading the region's VCF gives."""

    @pytest.mark.parametrize(
        "rows",
        [{"unphased": 0, "switches": 0, "haploid": 0}, {"unphased": 1, "haploid": 0}, {"haploid": 1}],
        ids=["phased", "unphased", "haploid"],
    )
    def test_are_those_of_the_vcf(self, tmp_path, rows):
        prior = Prior(missing=1, chip=0, haplotypes=Range(8, 8), **rows)
        region = simulate_region(Setting(length=50_000, prior=prior), 2, 0)
        path = tmp_path / "sim.vcf.gz"
        write_vcf(
            path,
            region.id,
            region.length,
            region.position,
            region.haplotypes,
            ploidy=region.ploidy,
            phased=region.phased,
        )
        [read] = read_genotypes(path, most_missing=1.0)
        found = region.genotypes()
        np.testing.assert_array_equal(found.positions, read.positions)
        np.testing.assert_array_equal(found.calls, read.calls)
        assert found.ploidy == read.ploidy
        assert found.account.missing_calls > 0
