"""Intervals that hold the truth as often as they say."""

import numpy as np
import pytest

from tfbind.recombination.learning.calibration import calibrate
from tfbind.recombination.learning.examples import RegionTokens
from tfbind.recombination.mapping.posterior import TokenPosterior, window_rates
from tfbind.recombination.options import SCALES


def tokens(rate, log_sd=None, width=100):
    edges = 1000 + width * np.arange(len(rate) + 1)
    spread = np.full((len(rate), len(SCALES)), 0.5) if log_sd is None else log_sd
    return TokenPosterior.from_edges(edges, np.array(rate, float), spread)


def true_tokens(rate):
    found = tokens(rate)
    return RegionTokens(found.rate.start, found.rate.end, np.empty((len(rate), 0)), found.rate.values)


class TestCalibration:
    def regions(self, believed, n=60):
        rng = np.random.default_rng(1)
        truth = [np.exp(rng.normal(-0.32, 0.8, 300)) for _ in range(n)]
        spread = np.full((300, len(SCALES)), believed)
        return [tokens(np.ones(300), spread) for _ in range(n)], [true_tokens(rate) for rate in truth]

    def test_a_posterior_that_is_right_needs_none(self):
        predicted, truth = self.regions(0.8)
        calibration = calibrate(predicted, truth)
        assert calibration.lower[0] == pytest.approx(-1.96, abs=0.06)
        assert calibration.upper[0] == pytest.approx(1.96, abs=0.06)

    def test_one_that_is_too_sure_of_itself_is_widened(self):
        predicted, truth = self.regions(0.4)
        calibration = calibrate(predicted, truth)
        # the median moves with the spread: (.32 - .08) / .4 lower
        assert calibration.lower[0] == pytest.approx(-2 * 1.96 - 0.6, abs=0.12)
        assert calibration.upper[0] == pytest.approx(2 * 1.96 - 0.6, abs=0.12)

    def test_it_makes_intervals_hold_the_truth_in_regions_not_used_for_it(self):
        predicted, truth = self.regions(0.3, 80)
        calibration = calibrate(predicted[:40], truth[:40])
        inside = []
        for found, true in zip(predicted[40:], truth[40:], strict=True):
            _, lower, upper = window_rates(found, found.rate.start, found.rate.end, calibration)
            inside.append((lower <= true.rate) & (true.rate <= upper))
        assert np.mean(inside) == pytest.approx(0.95, abs=0.01)

    def test_a_region_shorter_than_a_scale_is_one_window(self):
        predicted, truth = self.regions(0.8, 4)
        assert len(calibrate(predicted, truth).lower) == len(SCALES)
        short = [tokens(found.rate.values[:3], found.log_sd.values[:3]) for found in predicted]
        calibrate(short, [true_tokens(true.rate[:3]) for true in truth])
