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
