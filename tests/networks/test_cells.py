"""Each cell against its equations, gate by gate, in NumPy."""

import keras
import numpy as np
import pytest

from tfbind.networks.cells import JordanCell
from tfbind.networks.recurrent import RECURRENT
from tfbind.networks.spec import CELLS

STEPS, FEATURES, UNITS = 9, 3, 4


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(x, weights):
    kernel, recurrent, bias = weights
    outputs = []
    wi, wf, wc, wo = np.split(kernel, 4, axis=1)
    ui, uf, uc, uo = np.split(recurrent, 4, axis=1)
    bi, bf, bc, bo = np.split(bias, 4)
    h = c = np.zeros(UNITS)
    for x_t in x:
        i = sigmoid(x_t @ wi + h @ ui + bi)
        f = sigmoid(x_t @ wf + h @ uf + bf)
        o = sigmoid(x_t @ wo + h @ uo + bo)
        c = f * c + i * np.tanh(x_t @ wc + h @ uc + bc)
        h = o * np.tanh(c)
        outputs.append(h)
    return outputs


def gru(x, weights):
    kernel, recurrent, (input_bias, recurrent_bias) = weights
    wz, wr, wh = np.split(kernel, 3, axis=1)
    uz, ur, uh = np.split(recurrent, 3, axis=1)
    bz, br, bh = np.split(input_bias, 3)
    az, ar, ah = np.split(recurrent_bias, 3)
    h, outputs = np.zeros(UNITS), []
    for x_t in x:
        z = sigmoid(x_t @ wz + bz + h @ uz + az)
        r = sigmoid(x_t @ wr + br + h @ ur + ar)
        # reset after the product, as cuDNN has it
        candidate = np.tanh(x_t @ wh + bh + r * (h @ uh + ah))
        h = z * h + (1 - z) * candidate
        outputs.append(h)
    return outputs


def rnn(x, weights, activation=np.tanh):
    w, u, b = weights
    h, outputs = np.zeros(UNITS), []
    for x_t in x:
        h = activation(x_t @ w + h @ u + b)
        outputs.append(h)
    return outputs


def irnn(x, weights):
    return rnn(x, weights, lambda a: np.maximum(a, 0))


def jordan(x, weights):
    w, u, b, v, c = weights
    y, outputs = np.zeros(UNITS), []
    for x_t in x:
        h = np.tanh(x_t @ w + y @ u + b)
        y = np.tanh(h @ v + c)
        outputs.append(y)
    return outputs


EQUATIONS = {"lstm": lstm, "gru": gru, "rnn": rnn, "irnn": irnn, "jordan": jordan}


def test_every_cell_has_its_layer_and_its_equations():
    assert list(RECURRENT) == list(CELLS) == list(EQUATIONS)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("valid_length", [STEPS, 5, 1])
def test_cell_follows_its_equations(cell, valid_length):
    rng = np.random.default_rng(valid_length)
    x = rng.normal(size=(2, STEPS, FEATURES)).astype(np.float32)
    # padding that is anything at all: it is read after the rest
    x[:, valid_length:] = 7
    layer = RECURRENT[cell](UNITS, return_sequences=True, name="recurrent")
    layer(x)
    # no weight stays at a start of zero or one that would hide its place in the equations
    weights = [0.5 * rng.normal(size=weight.shape).astype(np.float32) for weight in layer.get_weights()]
    layer.set_weights(weights)
    found = np.array(layer(x))
    for row in range(len(x)):
        expected = EQUATIONS[cell](x[row, :valid_length].astype(float), weights)
        assert found[row, :valid_length] == pytest.approx(np.array(expected), abs=1e-5)


class TestStart:
    def test_of_irnn_is_the_identity(self):
        layer = RECURRENT["irnn"](UNITS)
        layer.build((None, None, FEATURES))
        kernel, recurrent, bias = layer.get_weights()
        assert recurrent.tolist() == np.eye(UNITS).tolist()
        assert bias.tolist() == [0, 0, 0, 0]
        assert 0 < np.abs(kernel).max() < 0.01

    def test_of_lstm_keeps_what_it_has(self):
        layer = RECURRENT["lstm"](UNITS)
        layer.build((None, None, FEATURES))
        assert np.split(layer.get_weights()[2], 4)[1].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_kernels_of_cudnn_stay_in_use(cell):
    layer = RECURRENT[cell](UNITS)
    assert type(layer) in (keras.layers.LSTM, keras.layers.GRU)
    settings = layer.get_config()
    assert (settings["activation"], settings["recurrent_activation"]) == ("tanh", "sigmoid")
    assert layer.use_cudnn == "auto"
    assert settings["recurrent_dropout"] == 0
    assert settings["unroll"] is False
    assert settings.get("reset_after", True) is True


def test_jordan_is_saved_and_loaded(tmp_path):
    x = np.random.default_rng(0).normal(size=(2, STEPS, FEATURES)).astype(np.float32)
    network = keras.Sequential([keras.Input((STEPS, FEATURES)), RECURRENT["jordan"](UNITS, name="r")])
    network.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True)
    assert isinstance(loaded.get_layer("r").cell, JordanCell)
    assert np.array(loaded(x)).tolist() == np.array(network(x)).tolist()
