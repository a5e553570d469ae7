from dataclasses import replace

import numpy as np
import pytest

from tfbind.genotypes.contig import Genotypes
from tfbind.recombination.checks.inbreeding import find_outcrossing


def genotypes(inbreeding):
    empty = Genotypes("1", np.zeros(0, np.int64), np.zeros((0, 4), np.int8), 1, 0, 10)
    return replace(empty, inbreeding=inbreeding)


@pytest.mark.parametrize(
    ("found", "given", "factor", "note"),
    [
        (0.75, "auto", 4.0, "inbreeding_corrected"),
        (-0.02, "auto", 1.0, "inbreeding_corrected"),
        (0.75, 0.5, 2.0, "inbreeding_corrected"),
        (float("nan"), 0.9, 10.0, "inbreeding_corrected"),
        (0.5, None, 1.0, "heterozygote_deficit"),
        (0.09, None, 1.0, ""),
    ],
)
def test_rates_are_divided_by_one_less_f(found, given, factor, note):
    outcrossing = find_outcrossing(genotypes(found), given, "x")
    assert outcrossing.factor == pytest.approx(factor)
    assert outcrossing.note == note


@pytest.mark.parametrize(("found", "warned"), [(0.09, False), (0.11, True), (float("nan"), False)])
def test_a_deficit_is_warned_about(found, warned, caplog):
    find_outcrossing(genotypes(found), None, "x: contig 1")
    assert ("x: contig 1: heterozygous genotypes are fewer than expected (F = 0.11)" in caplog.text) == warned


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (float("nan"), "F cannot be measured without diploid genotypes"),
        (0.99, "F is 0.990, too close to 1 to be measured"),
    ],
)
def test_what_cannot_be_measured_is_noted(found, message, caplog):
    assert find_outcrossing(genotypes(found), "auto", "x") == (1.0, "inbreeding_unmeasured")
    assert f"x: {message}: rates are not divided by 1 - F; name F" in caplog.text
