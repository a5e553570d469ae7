"""What cards of rates must hold, each rule broken once."""

import json
from pathlib import Path

import pytest

from tfbind.errors import TfbindError
from tfbind.recombination.mapping.card import read_rate_card
from tfbind.recombination.mapping.rate_model import SHIPPED
from tfbind.recombination.mapping.schema import check_features, check_site_card, check_token_card
from tfbind.training.model_file import CARD, read_members

DATA = Path(__file__).parents[2] / "data"


def values_of(path):
    return json.loads(read_members(path)[CARD])


def changed(values, place, value):
    *steps, last = place.split(".")
    for step in steps:
        values = values[step]
    if value is KeyError:
        del values[last]
    else:
        values[last] = value


@pytest.mark.parametrize("path", [SHIPPED, DATA / "model-1.1-rates.keras", DATA / "model-1.2-rates.keras"])
def test_kept_cards_of_tokens_pass(path):
    assert check_token_card(path, values_of(path)).network.cell == "gru"
    assert read_rate_card(path).outline.n_parameters() > 10_000


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("network.units", 0, "network.units is 0, expected int >= 1"),
        ("network.layers", 65, "network.layers is 65, expected int <= 64"),
        ("network.more", 1, "network contains unknown field 'more'"),
        ("scaling.mean", [0.0], "scaling.mean has 1 values, expected 59, one for each feature"),
        ("scaling.sd", [0.0] * 59, "scaling.sd[0] is 0.0, expected float > 0"),
        ("scaling.sd", None, "scaling.sd is None, expected array"),
        ("seen.lowest", [1e9] * 99, "seen.lowest has 99 values, expected "),
        ("seen.limit", 0, "seen.limit is 0, expected float > 0"),
        ("seen.precision", [[1.0]], "seen.precision has 1 values, expected "),
        ("calibration.lower", [-1.0], "calibration.lower has 1 values, expected 5, one for each scale"),
        ("calibration.upper", {}, "calibration.upper is {}, expected array"),
        ("training.settings", KeyError, "training missing required field 'settings'"),
        ("training.start", {"training": []}, "training.start.training is [], expected object"),
    ],
)
def test_what_does_not_fit_is_named(place, value, message):
    values = values_of(SHIPPED)
    changed(values, place, value)
    with pytest.raises(TfbindError) as caught:
        check_token_card("m.keras", values)
    assert str(caught.value).startswith(f"m.keras: its tfbind.json is damaged: {message}")


def test_a_precision_is_the_inverse_of_a_covariance():
    values = values_of(SHIPPED)
    values["seen"]["precision"][0][0] *= -1
    with pytest.raises(TfbindError, match=r"seen\.precision is not the inverse of a covariance"):
        check_token_card("m", values)


def test_the_range_of_what_was_seen_is_in_order():
    values = values_of(SHIPPED)
    values["seen"]["lowest"][0] = values["seen"]["highest"][0] + 1
    with pytest.raises(TfbindError, match=r"seen\.lowest is above seen\.highest"):
        check_token_card("m", values)


@pytest.mark.parametrize("change", [{"features": 3}, {"features": [1]}, {"scales": None}])
def test_features_are_names_and_scales_are_numbers(change):
    with pytest.raises(TfbindError, match=rf"damaged: {next(iter(change))}"):
        check_features("m", values_of(SHIPPED) | change)


def test_the_kept_card_of_relernn_passes():
    assert check_site_card("m", values_of(DATA / "model-1.1-relernn.keras")).sample.columns == 6


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("units", 1.5, "units is 1.5, expected int"),
        ("window", 0, "window is 0, expected int >= 1"),
        ("sample.ploidy", 3, "sample.ploidy is 3"),
        ("sample.columns", 10**9, "sample.columns is 1000000000, expected int <= 100000"),
        ("mean_sites", [1.0], "mean_sites is [1.0], expected array of length 2"),
        ("target.sd", -1, "target.sd is -1, expected float > 0"),
    ],
)
def test_what_does_not_fit_in_relernns_card_is_named(place, value, message):
    values = values_of(DATA / "model-1.1-relernn.keras")
    changed(values, place, value)
    with pytest.raises(TfbindError) as caught:
        check_site_card("m.keras", values)
    assert str(caught.value).startswith(f"m.keras: its tfbind.json is damaged: {message}")
