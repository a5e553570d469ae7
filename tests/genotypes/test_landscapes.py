import numpy as np
import pytest

from tfbind.genotypes.landscapes import draw_landscape, draw_mutation
from tfbind.genotypes.prior import Prior, Range

MU = 1.25e-8


@pytest.mark.parametrize("name", sorted(Prior().landscapes))
class TestEveryKind:
    def draw(self, name, seed, length=300_000, **rows):
        prior = Prior(landscapes={name: 1}, **rows)
        return draw_landscape(np.random.default_rng(seed), prior, length, MU)

    def test_covers_the_region_with_whole_positions(self, name):
        for seed in range(10):
            found, rates = self.draw(name, seed)
            assert found == name
            assert rates.position[0] == 0
            assert rates.sequence_length == 300_000
            assert (rates.position == np.round(rates.position)).all()
            assert (rates.rate >= 0).all()

    def test_mean_is_the_ratio_drawn(self, name):
        rates = self.draw(name, 1, rate_ratio=Range(0.8, 0.8), largest_ratio=Range(1e9, 1e9))[1]
        assert rates.mean_rate == pytest.approx(0.8 * MU)

    def test_is_capped(self, name):
        for seed in range(10):
            rates = self.draw(name, seed, rate_ratio=Range(10, 10), largest_ratio=Range(12, 12))[1]
            assert rates.rate.max() <= 12 * MU * (1 + 1e-12)

    def test_of_a_short_region(self, name):
        assert self.draw(name, 0, length=10)[1].sequence_length == 10


def test_hotspots_reach_a_hundred_times_the_mutation_rate():
    rng = np.random.default_rng(0)
    highest = [draw_landscape(rng, Prior(), 1_000_000, MU)[1].rate.max() / MU for _ in range(200)]
    assert np.mean(np.array(highest) > 100) > 0.05


def test_hotspots_hold_their_share():
    rows = {
        "hotspot_share": Range(0.8, 0.8),
        "hotspot_background": Range(0, 0),
        "hotspot_spacing": Range(50_000, 50_000),
    }
    prior = Prior(landscapes={"hotspots": 1}, largest_ratio=Range(1e9, 1e9), **rows)
    rates = draw_landscape(np.random.default_rng(0), prior, 500_000, MU)[1]
    calm = rates.rate.min()
    assert 1 - calm * 500_000 / rates.total_mass == pytest.approx(0.8)


class TestMutation:
    def draw(self, seed=0, **rows):
        return draw_mutation(np.random.default_rng(seed), Prior(**rows), 300_000, MU)

    def test_is_most_often_even(self):
        assert set(self.draw(uneven_mutation=0.0).rate.round(15)) == {MU}
        assert np.mean([np.ptp(self.draw(seed).rate) > 1e-12 for seed in range(100)]) == pytest.approx(
            0.3, abs=0.1
        )

    def test_keeps_its_mean_where_it_is_not(self):
        spread = Range(0.4, 0.4)
        found = self.draw(
            uneven_mutation=1.0,
            mutation_spread=spread,
            mutation_step=Range(300, 300),
            correlation=Range(0.5, 0.5),
        )
        assert found.mean_rate == pytest.approx(MU)
        assert np.log(found.rate).std() == pytest.approx(0.4, rel=0.1)


class TestStatistics:
    """Landscapes of 10 Mb follow the rows of the prior that are fixed here."""

    LENGTH = 10_000_000

    def draw(self, name, seed=1, **rows):
        fixed = {row: Range(value, value) for row, value in rows.items()}
        prior = Prior(landscapes={name: 1}, largest_ratio=Range(1e9, 1e9), **fixed)
        return draw_landscape(np.random.default_rng(seed), prior, self.LENGTH, MU)[1]

    def test_autoregressive(self):
        rates = self.draw("autoregressive", step=1_000, spread=1.5, correlation=0.8)
        assert set(np.diff(rates.position)) == {1_000}
        log_rate = np.log(rates.rate)
        # 10,000 steps, of which about every ninth is independent
        assert log_rate.std() == pytest.approx(1.5, rel=0.1)
        correlations = [np.corrcoef(log_rate[:-lag], log_rate[lag:])[0, 1] for lag in (1, 2, 5)]
        assert correlations == pytest.approx([0.8, 0.8**2, 0.8**5], abs=0.05)

    def test_autoregressive_from_the_first_step_on(self):
        rows = {"step": 10_000, "spread": 1, "correlation": 0.6}
        prior = Prior(
            landscapes={"autoregressive": 1}, **{row: Range(value, value) for row, value in rows.items()}
        )
        rates = [draw_landscape(np.random.default_rng(i), prior, 20_000, MU)[1].rate for i in range(5_000)]
        # two steps of variance 1 and correlation 0.6 differ with the variance 2 - 2 x 0.6
        assert np.std(np.diff(np.log(rates), axis=1)) == pytest.approx(np.sqrt(0.8), rel=0.02)

    def test_heavy_tails(self):
        rates = self.draw("heavy_tails", heavy_step=2_000, heavy_spread=2, spread=0, correlation=0.5)
        # steps are exponential, rounded up
        step = np.diff(rates.position)
        assert step.mean() == pytest.approx(2_000, rel=0.05)
        assert step.std() == pytest.approx(2_000, rel=0.05)
        assert np.log(rates.rate).std() == pytest.approx(2, rel=0.05)

    def test_heavy_tails_lie_over_a_smooth_background(self):
        rates = self.draw(
            "heavy_tails", heavy_step=200, heavy_spread=0.5, spread=1.5, correlation=0.9, step=10_000
        )
        fine = np.log(rates.get_rate(np.arange(3_000, self.LENGTH, 10_000)))
        other = np.log(rates.get_rate(np.arange(9_000, self.LENGTH, 10_000)))
        # places of one step of the background share its variance, 1.5^2 of 1.5^2 + 0.5^2
        assert fine.std() == pytest.approx(np.sqrt(2.5), rel=0.15)
        assert np.corrcoef(fine, other)[0, 1] == pytest.approx(0.9, abs=0.04)

    @pytest.mark.parametrize("n", [1, 2, 7])
    def test_piecewise(self, n):
        assert {len(self.draw("piecewise", seed, pieces=n).rate) for seed in range(20)} == {n}

    def test_levels_of_pieces(self):
        log_rate = np.log(self.draw("piecewise", pieces=2_000, spread=1.2).rate)
        assert log_rate.std() == pytest.approx(1.2, rel=0.1)
        position = self.draw("piecewise", pieces=2_000).position
        # ends are anywhere
        assert np.histogram(position, bins=4)[0] == pytest.approx([500] * 4, rel=0.2)

    def test_hotspots(self):
        rates = self.draw(
            "hotspots",
            hotspot_spacing=20_000,
            hotspot_width=1_000,
            hotspot_spread=0.8,
            hotspot_background=0,
            hotspot_share=0.5,
        )
        width, heat = np.diff(rates.position), rates.rate - rates.rate.min()
        hot = heat > 1e-3 * np.median(heat[heat > 0])
        # 500 of them, with a standard deviation of 22, a few of which overlap
        assert width[hot].sum() == pytest.approx(500 * 1_000, rel=0.15)
        assert np.log(heat[hot & (width == 1_000)]).std() == pytest.approx(0.8, rel=0.15)
        assert (heat * width).sum() / rates.total_mass == pytest.approx(0.5, abs=0.01)
        starts = rates.position[:-1][hot]
        assert np.histogram(starts, bins=4, range=(0, self.LENGTH))[0] == pytest.approx([125] * 4, rel=0.35)


def test_uneven_mutation_rates_follow_their_correlation_and_step():
    rows = {"mutation_spread": 0.4, "mutation_step": 5_000, "correlation": 0.7}
    prior = Prior(uneven_mutation=1.0, **{row: Range(value, value) for row, value in rows.items()})
    found = draw_mutation(np.random.default_rng(2), prior, 20_000_000, MU)
    assert set(np.diff(found.position)) == {5_000}
    log_rate = np.log(found.rate)
    assert log_rate.std() == pytest.approx(0.4, rel=0.1)
    assert np.corrcoef(log_rate[:-1], log_rate[1:])[0, 1] == pytest.approx(0.7, abs=0.04)


class TestSmallest:
    @staticmethod
    def draw(name, length, seed=0, **rows):
        fixed = {row: Range(value, value) for row, value in rows.items()}
        prior = Prior(landscapes={name: 1}, **fixed)
        return draw_landscape(np.random.default_rng(seed), prior, length, MU)[1]

    def test_steps_of_a_base_end_where_the_region_does(self):
        for seed in range(10):
            position = self.draw("heavy_tails", 50, seed, heavy_step=0.5).position
            assert (np.diff(position) > 0).all()
            assert position[-1] == 50

    @pytest.mark.parametrize("name", sorted(Prior().landscapes))
    def test_a_region_of_one_base(self, name):
        assert self.draw(name, 1).position.tolist() == [0, 1]

    def test_one_hotspot_at_least(self):
        rows = {"hotspot_spacing": 1e9, "hotspot_width": 100, "hotspot_background": 0, "hotspot_share": 0.5}
        for seed in range(10):
            rates = self.draw("hotspots", 1_000_000, seed, **rows)
            hot = rates.rate > 2 * rates.rate.min()
            assert np.diff(rates.position)[hot].sum() <= 100
            assert hot.sum() == 1

    def test_rows_below_a_half_are_one_piece_and_steps_of_one_base(self):
        assert self.draw("piecewise", 100, pieces=0.3).position.tolist() == [0, 100]
        assert self.draw("autoregressive", 5, step=0.3).position.tolist() == [0, 1, 2, 3, 4, 5]
