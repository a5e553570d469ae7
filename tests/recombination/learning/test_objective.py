"""The loss of recombination rates."""

from types import SimpleNamespace

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from tfbind.recombination.learning.objective import (  # noqa: E402
    mean_squared_error,
    moving_mean,
    posterior_loss,
    rate_posterior,
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


class TestOfConstantRatesByHand:
    """True and predicted rates that do not vary are the same at every scale, so that the loss has a closed form."""

    @staticmethod
    def loss(log_ratio, log_sd, tokens, **options):
        """The loss where the predicted r/mu is 1 and the true one differs by ``log_ratio``, FLOOR added to both."""
        y = np.full((1, tokens), np.exp(log_ratio) * (1 + FLOOR) - FLOOR, np.float32)
        return float(posterior_loss(y, outputs(np.zeros(tokens), log_sd), **options))

    # 64 tokens have windows of four scales of five, of which one is held to the true length; 256 have all five, and two
    @pytest.mark.parametrize(("tokens", "scales", "held"), [(63, 3, 0), (64, 4, 1), (255, 4, 1), (256, 5, 2)])
    def test_the_length_counts_a_quarter_at_the_two_widest_scales(self, tokens, scales, held):
        # the error is the log ratio and half the variance, (1 + 1/2)^2 / 2; the deviance of a gamma is e - 1 - 1
        expected = (scales * 1.125 + held * 0.25 * (np.e - 2)) / 5
        assert self.loss(1.0, 0.0, tokens) == pytest.approx(expected, rel=1e-4)

    def test_the_length_does_not_count_in_the_likelihood(self):
        assert self.loss(1.0, 0.0, 64, beta=0.0) == pytest.approx(4 * 1.125 / 5, rel=1e-4)

    def test_too_short_a_prediction_is_held_to_twenty_times_the_length_at_most(self):
        # above a log ratio of 3 the deviance stays e^3 - 3 - 1
        expected = (4 * 4.5**2 / 2 + 0.25 * (np.exp(3) - 4)) / 5
        assert self.loss(4.0, 0.0, 64) == pytest.approx(expected, rel=1e-4)

    def test_a_wide_spread_is_weighed_by_its_standard_deviation(self):
        # a spread of 2 has a variance of 4, of which 2 count in the median: ((0 + 1)^2 / 8 + log 2) * 4^(1/2)
        expected = 4 * (1 / 8 + np.log(2)) * 2 / 5
        assert self.loss(0.0, np.log(2), 64) == pytest.approx(expected, rel=1e-4)
        assert self.loss(0.0, np.log(2), 64, beta=0.0) == pytest.approx(expected / 2, rel=1e-4)

    @pytest.mark.parametrize(("log_sd", "limit"), [(1.5, 1.0), (-5.0, -4.0)])
    def test_spreads_are_limited(self, log_sd, limit):
        assert self.loss(0.0, log_sd, 4) == pytest.approx(self.loss(0.0, limit, 4))


def test_validation_means_over_all_tokens():
    # two batches of 4 and 2 known tokens, at which the predicted r/mu is 2 and 4, and the true one 1 and 2
    batches = [
        Examples((np.full((1, 4), 2.0),), np.ones((1, 4), np.float32)),
        Examples((np.full((1, 4), 4.0),), np.array([[2, 2, np.nan, np.nan]], np.float32)),
    ]

    class Data:
        def validation(self, size):
            assert size == 8
            return iter(batches)

    def forward(rate):
        return outputs(np.log(rate[0]), 0.0)

    found = rate_posterior(8).validate(forward, Data())
    losses = [float(posterior_loss(batch.y, forward(*batch.inputs), 0.0)) for batch in batches]
    assert found["val_loss"] == pytest.approx((4 * losses[0] + 2 * losses[1]) / 6)
    # 4 x 2 + 2 x 4 over 4 x 1 + 2 x 2
    assert found["val_length_ratio"] == pytest.approx(2)
