"""The features and the map of the demo's genotypes are what they were.

A network reads what it was trained on. If a feature changes its value, every network that was trained before gives
other rates, without an error. So the values are pinned, far more tightly than any change of a constant moves them and
more loosely than processors differ.

If a test here fails and the change was not meant, undo it. If it was meant, raise FEATURES_VERSION in
`tfbind.genotypes.features`, train the shipped network again, and make the golden files again:

    python tests/data/make_golden.py

If only the network or what follows it (`tfbind.recombination.mapping`) was changed on purpose, FEATURES_VERSION stays,
and the same command must leave golden-features.npz as it was.
"""

import runpy
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tfbind.genotypes import features, gaps, linkage
from tfbind.genotypes.features import FEATURES, FEATURES_VERSION

MADE = runpy.run_path(str(Path(__file__).parent / "data" / "make_golden.py"))
RATES = ["rate", "rate_lower", "rate_upper"]


def assert_features_are_golden(found):
    with np.load(MADE["GOLDEN_FEATURES"]) as golden:
        assert tuple(golden["features"]) == FEATURES
        assert golden["features_version"] == FEATURES_VERSION, "make the golden files again"
        for name, x in found.items():
            close = partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6)
            close(x[:: MADE["KEPT"][name]], golden[name], err_msg=name)
            close(x.mean(axis=0, dtype=np.float64), golden[f"{name}: means"], err_msg=f"{name}: means")


def assert_map_is_golden(path):
    found, golden = (pd.read_csv(each, sep="\t", comment="#") for each in (path, MADE["GOLDEN_MAP"]))
    pd.testing.assert_frame_equal(found.drop(columns=RATES), golden.drop(columns=RATES))
    assert golden[RATES].notna().all(axis=None)
    np.testing.assert_allclose(found[RATES], golden[RATES], rtol=1e-3)


def test_features_are_golden():
    found = MADE["features"]()
    assert set(found) == set(MADE["KEPT"])
    assert_features_are_golden(found)


def test_the_map_is_golden(tmp_path):
    MADE["write_map"](tmp_path / "map.tsv")
    assert_map_is_golden(tmp_path / "map.tsv")


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (features, "BANDS", (1, 3, 8, 20, 60, 170)),
        (features, "SITES_A_TOKEN", 5),
        (features, "COMMON", 3),
        (features, "AROUND", 4),
        (features, "AROUND", 7),
        (features, "SPECTRUM", (0.08, 0.1, 0.2, 0.3, 0.4, 0.5)),
        (linkage, "MOST_PARTNERS", 95),
        (linkage, "FAR_REACH", 2.9),
        (linkage, "FAR_PARTNERS", 15),
        (gaps, "LONGEST", 300),
        (gaps, "QUANTILE", 0.89),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)).rpartition(".")[2],
)
def test_a_changed_constant_changes_the_features(monkeypatch, module, name, value):
    assert getattr(module, name) != value
    monkeypatch.setattr(module, name, value)
    if name == "MOST_PARTNERS":
        # a default is read when its function is defined
        changed = partial(linkage.sum_over_pairs, most_partners=value)
        monkeypatch.setattr(features, "sum_over_pairs", changed)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_features_are_golden(MADE["features"]())


def test_a_changed_constant_changes_the_map(monkeypatch, tmp_path):
    monkeypatch.setattr(features, "AROUND", 4)
    MADE["write_map"](tmp_path / "map.tsv")
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_map_is_golden(tmp_path / "map.tsv")
