"""A network that reads DNA from left to right and says at each base which one comes next."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from tfbind.networks.recurrent import recurrent_stack


def next_base_network(*, cell: str, units: int, layers: int) -> keras.Model:
    """Build a stacked, one-way recurrent network, many-to-many (a language model as Mikolov 2010's, of bases).

    Parameters
    ----------
    cell : str
        A name out of `tfbind.networks.recurrent.RECURRENT`.
    units, layers : int

    Returns
    -------
    keras.Model
        Inputs ``x`` (n, steps, 4) uint8, the one-hot base *before* each one, zeros before the first, and
        ``valid_length`` (n,) int32; output (n, steps, 4) float32 logits of A, C, G and T. Any number of steps.
    """
    x = keras.Input((None, 4), dtype="uint8", name="x")
    valid_length = keras.Input((), dtype="int32", name="valid_length")
    h = keras.layers.Rescaling(1.0, name="to_float")(x)
    h = recurrent_stack(h, valid_length, cell=cell, units=units, layers=layers, output="sequence")
    return keras.Model([x, valid_length], keras.layers.Dense(4, name="logits")(h), name="next_base")


def make_sampler(network: keras.Model) -> Callable[[np.ndarray, float], np.ndarray]:
    """Compile the drawing of sequences from a `next_base_network`: one-to-many.

    Each step's state is kept, so a base costs one step, however long the sequence has become.

    Returns
    -------
    callable
        From uniform numbers in [0, 1), (n, length) float32, and a temperature that divides the logits, to
        codes (n, length) uint8: each base is the first one whose cumulative probability exceeds its number.
    """
    cells = [layer.cell for layer in network.layers if isinstance(layer, keras.layers.RNN)]
    to_logits = network.get_layer("logits")

    @tf.function(reduce_retracing=True)
    def draw(uniform, temperature):
        n, length = tf.shape(uniform)[0], tf.shape(uniform)[1]
        states = [[tf.zeros((n, size)) for size in tf.nest.flatten(cell.state_size)] for cell in cells]
        bases = tf.TensorArray(tf.uint8, size=length)

        def step(t, before, states, bases):
            h, following = before, []
            for cell, state in zip(cells, states, strict=True):
                h, state = cell(h, state, training=False)
                following.append(list(state))
            cumulative = tf.cumsum(tf.nn.softmax(to_logits(h) / temperature), axis=1)[:, :3]
            base = tf.reduce_sum(tf.cast(cumulative <= uniform[:, t, None], tf.int32), axis=1)
            return t + 1, tf.one_hot(base, 4), following, bases.write(t, tf.cast(base, tf.uint8))

        start = (0, tf.zeros((n, 4)), states, bases)
        *_, bases = tf.while_loop(lambda t, *_: t < length, step, start)
        return tf.transpose(bases.stack())

    return lambda uniform, temperature: draw(
        tf.constant(uniform, tf.float32), tf.constant(temperature, tf.float32)
    ).numpy()
