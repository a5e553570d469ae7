"""Recurrent cells that Keras lacks, for `keras.layers.RNN`."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable("tfbind")
class JordanCell(keras.layers.Layer):
    """A step of a Jordan network (Jordan 1986): what is fed back is the output, not the hidden state.

    ::

        h_t = tanh(W x_t + U y_{t-1} + b)
        y_t = tanh(V h_t + c)

    Input (n, features), state and output (n, units) float; h has as many units as y.

    Parameters
    ----------
    units : int
    """

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = self.output_size = units

    def build(self, input_shape):
        square, bias = (self.units, self.units), (self.units,)
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], self.units))
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=square, initializer="orthogonal"
        )
        self.bias = self.add_weight(name="bias", shape=bias, initializer="zeros")
        # what comes back passes both matrices: orthogonal ones keep its length
        self.output_kernel = self.add_weight(name="output_kernel", shape=square, initializer="orthogonal")
        self.output_bias = self.add_weight(name="output_bias", shape=bias, initializer="zeros")

    def call(self, inputs, states, training=False):
        hidden = ops.matmul(inputs, self.kernel) + ops.matmul(states[0], self.recurrent_kernel) + self.bias
        output = ops.tanh(ops.matmul(ops.tanh(hidden), self.output_kernel) + self.output_bias)
        return output, [output]

    def get_config(self):
        return super().get_config() | {"units": self.units}


class StateProbe(keras.layers.Layer):
    """A cell with something added to its state at each step.

    The derivative by what is added, at zero, is the derivative by the state itself, through all the steps that
    follow: see `tfbind.networks.recurrent.probed`.

    Input (n, features + state): the cell's own and, behind it, what is added; the parts of the state (h and c
    of an LSTM) stand one behind the other.
    """

    def __init__(self, cell: keras.layers.Layer, **kwargs):
        super().__init__(**kwargs)
        self.cell = cell
        self.state_size, self.output_size = cell.state_size, cell.output_size

    def call(self, inputs, states, training=False):
        features = inputs.shape[-1] - sum(state.shape[-1] for state in states)
        _, states = self.cell(inputs[:, :features], states, training=training)
        added, at = [], features
        for state in states:
            added.append(state + inputs[:, at : at + state.shape[-1]])
            at += state.shape[-1]
        # the output of each of our cells is the first part of its state
        return added[0], added
