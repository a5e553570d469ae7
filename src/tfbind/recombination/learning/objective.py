"""What networks of recombination rates are fitted to.

The network of tokens is fitted to a log-normal posterior at several scales at once, ReLERNN's to the squared error.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfbind.recombination.options import FLOOR, LOG_RATES, LOG_SPREADS, MOST_VARIANCE, SCALES
from tfbind.training.data import Validation
from tfbind.training.fit import Objective, predict_logits
from tfbind.training.forward import Forward

# scales at which the predicted length is held to the true one
LENGTH_SCALES = (64, 256)
LENGTH_WEIGHT = 0.25
# Seitzer 2022 (ICLR, arXiv:2203.09168): weighs by variance ** BETA what the plain likelihood would neglect
BETA = 0.5


def moving_mean(values: tf.Tensor, size: int) -> tf.Tensor:
    """Average over each ``size`` steps that follow one another: (n, steps) to (n, steps - size + 1)."""
    total = tf.pad(tf.cumsum(values, axis=1), [[0, 0], [1, 0]])
    return (total[:, size:] - total[:, :-size]) / size


def posterior_loss(y: tf.Tensor, outputs: tf.Tensor, beta: float = BETA) -> tf.Tensor:
    """Negative log likelihood of the rates, mean over tokens and scales.

    What the outputs mean is said in `tfbind.recombination.options`. At each scale the rate is taken for log-normal;
    beside it stands the deviance of a gamma distribution at LENGTH_SCALES, whose minimum is the mean whatever the
    distribution (McCullagh & Nelder 1989, Generalized Linear Models, section 8.3).

    Parameters
    ----------
    y : (n, tokens) float32
        True r/mu; NaN in the padding.
    outputs : (n, tokens, OUTPUTS) float32
    beta : float
        0 for the likelihood itself.

    Returns
    -------
    () float32
    """
    known = tf.math.is_finite(y)
    truth = tf.where(known, y, 0.0)
    rate = tf.exp(tf.clip_by_value(outputs[..., 0], *LOG_RATES))
    total = tf.constant(0.0)
    for number, size in enumerate(SCALES, 1):
        whole = tf.cast(moving_mean(tf.cast(known, tf.float32), size) > 1 - 0.5 / size, tf.float32)
        # sums of differences in float32 may come out a little below 0
        true_log = tf.math.log(tf.maximum(moving_mean(truth, size), 0.0) + FLOOR)
        mean_log = tf.math.log(tf.maximum(moving_mean(rate, size), 0.0) + FLOOR)
        middle = outputs[:, size // 2 : size // 2 + tf.shape(whole)[1], number]
        log_sd = tf.clip_by_value(middle, *LOG_SPREADS)
        variance = tf.exp(2 * log_sd)
        error = true_log - mean_log + tf.minimum(variance, MOST_VARIANCE) / 2
        losses = (error**2 / (2 * variance) + log_sd) * tf.stop_gradient(variance**beta)
        if size in LENGTH_SCALES and beta:
            excess = tf.minimum(true_log - mean_log, 3.0)
            losses += LENGTH_WEIGHT * (tf.exp(excess) - excess - 1)
        total += tf.math.divide_no_nan(tf.reduce_sum(losses * whole), tf.reduce_sum(whole))
    return total / len(SCALES)


def rate_posterior(validation_batch: int) -> Objective:
    """Fit by `posterior_loss` and judge by the likelihood itself; beside it the predicted over the true length."""

    def validate(forward: Forward, data: Validation) -> dict[str, float]:
        loss = n = predicted = true = 0.0
        for batch in data.validation(validation_batch):
            outputs, known = forward(*batch.inputs), np.isfinite(batch.y)
            loss += float(posterior_loss(tf.constant(batch.y), tf.constant(outputs), 0.0)) * known.sum()
            n += known.sum()
            predicted += np.exp(np.clip(outputs[..., 0], *LOG_RATES))[known].sum()
            true += batch.y[known].sum()
        return {"val_loss": loss / n, "val_length_ratio": float(predicted / true)}

    return Objective(posterior_loss, validate)


def squared_error(y: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """Mean squared error: of (n, 1) float32 twice, () float32."""
    return tf.reduce_mean((y - outputs) ** 2)


def mean_squared_error(validation_batch: int) -> Objective:
    """Fit by and judge by `squared_error`; beside it Pearson's correlation."""

    def validate(forward: Forward, data: Validation) -> dict[str, float]:
        outputs, y = predict_logits(forward, data.validation(validation_batch))
        # of a network that says the same everywhere it is not defined
        varies = outputs.std() > 0 and y.std() > 0
        pearson = np.corrcoef(outputs[:, 0], y[:, 0])[0, 1] if varies else 0.0
        return {"val_loss": float(((outputs - y) ** 2).mean()), "val_pearson": float(pearson)}

    return Objective(squared_error, validate)
