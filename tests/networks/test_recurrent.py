import keras
import numpy as np
import pytest
import tensorflow as tf

from tfbind.networks.recurrent import LastValid, last_state_classifier, probed, recurrent_stack
from tfbind.networks.spec import CELLS, make_spec

STEPS, FEATURES, UNITS = 7, 3, 4
VALID = np.array([7, 4, 1, 0], np.int32)
MASK = np.arange(STEPS) < VALID[:, None]
X = np.random.default_rng(0).normal(size=(4, STEPS, FEATURES)).astype(np.float32)


def stack(**options) -> keras.Model:
    x, n = keras.Input((STEPS, FEATURES), name="x"), keras.Input((), dtype="int32", name="n")
    return keras.Model([x, n], recurrent_stack(x, n, units=UNITS, **options))


def alone(network, row):
    """What a network says of a sequence that is read by itself, its padding cut off, as if it were all."""
    valid = VALID[row]
    padded = np.zeros_like(X[:1])
    padded[:, :valid] = X[row, :valid]
    return np.array(network([padded, VALID[row : row + 1]]))[0]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("both_ways", [False, True])
@pytest.mark.parametrize("output", ["sequence", "last", "pooled"])
def test_padding_has_no_influence(cell, both_ways, output):
    network = stack(cell=cell, layers=2, bidirectional=both_ways, output=output)
    found = np.array(network([X, VALID]))
    width = UNITS * (1 + both_ways)
    assert (
        found.shape == {"sequence": (4, STEPS, width), "last": (4, width), "pooled": (4, 2 * width)}[output]
    )
    for row in range(4):
        assert found[row] == pytest.approx(alone(network, row), abs=1e-6)
    assert not found[3].any()
    if output == "sequence":
        assert not found[~MASK].any()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("return_sequences", [False, True])
def test_both_ways_equal_a_masked_keras_bidirectional(cell, return_sequences):
    output = "sequence" if return_sequences else "last"
    network = stack(cell=cell, bidirectional=True, output=output)
    layer = network.get_layer("recurrent_1_forward")
    settings = layer.get_config() | {"return_sequences": return_sequences, "name": "reference"}
    reference = keras.layers.Bidirectional(type(layer).from_config(settings))
    reference(X[:3], mask=MASK[:3])
    reference.forward_layer.set_weights(layer.get_weights())
    reference.backward_layer.set_weights(network.get_layer("recurrent_1_backward").get_weights())
    expected = np.array(reference(X[:3], mask=MASK[:3]))
    found = np.array(network([X, VALID]))[:3]
    if return_sequences:
        expected, found = expected[MASK[:3]], found[MASK[:3]]
    assert found == pytest.approx(expected, abs=1e-6)
    assert np.abs(found).max() > (1e-4 if cell == "irnn" else 0.01)


def test_layers_stand_one_on_the_other():
    names = [
        layer.name for layer in stack(cell="gru", layers=3, dropout=0.5).layers if layer.name not in "xn"
    ]
    assert names == [
        *("recurrent_1", "recurrent_2_dropout", "recurrent_2"),
        *("recurrent_3_dropout", "recurrent_3", "recurrent_mask"),
    ]
    network = stack(cell="gru", layers=2)
    first, second = network.get_layer("recurrent_1"), network.get_layer("recurrent_2")
    expected = np.array(second(first(X)))
    assert np.array(network([X, VALID]))[MASK] == pytest.approx(expected[MASK], abs=1e-6)


def test_pooled_is_the_maximum_and_the_mean_of_the_valid_steps():
    network = stack(cell="rnn", output="pooled")
    states = np.array(network.get_layer("recurrent_1")(X))[1, :4]
    expected = np.concatenate([states.max(axis=0), states.mean(axis=0)])
    assert np.array(network([X, VALID]))[1] == pytest.approx(expected, abs=1e-6)


class TestLastValid:
    SEQUENCE = np.arange(24, dtype=np.float32).reshape(2, 3, 4) + 1

    def test_is_the_last_step_before_the_padding(self):
        assert np.array(LastValid()(self.SEQUENCE, np.array([3, 1], np.int32))).tolist() == [
            [9, 10, 11, 12],
            [13, 14, 15, 16],
        ]

    def test_of_the_way_back_is_the_first_step(self):
        assert np.array(LastValid(True)(self.SEQUENCE, np.array([3, 1], np.int32))).tolist() == [
            [9, 10, 3, 4],
            [13, 14, 15, 16],
        ]

    def test_of_nothing_is_zero(self):
        assert not np.array(LastValid()(self.SEQUENCE, np.array([0, 0], np.int32))).any()

    def test_comes_back_from_its_settings(self):
        assert LastValid.from_config(LastValid(True).get_config()).both_ways is True


@pytest.mark.parametrize("cell", CELLS)
def test_a_stack_is_saved_and_loaded(cell, tmp_path):
    network = stack(cell=cell, bidirectional=True, output="last")
    network.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True)
    assert np.array(loaded([X, VALID])).tolist() == np.array(network([X, VALID])).tolist()


class TestProbe:
    LENGTH = 6

    def classifier(self, cell):
        return last_state_classifier(make_spec("bilstm", length=self.LENGTH, cell=cell, units=UNITS))

    def inputs(self):
        x = np.eye(4, dtype=np.uint8)[np.random.default_rng(1).integers(4, size=(3, self.LENGTH))]
        return x, np.array([6, 6, 3], np.int32)

    def gradient(self, network, x, n, added):
        added = tf.constant(added)
        with tf.GradientTape() as tape:
            tape.watch(added)
            logit = tf.reduce_sum(network([tf.constant(x), tf.constant(n), added]))
        return tape.gradient(logit, added).numpy()

    @pytest.mark.parametrize("cell", CELLS)
    def test_of_nothing_changes_nothing(self, cell):
        classifier, inputs = self.classifier(cell), self.inputs()
        network = probed(classifier)
        found = network([*inputs, np.zeros((3, *network.inputs[2].shape[1:]), np.float32)])
        assert np.array(found) == pytest.approx(np.array(classifier(list(inputs))), abs=1e-6)
        assert network.count_params() == classifier.count_params()

    @pytest.mark.parametrize(("cell", "size"), [("lstm", 8), ("gru", 4), ("jordan", 4)])
    def test_gradient_is_the_change_of_the_logit_by_the_state(self, cell, size):
        network, (x, n) = probed(self.classifier(cell)), self.inputs()
        added = np.zeros((3, self.LENGTH, size), np.float32)
        gradient = self.gradient(network, x, n, added)
        up, down = added.copy(), added.copy()
        up[0, 2, size - 1], down[0, 2, size - 1] = 0.01, -0.01
        slope = (np.array(network([x, n, up])) - np.array(network([x, n, down])))[0, 0] / 0.02
        assert gradient[0, 2, size - 1] == pytest.approx(slope, abs=1e-4)
        assert abs(slope) > 1e-3
        # behind a sequence's end nothing matters
        assert not gradient[2, 3:].any()

    def test_gradient_of_a_linear_memory_never_fades(self):
        network, (x, n) = probed(self.classifier("irnn")), self.inputs()
        gradient = self.gradient(network, x, n, np.full((3, self.LENGTH, UNITS), 0.1, np.float32))[0]
        expected = np.broadcast_to(network.get_layer("logits").kernel.numpy()[:, 0], gradient.shape)
        assert gradient == pytest.approx(expected, abs=1e-4)
