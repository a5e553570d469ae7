"""The recurrent core: any cell, either or both ways, stacked, over sequences padded on the right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import keras
from keras import ops

from tfbind.networks.cells import JordanCell, StateProbe
from tfbind.networks.layers import BlankPadding, PoolValid, ReverseValid, ValidSteps, valid_mask
from tfbind.networks.spec import NetworkSpec


def irnn(units: int, return_sequences: bool = False, name: str | None = None) -> keras.layers.Layer:
    """Make a ReLU network that begins by remembering everything (Le, Jaitly & Hinton 2015).

    The recurrent matrix starts as the identity, the bias at zero and the input's matrix near it (normal with a
    standard deviation of .001).
    """
    return keras.layers.SimpleRNN(
        units,
        activation="relu",
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.001),
        recurrent_initializer="identity",
        bias_initializer="zeros",
        return_sequences=return_sequences,
        name=name,
    )


def jordan(units: int, return_sequences: bool = False, name: str | None = None) -> keras.layers.Layer:
    """Make a Jordan network: see `tfbind.networks.cells.JordanCell`."""
    return keras.layers.RNN(JordanCell(units), return_sequences=return_sequences, name=name)


# from a cell's name to its layer, called with units, return_sequences and name; Keras's LSTM (Hochreiter &
# Schmidhuber 1997, forget gate of Gers 2000, its bias starting at 1) and GRU (Cho 2014, reset after the
# product) come unchanged: they alone have a cuDNN kernel
RECURRENT: dict[str, Callable[..., keras.layers.Layer]] = {
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
    "rnn": keras.layers.SimpleRNN,
    "irnn": irnn,
    "jordan": jordan,
}


@keras.saving.register_keras_serializable("tfbind")
class LastValid(keras.layers.Layer):
    """The state after everything has been read: (n, steps, features) to (n, features); 0 where nothing is valid.

    Read from left to right that is the last valid step; with ``both_ways`` the second half of the features was
    read from right to left, and its last state stands at the first step.
    """

    def __init__(self, both_ways: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.both_ways = both_ways

    def call(self, sequence, valid_length):
        at = ops.maximum(valid_length - 1, 0)
        last = ops.squeeze(ops.take_along_axis(sequence, at[:, None, None], axis=1), axis=1)
        if self.both_ways:
            half = sequence.shape[-1] // 2
            last = ops.concatenate([last[:, :half], sequence[:, 0, half:]], axis=-1)
        return last * valid_mask(sequence, valid_length)[:, 0]

    def compute_output_shape(self, sequence_shape, valid_length_shape=None):
        return (sequence_shape[0], sequence_shape[-1])

    def get_config(self):
        return super().get_config() | {"both_ways": self.both_ways}


def bidirectional(sequence, valid_length, cell: str, units: int, name: str):
    """Run a recurrence from either end of the valid part: (n, steps, features) to (n, steps, 2 * units)."""
    recurrent = RECURRENT[cell]
    forward = recurrent(units, return_sequences=True, name=f"{name}_forward")(sequence)
    turned = ReverseValid(name=f"{name}_turn")(sequence, valid_length)
    backward = recurrent(units, return_sequences=True, name=f"{name}_backward")(turned)
    backward = ReverseValid(name=f"{name}_turn_back")(backward, valid_length)
    return keras.layers.Concatenate(name=name)([forward, backward])


def recurrent_stack(
    sequence,
    valid_length,
    *,
    cell: str = "lstm",
    units: int = 32,
    layers: int = 1,
    bidirectional: bool = False,
    output: Literal["sequence", "last", "pooled"] = "sequence",
    dropout: float = 0.0,
    name: str = "recurrent",
):
    """Read sequences with one recurrent layer or several.

    Parameters
    ----------
    sequence : (n, steps, features) float KerasTensor
        What stands in the padding has no influence.
    valid_length : (n,) int32 KerasTensor
        Steps before the padding, which is on the right.
    cell : str
        A name out of RECURRENT.
    units : int
        Of one direction of one layer.
    layers : int
    bidirectional : bool
        Whether each layer reads from either end.
    output : str
        "sequence" for one output a step, zero in the padding; "last" for the state after everything has been
        read (of either direction); "pooled" for maximum and mean over the valid steps.
    dropout : float
        Between layers.
    name : str
        What the layers' names begin with.

    Returns
    -------
    KerasTensor
        With ``width`` = ``units``, twice that where bidirectional: (n, steps, width), (n, width) or
        (n, 2 * width) float.
    """
    h = sequence
    for number in range(1, layers + 1):
        if number > 1:
            h = keras.layers.Dropout(dropout, name=f"{name}_{number}_dropout")(h)
        h = _layer(h, valid_length, cell, units, bidirectional, f"{name}_{number}")
    if output == "last":
        return LastValid(bidirectional, name=f"{name}_last")(h, valid_length)
    if output == "pooled":
        return PoolValid(name=f"{name}_pooled")(h, valid_length)
    return BlankPadding(name=f"{name}_mask")(h, valid_length)


def _layer(sequence, valid_length, cell: str, units: int, both_ways: bool, name: str):
    if both_ways:
        return bidirectional(sequence, valid_length, cell, units, name)
    return RECURRENT[cell](units, return_sequences=True, name=name)(sequence)


def last_state_classifier(spec: NetworkSpec) -> keras.Model:
    """Build the plainest recurrent network: one layer, read left to right, whose last state gives the logits.

    Inputs ``x`` and ``valid_length`` as `tfbind.networks.build.build` has them; the spec's length, vocabulary
    (and embedding, k, stride), tasks, cell and units count.
    """
    if spec.vocabulary:
        x = keras.Input((spec.length,), dtype="int32", name="x")
        h = keras.layers.Embedding(spec.vocabulary, spec.embedding, name="features")(x)
    else:
        x = keras.Input((spec.length, 4), dtype="uint8", name="x")
        h = keras.layers.Rescaling(1.0, name="features")(x)
    valid_length = keras.Input((), dtype="int32", name="valid_length")
    steps = ValidSteps(spec.k, spec.stride, name="valid_steps")(valid_length)
    h = recurrent_stack(h, steps, cell=spec.cell, units=spec.units, output="last")
    logits = keras.layers.Dense(spec.n_tasks, name="logits")(h)
    return keras.Model([x, valid_length], logits, name="last_state")


def probed(classifier: keras.Model) -> keras.Model:
    """Give a `last_state_classifier` a third input, ``added``: what is added to its state at each step.

    ``added`` is (n, steps, state) float32; an LSTM's state is h and c, one behind the other. The gradient of
    the loss by it, at zeros, is the gradient by the state. Weights are shared.
    """
    recurrent = classifier.get_layer("recurrent_1")
    features = classifier.get_layer("features").output
    steps = classifier.get_layer("valid_steps").output
    sizes = recurrent.cell.state_size
    size = sum(sizes) if isinstance(sizes, (list, tuple)) else sizes
    added = keras.Input((features.shape[1], size), name="added")
    both = keras.layers.Concatenate(name="features_and_added")([features, added])
    h = keras.layers.RNN(StateProbe(recurrent.cell), return_sequences=True, name="probe")(both)
    last = LastValid(name="last")(h, steps)
    return keras.Model([*classifier.inputs, added], classifier.get_layer("logits")(last), name="probed")
