import numpy as np
import pytest

from tfbind.inference import ENGINES
from tfbind.inference.engine import start_engine
from tfbind.training.forward import make_forward
from tfbind.training.model_file import load_network, read_card


def test_gives_the_networks_logits_and_says_where(model_path):
    card = read_card(model_path, "binding")
    forward, device = start_engine(model_path, card, threads=1)
    x = np.random.default_rng(1).integers(0, 2, (3, 60, 4)).astype(np.uint8)
    valid_length = np.array([60, 30, 12], np.int32)
    expected = make_forward(load_network(model_path, card))(x, valid_length)
    assert expected.shape == (3, 1)
    assert forward(x, valid_length) == pytest.approx(expected, abs=1e-6)
    assert device.startswith(("CPU (", "GPU ("))


def test_auto_and_keras_are_engines():
    assert {"auto", "keras"} <= set(ENGINES)
