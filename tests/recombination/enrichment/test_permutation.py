import numpy as np
import pytest

from tfbind.recombination.enrichment.controls import Bins, Landscape, draw_controls
from tfbind.recombination.enrichment.permutation import SitesOfContig, moved_ratios, two_sided_p
from tfbind.steps import StepFunction

START = np.arange(0, 1_000_000, 10_000)
BINS = Bins.within(10_000, 10_000)


def moved(rate, centres, moves=300, known=1_000_000, blocks=None):
    rate = np.where(known > START, rate, np.nan)
    track = Landscape(StepFunction.from_intervals(START, START + 10_000, rate), None)
    controls = draw_controls(track, np.sort(centres), 1_000, BINS, 5_000, np.random.default_rng(0))
    contig = SitesOfContig(track, controls, np.asarray(centres), np.asarray(blocks or [0] * len(centres)))
    return moved_ratios([contig], 1_000, BINS, moves, np.random.default_rng(1))


def test_moved_sites_keep_their_distances():
    # of two sites half a period apart one is always where the rate is 3
    rate = np.where(START < 500_000, 1.0, 3.0)
    ratios, _ = moved(rate, [100_000, 600_000])
    assert np.quantile(ratios, [0.05, 0.95]).tolist() == pytest.approx([1, 1], abs=0.03)
    alone, _ = moved(rate, [100_000, 100_100])
    assert np.unique(alone.round(1)).tolist()[:1] == [0.5]
    assert (alone > 1.4).mean() == pytest.approx(0.5, abs=0.1)


def test_blocks_are_moved_apart():
    # hotspots every 100 kb: as one the sites would meet them in a tenth of all moves
    rate = np.where(START % 100_000 == 0, 9.0, 1.0)
    sites = START[START % 100_000 == 0] + 5_000
    together, _ = moved(rate, sites)
    assert (together > 3).mean() == pytest.approx(0.1, abs=0.06)
    apart, _ = moved(rate, sites, blocks=list(range(10)))
    assert (apart > 3).mean() < 0.02


def test_bins_are_compared_like_the_window():
    ratios, profiles = moved(np.full(100, 2.0), [100_000, 300_000], moves=250)
    assert ratios.tolist() == pytest.approx([1] * 250)
    assert profiles.shape == (200, 3)
    assert profiles.min() == pytest.approx(1)
    assert profiles.max() == pytest.approx(1)


def test_places_without_a_rate_fall_away():
    ratios, _ = moved(np.full(100, 2.0), [100_000], known=500_000)
    assert np.isnan(ratios).mean() == pytest.approx(0.5, abs=0.1)
    assert ratios[~np.isnan(ratios)].tolist() == pytest.approx([1] * (~np.isnan(ratios)).sum())


@pytest.mark.parametrize(
    ("ratio", "moved", "p"),
    [
        (5.0, [1.0] * 99, 0.02),
        (0.1, [1.0] * 99, 0.02),
        (1.0, [1.0] * 99, 1),
        (2.0, [1.0, 2, 3, np.nan], 1),
        (2.5, [1.0, 2, 3, 1, 1, 1, 1], 0.5),
        (2.0, [np.nan], 1),
    ],
)
def test_two_sided_p(ratio, moved, p):
    assert two_sided_p(ratio, np.array(moved)) == pytest.approx(p)


@pytest.mark.parametrize("last", [10_000, 5_000], ids=["whole windows", "a short last window"])
def test_a_site_is_moved_to_each_window_equally_often(last):
    # four windows from 20 kb on, of which the last may be shorter
    start = np.array([20_000, 30_000, 40_000, 50_000])
    end = start + np.array([10_000, 10_000, 10_000, last])
    track = Landscape(StepFunction.from_intervals(start, end, [1.0, 2, 4, 8]), None)
    bins = Bins.within(0, 10_000)
    controls = draw_controls(track, np.array([22_000]), 1_000, bins, 5_000, np.random.default_rng(0))
    contig = SitesOfContig(track, controls, np.array([22_000]), np.zeros(1, np.int64))
    ratios, _ = moved_ratios([contig], 1_000, bins, 4_000, np.random.default_rng(1))
    rates, times = np.unique((ratios * controls.rate[0]).round(6), return_counts=True)
    assert rates.tolist() == [1, 2, 4, 8]
    # 1,000 each, with a standard deviation of 27
    assert (np.abs(times - 1_000) < 110).all()


@pytest.mark.parametrize(
    ("ratio", "moved", "p"),
    [
        (1.0, [0.5, 0.6, 0.7, *[1.5] * 6], 0.8),
        (1.0, [2.0, 1.9, 1.8, *[0.6] * 6], 0.8),
        (1.0, [1.0, *[2.0] * 8], 0.4),
        (1.0, [1 + 1e-12, 1 - 1e-12, *[2.0] * 7], 0.6),
    ],
)
def test_two_sided_p_counts_those_as_low_or_as_high(ratio, moved, p):
    assert two_sided_p(ratio, np.array(moved)) == pytest.approx(p)
