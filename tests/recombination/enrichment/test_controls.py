import numpy as np
import pandas as pd
import pytest

from tfbind.recombination.enrichment.controls import (
    Bins,
    Landscape,
    draw_controls,
    means_around,
    profiles,
    quotients,
    rates_and_strata,
    read_landscapes,
)
from tfbind.steps import StepFunction

# rates 1 and 9 in turns, of 10 kb; nine times as many sites where the rate is 9
START = np.arange(0, 1_000_000, 10_000)
RATE = np.where(np.arange(100) % 2, 9.0, 1.0)
LANDSCAPE = Landscape(
    StepFunction.from_intervals(START, START + 10_000, RATE),
    StepFunction.from_intervals(START, START + 10_000, RATE / 1000),
)
BINS = Bins.within(20_000, 10_000)


def draw(landscape=LANDSCAPE, sites=(5_000,), window=1_000, n=20_000, bins=BINS):
    return draw_controls(landscape, np.array(sites), window, bins, n, np.random.default_rng(0))


def test_landscapes_are_of_the_finest_scale_and_densities_are_known_where_rates_are():
    table = pd.DataFrame(
        {
            "chrom": "1",
            "start": [0, 10, 0],
            "end": [10, 20, 20],
            "rate": [2.0, np.nan, 7.0],
            "n_sites": [5, 0, 5],
            "scale": [10, 10, 20],
        }
    )
    landscape = read_landscapes(table)["1"]
    assert landscape.rate.values.tolist() == pytest.approx([2, np.nan], nan_ok=True)
    assert landscape.density.values.tolist() == pytest.approx([0.5, np.nan], nan_ok=True)
    assert read_landscapes(table.drop(columns="n_sites"))["1"].density is None


def test_bins_lie_round_the_centre():
    assert BINS.distance.tolist() == [-20_000, -10_000, 0, 10_000, 20_000]
    assert Bins.within(9_999, 10_000).distance.tolist() == [0]
    assert profiles(LANDSCAPE.rate, np.array([15_000]), BINS)[0].tolist() == pytest.approx(
        [np.nan, 1, 9, 1, 9], nan_ok=True
    )
    assert means_around(LANDSCAPE.rate, np.array([[10_000], [995_000]]), 10_000).tolist() == [[5], [9]]


class TestDraw:
    def test_strata_are_by_the_density_of_sites(self):
        drawn = draw()
        rate, stratum = rates_and_strata(LANDSCAPE, drawn.edges, np.array([5_000, 15_000]), 1_000)
        assert rate.tolist() == [1, 9]
        assert drawn.rate[stratum].tolist() == pytest.approx([1, 9], abs=0.3)
        # bins of 10 kb round places anywhere in windows of 10 kb: three quarters of them are theirs
        assert drawn.profile[stratum][:, 2].tolist() == pytest.approx([3, 7], abs=0.3)
        assert drawn.mean == pytest.approx(5, abs=0.2)

    def test_without_densities_there_is_one_stratum(self):
        drawn = draw(LANDSCAPE._replace(density=None))
        assert len(drawn.rate) == 2
        assert drawn.rate[0] == pytest.approx(drawn.mean)

    def test_places_without_a_rate_are_of_no_stratum(self):
        known = LANDSCAPE.rate.replace(np.where(START < 500_000, RATE, np.nan))
        drawn = draw(Landscape(known, None))
        assert drawn.n == pytest.approx(10_000, abs=400)
        rate, stratum = rates_and_strata(Landscape(known, None), drawn.edges, np.array([700_000]), 1_000)
        assert np.isnan(rate).all()
        assert stratum.tolist() == [-1]
        assert np.isnan(drawn.rate[stratum]).all()
        assert np.isnan(drawn.profile[stratum]).all()

    def test_windows_of_controls_do_not_overlap_those_of_sites(self):
        # all that is fast is beside a site
        drawn = draw(LANDSCAPE._replace(density=None), sites=START[1::2] + 5_000, window=6_000)
        assert not drawn.overlap
        assert drawn.rate[0] < 2

    def test_but_where_sites_are_dense(self):
        drawn = draw(LANDSCAPE._replace(density=None), sites=START + 5_000, window=9_900)
        assert drawn.overlap
        assert drawn.rate[0] == pytest.approx(5, abs=0.2)

    def test_of_a_map_without_rates_there_are_none(self):
        drawn = draw(Landscape(LANDSCAPE.rate.replace(np.full(100, np.nan)), LANDSCAPE.density))
        assert drawn.n == 0
        assert np.isnan(drawn.rate).all()


def test_quotients():
    assert quotients(np.array([1.0, 1]), np.array([2, 0])).tolist() == pytest.approx(
        [0.5, np.nan], nan_ok=True
    )
