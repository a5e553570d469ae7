"""A network applied to batches: validation while it is trained, and the reference engine of inference."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

Forward = Callable[[np.ndarray, np.ndarray], np.ndarray]


def make_forward(network: keras.Model) -> Forward:
    """Compile a network's inference.

    Returns
    -------
    callable
        From ``x`` and ``valid_length`` (n,) int32, as the network takes them, to logits (n, tasks) float32.
    """

    @tf.function(reduce_retracing=True)
    def forward(x, valid_length):
        return network([x, valid_length], training=False)

    return lambda x, valid_length: forward(x, valid_length).numpy()
