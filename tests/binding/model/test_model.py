import numpy as np
import pytest

from tfbind.binding.model.calibration import calibrate
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
