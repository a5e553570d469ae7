import keras
import numpy as np

from tfbind.training.forward import make_forward


def test_applies_the_network_as_in_inference():
    x, n = keras.Input((2,), name="x"), keras.Input((), dtype="int32", name="valid_length")
    network = keras.Model(
        [x, n], keras.layers.Dropout(0.9)(keras.layers.Dense(1, kernel_initializer="ones")(x))
    )
    forward = make_forward(network)
    for size in (3, 1, 3):
        found = forward(np.full((size, 2), 2, np.float32), np.full(size, 2, np.int32))
        assert (found.dtype, found.tolist()) == (np.float32, [[4.0]] * size)
