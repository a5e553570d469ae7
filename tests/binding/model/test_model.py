from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit

from tfbind.binding.model.calibration import calibrate, calibrated_logits
from tfbind.binding.model.model import BindingModel, spread
from tfbind.dna.fasta import read_batches
from tfbind.errors import TfbindError
from tfbind.inference.engine import start_engine


@pytest.fixture
def records():
    rng = np.random.default_rng(3)
    valid_length = np.resize([60, 41, 13], 64).astype(np.int32)
    codes = rng.integers(0, 4, (64, 60)).astype(np.uint8)
    codes[np.arange(60) >= valid_length[:, None]] = 4
    return codes, valid_length


class TestProbabilities:
    def test_are_calibrated_logits(self, model, model_path, records):
        codes, valid_length = records
        engine = start_engine(model_path, model.card.network, model.card.encoding.length, threads=1)
        (logits,) = engine.stream([(model.card.encoding.encode(codes), valid_length)])
        assert model.device == engine.device
        expected = calibrate(logits, model.card.calibration)
        assert model.probabilities(codes, valid_length) == pytest.approx(expected, abs=1e-5)
        assert expected.min() > 0
        assert expected.max() < 1
        assert np.ptp(expected) > 1e-3

    @pytest.mark.parametrize("which", ["model", "kmer_model", "two_factor_model"])
    def test_do_not_depend_on_the_batch_size(self, request, which, records):
        model = request.getfixturevalue(which)
        whole = model.probabilities(*records, batch_size=64)
        assert whole.shape == (64, len(model.card.tasks))
        for size in (1, 8):
            assert model.probabilities(*records, batch_size=size) == pytest.approx(whole, abs=1e-5)

    def test_a_model_learned_what_it_was_shown(self, model, data):
        means = []
        for name in ("positives.fa", "negatives.fa"):
            (batch,) = read_batches(data / name, 60)
            means.append(model.probabilities(batch.codes, batch.valid_length).mean())
        assert means[0] > means[1]

    def test_of_nothing(self, model):
        assert model.probabilities(np.empty((0, 60), np.uint8), np.empty(0, np.int32)).shape == (0, 1)


def test_a_file_that_is_no_model_is_refused(given_tensors):
    with pytest.raises(TfbindError, match=r"given\.h5: damaged or no model file"):
        BindingModel(given_tensors)


def test_any_name_will_do_for_a_model_file(model_path, tmp_path):
    path = tmp_path / "renamed"
    path.write_bytes(model_path.read_bytes())
    assert BindingModel(path).card.tasks == ("CREB",)


class TestLogits:
    def test_are_the_log_odds_of_the_probabilities(self, two_factor_model, records):
        found = two_factor_model.logits(*records)
        assert found.shape == (64, 2)
        assert found == pytest.approx(logit(two_factor_model.probabilities(*records)), abs=1e-5)

    def test_keep_apart_what_rounds_to_a_probability_of_1(self):
        logits = np.array([[40.0], [40.25]], np.float32)
        calibration = {"slope": [1.0], "intercept": [0.0]}
        assert np.ptp(calibrate(logits, calibration)) == 0
        assert np.ptp(calibrated_logits(logits, calibration)) == 0.25

    def test_a_prevalence_shifts_them_all_alike(self):
        calibration = {"slope": [2.0], "intercept": [1.0], "prevalence": [0.5]}
        found = calibrated_logits(np.array([[0.0], [3.0]], np.float32), calibration, 0.1)
        assert found[:, 0] == pytest.approx([1 - np.log(9), 7 - np.log(9)])


class TestEnsemble:
    def test_scores_are_of_the_mean_of_the_logits(self, ensemble, records):
        of_members = ensemble.member_logits(*records)
        assert of_members.shape == (2, 64, 2)
        np.testing.assert_array_equal(ensemble.logits(*records), of_members.mean(axis=0))
        np.testing.assert_array_equal(ensemble.probabilities(*records), expit(of_members.mean(axis=0)))

    def test_do_not_depend_on_the_batch_size(self, ensemble, records):
        whole = ensemble.member_logits(*records, batch_size=64)
        for size in (1, 8):
            np.testing.assert_allclose(ensemble.member_logits(*records, batch_size=size), whole, atol=1e-5)

    def test_keras_gives_the_same(self, ensemble, ensemble_path, records):
        found = BindingModel(ensemble_path, engine="keras", threads=1).member_logits(*records)
        np.testing.assert_allclose(found, ensemble.member_logits(*records), atol=1e-4)

    def test_a_stream_may_give_the_spread_beside_the_scores(self, ensemble, records):
        codes, valid_length = records
        batches = [(codes[:40], valid_length[:40]), (codes[40:], valid_length[40:])]
        found = np.concatenate(list(ensemble.stream(batches, uncertainty=True)))
        assert found.shape == (64, 4)
        np.testing.assert_array_equal(found[:, :2], ensemble.probabilities(*records))
        one, other = ensemble.member_logits(*records)
        np.testing.assert_allclose(found[:, 2:], np.abs(one - other) / np.sqrt(2), atol=1e-9)

    def test_a_prevalence_moves_the_score_and_not_the_spread(self, ensemble, ensemble_path, records):
        rare = BindingModel(ensemble_path, threads=1, prevalence=0.01)
        assert (rare.logits(*records) < ensemble.logits(*records)).all()
        spreads = [spread(model.member_logits(*records)) for model in (rare, ensemble)]
        np.testing.assert_allclose(*spreads, atol=1e-9)

    def test_of_nothing(self, ensemble):
        found = ensemble.member_logits(np.empty((0, 60), np.uint8), np.empty(0, np.int32))
        assert found.shape == (2, 0, 2)

    def test_only_an_ensemble_has_uncertainty(self, ensemble, two_factor_model):
        ensemble.check_uncertainty()
        with pytest.raises(TfbindError, match=r"two\.keras: is one network, .* tfbind train --seeds"):
            two_factor_model.check_uncertainty()

    def test_two_columns_of_one_name_are_refused(self, ensemble_path):
        model = BindingModel(ensemble_path, threads=1)
        model.card = replace(model.card, tasks=("A", "A_sd"))
        with pytest.raises(TfbindError, match="has factors A and A_sd"):
            model.check_uncertainty()
