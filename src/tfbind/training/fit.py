"""The training loop."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from sklearn.metrics import roc_auc_score

from tfbind.errors import TfbindError
from tfbind.progress import Progress
from tfbind.resume.checkpoint import Checkpoint
from tfbind.training.data import Batches, Examples, Validation
from tfbind.training.forward import Forward, make_forward
from tfbind.training.options import FitOptions

logger = logging.getLogger(__name__)

PREDICTION_BATCH = 512


def weighted_cross_entropy(y: tf.Tensor, logits: tf.Tensor, class_weights: tf.Tensor) -> tf.Tensor:
    """Mean binary cross-entropy over the known labels, each weighted by its task and class.

    Parameters
    ----------
    y : (n, tasks) float32
        1, 0, or NaN where unknown: these count nothing.
    logits : (n, tasks) float32
    class_weights : (tasks, 2) float32
        Of unbound and bound examples.

    Returns
    -------
    () float32
        0 where nothing is known.
    """
    known = tf.math.is_finite(y)
    y = tf.where(known, y, 0.0)
    weight = tf.where(y > 0.5, class_weights[:, 1], class_weights[:, 0]) * tf.cast(known, tf.float32)
    losses = tf.nn.sigmoid_cross_entropy_with_logits(y, logits) * weight
    return tf.math.divide_no_nan(tf.reduce_sum(losses), tf.reduce_sum(weight))


class Objective(NamedTuple):
    """What fitting minimises and what it judges an epoch by.

    loss : from y and the network's output to () float32
    validate : from the network's inference and the validation part to a row's ``val_loss`` and whatever else is to
        stand in the history
    """

    loss: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    validate: Callable[[Forward, Validation], dict[str, float]]


def classification(class_weights: np.ndarray) -> Objective:
    """Weighted cross-entropy, and in validation the mean of the tasks' AUROC (NaN where undefined).

    Parameters
    ----------
    class_weights : (tasks, 2) float32
        As in `weighted_cross_entropy`.
    """
    weights = tf.constant(class_weights)

    def loss(y, logits):
        return weighted_cross_entropy(y, logits, weights)

    def validate(forward, data):
        logits, y = predict_logits(forward, data.validation(PREDICTION_BATCH))
        aurocs = []
        for task in range(y.shape[1]):
            known = np.isfinite(y[:, task])
            if len(np.unique(y[known, task])) == 2 and np.isfinite(logits).all():
                aurocs.append(roc_auc_score(y[known, task], logits[known, task]))
        val_loss = float(loss(tf.constant(y), tf.constant(logits)))
        return {"val_loss": val_loss, "val_auroc": float(np.mean(aurocs)) if aurocs else math.nan}

    return Objective(loss, validate)


@dataclass
class FitState:
    """What fitting knows after a whole number of epochs: enough to go on as if never interrupted."""

    history: list[dict[str, float]] = field(default_factory=list)
    best_weights: list[np.ndarray] = field(default_factory=list)

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return int(self.history[-1]["epoch"]) if self.history else 0

    @property
    def best(self) -> dict[str, float]:
        """The row of the lowest validation loss so far."""
        return min(self.history, key=lambda row: row["val_loss"])

    def add(self, row: dict[str, float], network: keras.Model) -> None:
        """Add a row to the history; where it is the best one, keep the network's weights."""
        self.history.append(row)
        if self.best is row:
            self.best_weights = [np.array(weight) for weight in network.get_weights()]
        logger.info(
            "epoch %d: %svalidation loss %.4f%s%s",
            row["epoch"],
            # at epoch 0 there has been no training
            "" if math.isnan(row["loss"]) else f"loss {row['loss']:.4f}, ",
            row["val_loss"],
            f", validation AUROC {row['val_auroc']:.4f}" if "val_auroc" in row else "",
            " (best)" if self.best is row else "",
        )


def fit(
    network: keras.Model,
    trained: keras.Model,
    data: Batches,
    objective: Objective,
    options: FitOptions,
    *,
    checkpoint: Checkpoint,
    judge_start: bool = False,
) -> list[dict[str, float]]:
    """Fit a network and leave it with the weights of its best epoch.

    Parameters
    ----------
    network : keras.Model
        What is judged on the validation part, and whose weights are kept.
    trained : keras.Model
        What is trained; it shares its weights with ``network``.
    data : Batches
    objective : Objective
    options : FitOptions
    checkpoint : Checkpoint
        Training continues after its epoch, and every epoch is written to it.
    judge_start : bool
        Whether the network is worth something before any training: then it is a candidate, as epoch 0.

    Returns
    -------
    list of dict
        One an epoch: epoch (from 1; where ``judge_start`` the first row is of the untrained network: epoch 0, loss
        NaN), loss, val_loss and what else the objective judges by, learning_rate (of the epoch's last step).
    """
    n_steps, rate = -(-data.n_train // options.batch_size), options.peak_rate
    n_epochs = options.most_epochs(data.n_train, fitted=judge_start)
    schedule = keras.optimizers.schedules.CosineDecay(
        rate * 0.01,
        decay_steps=max(1, round(n_steps * n_epochs * (1 - options.warmup))),
        warmup_target=rate,
        warmup_steps=max(1, round(n_steps * n_epochs * options.warmup)),
    )
    optimizer = keras.optimizers.AdamW(
        schedule, weight_decay=options.weight_decay, global_clipnorm=options.clip_norm
    )
    optimizer.build(trained.trainable_variables)
    variables = [*network.variables, *optimizer.variables]

    step = make_step(trained, optimizer, objective.loss)
    forward = make_forward(network)
    state = _take_up(checkpoint, variables)
    if state.epoch:
        logger.info("resuming after epoch %d, from %s", state.epoch, checkpoint.path)
    if judge_start and not state.history:
        start = {
            "epoch": 0,
            "loss": math.nan,
            **objective.validate(forward, data),
            "learning_rate": 0.0,
        }
        state.add(start, network)
    with Progress("training", total=n_epochs * n_steps, unit="steps") as progress:
        progress.update(state.epoch * n_steps)
        while state.epoch < n_epochs and not (
            state.history and state.epoch - state.best["epoch"] >= options.patience
        ):
            epoch = state.epoch + 1
            losses = []
            for batch in data.batches(epoch - 1, options.batch_size):
                losses.append(step(batch.inputs, batch.y))
                progress.update(1, f"epoch {epoch}")
            row = {"epoch": epoch, "loss": float(np.mean([loss.numpy() for loss in losses]))}
            row |= objective.validate(forward, data)
            row["learning_rate"] = float(optimizer.learning_rate)
            if not math.isfinite(row["loss"] + row["val_loss"]):
                raise TfbindError(
                    f"the loss became {row['loss']} ({row['val_loss']} in validation) in epoch {epoch},"
                    " expected a finite one: lower --learning-rate"
                )
            state.add(row, network)
            _save(checkpoint, variables, state)
    network.set_weights(state.best_weights)
    return state.history


def make_step(
    network: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    loss_of: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
) -> Callable[[tuple[np.ndarray, ...], np.ndarray], tf.Tensor]:
    """Compile a step of training, from a batch's inputs and truth to the loss before it."""

    @tf.function(reduce_retracing=True)
    def step(inputs, y):
        with tf.GradientTape() as tape:
            loss = loss_of(y, network(list(inputs), training=True))
        optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
        return loss

    return step


def predict_logits(forward: Forward, batches: Iterator[Examples]) -> tuple[np.ndarray, np.ndarray]:
    """Apply a network, as `make_forward` gives it, to examples.

    Returns
    -------
    logits, y : (n, tasks) float32
    """

    results = [(forward(*batch.inputs), batch.y) for batch in batches]
    logits, y = zip(*results, strict=True)
    return np.concatenate(logits), np.concatenate(y)


def _save(checkpoint: Checkpoint, variables: list, state: FitState) -> None:
    arrays: dict[str, Any] = {f"variable_{i}": np.asarray(variable) for i, variable in enumerate(variables)}
    arrays |= {f"best_{i}": weight for i, weight in enumerate(state.best_weights)}
    checkpoint.write({"history": state.history}, arrays)


def _take_up(checkpoint: Checkpoint, variables: list) -> FitState:
    """Set the variables to what the checkpoint holds; leave them alone if there is nothing that fits."""
    found = checkpoint.read()
    if found is None:
        return FitState()
    kept, arrays = found
    values = [value for name, value in arrays.items() if name.startswith("variable_")]
    if [value.shape for value in values] != [tuple(variable.shape) for variable in variables]:
        checkpoint.reject("its weights are those of another network")
        return FitState()
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return FitState(kept["history"], [value for name, value in arrays.items() if name.startswith("best_")])
