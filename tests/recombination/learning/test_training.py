"""From simulations to a model of rates, and the model at work."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tfbind import cli
from tfbind.errors import TfbindError
from tfbind.genotypes.features import FEATURES, compute_features
from tfbind.genotypes.prior import Prior
from tfbind.genotypes.simulation import Setting, simulate_region
from tfbind.recombination.learning.examples import (
    RateExamples,
    RegionTokens,
    Scaling,
    fit_scaling,
    tokens_of,
)
from tfbind.recombination.learning.simulations import write_simulations
from tfbind.recombination.learning.training import (
    hold_out,
    judge_scales,
    train_rates,
)
from tfbind.recombination.mapping.card import read_rate_card, settings_of
from tfbind.recombination.mapping.posterior import Calibration
from tfbind.recombination.mapping.rate_model import load_rate_model, read_both_ways, read_in_chunks
from tfbind.recombination.options import OUTPUTS, RateOptions
from tfbind.training.options import FitOptions

# rates differ between regions more than anything else
SETTING = Setting(
    prior=Prior().changed(
        {"landscapes": {"flat": 1}, "rate_ratio": [0.05, 5], "diversity": 1e-3, "chip": 0, "structure": 0}
    ),
    length=200_000,
    samples=10,
    perfect=True,
)


def train(simulations, output, *, epochs=1, learning_rate=1e-3, start=None, left_out=None, resume=False):
    return train_rates(
        simulations,
        output,
        options=RateOptions(units=16, layers=1, crop=64),
        fitting=FitOptions(epochs=epochs, batch_size=16, learning_rate=learning_rate),
        threads=2,
        resume=resume,
        start=start,
        left_out=left_out,
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rates")
    write_simulations(SETTING, folder / "sims.h5", replicates=60, seed=3)
    train([folder / "sims.h5"], folder / "rates.keras", epochs=8, learning_rate=1e-2)
    return folder


class TestTraining:
    def test_it_tells_fast_regions_from_slow_ones_that_it_has_not_seen(self, trained):
        model = load_rate_model(trained / "rates.keras", threads=1)
        found, true = [], []
        for replicate in range(12):
            region = simulate_region(SETTING, 99, replicate)
            tokens = model.read(region.genotypes())[0]
            found.append(np.log(tokens.rate.values.mean()))
            true.append(np.log(region.rate.mean() / region.mutation_rate))
        assert np.corrcoef(found, true)[0, 1] > 0.8

    def test_what_goes_beside_the_model(self, trained):
        assert not (trained / "rates.checkpoint").exists()
        history = pd.read_csv(trained / "rates.history.tsv", sep="\t")
        assert history["epoch"].tolist() == list(range(1, 9))
        assert history["loss"].iloc[-1] < history["loss"].iloc[0]
        summary = json.loads((trained / "rates.summary.json").read_text())
        assert summary["regions"] == {"train": 56, "validation": 4}
        assert summary["validation"]["25000"]["windows"] > 20

    def test_the_card_says_what_it_was_calibrated_on(self, trained):
        card = read_rate_card(trained / "rates.keras")
        assert card.training["settings"][0]["seed"] == 3
        assert all(
            low < high for low, high in zip(card.calibration.lower, card.calibration.upper, strict=True)
        )

    def test_the_card_is_as_documented(self, trained, check_documented):
        lacking = ("start", "before", "calibrated_on")
        check_documented("Rates: training", read_rate_card(trained / "rates.keras").training, lacking)

    def test_the_same_simulations_twice_are_refused(self, trained, tmp_path):
        again = tmp_path / "again.h5"
        again.write_bytes((trained / "sims.h5").read_bytes())
        with pytest.raises(
            TfbindError, match=r"again.h5: was simulated with the setting and the seed of .*sims.h5"
        ):
            train([trained / "sims.h5", again], tmp_path / "rates.keras")

    def test_it_goes_on_from_a_network(self, trained, tmp_path, check_documented):
        write_simulations(SETTING, tmp_path / "more.h5", replicates=30, seed=4)
        left_out = Setting(prior=SETTING.prior, length=200_000, samples=20, perfect=True)
        write_simulations(left_out, tmp_path / "others.h5", replicates=5, seed=5)
        summary = train(
            [tmp_path / "more.h5"],
            tmp_path / "more.keras",
            start=trained / "rates.keras",
            left_out=tmp_path / "others.h5",
        )
        first = pd.read_csv(trained / "rates.history.tsv", sep="\t")["val_loss"]
        history = pd.read_csv(tmp_path / "more.history.tsv", sep="\t")
        assert history["epoch"].tolist() == [0, 1]
        assert history["val_loss"].max() < first.iloc[0] - 0.5 * (first.iloc[0] - first.min())
        assert summary["left_out"]["25000"]["windows"] == 5 * 8
        begun, card = read_rate_card(trained / "rates.keras"), read_rate_card(tmp_path / "more.keras")
        np.testing.assert_array_equal(card.scaling.mean, begun.scaling.mean)
        assert [setting["seed"] for setting in settings_of(card.training)] == [4, 3]
        assert [each["name"] for each in card.training["left_out_source"]] == ["others.h5"]
        check_documented("Rates: training", card.training, ("before", "calibrated_on"))

    def test_what_a_network_has_learnt_from_does_not_judge_it(self, trained, tmp_path):
        with pytest.raises(TfbindError, match=r"sims.h5: the network has learnt from these regions"):
            train([trained / "sims.h5"], tmp_path / "rates.keras", start=trained / "rates.keras")

    def test_regions_of_training_are_not_left_out(self, trained, tmp_path):
        with pytest.raises(TfbindError, match=r"sims.h5: was simulated with the setting and the seed of"):
            train([trained / "sims.h5"], tmp_path / "rates.keras", left_out=trained / "sims.h5")

    def test_the_network_to_start_from_stays_as_it_is(self, trained, capsys):
        argv = [trained / "sims.h5", "--start", trained / "rates.keras", "-o", trained / "x.keras"]
        assert cli.main(["recombination", "train", *map(str, argv), "--units", "32"]) == 2
        assert re.search(r"--units 32 is given, but .*rates.keras, has 16$", capsys.readouterr().err.strip())
        assert cli.main(["recombination", "train", *map(str, argv), "--architecture", "relernn"]) == 2
        assert "--start is given, but the architecture relernn has none" in capsys.readouterr().err

    def test_intervals_are_calibrated_anew_and_the_network_stays(
        self, trained, tmp_path, monkeypatch, check_documented
    ):
        monkeypatch.chdir(tmp_path)
        others = Setting(prior=SETTING.prior.changed({"rate_ratio": 20}), length=100_000, samples=10)
        write_simulations(others, tmp_path / "fast.h5", replicates=25, seed=6)
        argv = ["fast.h5", "--model", str(trained / "rates.keras"), "--threads", "2", "-o", "fast.keras"]
        assert cli.main(["recombination", "calibrate", *argv]) == 0
        before, card = read_rate_card(trained / "rates.keras"), read_rate_card(tmp_path / "fast.keras")
        judged = card.training
        assert judged["before"]["25000"]["coverage95"] < 0.8 < judged["validation"]["25000"]["coverage95"]
        assert judged["before"]["25000"]["bias_ratio"] == judged["validation"]["25000"]["bias_ratio"]
        assert judged["calibrated_on"]["settings"][0]["seed"] == 6
        assert judged["settings"] == before.training["settings"]
        check_documented("Rates: training", judged, ("start",))
        region = simulate_region(SETTING, 97, 1).genotypes()
        models = [load_rate_model(path, threads=1) for path in (trained / "rates.keras", "fast.keras")]
        rates = [model.read(region)[0].rate.values for model in models]
        np.testing.assert_array_equal(*rates)
        # a network that goes on from it still knows what it has learnt from
        assert [setting["seed"] for setting in settings_of(judged)] == [3]

    def test_what_a_network_has_learnt_from_does_not_calibrate_it(self, trained, tmp_path, capsys):
        argv = [trained / "sims.h5", "--model", trained / "rates.keras", "-o", tmp_path / "x.keras"]
        assert cli.main(["recombination", "calibrate", *map(str, argv)]) == 2
        assert "sims.h5: the network has learnt from these regions" in capsys.readouterr().err
        assert not (tmp_path / "x.keras").exists()

    def test_too_few_regions_do_not_calibrate(self, trained, tmp_path, capsys):
        write_simulations(SETTING, tmp_path / "few.h5", replicates=3, seed=8)
        argv = [tmp_path / "few.h5", "--model", trained / "rates.keras", "-o", tmp_path / "x.keras"]
        assert cli.main(["recombination", "calibrate", *map(str, argv)]) == 2
        assert "few.h5: found 3 regions with sites enough, expected at least 20" in capsys.readouterr().err

    def test_data_like_the_training_are_near_and_others_are_far(self, trained):
        model = load_rate_model(trained / "rates.keras", threads=1)
        near, _ = model.distance(compute_features(simulate_region(SETTING, 98, 1).genotypes()))
        noisy = Setting(prior=SETTING.prior, length=200_000, samples=150, ploidy=1)
        far, named = model.distance(compute_features(simulate_region(noisy, 98, 1).genotypes()))
        assert near < 1 < far
        assert "log_n" in named


def test_a_model_of_another_kind_is_refused(trained, tmp_path):
    with pytest.raises(TfbindError, match=r"no such file"):
        read_rate_card(tmp_path / "absent.keras")


class TestTokens:
    def test_the_truth_of_a_token_is_its_mean_rate_over_the_mutation_rate(self):
        region = simulate_region(SETTING, 4, 2)
        tokens = tokens_of(region, np.random.default_rng(0))
        expected = region.rate[0] / region.mutation_rate
        np.testing.assert_allclose(tokens.rate, expected, rtol=1e-5)

    def test_a_region_without_sites_gives_none(self):
        empty = Setting(prior=SETTING.prior, length=50, samples=2, perfect=True)
        assert tokens_of(simulate_region(empty, 1, 0), np.random.default_rng(0)) is None


def region_of(n, value):
    x = np.full((n, len(FEATURES)), value, np.float16)
    x[:, 0] = np.arange(n)
    edges = np.arange(n + 1)
    return RegionTokens(edges[:-1], edges[1:], x, np.arange(n, dtype=np.float32))


class TestExamples:
    def test_crops_are_stretches_of_a_region_in_either_direction(self):
        data = RateExamples([region_of(10, 1.0), region_of(3, 2.0)], [region_of(9, 1.0)], crop=4, seed=0)
        assert data.n_train == 4
        directions = set()
        for epoch in range(6):
            for batch in data.batches(epoch, 3):
                for y, valid in zip(batch.y, batch.inputs[1], strict=True):
                    assert np.isnan(y[valid:]).all()
                    steps = np.diff(y[:valid])
                    assert len(set(steps)) == 1
                    directions.add(float(steps[0]))
        assert directions == {1.0, -1.0}

    def test_an_epoch_is_the_same_each_time_and_differs_from_the_next(self):
        data = RateExamples([region_of(40, 1.0)], [region_of(9, 1.0)], crop=4, seed=0)
        first, again, second = (next(data.batches(epoch, 10)).y for epoch in (0, 0, 1))
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, second)

    def test_validation_holds_every_token_once(self):
        data = RateExamples([region_of(10, 1.0)], [region_of(9, 1.0), region_of(2, 1.0)], crop=4, seed=0)
        y = np.concatenate([batch.y.ravel() for batch in data.validation(2)])
        assert sorted(y[np.isfinite(y)].tolist()) == sorted([*range(9), 0, 1])

    def test_a_feature_that_never_differed_stays_silent(self):
        scaling = fit_scaling([region_of(5, 1.0)])
        scaled = scaling.apply(np.full((1, len(FEATURES)), 9.0))
        assert abs(scaled[0, 5]) < 1e-4


@pytest.mark.parametrize("sizes", [[1], [511], [512], [513], [900], [9000], [900, 1, 512, 127, 2000]])
def test_chunks_are_put_together_as_whole_contigs(sizes):
    def outputs(x, valid_length):
        # each token's own number, and how far the chunk reaches on either side of it
        place = np.arange(x.shape[1])
        left = np.broadcast_to(place, x.shape[:2])
        right = valid_length[:, None] - 1 - left
        return np.stack([x[:, :, 0], left, right, left, left, left], axis=2).astype(np.float32)

    numbers = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
    found = read_in_chunks(outputs, [np.repeat(n[:, None], len(FEATURES), axis=1) for n in numbers])
    for number, read in zip(numbers, found, strict=True):
        np.testing.assert_array_equal(read[:, 0], number)
        assert read.shape[1] == OUTPUTS
        from_start = np.arange(len(number))
        context = np.minimum(64, np.minimum(from_start, from_start[::-1]))
        assert (read[:, 1] >= context).all()
        assert (read[:, 2] >= context).all()


@pytest.mark.parametrize("n", [3, 900])
def test_a_contig_read_from_its_other_end_has_the_same_map(n):
    def outputs(x, valid_length):
        # what a token is told depends on everything before it in the chunk
        return np.repeat(np.cumsum(x[:, :, :1], axis=1), OUTPUTS, axis=2)

    x = np.random.default_rng(0).normal(size=(n, len(FEATURES))).astype(np.float32)
    there, back = read_both_ways(outputs, [x, x[::-1]])
    assert not np.allclose(there, read_in_chunks(outputs, [x])[0])
    np.testing.assert_allclose(back[::-1], there, rtol=1e-5)


class TestLimits:
    @pytest.mark.parametrize(("n", "held"), [(20, 2), (100, 6), (750, 45)])
    def test_six_of_a_hundred_regions_are_held_out(self, n, held):
        training, held_out = hold_out(list(range(n)), 0, Path("sims.h5"))
        assert len(held_out) == held
        assert sorted(training + held_out) == list(range(n))

    def test_twenty_regions_are_needed(self):
        with pytest.raises(TfbindError, match=r"sims.h5: found 19 regions .* expected at least 20"):
            hold_out(list(range(19)), 0, Path("sims.h5"))

    def test_models_are_judged_at_25_and_100_kb(self):
        calibration = Calibration((-1.96,) * 5, (1.96,) * 5)
        assert judge_scales([], [], calibration) == {"25000": {"windows": 0}, "100000": {"windows": 0}}

    def test_scaled_features_are_within_eight_standard_deviations(self):
        scaling = Scaling(np.array([1, 1, 1], np.float32), np.array([2, 2, 2], np.float32))
        assert scaling.apply(np.array([[1.0, 16.9, 17.1], [-14.9, -15.1, 99]])).tolist() == [
            pytest.approx([0, 7.95, 8]),
            pytest.approx([-7.95, -8, 8]),
        ]

    def test_the_diversity_of_a_chip_is_given_with_an_error_of_eight_per_cent(self):
        prior = SETTING.prior.changed({"chip": 1})
        region = simulate_region(Setting(prior=prior, length=100_000, samples=10), 1, 0)
        assert region.parameters["chip_spacing"] > 0
        # the diversity scales the width of tokens, the first feature of a token alone
        at = FEATURES.index("log_width")
        widths = [float(tokens_of(region, np.random.default_rng(seed)).x[0, at]) for seed in range(200)]
        assert np.std(widths) == pytest.approx(0.08, rel=0.15)


class TestFinished:
    def test_stays_as_it_is(self, trained, caplog):
        before = (trained / "rates.keras").stat().st_mtime_ns
        with caplog.at_level("INFO"):
            found = train(
                [trained / "sims.h5"], trained / "rates.keras", epochs=8, learning_rate=1e-2, resume=True
            )
        assert "rates.keras: is finished, so there is nothing to resume" in caplog.text
        assert found["epochs"] == json.loads((trained / "rates.summary.json").read_text())["epochs"]
        assert (trained / "rates.keras").stat().st_mtime_ns == before

    def test_is_refused_with_other_arguments(self, trained, tmp_path):
        output, sims = trained / "rates.keras", trained / "sims.h5"
        with pytest.raises(
            TfbindError, match=r"trained with options\.epochs 8, found 9; rerun without --resume"
        ):
            train([sims], output, epochs=9, learning_rate=1e-2, resume=True)
        write_simulations(SETTING, tmp_path / "other.h5", replicates=10, seed=4)
        with pytest.raises(TfbindError, match=r"rates\.keras: is finished, and was trained with data \["):
            train([tmp_path / "other.h5"], output, epochs=8, learning_rate=1e-2, resume=True)
