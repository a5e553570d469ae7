"""The loss of recombination rates."""

from types import SimpleNamespace

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from tfbind.recombination.learning.objective import (  # noqa: E402
    mean_squared_error,
    moving_mean,
    posterior_loss,
    squared_error,
)
from tfbind.recombination.options import FLOOR, OUTPUTS, SCALES  # noqa: E402
from tfbind.training.data import Examples  # noqa: E402


def outputs(log_rate, log_sd):
    n = len(log_rate)
    return np.concatenate(
        [np.reshape(log_rate, (1, n, 1)), np.full((1, n, OUTPUTS - 1), log_sd)], axis=2
    ).astype(np.float32)


def plain_loss(y, log_rate, log_sd):
    """The log-normal likelihood at each scale, window by window."""
    losses = []
    for size in SCALES:
        one = []
        for at in range(len(y) - size + 1):
            truth = np.log(np.mean(y[at : at + size]) + FLOOR)
            median = np.log(np.mean(np.exp(log_rate[at : at + size])) + FLOOR) - np.exp(2 * log_sd) / 2
            one.append((truth - median) ** 2 / (2 * np.exp(2 * log_sd)) + log_sd)
        losses.append(np.mean(one) if one else 0.0)
    return np.mean(losses)


def test_the_moving_mean():
    assert moving_mean(tf.constant([[1.0, 3.0, 8.0, 0.0]]), 2).numpy().tolist() == [[2.0, 5.5, 4.0]]


def test_it_is_the_likelihood_at_each_scale():
    rng = np.random.default_rng(0)
    y, log_rate = np.exp(rng.normal(size=80)), rng.normal(size=80)
    found = posterior_loss(y[None].astype(np.float32), outputs(log_rate, -0.5), 0.0)
    assert float(found) == pytest.approx(plain_loss(y, log_rate, -0.5), rel=1e-4)


def test_padding_has_no_influence():
    rng = np.random.default_rng(0)
    y, log_rate = np.exp(rng.normal(size=20)), rng.normal(size=20)
    padded = np.append(y, [np.nan] * 7)[None].astype(np.float32)
    losses = [
        float(posterior_loss(padded, outputs(np.append(log_rate, [fill] * 7), 0.1), beta))
        for fill in (0.0, 5.0)
        for beta in (0.0, 0.5)
    ]
    assert losses[:2] == pytest.approx(losses[2:])
    # a scale that the sequence is too short for counts nothing, with or without padding
    assert losses[0] == pytest.approx(plain_loss(y, log_rate, 0.1), rel=1e-4)


def test_the_best_constant_is_the_mean_of_the_rates_and_not_their_median():
    rng = np.random.default_rng(2)
    y = np.exp(rng.normal(0, 1.0, (40, 300))).astype(np.float32)
    log_rates = np.linspace(-0.5, 1.5, 41)

    def loss(log_rate):
        # at each scale the spread that is right there
        spreads = [np.log(np.log(tf.constant(y).numpy().reshape(-1)).std())]
        for size in SCALES[1:]:
            spreads.append(np.log(np.log(moving_mean(tf.constant(y), size).numpy()).std()))
        one = np.concatenate([[log_rate], spreads])
        return float(posterior_loss(y, np.tile(one, (40, 300, 1)).astype(np.float32)))

    best = log_rates[np.argmin([loss(log_rate) for log_rate in log_rates])]
    assert best == pytest.approx(0.5, abs=0.1)


def test_squared_error():
    assert float(squared_error(np.array([[1.0], [3.0]]), np.array([[2.0], [1.0]]))) == 2.5


@pytest.mark.parametrize(("outputs", "pearson"), [([1.0, 2.0, 3.0], 0.866025), ([2.0, 2.0, 2.0], 0.0)])
def test_validation_weighs_windows_not_batches(outputs, pearson):
    x, y = np.array(outputs, np.float32)[:, None], np.array([[0.0], [3.0], [3.0]], np.float32)
    batches = [Examples((x[:2],), y[:2]), Examples((x[2:],), y[2:])]
    data = SimpleNamespace(validation=lambda _size: iter(batches))
    found = mean_squared_error(2).validate(lambda x: x, data)
    assert found["val_loss"] == pytest.approx(np.mean((x - y) ** 2))
    assert found["val_pearson"] == pytest.approx(pearson)
