from dataclasses import replace

import numpy as np
import pytest

from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.groups import split_samples
from tfbind.genotypes.packed import PackedCalls

CALLS = np.array([[0, 1, 0, 0, 1, 0], [1, 0, 0, 0, 0, 0], [0, 0, 1, 1, 0, -1]], np.int8)


def genotypes(**change):
    given = {"sample": np.array([0, 0, 1, 1, 2, 2]), "samples": ("a", "b", "c"), "ploidy": 1, **change}
    positions = np.array([5, 7, 9])
    ploidy, samples, sample = given["ploidy"], given["samples"], given["sample"]
    return Genotypes("1", positions, CALLS, ploidy, 0, 20, samples, (), sample=sample, kept_share=0.9)


def test_a_sample_that_is_small_enough_stays_whole():
    given = genotypes()
    assert list(split_samples(given, 6)) == [given]


def test_samples_keep_their_chromosomes_together_and_neighbors_part():
    first, second = split_samples(genotypes(), 4)
    assert (first.samples, second.samples) == (("a", "c"), ("b",))
    assert first.sample.tolist() == [0, 0, 1, 1]
    # sites that do not vary in a group are not in it
    assert first.positions.tolist() == [5, 7]
    assert first.calls.tolist() == [[0, 1, 1, 0], [1, 0, 0, 0]]
    assert second.positions.tolist() == []
    assert (first.start, first.end, first.kept_share) == (0, 20, 0.9)


@pytest.mark.parametrize(("most", "sizes"), [(6, [3, 3]), (4, [2, 2, 2]), (2, [1] * 6)])
def test_genotypes_without_phase_have_two_chromosomes_a_column(most, sizes):
    given = genotypes(ploidy=2, sample=None, samples=tuple("abcdef"))
    assert [group.calls.shape[1] for group in split_samples(given, most)] == sizes


@pytest.mark.parametrize("most", [4, 6])
class TestLettingCallsGo:
    def test_groups_are_the_same(self, most):
        given = replace(genotypes(), calls=PackedCalls.of(CALLS))
        kept = list(split_samples(given, most))
        n_groups = 0
        for group, same in zip(split_samples(given, most, keep_calls=False), kept, strict=True):
            n_groups += 1
            np.testing.assert_array_equal(group.calls, same.calls)
            assert group.positions.tolist() == same.positions.tolist()
            assert (group.samples, group.sample.tolist()) == (same.samples, same.sample.tolist())
        assert n_groups == len(kept)

    def test_a_group_can_be_read_until_the_next_is_asked_for(self, most):
        given = replace(genotypes(), calls=PackedCalls.of(CALLS))
        groups = []
        for group in split_samples(given, most, keep_calls=False):
            np.asarray(group.calls)
            groups.append(group)
        for gone in (*groups, given):
            with pytest.raises(RuntimeError, match="let go"):
                np.asarray(gone.calls)

    def test_calls_that_are_not_packed_stay(self, most):
        for group in split_samples(genotypes(), most, keep_calls=False):
            np.asarray(group.calls)
        assert genotypes().calls.sum() == CALLS.sum()
