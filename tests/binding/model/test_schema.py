"""What a binding model's card must hold, each rule broken once."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest

from tfbind.binding.model.schema import check_card, check_tasks, digests, gkm_weights, stored_sketches
from tfbind.errors import TfbindError
from tfbind.training.model_file import CARD, read_members

DATA = Path(__file__).parents[2] / "data"


def values_of(name):
    return json.loads(read_members(DATA / f"model-{name}.keras")[CARD])


@pytest.fixture
def values():
    return values_of("1.0-binding")


@pytest.mark.parametrize("name", ["1.0-binding", "1.1-binding", "1.1-kmer"])
def test_kept_cards_pass(name):
    assert check_card("m.keras", values_of(name)).tasks == ["CTCF"]


def changed(values, place, value):
    *steps, last = place.split(".")
    for step in steps:
        values = values[step]
    values[last] = value


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("network.length", 10**7, "network.length is 10000000, expected int <= 100000"),
        ("network.length", 31, "network.length is 31, expected 30 for this encoding"),
        ("network.units", -1, "network.units is -1, expected int >= 1"),
        ("network.units", "2", "network.units is '2', expected int"),
        (
            "network.layers",
            0,
            "network.layers is 0, expected at least 1 in a network without evidence tracks",
        ),
        ("network.dropout", 1, "network.dropout is 1, expected float < 1"),
        ("network.dropout", -0.1, "network.dropout is -0.1, expected float >= 0"),
        ("network.cell", "lsmt", "network.cell is 'lsmt'"),
        ("network.cell", [], "network.cell is []"),
        ("network.k", 2, "network.k is 2, expected 1 for this encoding"),
        ("network.vocabulary", 17, "network.vocabulary is 17, expected 0 for this encoding"),
        ("network.tracks", True, "gkm is missing, but network.tracks is True"),
        ("network.n_tasks", 2, "network.n_tasks is 2, expected 1 as in tasks"),
        ("network.architecture", "../x", "network.architecture is '../x'"),
        ("network.body", "danq", None),
        ("encoding.encoding", "other", "encoding.encoding is 'other'"),
        ("encoding.encoding", "kmer", "encoding.k or encoding.stride is null, expected a number for kmer"),
        ("encoding.k", 2, "encoding.k is 2, expected null for onehot"),
        ("tasks", ["CTCF", "CTCF"], "tasks names a factor twice"),
        ("tasks", [], "tasks is [], expected array of length >= 1"),
        ("tasks", ["a\tb"], "tasks[0] is 'a\\tb', expected str without tabs or line breaks"),
        ("tasks", ["CT\u2028CF"], "tasks[0] is 'CT\\u2028CF', expected str without tabs or line breaks"),
        ("threshold", [0.5, 0.5], "threshold has 2 values, expected 1, one for each factor"),
        ("threshold", [-0.5], "threshold[0] is -0.5, expected float >= 0"),
        ("threshold", [None], "threshold[0] is None, expected float"),
        ("calibration.slope", [0.0], "calibration.slope[0] is 0.0, expected float > 0"),
        ("calibration.intercept", [1e300], "calibration.intercept[0] is 1e+300, expected float <= 1e+30"),
        ("calibration.method", "isotonic", "calibration.method is 'isotonic'"),
        ("calibration.prevalence", [0.1, 0.2], "calibration.prevalence has 2 values, expected 1"),
        ("training", [], "training is [], expected object"),
        ("training.val_loss", "low", "training.val_loss is 'low'"),
        ("software", {"tfbind": 1}, "software[...] is "),
        ("negative_method", "a\nb", "negative_method is 'a\\nb'"),
        (
            "sketches",
            {"k": 40, "window": 1, "hashes": "", "counts": ""},
            "sketches.k is 40, expected int <= 31",
        ),
    ],
)
def test_what_does_not_fit_is_named(values, place, value, message):
    changed(values, place, value)
    if message is None:
        check_card("m.keras", values)
        return
    with pytest.raises(TfbindError) as caught:
        check_card("m.keras", values)
    assert str(caught.value).startswith(f"m.keras: its tfbind.json is damaged: {message}")


def test_a_body_that_needs_a_convolution(values):
    values["network"] |= {"body": "deepbind", "filters": 0}
    with pytest.raises(TfbindError, match=r"network\.filters is 0, expected at least 1 for deepbind"):
        check_card("m.keras", values)


def text(array, dtype):
    return base64.b64encode(np.array(array, dtype).tobytes()).decode()


def test_digests_ascend():
    assert digests("m", text([1, 5], "<u8")).tolist() == [1, 5]
    for wrong in ([5, 1], [5, 5]):
        with pytest.raises(TfbindError, match="digests are not in ascending order"):
            digests("m", text(wrong, "<u8"))


def test_weights_of_gapped_kmers_are_as_many_as_there_are():
    with pytest.raises(TfbindError, match="gkm has 4 bytes, expected 491,520"):
        gkm_weights("m", text([1], "<f4"), 1)


def test_counts_of_minimizers_add_up(values):
    values["sketches"] = {
        "k": 20,
        "window": 4,
        "hashes": text([7, 8], "<u4"),
        "counts": text([2**32 - 1, 3], "<u4"),
    }
    stored = check_card("m", values).sketches
    with pytest.raises(TfbindError, match=r"sketches\.counts add up to 4,294,967,298, expected 2"):
        stored_sketches("m", stored)


def test_names_that_no_card_can_hold_are_refused_before_training():
    check_tasks("t.h5", ["CTCF", "<b> & co"])
    for wrong in ("a\tb", "", "x" * 201):
        with pytest.raises(
            TfbindError, match=r"^t\.h5: found a factor named .*, expected 1 to 200 characters"
        ):
            check_tasks("t.h5", ["CTCF", wrong])
