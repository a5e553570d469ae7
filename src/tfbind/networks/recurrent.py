"""Recurrent layers over sequences of varying length, padded on the right."""

from __future__ import annotations

from keras import layers

from tfbind.networks.layers import ReverseValid

RECURRENT = {"lstm": layers.LSTM, "gru": layers.GRU}


def bidirectional(sequence, valid_length, cell: str, units: int, name: str):
    """Run a recurrence from either end of the valid part: (n, steps, features) to (n, steps, 2 * units)."""
    recurrent = RECURRENT[cell]
    forward = recurrent(units, return_sequences=True, name=f"{name}_forward")(sequence)
    turned = ReverseValid(name=f"{name}_turn")(sequence, valid_length)
    backward = recurrent(units, return_sequences=True, name=f"{name}_backward")(turned)
    backward = ReverseValid(name=f"{name}_turn_back")(backward, valid_length)
    return layers.Concatenate(name=name)([forward, backward])
