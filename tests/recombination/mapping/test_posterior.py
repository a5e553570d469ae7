"""Rates of windows out of those of tokens."""

import numpy as np
import pytest

from tfbind.recombination.mapping import posterior
from tfbind.recombination.mapping.posterior import (
    Calibration,
    TokenOutputs,
    TokenPosterior,
    average,
    average_outputs,
    window_rates,
    windows_of,
)
from tfbind.recombination.options import FLOOR, SCALES

PLAIN = Calibration((-1.96,) * len(SCALES), (1.96,) * len(SCALES))


def tokens(rate, log_sd=None, width=100):
    edges = 1000 + width * np.arange(len(rate) + 1)
    spread = np.full((len(rate), len(SCALES)), 0.5) if log_sd is None else log_sd
    return TokenPosterior.from_edges(edges, np.array(rate, float), spread)


class TestWindows:
    def test_a_rate_is_the_mean_over_the_bases_of_the_window(self):
        found = tokens([1.0, 3.0, 5.0])
        rate, _, _ = window_rates(found, np.array([1000, 1050, 1100]), np.array([1300, 1150, 1125]), PLAIN)
        assert rate.tolist() == pytest.approx([3.0, 2.0, 3.0])

    def test_a_window_that_reaches_beyond_the_tokens_is_averaged_as_far_as_they_go(self):
        rate, _, _ = window_rates(tokens([1.0, 3.0]), np.array([0, 1100]), np.array([1100, 9000]), PLAIN)
        assert rate.tolist() == pytest.approx([1.0, 3.0])

    def test_a_window_without_a_token_has_no_rate(self):
        rate, lower, upper = window_rates(tokens([1.0]), np.array([0, 1100]), np.array([1000, 1200]), PLAIN)
        assert np.isnan([*rate, *lower, *upper]).all()

    def test_lengths_add_up(self):
        found = tokens([0.5, 8.0, 0.1, 2.0])
        edges = np.array([1000, 1130, 1260, 1400])
        rate, _, _ = window_rates(found, edges[:-1], edges[1:], PLAIN)
        assert (rate * np.diff(edges)).sum() == pytest.approx(100 * (0.5 + 8.0 + 0.1 + 2.0))

    def test_the_spread_is_that_of_the_number_of_tokens(self):
        spread = np.tile([1.0, 0.8, 0.4, 0.2, 0.1], (64, 1))
        found = windows_of(
            tokens(np.ones(64), spread), np.array([1000] * 4), np.array([1100, 1400, 1800, 7400])
        )
        assert found.n_tokens.tolist() == pytest.approx([1, 4, 8, 64])
        assert found.sd.tolist() == pytest.approx([1.0, 0.8, 0.6, 0.2])

    def test_the_interval_is_log_normal_round_the_median(self):
        _, lower, upper = window_rates(tokens([2.0]), np.array([1000]), np.array([1100]), PLAIN)
        median = (2.0 + FLOOR) * np.exp(-0.125)
        assert lower[0] == pytest.approx(median * np.exp(-0.98) - FLOOR)
        assert upper[0] == pytest.approx(median * np.exp(0.98) - FLOOR)

    def test_the_mean_lies_in_its_interval_however_wide_that_is(self):
        wide = np.full((1, len(SCALES)), 2.7)
        one_sided = Calibration((-2.0,) * len(SCALES), (0.1,) * len(SCALES))
        rate, lower, upper = window_rates(tokens([2.0], wide), np.array([1000]), np.array([1100]), one_sided)
        assert lower[0] <= rate[0] <= upper[0]


def mean_of(grids):
    return average([grid.rate.edges for grid in grids], iter(grids))


class TestAverage:
    """Tokens of 100 bp, and the same contig cut 25, 50 and 75 bp further on."""

    def grids(self):
        rng = np.random.default_rng(2)
        for shift in (0, 25, 50, 75):
            edges = np.unique([0, *range(shift, 800, 100), 800])
            n = len(edges) - 1
            yield TokenPosterior.from_edges(
                edges, rng.uniform(1, 9, n), rng.uniform(0.1, 1, (n, len(SCALES)))
            )

    def test_a_window_has_the_mean_of_what_each_says(self):
        grids = list(self.grids())
        starts, ends = np.array([0, 110, 333, 700]), np.array([100, 260, 800, 800])
        found, each = windows_of(mean_of(grids), starts, ends), [windows_of(g, starts, ends) for g in grids]
        np.testing.assert_allclose(found.rate, np.mean([windows.rate for windows in each], axis=0))
        np.testing.assert_allclose(found.n_tokens, (ends - starts) / 100)

    def test_a_spread_is_the_mean_of_those_round_it(self):
        grids = list(self.grids())
        found = windows_of(mean_of(grids), np.array([310]), np.array([320]))
        token = [np.flatnonzero(grid.rate.start <= 310)[-1] for grid in grids]
        assert found.sd[0] == pytest.approx(
            np.mean([g.log_sd.values[at, 0] for g, at in zip(grids, token, strict=True)])
        )

    def test_tokens_are_as_wide_as_before(self):
        assert mean_of(list(self.grids())).token_width() == 100

    def test_portions_of_pieces_do_not_matter(self, monkeypatch):
        whole = mean_of(list(self.grids()))
        monkeypatch.setattr(posterior, "PIECES_AT_ONCE", 5)
        found = mean_of(list(self.grids()))
        np.testing.assert_array_equal(found.rate.values, whole.rate.values)
        np.testing.assert_array_equal(found.log_sd.values, whole.log_sd.values)

    def test_outputs_are_averaged_in_their_order_freed_and_times_the_share(self):
        rng = np.random.default_rng(3)
        outputs = [
            TokenOutputs(np.array([0, at, 90]), rng.normal(size=(2, 6)).astype(np.float32))
            for at in (10, 20, 60)
        ]
        each = [one.posterior() for one in outputs]
        found = average_outputs(outputs, 0.25)
        assert outputs == []
        assert found.rate.edges.tolist() == [0, 10, 20, 60, 90]
        at = np.array([0, 15, 30, 70])
        # added one after the other, as rounding is to be the same
        rate = (each[0].rate.at(at) + each[1].rate.at(at) + each[2].rate.at(at)) / 3
        np.testing.assert_array_equal(found.rate.values, rate * 0.25)
        log_sd = (each[0].log_sd.at(at) + each[1].log_sd.at(at) + each[2].log_sd.at(at)) / 3
        np.testing.assert_array_equal(found.log_sd.values, log_sd)

    def test_one_alone_stays_what_it_is(self):
        (first, *_) = self.grids()
        found = mean_of([first])
        np.testing.assert_array_equal(found.rate.values, first.rate.values)
        assert (found.rate.start.tolist(), found.pieces) == (first.rate.start.tolist(), 1)


class TestLimitsOfOutputs:
    def test_logarithms_of_rates_and_spreads_are_limited(self):
        outputs = np.array([[-20, *[-9] * 5], [20, *[9] * 5], [0.5, *[-1] * 5]], np.float32)
        found = TokenOutputs(np.arange(4), outputs).posterior()
        assert np.log(found.rate.values).tolist() == pytest.approx([-9, 6, 0.5])
        assert np.log(found.log_sd.values[:, 0]).tolist() == pytest.approx([-4, 1, -1])

    @pytest.mark.parametrize(("log_sd", "half"), [(1.0, 0.5), (1.4, 0.98), (1.5, 1.0), (2.0, 1.0)])
    def test_the_median_is_half_a_variance_of_2_at_most_below_the_mean(self, log_sd, half):
        none = (0.0,) * len(SCALES)
        found = tokens([2.0], np.full((1, len(SCALES)), log_sd))
        _, lower, _ = window_rates(found, np.array([1000]), np.array([1100]), Calibration(none, none))
        # 0.001 is added to rates in logarithms
        assert lower.tolist() == pytest.approx([2.001 * np.exp(-half) - 0.001])

    @pytest.mark.parametrize(
        ("n", "log_sd"),
        [(1, 0.1), (2, 0.15), (4, 0.2), (8, 0.3), (32, 0.55), (128, 0.9), (256, 1.1), (300, 1.1)],
    )
    def test_the_spread_is_between_those_of_the_next_scales_by_the_logarithm(self, n, log_sd):
        # of 1, 4, 16, 64 and 256 tokens: twice as many as one scale are halfway to the next
        found = tokens(np.ones(300), np.tile([0.1, 0.2, 0.4, 0.7, 1.1], (300, 1)))
        windows = windows_of(found, np.array([1_000]), np.array([1_000 + 100 * n]))
        assert windows.sd.tolist() == pytest.approx([log_sd])
        assert windows.n_tokens.tolist() == [n]

    def test_a_window_of_a_base_has_a_rate_and_one_beyond_the_tokens_has_none(self):
        rate, lower, upper = window_rates(
            tokens([3.0, 5.0]), np.array([1_099, 1_100, 5_000]), np.array([1_100, 1_101, 5_100]), PLAIN
        )
        assert rate.tolist() == pytest.approx([3, 5, np.nan], nan_ok=True)
        assert np.isnan([lower[2], upper[2]]).all()

    def test_an_interval_does_not_reach_below_0(self):
        _, lower, upper = window_rates(tokens([0.001]), np.array([1_000]), np.array([1_100]), PLAIN)
        assert lower.tolist() == [0]
        assert upper[0] > 0.001
