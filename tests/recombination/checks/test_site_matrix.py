import numpy as np
import pytest

from tfbind.genotypes.contig import Genotypes
from tfbind.recombination.checks.site_matrix import (
    differences,
    expected_differences,
    frequencies_by_sample,
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
