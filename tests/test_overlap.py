import numpy as np
import pytest

from tfbind.dna.alphabet import encode_letters
from tfbind.overlap import difference, shift_between


@pytest.mark.parametrize(
    ("before", "here", "most", "shift"),
    [
        ("ACGTTGCA", "ACGTTGCA", 4, 0),
        ("ACGTTGCA", "TTGCACCC", 4, 3),
        ("ACGTTGCA", "TTGCACCC", 2, -1),
        ("ACGTTGCA", "CGTTGAAA", 4, -1),
        ("ACNNTGCA", "NTGCAGGG", 4, 3),
        ("ACGTACGT", "ACGTACGA", 4, 4),
    ],
)
def test_is_what_the_letters_say(before, here, most, shift):
    assert shift_between(encode_letters(before), encode_letters(here), most, 0) == shift


@pytest.mark.parametrize(("guess", "shift"), [(0, 0), (4, 4), (5, 0), (3, 0), (-1, 0)])
def test_of_several_answers_the_guess_is_taken(guess, shift):
    repeat = np.array([0, 1] * 5, np.uint8)
    assert shift_between(repeat, repeat, 4, guess) == shift


@pytest.mark.parametrize(
    ("here", "expected"),
    [
        ("ACGTTGCA", (0, 0)),
        ("ACGATGCA", (3, 4)),
        ("TCGTTGCA", (0, 1)),
        ("ACNTTGCC", (2, 8)),
        ("TGCAACGT", (0, 8)),
    ],
)
def test_difference_is_from_the_first_to_the_last_base_that_differs(here, expected):
    assert difference(encode_letters("ACGTTGCA"), encode_letters(here)) == expected
