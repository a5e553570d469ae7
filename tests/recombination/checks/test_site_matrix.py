import numpy as np
import pytest

from tfbind.genotypes.contig import Genotypes
from tfbind.recombination.checks.site_matrix import (
    differences,
    expected_differences,
    frequencies_by_sample,
    most_sites,
    thin,
)

CALLS = np.array([[0, 1, 1, 1], [0, 0, -1, 1], [1, 0, 0, 0]], np.int8)


def genotypes(calls=CALLS, ploidy=1, **values):
    return Genotypes("1", np.arange(len(calls)) * 10, calls, ploidy, 0, 100, **values).recounted()


class TestThin:
    def test_keeps_every_nth_site(self):
        found = thin(genotypes(np.repeat(CALLS, 4, axis=0)), 4)
        assert found.positions.tolist() == [0, 30, 60, 90]
        assert found.calls[:, 0].tolist() == [0, 0, 0, 1]

    def test_of_those_whose_rarer_allele_was_seen_often_enough(self):
        calls = np.array([[0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 1, 1]], np.int8)
        assert thin(genotypes(calls), 10, 2).positions.tolist() == [10]

    def test_of_none_keeps_none(self):
        assert len(thin(genotypes(CALLS[:0]), 10).positions) == 0


class TestFrequenciesBySample:
    def test_of_haplotypes(self):
        np.testing.assert_array_equal(frequencies_by_sample(genotypes())[1], [0, 0, np.nan, 1])

    def test_of_phased_diploids(self):
        found = frequencies_by_sample(genotypes(sample=np.array([0, 0, 1, 1])))
        np.testing.assert_array_equal(found, [[0.5, 1], [0, np.nan], [0.5, 0]])

    def test_of_males_and_females(self):
        found = frequencies_by_sample(genotypes(sample=np.array([0, 1, 1, 2])))
        np.testing.assert_array_equal(found, [[0, 1, 1], [0, np.nan, 1], [1, 0, 0]])

    def test_of_unphased_diploids(self):
        found = frequencies_by_sample(genotypes(np.array([[0, 1, 2, -1]], np.int8), ploidy=2))
        np.testing.assert_array_equal(found, [[0, 0.5, 1, np.nan]])


def test_differences_leave_out_what_is_unknown():
    found = differences(np.array([[0, 1, 0.5], [0, np.nan, 0], [1, 0, 0.5]], np.float32))
    # of samples 0 and 1 two sites are known, and both differ
    assert found[0].tolist() == pytest.approx([0, 1, 1 / 3])
    assert found[1, 2] == pytest.approx(0.5)
    np.testing.assert_array_equal(found, found.T)


def test_expected_differences_are_those_of_two_chromosomes():
    # 3 of 6 pairs differ, 2 of 3, 3 of 6
    assert expected_differences(genotypes()) == pytest.approx(0.5 + 2 / 3 + 0.5)


def test_two_million_calls_are_enough():
    # of four columns; one more site keeps a file of as many sites whole
    assert most_sites(genotypes()) == 500_001
    assert most_sites(genotypes(np.zeros((1, 3_000), np.int8))) == 667


def test_the_rarer_allele_may_be_either():
    seen = np.array([1, 2, 4, 6, 7])
    calls = (np.arange(8) < seen[:, None]).astype(np.int8)
    assert thin(genotypes(calls), 10, 2).positions.tolist() == [10, 20, 30]


def test_differences_where_all_is_known():
    found = differences(np.array([[0, 1, 0.5], [0, 0, 1], [1, 0, 0.5], [0.5, 0, 0.5]], np.float32))
    # a chromosome of either sample differs with p (1 - q) + q (1 - p)
    assert found[0].tolist() == pytest.approx([0.5 / 4, 2.5 / 4, 2.5 / 4])
    assert found[1, 2] == pytest.approx(2.5 / 4)
    np.testing.assert_array_equal(found, found.T)


def test_differences_of_samples_with_one_site_in_common():
    found = differences(np.array([[0, 1, 1], [np.nan, 1, 0]], np.float32))
    assert found[0].tolist() == [0, 1, 1]
    assert found[1].tolist() == [1, 0, 0.5]
