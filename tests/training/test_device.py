import keras
import numpy as np

from tfbind.training.device import prepare, seeded


def test_says_what_it_runs_on():
    assert prepare(threads=3).startswith(("CPU (3 threads)", "GPU ("))


def test_seeds_what_is_drawn():
    drawn = []
    for seed in (0, 0, 1):
        with seeded(seed):
            drawn.append(keras.layers.Dense(3))
            drawn[-1].build((None, 2))
    weights = [layer.get_weights()[0] for layer in drawn]
    assert np.array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])
