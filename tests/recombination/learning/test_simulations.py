import msprime
import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.genotype_tensors import open_regions
from tfbind.genotypes.simulation import Setting, simulate_region
from tfbind.genotypes.vcf import read_genotypes
from tfbind.recombination.learning import simulations
from tfbind.recombination.learning.simulations import write_simulations
from tfbind.recombination.maps.reading import read_rate_map

SETTING = Setting(length=20_000, samples=4)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    path = tmp_path_factory.mktemp("simulations") / "sims.h5"
    write_simulations(SETTING, path, replicates=6, seed=5)
    return path


def test_regions_are_those_of_the_seed(undisturbed):
    with open_regions(undisturbed) as regions:
        assert regions.rows["id"].tolist() == [f"sim{i}" for i in range(1, 7)]
        expected = simulate_region(SETTING, 5, 3)
        found = regions.region(3)
        np.testing.assert_array_equal(found.haplotypes, expected.haplotypes)
        assert found.rate_map() == expected.rate_map()
        assert found.rate_map().total_mass == pytest.approx(expected.parameters["mean_rate"] * 20_000)


def test_threads_do_not_change_a_byte(undisturbed, tmp_path):
    write_simulations(SETTING, tmp_path / "sims.h5", replicates=6, seed=5, threads=2)
    assert (tmp_path / "sims.h5").read_bytes() == undisturbed.read_bytes()


class TestResume:
    def interrupt(self, monkeypatch, path, after):
        done = []

        def simulate(setting, seed, replicate):
            if len(done) == after:
                raise KeyboardInterrupt
            done.append(replicate)
            return simulate_region(setting, seed, replicate)

        with monkeypatch.context() as patch:
            patch.setattr(simulations, "simulate_region", simulate)
            with pytest.raises(KeyboardInterrupt, match="--resume"):
                write_simulations(SETTING, path, replicates=6, seed=5)
        assert not path.exists()

    def test_gives_what_an_undisturbed_run_gives(self, monkeypatch, undisturbed, tmp_path):
        path = tmp_path / "sims.h5"
        self.interrupt(monkeypatch, path, after=4)
        done = []
        monkeypatch.setattr(
            simulations, "simulate_region", lambda s, seed, i: done.append(i) or simulate_region(s, seed, i)
        )
        write_simulations(SETTING, path, replicates=6, seed=5, resume=True)
        assert done == [4, 5]
        assert path.read_bytes() == undisturbed.read_bytes()
        assert [each.name for each in tmp_path.iterdir()] == ["sims.h5"]

    def test_of_another_seed_is_refused(self, monkeypatch, tmp_path):
        path = tmp_path / "sims.h5"
        self.interrupt(monkeypatch, path, after=1)
        with pytest.raises(
            TfbindError,
            match=r"sims\.h5\.partial: was started with setting\.seed 5, found 6; rerun without --resume",
        ):
            write_simulations(SETTING, path, replicates=6, seed=6, resume=True)

    def test_makes_files_that_were_not_asked_for_before(self, monkeypatch, tmp_path):
        path = tmp_path / "sims.h5"
        self.interrupt(monkeypatch, path, after=2)
        write_simulations(SETTING, path, replicates=3, seed=5, resume=True, vcf_dir=tmp_path / "vcf")
        assert len(list((tmp_path / "vcf").iterdir())) == 6


def test_files_of_each_region(tmp_path):
    write_simulations(SETTING, tmp_path / "sims.h5", replicates=2, vcf_dir=tmp_path / "vcf")
    assert sorted(path.name for path in (tmp_path / "vcf").iterdir()) == [
        "sim1.txt",
        "sim1.vcf.gz",
        "sim2.txt",
        "sim2.vcf.gz",
    ]
    with open_regions(tmp_path / "sims.h5") as regions:
        region = regions.region(1)
    [read] = read_genotypes(tmp_path / "vcf" / "sim2.vcf.gz", most_missing=1.0)
    np.testing.assert_array_equal(read.positions, region.position)
    true_map = read_rate_map(tmp_path / "vcf" / "sim2.txt")["sim2"]
    assert true_map.integral([0], [20_000])[0] == pytest.approx(region.rate_map().total_mass)
    assert msprime.RateMap.read_hapmap(str(tmp_path / "vcf" / "sim2.txt")).total_mass == pytest.approx(
        region.rate_map().total_mass
    )


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (Setting(length=2**31), "--length: found 2147483648, expected 1 to 2147483647"),
        (Setting(samples=1, ploidy=1), "--samples: found 1 haploid sample"),
    ],
)
def test_nonsense(tmp_path, setting, message):
    with pytest.raises(TfbindError, match=message):
        write_simulations(setting, tmp_path / "sims.h5", replicates=1)
    assert not list(tmp_path.iterdir())
