"""A network applied to batches: validation while it is trained, and the reference engine of inference."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

Forward = Callable[..., np.ndarray]


def make_forward(network: keras.Model) -> Forward:
    """Compile a network's inference.

    Returns
    -------
    callable
        From the network's inputs, in their order, to logits (n, tasks) float32.
    """

    @tf.function(reduce_retracing=True)
    def forward(*inputs):
        return network(list(inputs), training=False)

    return lambda *inputs: forward(*inputs).numpy()
