"""Keras layers for sequences of varying length that are padded on the right.

Padding is handled without Keras's masks: a recurrence that runs from left to right never meets the padding
before it has read everything else, and one that runs from right to left is the same thing on the valid part
turned round. So every recurrent layer is the plain, unmasked one, which has a cuDNN kernel on a GPU and is
twice as fast as the masked one on a CPU. What is left to do is to blank the padding after each layer.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import ops


@keras.saving.register_keras_serializable("tfbind")
class ValidSteps(keras.layers.Layer):
    """From bases before the padding to steps before the padding, for k-mers or after pooling.

    (n,) int32 bases to (n,) int32 steps: of windows ``size`` wide, every ``stride``, that lie inside the
    valid part; with ``partial`` those that reach into it count, too.
    """

    def __init__(self, size: int, stride: int, partial: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.size, self.stride, self.partial = size, stride, partial

    def call(self, valid_length):
        if self.partial:
            return -(-valid_length // self.stride)
        return ops.maximum((valid_length - self.size) // self.stride + 1, 0)

    def get_config(self):
        return super().get_config() | {"size": self.size, "stride": self.stride, "partial": self.partial}


@keras.saving.register_keras_serializable("tfbind")
class BlankPadding(keras.layers.Layer):
    """Set the steps at and after ``valid_length`` to zero: (n, steps, features) and (n,) int32."""

    def call(self, sequence, valid_length):
        return sequence * valid_mask(sequence, valid_length)


@keras.saving.register_keras_serializable("tfbind")
class ReverseValid(keras.layers.Layer):
    """Turn the valid part of each sequence round and leave the padding on the right."""

    def call(self, sequence, valid_length):
        return tf.reverse_sequence(sequence, valid_length, seq_axis=1)

    def compute_output_spec(self, sequence, valid_length):
        return keras.KerasTensor(sequence.shape, sequence.dtype)


@keras.saving.register_keras_serializable("tfbind")
class OneHotReverseComplement(keras.layers.Layer):
    """The other strand of (n, length, 4) one-hot sequences; padding stays on the right."""

    def call(self, sequence, valid_length):
        # A, C, G, T read backwards is T, G, C, A: each base's complement
        return tf.reverse_sequence(sequence[:, :, ::-1], valid_length, seq_axis=1)

    def compute_output_spec(self, sequence, valid_length):
        return keras.KerasTensor(sequence.shape, sequence.dtype)


@keras.saving.register_keras_serializable("tfbind")
class KmerReverseComplement(keras.layers.Layer):
    """The other strand of (n, tokens) k-mers: each one's reverse complement, in reverse order."""

    def __init__(self, k: int, **kwargs):
        super().__init__(**kwargs)
        self.k = k
        table = []
        for token in range(4**k):
            complement = 0
            for _ in range(k):
                token, base = divmod(token, 4)
                complement = complement * 4 + 3 - base
            table.append(complement)
        self._table = [*table, 4**k]

    def call(self, tokens, valid_length):
        return tf.reverse_sequence(tf.gather(self._table, tokens), valid_length, seq_axis=1)

    def compute_output_spec(self, tokens, valid_length):
        return keras.KerasTensor(tokens.shape, "int32")

    def get_config(self):
        return super().get_config() | {"k": self.k}


@keras.saving.register_keras_serializable("tfbind")
class EvidenceSum(keras.layers.Layer):
    """A linear model's logits out of its evidence tracks: (n, steps, tasks) to (n, tasks).

    Each task has a slope, from 1 on, and an intercept: before any training the result is the linear model's
    own logit.
    """

    def build(self, input_shape):
        self.slope = self.add_weight(name="slope", shape=(input_shape[-1],), initializer="ones")
        self.intercept = self.add_weight(name="intercept", shape=(input_shape[-1],), initializer="zeros")

    def call(self, tracks):
        return ops.sum(tracks, axis=1) * self.slope + self.intercept

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])


@keras.saving.register_keras_serializable("tfbind")
class ValidMask(keras.layers.Layer):
    """Which steps may be attended to: (n, 1, steps) bool, from (n, steps, features) and (n,) int32."""

    def call(self, sequence, valid_length):
        return ops.arange(sequence.shape[1], dtype="int32")[None, None, :] < valid_length[:, None, None]


@keras.saving.register_keras_serializable("tfbind")
class SinusoidalPositions(keras.layers.Layer):
    """Add the sines and cosines by which attention tells places apart (Vaswani et al. 2017, section 3.5)."""

    def call(self, sequence):
        steps, features = sequence.shape[1:]
        half = -(-features // 2)
        rates = 10000.0 ** (-np.arange(half) / half)
        angles = np.arange(steps)[:, None] * rates
        places = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)[:, :features]
        return sequence + ops.cast(places, sequence.dtype)


@keras.saving.register_keras_serializable("tfbind")
class PoolValid(keras.layers.Layer):
    """Maximum and mean over the valid steps: (n, steps, features) to (n, 2 * features); 0 where none is valid."""

    def call(self, sequence, valid_length):
        mask = valid_mask(sequence, valid_length)
        n_valid = ops.sum(mask, axis=1)
        highest = ops.where(n_valid > 0, ops.max(ops.where(mask > 0, sequence, -1e9), axis=1), 0.0)
        mean = ops.sum(sequence * mask, axis=1) / ops.maximum(n_valid, 1.0)
        return ops.concatenate([highest, mean], axis=-1)


def valid_mask(sequence, valid_length):
    """1.0 at the steps before the padding: (n, steps, 1) in the sequence's own float type."""
    steps = ops.arange(ops.shape(sequence)[1], dtype="int32")
    return ops.cast(steps[None, :] < valid_length[:, None], sequence.dtype)[:, :, None]
