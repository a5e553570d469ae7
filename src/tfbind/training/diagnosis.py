"""How a recurrent network learns: how far back its gradient reaches, and which learning rate it bears."""

from __future__ import annotations

from itertools import count, islice
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from tfbind.networks.recurrent import last_state_classifier, probed
from tfbind.networks.spec import NetworkSpec
from tfbind.training.data import TrainingData
from tfbind.training.device import seeded
from tfbind.training.fit import classification, make_step
from tfbind.training.options import FitOptions

LOWEST_RATE, HIGHEST_RATE = 1e-5, 10.0
# the loss is averaged over about so many steps
SMOOTHING = 10
# a loss that is so many times its lowest has turned, and has run away
RISE, RUN_AWAY = 1.1, 2.0


def gradient_norms(spec: NetworkSpec, data: TrainingData, options: FitOptions) -> pd.DataFrame:
    """Train a plain recurrent network briefly and see how much each of its states matters to the loss.

    The network reads from left to right and its last state gives the logits, so that a gradient at a step has
    come back through all the steps behind it: where it vanishes on its way (Hochreiter 1991; Bengio, Simard &
    Frasconi 1994) the network cannot learn what stands that far back.

    Parameters
    ----------
    spec : NetworkSpec
        Its input, tasks, cell and units count: see `tfbind.networks.recurrent.last_state_classifier`.
    data : TrainingData
        Evidence tracks among its inputs are left aside.
    options : FitOptions
        Epochs, batch size, learning rate and seed count.

    Returns
    -------
    DataFrame
        A row a step: ``cell``; ``step`` from 1 to the number of steps, which is the last one of every sequence
        (a shorter one begins at a later step); ``norm``, the Euclidean norm of the gradient of an example's
        cross-entropy by the state (of an LSTM h and c together), mean over the validation examples; ``n``,
        the examples that have this step.
    """
    with seeded(options.seed):
        classifier = last_state_classifier(spec)
    step = _make_step(classifier, data, options)
    for epoch in range(options.most_epochs(data.n_train, fitted=False)):
        for batch in data.batches(epoch, options.batch_size):
            step(batch.inputs[:2], batch.y, options.peak_rate)

    network = probed(classifier)
    valid_steps = keras.Model(classifier.inputs, classifier.get_layer("valid_steps").output)
    n_steps, state = network.inputs[2].shape[1:]

    inputs, truth = _signature(classifier)

    @tf.function
    def norms(inputs, y):
        x, valid_length = inputs
        added = tf.zeros((tf.shape(x)[0], n_steps, state))
        known = tf.math.is_finite(y)
        with tf.GradientTape() as tape:
            tape.watch(added)
            logits = network([x, valid_length, added])
            losses = tf.nn.sigmoid_cross_entropy_with_logits(tf.where(known, y, 0.0), logits)
            # no example reaches another one's state: the sum's gradient is each one's own
            loss = tf.reduce_sum(tf.where(known, losses, 0.0))
        return tf.norm(tape.gradient(loss, added), axis=-1), valid_steps([x, valid_length])

    norms.get_concrete_function(inputs, truth)
    total, n = np.zeros(n_steps), np.zeros(n_steps, np.int64)
    for batch in data.validation(options.batch_size):
        found, lengths = (result.numpy() for result in norms(_as_read(classifier, batch.inputs[:2]), batch.y))
        for row, length in zip(found, lengths, strict=True):
            if length:
                total[-length:] += row[:length]
                n[-length:] += 1
    table = pd.DataFrame({"cell": spec.cell, "step": np.arange(1, n_steps + 1), "norm": total, "n": n})
    table = table[table["n"] > 0].reset_index(drop=True)
    return table.assign(norm=table["norm"] / table["n"])


def reach(table: pd.DataFrame, fraction: float = 0.01) -> int:
    """Count the steps back from the end within which the gradient has ``fraction`` of its greatest norm.

    Parameters
    ----------
    table : DataFrame
        Of one cell, from `gradient_norms`.

    Returns
    -------
    int
        At most the number of steps; 0 where there is no gradient.
    """
    norm = table["norm"].to_numpy()[::-1]
    enough = np.flatnonzero((norm >= fraction * norm.max()) & (norm > 0))
    return int(enough[-1]) + 1 if len(enough) else 0


def learning_rate_range(
    network: keras.Model, data: TrainingData, options: FitOptions, n_steps: int
) -> pd.DataFrame:
    """Raise the learning rate exponentially, step by step, and watch the loss (Smith 2017).

    The test ends where the loss has run away, or after ``n_steps``. The network is left as it was by then.

    Parameters
    ----------
    network : keras.Model
    data : TrainingData
    options : FitOptions
        Batch size, weight decay and clipping count.
    n_steps : int
        From the lowest rate, 1e-5, to the highest, 10.

    Returns
    -------
    DataFrame
        A row a step: ``rate``, ``loss`` (of that step's batch, before the step) and ``smoothed`` (its
        exponential mean, corrected for the start).
    """
    step = _make_step(network, data, options)
    rates = np.geomspace(LOWEST_RATE, HIGHEST_RATE, n_steps)
    batches = (batch for epoch in count() for batch in data.batches(epoch, options.batch_size))
    keep, mean, lowest, rows = 1 - 1 / SMOOTHING, 0.0, np.inf, []
    for number, (rate, batch) in enumerate(zip(rates, islice(batches, n_steps), strict=True), start=1):
        loss = float(step(batch.inputs, batch.y, rate))
        mean = keep * mean + (1 - keep) * loss
        smoothed = mean / (1 - keep**number)
        if not np.isfinite(smoothed):
            break
        rows.append({"rate": rate, "loss": loss, "smoothed": smoothed})
        lowest = min(lowest, smoothed)
        if smoothed > RUN_AWAY * lowest:
            break
    return pd.DataFrame(rows, columns=["rate", "loss", "smoothed"])


def propose_rate(table: pd.DataFrame) -> float | None:
    """Propose the peak of a schedule: the rate at the first valley of the smoothed loss.

    From there on the loss rises by a tenth or more before it falls any lower: the highest rate at which it still falls
    (Smith 2017, section 3.3). A later and lower valley is a network that has broken down to saying the same of
    every sequence.

    Parameters
    ----------
    table : DataFrame
        From `learning_rate_range`.

    Returns
    -------
    float or None
        None where the loss did not fall: where it is lowest at the first rate at which it is a mean over SMOOTHING
        steps, or fell from the mean of these steps by no more than their standard deviation, as it does by chance.
    """
    first = table["loss"][:SMOOTHING]
    # the mean of the steps before is over fewer batches
    smoothed = table["smoothed"].to_numpy()[SMOOTHING - 1 :]
    if not len(smoothed):
        return None
    risen = smoothed > RISE * np.minimum.accumulate(smoothed)
    valley = int(smoothed[: risen.argmax() if risen.any() else None].argmin())
    if valley == 0 or first.mean() - smoothed[valley] <= first.std():
        return None
    return float(table["rate"].iloc[SMOOTHING - 1 + valley])


def _make_step(network: keras.Model, data: TrainingData, options: FitOptions):
    """Compile a step of training, from inputs, truth and learning rate to the loss before it."""
    optimizer = keras.optimizers.AdamW(
        options.peak_rate, weight_decay=options.weight_decay, global_clipnorm=options.clip_norm
    )
    optimizer.build(network.trainable_variables)
    step: Any = make_step(network, optimizer, classification(data.class_weights()).loss)
    step.get_concrete_function(*_signature(network))

    def step_at(inputs, y, rate: float):
        optimizer.learning_rate = rate
        return step(_as_read(network, inputs), y)

    return step_at


def _signature(network: keras.Model) -> tuple[tuple[tf.TensorSpec, ...], tf.TensorSpec]:
    """What a function of a network's inputs and the truth takes, in batches of any size.

    A function that is traced for it is traced once. TensorFlow takes the functions of several networks for one that
    it must trace again and again, and warns, unless each is traced ahead of its first call.
    """
    inputs = tuple(tf.TensorSpec((None, *each.shape[1:]), each.dtype) for each in network.inputs)
    return inputs, tf.TensorSpec((None, *network.outputs[0].shape[1:]), "float32")


def _as_read(network: keras.Model, inputs: tuple[np.ndarray, ...]) -> tuple[tf.Tensor, ...]:
    return tuple(tf.cast(array, each.dtype) for array, each in zip(inputs, network.inputs, strict=True))
