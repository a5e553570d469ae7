"""The network that reads tokens along a contig and says how fast it recombines at each."""

from __future__ import annotations

import keras

from tfbind.networks.layers import BlankPadding
from tfbind.networks.recurrent import bidirectional


def rate_network(*, features: int, outputs: int, cell: str, units: int, layers: int) -> keras.Model:
    """Build the network of tokens: dense, a convolution, bidirectional recurrent layers, dense.

    Parameters
    ----------
    features : int
        Of a token.
    outputs : int
        For each token.
    cell : str
        A name out of `tfbind.networks.recurrent.RECURRENT`.
    units : int
        Of one direction of one recurrent layer.
    layers : int
        Recurrent layers; each after the first is added to what it reads.

    Returns
    -------
    keras.Model
        Inputs ``x`` (n, tokens, features) float32 and ``valid_length`` (n,) int32; output (n, tokens, outputs)
        float32. Any number of tokens; what stands in the padding has no influence.
    """
    x = keras.Input((None, features), name="x")
    valid_length = keras.Input((), dtype="int32", name="valid_length")
    h = keras.layers.Dense(96, activation="relu", name="token")(x)
    h = BlankPadding(name="token_mask")(h, valid_length)
    h = keras.layers.Conv1D(2 * units, 5, padding="same", activation="relu", name="neighbours")(h)
    for number in range(1, layers + 1):
        read = bidirectional(h, valid_length, cell, units, f"recurrent_{number}")
        h = keras.layers.Add(name=f"recurrent_{number}_sum")([h, read])
        h = keras.layers.LayerNormalization(name=f"recurrent_{number}_norm")(h)
    h = keras.layers.Dense(64, activation="relu", name="hidden")(h)
    return keras.Model([x, valid_length], keras.layers.Dense(outputs, name="outputs")(h), name="rates")
