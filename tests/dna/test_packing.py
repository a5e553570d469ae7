import numpy as np
import pytest

from tfbind.dna.packing import pack


def test_crop_round_the_centre_and_pad_on_the_right():
    flat = np.array([*[0, 1, 2, 3, 0, 1, 2], *[3, 2], *[0, 1, 2, 3], *[1]], np.uint8)
    codes, valid_length = pack(flat, np.array([7, 2, 4, 1]), 4)
    assert codes.dtype == np.uint8
    assert valid_length.dtype == np.int32
    assert codes.tolist() == [[1, 2, 3, 0], [3, 2, 4, 4], [0, 1, 2, 3], [1, 4, 4, 4]]
    assert valid_length.tolist() == [4, 2, 4, 1]


@pytest.mark.parametrize(
    ("length", "kept"), [(1, [2]), (2, [1, 2]), (3, [1, 2, 3]), (4, [0, 1, 2, 3]), (5, [0, 1, 2, 3, 0])]
)
def test_the_centre_stays(length, kept):
    codes, _ = pack(np.array([0, 1, 2, 3, 0], np.uint8), np.array([5]), length)
    assert codes.tolist() == [kept]


def test_an_ambiguous_base_is_valid():
    codes, valid_length = pack(np.array([4, 4, 0, 4], np.uint8), np.array([4]), 6)
    assert codes.tolist() == [[4, 4, 0, 4, 4, 4]]
    assert valid_length.tolist() == [4]


def test_nothing():
    codes, valid_length = pack(np.empty(0, np.uint8), np.empty(0, np.int64), 3)
    assert codes.shape == (0, 3)
    assert valid_length.shape == (0,)
