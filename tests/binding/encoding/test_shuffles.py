import numpy as np
import pytest

from tfbind.binding.encoding.shuffles import shuffle_families

NAN = np.nan


def families(compositions, y, digests=None):
    digests = range(len(compositions)) if digests is None else digests
    found = shuffle_families(np.array(compositions, np.uint64), np.array(digests, np.uint64), np.array(y))
    return found if found is None else found.tolist()


@pytest.mark.parametrize(
    ("compositions", "expected"),
    [
        ([7, 9, 9, 7], [0, 1, 1, 0]),
        ([7, 9, 9, 9], [0, 1, 1, 1]),
        ([7, 9, 9, 8], None),
        ([7, 9, 5, 8], None),
    ],
    ids=["all", "all of one positive", "half", "none"],
)
def test_are_told_where_more_than_half_of_the_negatives_are_shuffles(compositions, expected):
    assert families(compositions, [[1.0], [1.0], [0.0], [0.0]]) == expected


def test_a_copy_of_a_positive_is_no_shuffle():
    assert families([7, 9, 9, 7], [[1.0], [1.0], [0.0], [0.0]], digests=[1, 2, 2, 1]) is None


def test_without_negatives_there_are_none():
    assert families([7, 7], [[1.0], [1.0]]) is None


def test_a_negative_of_one_factor_that_another_one_binds_is_no_shuffle():
    assert families([7, 7, 7], [[1.0, 0.0], [0.0, 1.0], [NAN, NAN]]) is None


def test_shuffles_are_those_of_the_positives_of_any_factor():
    assert families([7, 9, 7, 9], [[1.0, NAN], [NAN, 1.0], [0.0, 0.0], [0.0, 0.0]]) == [0, 1, 0, 1]
