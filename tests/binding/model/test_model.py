import numpy as np
import pytest
from scipy.special import logit

from tfbind.binding.model.calibration import calibrate, calibrated_logits
from tfbind.binding.model.model import BindingModel
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
