"""What a network that learns the next base is fitted to and judged by: bits."""

from __future__ import annotations

import math
from collections.abc import Iterator

import tensorflow as tf

from tfbind.dna.alphabet import AMBIGUOUS
from tfbind.training.data import Examples, Validation
from tfbind.training.fit import Objective
from tfbind.training.forward import Forward


def mean_bits(y: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Mean of -log2 of the probability of each base that is known: () float32, 0 where none is.

    Parameters
    ----------
    y : (n, steps) uint8
        The base that comes; 4 counts nothing.
    logits : (n, steps, 4) float32
    """
    known = tf.cast(y < AMBIGUOUS, tf.float32)
    bases = tf.where(y < AMBIGUOUS, tf.cast(y, tf.int32), 0)
    nats = tf.nn.sparse_softmax_cross_entropy_with_logits(bases, logits) * known
    return tf.math.divide_no_nan(tf.reduce_sum(nats), tf.reduce_sum(known)) / math.log(2)


def bits_per_base(forward: Forward, batches: Iterator[Examples]) -> float:
    """Mean of `mean_bits` over the known bases of all batches."""
    total, n = 0.0, 0
    for batch in batches:
        n_known = int((batch.y < AMBIGUOUS).sum())
        total += float(mean_bits(tf.constant(batch.y), tf.constant(forward(*batch.inputs)))) * n_known
        n += n_known
    return total / n


def next_base(validation_batch: int) -> Objective:
    """Bits per base, in training and, so many sequences at a time, in validation."""

    def validate(forward: Forward, data: Validation) -> dict[str, float]:
        return {"val_loss": bits_per_base(forward, data.validation(validation_batch))}

    return Objective(mean_bits, validate)
