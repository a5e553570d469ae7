import gzip

import msprime
import numpy as np
import pytest

from tfbind.recombination.mapping.hotspots import (
    Hotspot,
    find_hotspots,
    hotspot_width,
    read_intervals,
    score_hotspots,
    write_hotspots,
)
from tfbind.recombination.mapping.posterior import Calibration, TokenPosterior
from tfbind.recombination.mapping.prediction import map_contig
from tfbind.recombination.mapping.rate_model import load_rate_model
from tfbind.steps import StepFunction

CALIBRATION = Calibration((-1.96,) * 5, (1.96,) * 5)
STARTS = np.arange(0, 500_000, 5_000)


def tokens(rate, width=1_000, log_sd=0.2):
    edges = np.arange(len(rate) + 1) * width
    return TokenPosterior.from_edges(edges, rate, np.full((len(rate), 5), log_sd))


def flat(hot=(), factor=20.0):
    rate = np.ones(500)
    for kb in hot:
        rate[kb] = factor
    return rate


def find(rate, known=None, log_sd=0.2, factor=5.0):
    known = np.ones(len(STARTS), bool) if known is None else known
    return find_hotspots("1", tokens(rate, log_sd=log_sd), CALIBRATION, STARTS, STARTS + 5_000, known, factor)


class TestFind:
    def test_none_in_a_flat_landscape(self):
        assert find(flat()) == []

    def test_neighbours_are_joined(self):
        (spot,) = find(flat(hot=range(250, 260)))
        assert (spot.contig, spot.start, spot.end) == ("1", 250_000, 260_000)
        assert (spot.rate, spot.factor) == pytest.approx((20, 20))
        assert spot.probability > 0.99

    def test_is_measured_against_the_surrounding_200_kb_without_itself(self):
        rate = flat(hot=range(250, 255), factor=30)
        rate[:350] *= 2
        rate[400:] *= 100
        (spot,) = find(rate)
        assert (spot.start, spot.factor) == (250_000, pytest.approx(30))

    def test_at_an_end_the_surroundings_are_one_sided(self):
        (spot,) = find(flat(hot=range(5)))
        assert (spot.start, spot.factor) == (0, pytest.approx(20))

    def test_the_probability_is_that_of_a_factor_above_the_one_asked_for(self):
        near, far = (find(flat(range(250, 255), factor), factor=5)[0].probability for factor in (5.2, 50))
        assert 0.3 < near < 0.7
        assert far > 0.99
        wide = find(flat(range(250, 255), 50), log_sd=1.5)[0].probability
        assert 0.5 < wide < far

    def test_a_gap_is_no_hotspot_and_no_surroundings(self):
        rate = flat(hot=range(250, 255))
        rate[255:340] = 1000
        known = np.ones(len(STARTS), bool)
        known[51:68] = False
        (spot,) = find(rate, known)
        assert (spot.start, spot.end, spot.factor) == (250_000, 255_000, pytest.approx(20))
        assert find(rate, np.zeros(len(STARTS), bool)) == []

    def test_windows_are_no_narrower_than_a_token(self):
        assert hotspot_width(tokens([1.0] * 3)) == 5_000
        assert hotspot_width(tokens([1.0] * 3, width=7_100)) == 8_000


class TestBed:
    SPOT = Hotspot("chr1", 5_000, 15_000, 1.25e-7, 12.345, 0.98765)
    LINE = "chr1\t5000\t15000\thotspot1\t988\t.\t12.3\t0.988\t1.25e-07\n"

    def test_plain(self, tmp_path):
        write_hotspots(tmp_path / "h.bed", [self.SPOT])
        assert (tmp_path / "h.bed").read_text() == self.LINE

    def test_gzip(self, tmp_path):
        write_hotspots(tmp_path / "h.bed.gz", [self.SPOT])
        assert gzip.decompress((tmp_path / "h.bed.gz").read_bytes()).decode() == self.LINE

    @pytest.mark.parametrize("spots", [[], [SPOT]])
    def test_is_read_back(self, tmp_path, spots):
        write_hotspots(tmp_path / "h.bed", spots)
        assert read_intervals(tmp_path / "h.bed") == [spot[:3] for spot in spots]


def pieces(*rates):
    """Make a map of pieces of start, end and rate."""
    start, end, rate = map(np.array, zip(*rates, strict=True))
    return StepFunction.from_intervals(start, end, rate.astype(float))


class TestScore:
    TRUE = pieces(
        (0, 100_000, 1e-8),
        (100_000, 105_000, 3e-7),
        (105_000, 300_000, 1e-8),
        (300_000, 305_000, 3e-7),
        (305_000, 500_000, 1e-8),
    )
    FLAT = pieces((0, 500_000, 1e-8))

    def score(self, *called, truth=TRUE, known=None):
        return score_hotspots([("1", start, end) for start, end in called], {"1": truth}, known)

    def test_found_missed_and_false(self):
        found = self.score((400_000, 405_000), (95_000, 110_000), (200_000, 205_000))
        share = pytest.approx(1 / 3)
        counts = {"n_true": 2, "n_called": 3, "n_left_out": 0}
        assert found == {"factor": 5, **counts, "recall": 0.5, "precision": share}

    def test_calls_of_other_programs_may_overlap(self):
        found = self.score((90_000, 104_000), (102_000, 110_000), (0, 103_000), (300_000, 301_000))
        assert (found["recall"], found["precision"]) == (1, 1)

    def test_takes_what_find_hotspots_gives(self):
        assert (
            score_hotspots([Hotspot("1", 100_000, 105_000, 1.0, 9.0, 1.0)], {"1": self.TRUE})["recall"] == 0.5
        )

    def test_touching_is_not_overlapping(self):
        assert self.score((105_000, 110_000))["recall"] == 0

    def test_by_the_factor_and_the_width(self):
        # 2 kb at 8 times the background are 3.8 times it over 5 kb
        truth = pieces((0, 100_000, 1.0), (100_000, 102_000, 8.0), (102_000, 200_000, 1.0))
        assert score_hotspots([], {"1": truth})["n_true"] == 0
        assert score_hotspots([], {"1": truth}, factor=3)["n_true"] == 1
        assert score_hotspots([], {"1": truth}, width=2_000)["n_true"] == 1

    def test_shares_of_none_are_none(self):
        assert self.score()["precision"] is None
        assert self.score(truth=self.FLAT)["recall"] is None
        assert self.score((0, 5), truth=self.FLAT)["precision"] == 0

    def test_unknown_stretches_of_the_truth_hold_none(self):
        truth = self.TRUE.replace(np.where(self.TRUE.start == 100_000, np.nan, self.TRUE.values))
        found = self.score((100_000, 105_000), (300_000, 305_000), truth=truth)
        assert (found["n_true"], found["n_called"], found["n_left_out"]) == (1, 1, 1)
        assert found["precision"] == 1

    def test_none_is_looked_for_where_the_map_knows_nothing(self):
        found = self.score((100_000, 105_000), known={"1": pieces((0, 200_000, 1.0))})
        assert (found["n_true"], found["recall"], found["n_left_out"]) == (1, 1, 0)
        assert self.score((100_000, 105_000), known={})["n_left_out"] == 1

    def test_calls_on_a_contig_without_truth_are_left_out(self):
        found = score_hotspots([("2", 0, 5_000)], {"1": self.TRUE})
        assert (found["n_called"], found["n_left_out"], found["precision"]) == (0, 1, None)


def test_the_shipped_network_finds_hotspots(as_genotypes):
    hot = np.arange(60_000, 1_000_000, 100_000)
    position = np.concatenate([[0], np.stack([hot, hot + 2_000], axis=1).ravel(), [1_000_000]])
    truth = msprime.RateMap(position=position, rate=[3e-9, *[4e-7, 3e-9] * len(hot)])
    trees = msprime.sim_ancestry(40, population_size=1e4, recombination_rate=truth, random_seed=1)
    trees = msprime.sim_mutations(trees, rate=1.25e-8, model=msprime.BinaryMutationModel(), random_seed=1)
    genotypes = as_genotypes(trees.genotype_matrix(), trees.tables.sites.position, 1e6)
    found = map_contig(genotypes, load_rate_model(threads=1), "contig 1").hotspots(5)
    true_pieces = StepFunction(truth.position, truth.rate)
    score = score_hotspots(found, {"1": true_pieces})
    assert score["n_true"] == len(hot)
    assert score["recall"] >= 0.6
    assert score["precision"] >= 0.7


class TestByHand:
    @pytest.mark.parametrize(("at", "factor"), [(150, 20), (155, 19), (345, 19), (350, 20)])
    def test_the_surroundings_are_100_kb_on_either_side(self, at, factor):
        # Around the middle of the hotspot, 252.5 kb, windows of 5 kb fit in from 155 to 350 kb. Of these 38 besides
        # the hotspot one with a rate of 3 makes the mean 40 / 38
        rate = flat(hot=range(250, 255))
        rate[at : at + 5] = 3
        (spot,) = find(rate)
        assert spot.factor == pytest.approx(factor)

    @pytest.mark.parametrize(("log_sd", "probability"), [(0.2, 0.9878), (0.5, 0.755)])
    def test_the_probability(self, log_sd, probability):
        # the logarithm of the rate has the mean log 8 - variance / 2, and is above log 5 with the probability
        # Phi((0.47 - 0.02) / 0.2) = Phi(2.25), or Phi((0.47 - 0.125) / 0.5) = Phi(0.69)
        (spot,) = find(flat(range(250, 255), factor=8), log_sd=log_sd)
        assert spot.probability == pytest.approx(probability, abs=1e-3)

    @pytest.mark.parametrize(("factor", "n"), [(4.9, 0), (5.1, 1)])
    def test_a_hotspot_has_five_times_the_rate_of_its_surroundings(self, factor, n):
        rate = flat(range(250, 255), factor)
        known = np.ones(len(STARTS), bool)
        found = find_hotspots("1", tokens(rate), CALIBRATION, STARTS, STARTS + 5_000, known)
        assert len(found) == n

    @pytest.mark.parametrize(
        ("token", "width"), [(4_999, 5_000), (7_000, 7_000), (7_001, 8_000), (8_000, 8_000)]
    )
    def test_windows_are_as_many_whole_kb_as_a_token(self, token, width):
        assert hotspot_width(tokens([1.0] * 3, width=token)) == width

    def test_a_truth_may_begin_and_end_within_a_window(self):
        # its first and last window are half as wide and hot
        truth = {"1": pieces((2_500, 5_000, 9.0), (5_000, 295_000, 1.0), (295_000, 297_500, 9.0))}
        found = score_hotspots([("1", 2_500, 5_000), ("1", 0, 2_500), ("1", 297_500, 300_000)], truth)
        assert (found["n_true"], found["recall"]) == (2, 0.5)
        assert (found["n_called"], found["precision"], found["n_left_out"]) == (1, 1, 2)
        assert score_hotspots([("1", 296_000, 296_001)], truth)["recall"] == 0.5

    def test_the_surroundings_next_to_an_end_are_exact(self):
        (spot,) = find(flat(hot=range(5, 10)))
        assert (spot.start, spot.factor) == (5_000, pytest.approx(20, rel=1e-9))

    def test_a_low_landscape_has_hotspots_as_well(self):
        rate = flat(range(250, 255), factor=8) / 20
        (spot,) = find(rate)
        assert spot.probability == pytest.approx(0.9878, abs=2e-3)

    def test_contigs_are_compared_by_name(self):
        truth = {"chr1": pieces((0, 100_000, 1.0), (100_000, 105_000, 30.0), (105_000, 300_000, 1.0))}
        name = "".join(["chr", "1"])
        assert score_hotspots([(name, 100_000, 105_000)], truth)["recall"] == 1
