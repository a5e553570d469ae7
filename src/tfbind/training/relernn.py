"""What ReLERNN's network is fitted to: the squared error of a rate."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfbind.training.data import Batches
from tfbind.training.fit import Objective, predict_logits
from tfbind.training.forward import Forward


def squared_error(y: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """Mean squared error: of (n, 1) float32 twice, () float32."""
    return tf.reduce_mean((y - outputs) ** 2)


def mean_squared_error(validation_batch: int) -> Objective:
    """Fit by and judge by `squared_error`; beside it Pearson's correlation."""

    def validate(forward: Forward, data: Batches) -> dict[str, float]:
        outputs, y = predict_logits(forward, data.validation(validation_batch))
        # of a network that says the same everywhere it is not defined
        varies = outputs.std() > 0 and y.std() > 0
        pearson = np.corrcoef(outputs[:, 0], y[:, 0])[0, 1] if varies else 0.0
        return {"val_loss": float(((outputs - y) ** 2).mean()), "val_pearson": float(pearson)}

    return Objective(squared_error, validate)
