from pathlib import Path

import numpy as np
import pytest

from tfbind import __version__
from tfbind.errors import TfbindError
from tfbind.genotypes.features import FEATURES, FEATURES_VERSION, REGION_FEATURES
from tfbind.recombination.mapping import card
from tfbind.recombination.mapping.card import Seen, read_rate_card, save_calibration
from tfbind.recombination.mapping.rate_model import (
    SHIPPED,
    load_rate_model,
)
from tfbind.training.model_file import change_card, read_values

DATA = Path(__file__).parents[2] / "data"


LOG_N = REGION_FEATURES.index("region_log_n")
SINGLETONS = REGION_FEATURES.index("region_singletons")


@pytest.fixture(scope="module")
def values():
    """Regions whose singletons go with the number of haplotypes, and whose other features are noise."""
    rng = np.random.default_rng(0)
    found = rng.normal(0, 0.1, (2000, len(REGION_FEATURES)))
    found[:, LOG_N] = rng.uniform(np.log(4), np.log(400), len(found))
    found[:, SINGLETONS] = found[:, LOG_N] / 10 + rng.normal(0, 0.01, len(found))
    return found


class TestHowFarDataLieOutside:
    def test_nearly_all_that_was_seen_lies_inside(self, values):
        seen = Seen.from_values(values)
        assert np.mean([seen.distance(value)[0] <= 1 for value in values]) > 0.998

    @pytest.mark.parametrize(("n", "outside"), [(404, False), (1000, True), (100_000, True)])
    def test_far_more_samples_are_outside_though_everything_else_fits(self, values, n, outside):
        usual = values.mean(axis=0)
        usual[LOG_N], usual[SINGLETONS] = np.log(n), np.log(n) / 10
        distance, named = Seen.from_values(values).distance(usual)
        assert (distance > 1) == outside
        assert not outside or named[0] == "log_n"

    def test_what_does_not_go_together_is_outside_though_each_is_in_its_range(self, values):
        odd = values.mean(axis=0)
        odd[LOG_N], odd[SINGLETONS] = np.log(5), np.log(390) / 10
        assert ((values.min(axis=0) <= odd) & (odd <= values.max(axis=0))).all()
        assert Seen.from_values(values).distance(odd)[0] > 1

    def test_a_feature_that_never_differed(self, values):
        always = values.copy()
        always[:, LOG_N] = np.log(20)
        seen = Seen.from_values(always)
        usual = always.mean(axis=0)
        assert seen.distance(usual)[0] < 1
        usual[LOG_N] = np.log(22)
        assert seen.distance(usual)[0] > 1

    @pytest.mark.parametrize(("value", "distance"), [(1.05, 1.0), (1.325, 1.5), (-0.05, 1.0)])
    def test_a_twentieth_of_its_range_beyond_what_was_seen_is_the_distance_1(self, value, distance):
        # values from 0 to 1 reach 0.5 from their middle: the distance is that over 0.5 and 0.05
        values = np.random.default_rng(1).normal(0, 1, (1_001, len(REGION_FEATURES)))
        values[:, LOG_N] = np.random.default_rng(2).permutation(np.linspace(0, 1, 1_001))
        odd = values.mean(axis=0)
        odd[LOG_N] = value
        found, named = Seen.from_values(values).distance(odd)
        assert found == pytest.approx(distance)
        assert distance <= 1.01 or named[0] == "log_n"

    def test_two_of_two_thousand_regions_are_outside(self, values):
        seen = Seen.from_values(values)
        assert sum(seen.distance(value)[0] > 1 for value in values) == 2


class TestFeaturesVersion:
    def test_the_shipped_network_says_it(self):
        values = read_values(SHIPPED, "rates")
        assert (values["format_version"], values["features_version"]) == ("1.2", FEATURES_VERSION)

    @pytest.mark.parametrize("version", [0, FEATURES_VERSION + 1, None, True, "1", []])
    def test_another_one_is_refused(self, tmp_path, version):
        path = tmp_path / "m.keras"
        change_card(DATA / "model-1.2-rates.keras", path, {"features_version": version})
        for read in (read_rate_card, load_rate_model):
            with pytest.raises(TfbindError) as caught:
                read(path)
            assert str(caught.value) == (
                f"{path}: found a network trained on version {version!r} of the features, made by tfbind {__version__};"
                f" this tfbind computes version {FEATURES_VERSION}: retrain with tfbind recombination train, or use the"
                " tfbind that made it"
            )

    def test_a_card_of_format_1_1_has_none_and_means_version_1(self, monkeypatch):
        path = DATA / "model-1.1-rates.keras"
        assert "features_version" not in read_values(path, "rates")
        monkeypatch.setattr(card, "FEATURES_VERSION", 1)
        read_rate_card(path)
        monkeypatch.setattr(card, "FEATURES_VERSION", 2)
        with pytest.raises(TfbindError, match="trained on version 1 of the features"):
            read_rate_card(path)

    def test_calibrating_keeps_it(self, tmp_path):
        card = read_rate_card(DATA / "model-1.2-rates.keras")
        save_calibration(DATA / "model-1.2-rates.keras", tmp_path / "m.keras", card.calibration, {})
        assert read_values(tmp_path / "m.keras", "rates")["features_version"] == 1

    @pytest.mark.parametrize("change", [{"features": list(FEATURES[:-1])}, {"scales": [1, 2]}])
    def test_other_features_or_scales_are_refused(self, tmp_path, change):
        change_card(DATA / "model-1.2-rates.keras", tmp_path / "m.keras", change)
        with pytest.raises(
            TfbindError, match="found a network of other features than this version of tfbind"
        ):
            read_rate_card(tmp_path / "m.keras")
