import logging
import math
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfbind.errors import TfbindError
from tfbind.resume.checkpoint import Checkpoint
from tfbind.training.data import Examples
from tfbind.training.device import prepare, seeded
from tfbind.training.fit import classification, fit, predict_logits, weighted_cross_entropy
from tfbind.training.forward import make_forward
from tfbind.training.options import FitOptions

NAN = float("nan")
OPTIONS = FitOptions(epochs=4, batch_size=16, learning_rate=0.05, patience=10, seed=3)


class Toy:
    """40 examples of three numbers whose sum tells the label; ``interrupt`` breaks off in that epoch."""

    def __init__(self, *, scale=1.0, validation_turned=False, interrupt=None):
        rng = np.random.default_rng(1)
        self.x = (rng.normal(size=(40, 3)) * scale).astype(np.float32)
        self.y = (self.x.sum(axis=1) > 0).astype(np.float32)[:, None]
        self.held_out_y = 1 - self.y if validation_turned else self.y
        self.interrupt = interrupt
        self.n_train = 40
        self.shown: list[int] = []

    def _batches(self, order, y, size):
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            yield Examples((self.x[rows], np.full(len(rows), 3, np.int32)), y[rows])

    def batches(self, epoch, size):
        self.shown.append(epoch)
        for batch in self._batches(np.random.default_rng(epoch).permutation(40), self.y, size):
            yield batch
            if epoch == self.interrupt:
                raise KeyboardInterrupt

    def validation(self, size):
        return self._batches(np.arange(40), self.held_out_y, size)

    def class_weights(self):
        return np.ones((1, 2), np.float32)


def toy_network() -> keras.Model:
    prepare(threads=1)
    x, n = keras.Input((3,), name="x"), keras.Input((), dtype="int32", name="valid_length")
    with seeded(3):
        h = keras.layers.Dropout(0.3)(keras.layers.Dense(4, activation="tanh")(x))
        return keras.Model([x, n], keras.layers.Dense(1)(keras.layers.BatchNormalization()(h)))


def run(tmp_path, data=None, network=None, *, options=OPTIONS, resume=False, fingerprint=None):
    """Fit, and leave the checkpoint where it is."""
    network = network or toy_network()
    data = data or Toy()
    checkpoint = Checkpoint(tmp_path / "toy.keras", fingerprint or {"network": "toy", "data": 1}, resume)
    try:
        history = fit(
            network,
            network,
            data,
            classification(data.class_weights()),
            options,
            checkpoint=checkpoint,
        )
    finally:
        checkpoint.journal.close()
    return history, network.get_weights()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """History, weights and checkpoint of a run of four epochs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return *run(folder), (folder / "toy.checkpoint").read_bytes()


@pytest.fixture
def checkpoint(undisturbed, tmp_path):
    """That run's checkpoint, where `run` looks for it."""
    path = tmp_path / "toy.checkpoint"
    path.write_bytes(undisturbed[2])
    return path


def same_weights(one, other) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


class TestWeightedCrossEntropy:
    y = np.array([[1, 0], [0, NAN], [1, 1]], np.float32)
    logits = np.array([[0.5, -1], [2, 7], [-3, 0.1]], np.float32)
    weights = np.array([[1, 3], [2, 0.5]], np.float32)

    def test_equals_numpy(self):
        probability = 1 / (1 + np.exp(-self.logits.astype(float)))
        terms = [
            (3, -np.log(probability[0, 0])),
            (2, -np.log(1 - probability[0, 1])),
            (1, -np.log(1 - probability[1, 0])),
            (3, -np.log(probability[2, 0])),
            (0.5, -np.log(probability[2, 1])),
        ]
        expected = sum(weight * loss for weight, loss in terms) / sum(weight for weight, _ in terms)
        found = weighted_cross_entropy(tf.constant(self.y), tf.constant(self.logits), self.weights)
        assert float(found) == pytest.approx(expected, rel=1e-6)

    def test_an_unknown_label_has_no_gradient(self):
        logits = tf.Variable(self.logits)
        with tf.GradientTape() as tape:
            loss = weighted_cross_entropy(tf.constant(self.y), logits, self.weights)
        gradient = tape.gradient(loss, logits).numpy()
        assert gradient[1, 1] == 0
        assert np.isfinite(gradient).all()
        assert np.count_nonzero(gradient) == 5

    def test_is_zero_where_nothing_is_known(self):
        y = tf.constant([[NAN, NAN]])
        assert float(weighted_cross_entropy(y, tf.constant([[1.0, 2.0]]), self.weights)) == 0


class TestFit:
    def test_learns_and_keeps_a_history(self, tmp_path):
        data = Toy()
        history, _ = run(tmp_path, data, options=replace(OPTIONS, epochs=8))
        assert [row["epoch"] for row in history] == list(range(1, 9))
        assert data.shown == list(range(8))
        assert set(history[0]) == {"epoch", "loss", "val_loss", "val_auroc", "learning_rate"}
        assert history[-1]["val_loss"] < history[0]["val_loss"]
        assert history[-1]["val_auroc"] > 0.9
        # the learning rate rises to its peak and falls again
        assert history[-1]["learning_rate"] < 0.02 < max(row["learning_rate"] for row in history) <= 0.05

    def test_stops_when_validation_no_longer_improves_and_goes_back_to_the_best(self, tmp_path):
        # what is learned is wrong on the validation part: it is best before anything is learned
        data = Toy(validation_turned=True)
        network = toy_network()
        history, _ = run(tmp_path, data, network, options=replace(OPTIONS, epochs=30, patience=3))
        losses = [row["val_loss"] for row in history]
        best = int(np.argmin(losses))
        assert len(history) == best + 1 + 3 < 30
        logits, y = predict_logits(make_forward(network), data.validation(7))
        restored = weighted_cross_entropy(tf.constant(y), tf.constant(logits), data.class_weights())
        assert float(restored) == pytest.approx(losses[best], rel=1e-5)
        assert losses[-1] > losses[best] + 1e-3

    def test_clips_the_gradient(self, tmp_path):
        network = toy_network()
        before = network.get_weights()
        # Adam takes steps of one size whatever the gradient's, unless that is far below its epsilon of 1e-7
        options = replace(OPTIONS, epochs=1, clip_norm=1e-13, weight_decay=0.0)
        run(tmp_path, network=network, options=options)
        trained = [a - b for a, b in zip(network.get_weights(), before, strict=True)]
        assert max(np.abs(change).max() for change in trained[:2]) < 1e-5
        _, moved = run(tmp_path, options=replace(options, clip_norm=1.0))
        assert np.abs(moved[0] - before[0]).max() > 1e-3

    def test_class_weights_count(self, tmp_path, undisturbed):
        data = Toy()
        data.class_weights = lambda: np.array([[1, 50]], np.float32)
        history, _ = run(tmp_path, data, options=replace(OPTIONS, epochs=1))
        assert history[0]["loss"] != pytest.approx(undisturbed[0][0]["loss"], rel=1e-2)

    def test_same_seed_same_weights(self, tmp_path, undisturbed):
        history, weights = run(tmp_path)
        assert history == undisturbed[0]
        assert same_weights(weights, undisturbed[1])

    @pytest.mark.parametrize(
        ("scale", "learning_rate"), [(NAN, 0.05), (1, 1e38)], ids=["in the data", "by too large steps"]
    )
    def test_a_loss_that_is_no_number_is_an_error(self, tmp_path, scale, learning_rate):
        with pytest.raises(TfbindError, match=r"the loss became .* in epoch 1, .*lower --learning-rate"):
            run(tmp_path, Toy(scale=scale), options=replace(OPTIONS, learning_rate=learning_rate))

    def test_auroc_of_one_class_is_unknown(self, tmp_path):
        data = Toy()
        data.held_out_y = np.ones_like(data.y)
        history, _ = run(tmp_path, data)
        assert math.isnan(history[0]["val_auroc"])
        assert math.isfinite(history[0]["val_loss"])


class TestResume:
    def test_ends_as_if_never_interrupted(self, tmp_path, undisturbed):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, Toy(interrupt=2))
        data = Toy()
        history, weights = run(tmp_path, data, resume=True)
        assert data.shown == [2, 3]
        assert history == undisturbed[0]
        assert same_weights(weights, undisturbed[1])

    def test_after_the_last_epoch_trains_no_more(self, tmp_path, undisturbed, checkpoint):
        data = Toy()
        history, weights = run(tmp_path, data, resume=True)
        assert data.shown == []
        assert history == undisturbed[0]
        assert same_weights(weights, undisturbed[1])

    def test_without_it_the_checkpoint_is_not_used(self, tmp_path, checkpoint, caplog):
        data = Toy()
        run(tmp_path, data)
        assert data.shown == [0, 1, 2, 3]
        assert "toy.checkpoint: starting over, because --resume is not given" in caplog.text

    def test_without_a_checkpoint_starts_from_the_beginning(self, tmp_path):
        assert len(run(tmp_path, resume=True)[0]) == 4

    def test_a_checkpoint_of_another_run_is_not_used(self, tmp_path, checkpoint, caplog):
        data = Toy()
        with caplog.at_level(logging.WARNING):
            run(tmp_path, data, resume=True, fingerprint={"network": "toy", "data": 2})
        assert data.shown == [0, 1, 2, 3]
        assert (
            "toy.checkpoint: was started with data 1, found 2: starting over, and keeping the old one as"
            in caplog.text
        )

    def test_a_checkpoint_of_another_run_is_found_again_by_that(self, tmp_path, undisturbed):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, Toy(interrupt=2))
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, Toy(interrupt=1), resume=True, fingerprint={"network": "toy", "data": 2})
        data = Toy()
        history, weights = run(tmp_path, data, resume=True)
        assert data.shown == [2, 3]
        assert history == undisturbed[0]
        assert same_weights(weights, undisturbed[1])
        other = Toy()
        run(tmp_path, other, resume=True, fingerprint={"network": "toy", "data": 2})
        assert other.shown == [1, 2, 3]

    @pytest.mark.parametrize(
        ("damage", "message"),
        [
            (lambda data: b"", "toy.checkpoint: nothing to resume, so all is still to be done"),
            (
                lambda data: data[: len(data) // 2],
                "toy.checkpoint: is damaged and cannot be resumed: starting over",
            ),
            (
                lambda data: data[:2000] + bytes(50) + data[2050:],
                "toy.checkpoint: is damaged and cannot be resumed: starting over",
            ),
            (lambda data: bytes(9) + data, "toy.checkpoint: is damaged and cannot be resumed: starting over"),
        ],
        ids=["empty", "cut off", "overwritten", "moved"],
    )
    def test_a_damaged_checkpoint_is_not_used(
        self, tmp_path, undisturbed, checkpoint, caplog, damage, message
    ):
        checkpoint.write_bytes(damage(checkpoint.read_bytes()))
        data = Toy()
        with caplog.at_level(logging.INFO):
            history, _ = run(tmp_path, data, resume=True)
        assert data.shown == [0, 1, 2, 3]
        assert history == undisturbed[0]
        assert message in caplog.text

    def test_a_checkpoint_of_another_network_is_not_used(self, tmp_path, checkpoint, caplog):
        # as after an update of tfbind that builds the same spec otherwise
        x, n = keras.Input((3,), name="x"), keras.Input((), dtype="int32", name="valid_length")
        h = keras.layers.BatchNormalization()(keras.layers.Dropout(0.3)(keras.layers.Dense(5)(x)))
        data = Toy()
        with caplog.at_level(logging.WARNING):
            run(tmp_path, data, keras.Model([x, n], keras.layers.Dense(1)(h)), resume=True)
        assert data.shown == [0, 1, 2, 3]
        assert "toy.checkpoint: its weights are those of another network: starting over" in caplog.text
