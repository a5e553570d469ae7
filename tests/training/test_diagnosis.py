import keras
import numpy as np
import pandas as pd
import pytest

from tfbind.networks.spec import make_spec
from tfbind.training import diagnosis
from tfbind.training.data import Examples
from tfbind.training.diagnosis import gradient_norms, learning_rate_range, propose_rate, reach
from tfbind.training.fit import make_step
from tfbind.training.options import FitOptions

LENGTH = 12
OPTIONS = FitOptions(epochs=1, batch_size=16, learning_rate=1e-3, seed=3)


class Toy:
    """40 one-hot sequences, the last 10 of them of 5 bases; the first base is the label."""

    n_train = 40

    def __init__(self):
        rng = np.random.default_rng(0)
        codes = rng.integers(4, size=(40, LENGTH))
        self.valid_length = np.where(np.arange(40) < 30, LENGTH, 5).astype(np.int32)
        self.x = (
            np.eye(4, dtype=np.uint8)[codes] * (np.arange(LENGTH) < self.valid_length[:, None])[:, :, None]
        )
        self.y = (codes[:, :1] < 2).astype(np.float32)

    def _batch(self, rows):
        return Examples((self.x[rows], self.valid_length[rows]), self.y[rows])

    def batches(self, epoch, size):
        order = np.random.default_rng(epoch).permutation(40)
        for start in range(0, 40, size):
            yield self._batch(order[start : start + size])

    def validation(self, size):
        for start in range(0, 40, size):
            yield self._batch(slice(start, start + size))

    def class_weights(self):
        return np.ones((1, 2), np.float32)


def norms(cell, *, options=OPTIONS, data=None):
    return gradient_norms(make_spec("bilstm", length=LENGTH, cell=cell, units=6), data or Toy(), options)


class TestGradientNorms:
    def test_are_counted_from_each_sequences_own_end(self):
        table = norms("gru")
        assert list(table.columns) == ["cell", "step", "norm", "n"]
        assert table["step"].tolist() == list(range(1, LENGTH + 1))
        assert table["n"].tolist() == [30] * 7 + [40] * 5
        assert (table["norm"] > 0).all()

    def test_fade_in_a_tanh_network_and_not_in_one_that_starts_as_the_identity(self):
        faded = {}
        for cell in ("rnn", "irnn"):
            table = norms(cell)
            faded[cell] = table["norm"].iloc[0] / table["norm"].iloc[-1]
        assert faded["rnn"] < 0.3 < 0.6 < faded["irnn"]

    def test_of_the_last_step_are_those_of_the_logit(self):
        # |p - y| |w|, as the logit is w h + b; batches of another size change nothing
        found = [norms("rnn", options=FitOptions(epochs=0, batch_size=n, seed=3)) for n in (7, 40)]
        assert found[0]["norm"].to_numpy() == pytest.approx(found[1]["norm"].to_numpy(), rel=1e-5)
        keras.utils.set_random_seed(3)
        from tfbind.networks.recurrent import last_state_classifier

        data = Toy()
        network = last_state_classifier(make_spec("bilstm", length=LENGTH, cell="rnn", units=6))
        p = 1 / (1 + np.exp(-np.array(network([data.x, data.valid_length]))))
        expected = np.abs(p - data.y).mean() * np.linalg.norm(network.get_layer("logits").kernel.numpy())
        assert found[0]["norm"].iloc[-1] == pytest.approx(expected, rel=1e-4)

    def test_leave_unknown_labels_out(self):
        data = Toy()
        data.y[:] = np.nan
        assert not norms("rnn", data=data)["norm"].any()

    def test_are_traced_once_whatever_the_sizes_of_batches(self, monkeypatch):
        steps = []
        monkeypatch.setattr(diagnosis, "make_step", lambda *each: steps.append(make_step(*each)) or steps[-1])
        norms("rnn")
        # 40 examples in batches of 16 leave one of 8 over
        assert [step.experimental_get_tracing_count() for step in steps] == [1]

    def test_are_the_same_for_the_same_seed(self):
        first, again, other = (
            norms("lstm"),
            norms("lstm"),
            norms("lstm", options=FitOptions(epochs=1, seed=4)),
        )
        assert first["norm"].tolist() == again["norm"].tolist() != other["norm"].tolist()


class TestReach:
    def test_is_the_farthest_step_with_a_hundredth_of_the_greatest_norm(self):
        assert reach(pd.DataFrame({"norm": [0.0, 0.001, 0.02, 0.001, 1.0]})) == 3

    def test_of_no_gradient_is_zero(self):
        assert reach(pd.DataFrame({"norm": [0.0, 0.0]})) == 0


class TestLearningRateRange:
    def range(self, n_steps=60):
        x = keras.Input((LENGTH, 4), dtype="uint8")
        valid_length = keras.Input((), dtype="int32")
        h = keras.layers.Flatten()(keras.layers.Rescaling(1.0)(x))
        keras.utils.set_random_seed(1)
        network = keras.Model([x, valid_length], keras.layers.Dense(1)(h))
        data = Toy()
        # every sequence with either label: whoever is sure of anything is punished
        data.x[20:], data.valid_length[20:] = data.x[:20], data.valid_length[:20]
        data.y[20:] = 1 - data.y[:20]
        return learning_rate_range(network, data, OPTIONS, n_steps)

    def test_rises_in_equal_ratios(self):
        table = self.range()
        assert list(table.columns) == ["rate", "loss", "smoothed"]
        assert table["rate"].iloc[0] == pytest.approx(1e-5)
        assert np.diff(np.log(table["rate"])) == pytest.approx(np.log(1e6) / 59)
        assert table["smoothed"].iloc[0] == pytest.approx(table["loss"].iloc[0])

    def test_ends_where_the_loss_has_run_away(self):
        table = self.range()
        assert len(table) < 60
        assert table["smoothed"].iloc[-1] > 2 * table["smoothed"].min()


class TestProposedRate:
    def propose(self, smoothed, loss=None):
        rate, loss = np.arange(1.0, len(smoothed) + 1), smoothed if loss is None else loss
        return propose_rate(pd.DataFrame({"rate": rate, "loss": loss, "smoothed": smoothed}))

    def test_is_at_the_first_valley(self):
        assert self.propose([*np.linspace(2, 1, 20), 1.2, 0.5, 0.5]) == 20

    def test_passes_over_a_small_rise(self):
        assert self.propose([*np.linspace(2, 1, 20), 1.05, 0.9, 0.95]) == 22

    def test_is_not_told_by_the_first_batch_alone(self):
        # an easy one, after which the loss seems to have risen all the time
        assert self.propose([0.5, *np.linspace(2, 1, 19), 1.2]) == 20

    @pytest.mark.parametrize(
        "smoothed",
        [[], [1.0], [2.0, 1.0, 0.5, 0.4, 0.6], [1.0] * 30, np.linspace(1, 3, 30)],
        ids=["no step", "one step", "five steps", "level", "rising"],
    )
    def test_is_none_where_the_loss_did_not_fall(self, smoothed):
        assert self.propose(smoothed) is None

    @pytest.mark.parametrize(("noise", "expected"), [(0.05, 30), (0.2, None)])
    def test_is_none_where_the_loss_fell_by_chance(self, noise, expected):
        smoothed = np.linspace(1, 0.9, 30)
        assert self.propose(smoothed, smoothed + noise * (-1) ** np.arange(30)) == expected
