"""ReLERNN's network from simulations to a map."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tfbind import cli
from tfbind.errors import TfbindError
from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.mask import Accessible
from tfbind.genotypes.packed import PackedCalls
from tfbind.genotypes.prior import Prior
from tfbind.genotypes.simulation import Setting, simulate_region
from tfbind.genotypes.vcf_writing import write_vcf
from tfbind.recombination.learning.relernn import train_relernn
from tfbind.recombination.learning.simulations import write_simulations
from tfbind.recombination.mapping.posterior import TokenPosterior
from tfbind.recombination.mapping.rate_model import load_rate_model
from tfbind.recombination.mapping.relernn import RelernnCard, RelernnModel
from tfbind.recombination.mapping.site_windows import Sample, Target
from tfbind.recombination.options import RelernnOptions
from tfbind.training.options import FitOptions

# what differs between regions is how often alleles that are neighbours part
SETTING = Setting(
    prior=Prior().changed(
        {
            "landscapes": {"flat": 1},
            "rate_ratio": [0.02, 10],
            "diversity": 1e-3,
            "demographies": {"constant": 1},
            "structure": 0,
        }
    ),
    length=40_000,
    samples=3,
    perfect=True,
)
CARD = RelernnCard(
    units=2,
    window=100,
    sample=Sample(2, 1),
    sites=3,
    mean_sites=(1.0, 2.0),
    target=Target(0.5, 2.0),
    training={},
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("relernn")
    write_simulations(SETTING, folder / "sims.h5", replicates=60, seed=3)
    train_relernn(
        [folder / "sims.h5"],
        folder / "relernn.keras",
        options=RelernnOptions(units=8, window=10_000),
        fitting=FitOptions(epochs=5, batch_size=16, learning_rate=3e-3),
        threads=2,
        resume=False,
    )
    return folder


def model(says):
    """A model whose network's output is what ``says`` makes of the windows' numbers of sites."""
    return RelernnModel(CARD, lambda _alleles, _places, valid_length: says(valid_length)[:, None])


def contig(*positions, end=250):
    calls = np.tile(np.array([[0, 1]], np.int8), (len(positions), 1))
    return Genotypes("c", np.array(positions, np.int64), calls, 1, 0, end)


class TestTraining:
    def test_what_goes_beside_the_model(self, trained):
        assert not (trained / "relernn.checkpoint").exists()
        history = pd.read_csv(trained / "relernn.history.tsv", sep="\t")
        assert history["epoch"].tolist() == [1, 2, 3, 4, 5]
        assert history["loss"].iloc[-1] < history["loss"].iloc[0]
        summary = json.loads((trained / "relernn.summary.json").read_text())
        assert summary["regions"] == {"train": 56, "validation": 4}
        assert summary["windows"] == {"train": 224, "validation": 16}

    def test_the_card_is_as_documented(self, trained, check_documented):
        card = load_rate_model(trained / "relernn.keras", threads=1).card
        check_documented("Relernn: training", card.training)

    def test_the_model_comes_back_and_gives_every_window_one_rate(self, trained):
        loaded = load_rate_model(trained / "relernn.keras", threads=1)
        assert loaded.card.training["settings"][0]["seed"] == 3
        assert (loaded.card.window, loaded.card.sample) == (10_000, Sample(6, 1))
        tokens, unlike = loaded.read(simulate_region(SETTING, 9, 1).genotypes())
        assert unlike == ""
        assert tokens.rate.start.tolist() == [0, 10_000, 20_000, 30_000]
        assert len(set(tokens.rate.values)) == 4
        again, _ = loaded.read(simulate_region(SETTING, 9, 1).genotypes())
        np.testing.assert_array_equal(tokens.rate.values, again.rate.values)


class TestReading:
    def test_rates_are_scaled_back_and_not_below_0(self):
        tokens, unlike = model(lambda n: n - 1.0).read(contig(10, 20, 120))
        assert isinstance(tokens, TokenPosterior)
        assert tokens.rate.start.tolist() == [0, 100, 200]
        assert tokens.rate.end.tolist() == [100, 200, 250]
        # the last window reads 150 to 250, where there is no site
        assert tokens.rate.values.tolist() == [2.5, 0.5, 0.0]
        assert np.isnan(tokens.log_sd.values).all()
        assert unlike == ""

    def test_windows_with_more_sites_than_training_had_are_thinned_and_said(self):
        tokens, unlike = model(lambda n: n).read(contig(1, 2, 3, 4, 5, 120))
        assert tokens.rate.values.tolist() == [6.5, 2.5, 0.5]
        assert unlike.startswith("1 of 3 windows have more than 3 sites")

    def test_another_density_of_sites_is_said(self):
        _, unlike = model(lambda n: n).read(contig(10, end=300))
        assert unlike == "windows have 0 sites on average, in training 1 to 2"

    def test_a_contig_shorter_than_a_window_has_no_rates(self):
        tokens, why = model(lambda n: n).read(contig(10, end=99))
        assert tokens is None
        assert why == "found 99 bp, expected a window of 100"

    def test_another_sample_is_refused(self):
        unphased = replace(contig(10), ploidy=2)
        with pytest.raises(TfbindError, match=r"contig c: found 2 unphased diploids, expected 2 haplotypes"):
            model(lambda n: n).read(unphased)

    def test_calls_can_be_read_again_unless_they_are_given_away(self):
        given = contig(10, 20, 120)
        packed = replace(given, calls=PackedCalls.of(given.calls))
        kept, _ = model(lambda n: n).read(packed)
        np.testing.assert_array_equal(packed.calls, given.calls)
        again, _ = model(lambda n: n).read(packed, keep_calls=False)
        np.testing.assert_array_equal(again.rate.values, kept.rate.values)
        with pytest.raises(RuntimeError, match="let go"):
            np.asarray(packed.calls)

    def test_a_mask_and_a_diversity_are_refused(self):
        with pytest.raises(TfbindError, match=r"found a mask, expected none"):
            model(lambda n: n).read(contig(10), Accessible(np.array([0]), np.array([9])))
        with pytest.raises(TfbindError, match=r"found a diversity, expected none"):
            model(lambda n: n).read(contig(10), None, 1e-3)


class TestCommands:
    @pytest.fixture
    def vcf(self, tmp_path):
        # one that recombines: others look clonal
        region = simulate_region(SETTING, 9, 3)
        assert region.rate[0] > region.mutation_rate
        write_vcf(
            tmp_path / "a.vcf.gz", "c", 40_000, region.position, region.haplotypes, ploidy=2, phased=True
        )
        return tmp_path / "a.vcf.gz"

    def predict(self, trained, vcf, *more):
        given = ("--vcf", vcf, "--model", trained / "relernn.keras", "--resolution", 10_000, "--threads", 1)
        out = ("--notes", vcf.parent / "notes.json", "-o", vcf.parent / "map.tsv")
        return cli.main(["recombination", "predict", *map(str, (*given, *out, *more))])

    def test_a_map_without_intervals(self, trained, vcf, tmp_path):
        assert self.predict(trained, vcf, "--mutation-rate", "1e-8") == 0
        table = pd.read_csv(tmp_path / "map.tsv", sep="\t")
        assert len(table) == 4
        assert table["rate"].notna().all()
        assert table[["rate_lower", "rate_upper"]].isna().all(axis=None)
        assert any("no intervals" in note for note in json.loads((tmp_path / "notes.json").read_text()))

    def test_hotspots_are_refused(self, trained, vcf, tmp_path, capsys):
        assert self.predict(trained, vcf, "--hotspots", tmp_path / "h.bed") == 2
        assert "--hotspots needs intervals" in capsys.readouterr().err

    def test_a_contig_shorter_than_a_window_has_a_row(self, trained, vcf, tmp_path):
        dense = Prior().changed({"diversity": 1e-2})
        region = simulate_region(replace(SETTING, prior=dense, length=9_000), 9, 2)
        write_vcf(vcf, "c", 9_000, region.position, region.haplotypes, ploidy=2, phased=True)
        assert self.predict(trained, vcf) == 0
        table = pd.read_csv(tmp_path / "map.tsv", sep="\t", comment="#")
        assert table["note"].tolist() == ["too_short"]
        assert table["rate"].isna().all()

    def test_options_of_the_other_architecture_are_refused(self, trained, capsys):
        for name, option in (("relernn", "--crop"), ("tokens", "--window")):
            argv = [trained / "sims.h5", "--architecture", name, option, 64, "-o", trained / "x.keras"]
            assert cli.main(["recombination", "train", *map(str, argv)]) == 2
            error = f"{option} is given, but the architecture {name} has none"
            assert error in capsys.readouterr().err
