import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.genotypes.layout import Seen
from tfbind.genotypes.ploidy import Region
from tfbind.genotypes.stated_calls import check_stated


def check(stated, *, haploid=(0, 0), diploid=(1000, 1000), found=(400, 400), expected=400, is_par=False):
    """Two samples, ann and bob, and how many heterozygous genotypes are expected of each."""
    seen = Seen(
        np.zeros((2, 2), np.int64),
        np.array([haploid, diploid]).T,
        np.zeros(2, bool),
        np.array(found, float),
        np.full(2, float(expected)),
    )
    check_stated(
        seen, ["ann", "bob"], Region(0, 9, np.array(stated, np.int8), is_par, "p.txt"), "v: contig X"
    )


def test_calls_that_fit(caplog):
    check([2, 1], found=(400, 0))
    check([2, -1], found=(400, 5), haploid=(0, 500))
    assert caplog.text == ""


def test_a_haploid_with_many_heterozygous_calls():
    with pytest.raises(
        TfbindError, match=r"X: sample bob is stated haploid by p\.txt, found 41 heterozygous"
    ):
        check([2, 1], found=(400, 41))


def test_a_few_heterozygous_calls_of_a_haploid_are_counted(caplog):
    check([2, 1], found=(400, 40))
    assert (
        "40 calls of 1 samples that are stated haploid are heterozygous (bob): they count as missing"
        in caplog.text
    )


@pytest.mark.parametrize(("is_par", "words"), [(False, "diploid by"), (True, "diploid, as in a pseudo")])
def test_a_diploid_with_haploid_calls(is_par, words):
    with pytest.raises(TfbindError, match=f"sample ann is {words}.* found 11 haploid among 1,011 calls"):
        check([2, 2], haploid=(11, 0), is_par=is_par)


def test_a_few_haploid_calls_of_a_diploid_are_counted(caplog):
    check([2, 2], haploid=(10, 0))
    assert "10 calls of 1 samples that are stated diploid are haploid (ann)" in caplog.text


def test_a_diploid_without_heterozygous_calls_is_warned_about(caplog):
    check([2, 2], found=(400, 0))
    assert "1 of 2 samples that are stated diploid have hardly a heterozygous call" in caplog.text


@pytest.mark.parametrize(
    ("expected", "n_homozygous", "is_said"),
    [
        # of 2 samples, 20 times 2 / n is less than 1 from 41 on, and less than 2 from 21 on
        (40, 1, False),
        (41, 1, True),
        (20, 2, False),
        (21, 2, True),
        (19, 2, False),
        (400, 0, False),
    ],
)
def test_a_short_stretch_without_heterozygous_calls_may_be_chance(expected, n_homozygous, is_said, caplog):
    found = (0 if n_homozygous == 2 else expected, 0 if n_homozygous else expected)
    check([2, 2], found=found, expected=expected)
    assert ("hardly a heterozygous call" in caplog.text) is is_said
