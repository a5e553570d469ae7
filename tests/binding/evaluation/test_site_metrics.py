import numpy as np
import pytest

from tfbind.binding.evaluation.site_metrics import (
    average_precision,
    match_peaks,
    median_offset,
    precision_recall,
)

NAN = float("nan")


def match(sites, peaks, tolerance=50):
    """Match sites, given as contig, summit and score."""
    contig, summit, score = (np.array(column) for column in zip(*sites, strict=True))
    return match_peaks(contig, summit, score, [np.array(one) for one in peaks], tolerance)


class TestMatchPeaks:
    def test_the_nearest_peak_within_the_tolerance(self):
        found = match([(0, 150, 3.0), (0, 201, 2.0), (1, 90, 1.0), (1, 141, 1.0)], [[100, 160], [90]])
        assert found.peak.tolist() == [1, -1, 2, -1]
        assert found.offset.tolist() == pytest.approx([-10, NAN, 0, NAN], nan_ok=True)

    def test_a_peak_is_found_once_by_the_highest_site(self):
        found = match([(0, 110, 1.0), (0, 130, 2.0), (0, 90, 3.0)], [[100, 170]])
        assert found.peak.tolist() == [-1, 1, 0]

    def test_the_tolerance_is_inclusive(self):
        assert match([(0, 150, 1.0)], [[100]]).peak.tolist() == [0]
        assert match([(0, 50, 1.0)], [[100]]).peak.tolist() == [0]
        assert match([(0, 49, 1.0)], [[100]]).peak.tolist() == [-1]

    def test_a_contig_without_peaks(self):
        assert match([(0, 5, 1.0), (1, 5, 1.0)], [[], [7]]).peak.tolist() == [-1, 0]


class TestPrecisionRecall:
    def test_recall_is_over_all_peaks(self):
        curve = precision_recall(np.array([4.0, 3.0, 2.0, 1.0]), np.array([True, False, True, False]), 4)
        assert curve.tolist() == [[0.25, 1, 4], [0.25, 0.5, 3], [0.5, 2 / 3, 2], [0.5, 0.5, 1]]
        # what is never found has a precision of 0
        assert average_precision(curve) == pytest.approx((1 + 2 / 3) / 4)

    def test_sites_of_one_score_are_called_together(self):
        for is_right in ([True, False, True], [False, True, True]):
            curve = precision_recall(np.array([1.0, 1.0, 0.5]), np.array(is_right), 2)
            assert curve.tolist() == [[0.5, 0.5, 1.0], [1.0, 2 / 3, 0.5]]

    def test_without_sites(self):
        assert average_precision(precision_recall(np.empty(0), np.empty(0, bool), 3)) == 0


def test_median_offset_is_of_as_many_sites_as_there_are_peaks():
    sites = [(0, 103, 9.0), (0, 199, 8.0), (0, 400, 7.0), (0, 340, 1.0)]
    found = match(sites, [[100, 200, 300]])
    assert median_offset(np.array([site[2] for site in sites]), found, 3) == 2
    assert np.isnan(median_offset(np.array([1.0]), match([(0, 900, 1.0)], [[100]]), 1))
