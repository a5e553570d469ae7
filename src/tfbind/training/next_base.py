"""What a network that learns the next base is fitted to and judged by: bits."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfbind.training.data import Batches, Examples
from tfbind.training.fit import Objective
from tfbind.training.forward import Forward

STRETCHES_A_BATCH = 24
UNKNOWN = 4


def mean_bits(y: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Mean of -log2 of the probability of each base that is known: () float32, 0 where none is.

    Parameters
    ----------
    y : (n, steps) uint8
        The base that comes; 4 counts nothing.
    logits : (n, steps, 4) float32
    """
    known = tf.cast(y < UNKNOWN, tf.float32)
    bases = tf.where(y < UNKNOWN, tf.cast(y, tf.int32), 0)
    nats = tf.nn.sparse_softmax_cross_entropy_with_logits(bases, logits) * known
    return tf.math.divide_no_nan(tf.reduce_sum(nats), tf.reduce_sum(known)) / math.log(2)


def bits_per_base(forward: Forward, batches: Iterator[Examples]) -> float:
    """Mean of `mean_bits` over the known bases of all batches."""
    total, n = 0.0, 0
    for batch in batches:
        n_known = int((batch.y < UNKNOWN).sum())
        total += float(mean_bits(tf.constant(batch.y), tf.constant(forward(*batch.inputs)))) * n_known
        n += n_known
    return total / n


def next_base() -> Objective:
    """Bits per base, in training and in validation."""

    def validate(forward: Forward, data: Batches) -> dict[str, float]:
        return {"val_loss": bits_per_base(forward, data.validation(STRETCHES_A_BATCH))}

    return Objective(mean_bits, validate)


def shifted(codes: np.ndarray) -> np.ndarray:
    """One-hot base before each one, zeros before the first: (n, length) uint8 to (n, length, 4) uint8."""
    before = np.zeros((*codes.shape, 4), np.uint8)
    before[:, 1:] = codes[:, :-1, None] == np.arange(4)
    return before
