import math

import numpy as np
import pytest
import tensorflow as tf

from tfbind.background.objective import bits_per_base, mean_bits
from tfbind.training.data import Examples


def test_mean_bits_by_hand():
    probability = np.array([[[0.5, 0.25, 0.125, 0.125], [0.1, 0.2, 0.3, 0.4], [0.25] * 4]], np.float32)
    y = np.array([[0, 4, 3]], np.uint8)
    # 1 bit and 2 bits; what is unknown counts nothing
    assert float(mean_bits(tf.constant(y), tf.math.log(probability))) == pytest.approx(1.5, abs=1e-6)


def test_nothing_known_is_no_loss():
    assert float(mean_bits(tf.constant([[4]], tf.uint8), tf.zeros((1, 1, 4)))) == 0


def test_bits_per_base_weighs_bases_not_batches():
    certain = np.array([10.0, 0, 0, 0], np.float32)
    batches = [
        Examples((np.tile(certain, (1, 3, 1)),), np.array([[0, 0, 0]], np.uint8)),
        Examples((np.zeros((1, 2, 4), np.float32),), np.array([[2, 4]], np.uint8)),
    ]
    unsure = math.log2(1 + 3 * math.exp(-10))
    assert bits_per_base(lambda x: x, iter(batches)) == pytest.approx((3 * unsure + 2) / 4)
