from pathlib import Path

import pytest

from tfbind.binding.encoding.names import refuse_repeated, unique_names
from tfbind.errors import TfbindError

P, N = Path("p.fa"), Path("n.fa")


def test_names_of_one_file():
    assert list(refuse_repeated(P, iter("bca"))) == ["b", "c", "a"]
    with pytest.raises(
        TfbindError, match=r"p\.fa: record 'c' is given twice, expected each name once in a file"
    ):
        refuse_repeated(P, ["a", "c", "b", "c", "a"])


@pytest.mark.parametrize(
    ("positives", "negatives", "expected"),
    [
        ("ab", "cd", {}),
        ("01", "10", {"1": "1_negative", "0": "0_negative"}),
        (["a", "a_negative"], "a", {"a": "a_negative2"}),
        ("a", ["a", "a_negative"], {"a": "a_negative2"}),
        ("a", ["a_negative", "a_negative2", "a"], {"a": "a_negative3"}),
        (["a", "a_negative"], ["a", "a_negative"], {"a": "a_negative2", "a_negative": "a_negative_negative"}),
    ],
)
def test_only_what_is_in_both_changes(positives, negatives, expected):
    assert unique_names([(P, positives), (N, negatives)]) == [{}, expected]
    new = [expected.get(name, name) for name in negatives]
    assert len({*positives, *new}) == len(positives) + len(negatives)


def test_twice_in_one_file():
    with pytest.raises(TfbindError, match=r"n\.fa: record 'b' is given twice"):
        unique_names([(P, "ab"), (N, "bb")])
