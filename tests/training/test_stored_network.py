"""Weights and configuration from a stranger, in a model file whose checksums are right."""

import hashlib
import io
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from tfbind.binding.model.card import read_card
from tfbind.errors import TfbindError
from tfbind.networks.outlines import binding_outline
from tfbind.training.archive import CARD, CONFIG, WEIGHTS
from tfbind.training.stored_network import check_outputs, read_network

KEPT = Path(__file__).parents[1] / "data" / "model-1.0-binding.keras"
# the kernel of the logits
PLACE = "layers/functional/layers/dense/vars/0"


@pytest.fixture(scope="module")
def outline():
    return binding_outline(read_card(KEPT).network)


@pytest.fixture
def changed(tmp_path):
    """Write the kept model with another member: ``changed(member, data)``."""

    def changed(member, data):
        with zipfile.ZipFile(KEPT) as archive:
            members = {name: archive.read(name) for name in archive.namelist()} | {member: data}
        card = json.loads(members[CARD])
        card["sha256"] = {
            name: hashlib.sha256(each).hexdigest() for name, each in members.items() if name != CARD
        }
        path = tmp_path / "m.keras"
        with zipfile.ZipFile(path, "w") as archive:
            for name, each in (members | {CARD: json.dumps(card).encode()}).items():
                archive.writestr(name, each)
        return path

    return changed


@pytest.fixture
def with_weights(changed):
    """Change the weights at PLACE: ``with_weights(change)``, which is called with the file and its values."""

    def with_weights(change):
        with zipfile.ZipFile(KEPT) as archive:
            stored = io.BytesIO(archive.read(WEIGHTS))
        with h5py.File(stored, "r+") as file:
            values = file[PLACE][()]
            del file[PLACE]
            change(file, values)
        return changed(WEIGHTS, stored.getvalue())

    return with_weights


def refused(path, outline, message):
    with pytest.raises(TfbindError) as caught:
        read_network(path, outline)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_kept_network_is_read(outline):
    found = read_network(KEPT, outline)
    assert set(found.weights) == set(outline.weights())
    assert found.weights[PLACE].dtype == np.float32


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda values: np.where(values == values[2], np.float32(np.nan), values), "found nan ("),
        (lambda values: values + np.float32(2e12), "(11 of 11) at"),
        (lambda values: values / np.float32(0), " of 11) at"),
        (lambda values: values[:-1], "float32 of shape (10, 1) at"),
        (lambda values: values[None], "float32 of shape (1, 11, 1) at"),
        (lambda values: values.astype("f8"), "float64 of shape (11, 1) at"),
        (lambda values: values.astype("i4"), "int32 of shape (11, 1) at"),
        (lambda values: "text", "object of shape () at"),
    ],
    ids=["nan", "huge", "inf", "fewer", "rank", "double", "whole", "text"],
)  # fmt: skip
def test_other_weights_are_refused(with_weights, outline, change, message):
    def put(file, values):
        with np.errstate(all="ignore"):
            file[PLACE] = change(values)

    path = with_weights(put)
    refused(path, outline, "the weights do not fit the network that its card describes: found ")
    refused(path, outline, message)
    refused(path, outline, f"at '{PLACE}', expected ")


def test_missing_weights_are_refused(with_weights, outline):
    refused(with_weights(lambda file, values: None), outline, f"found no weights at '{PLACE}'")


@pytest.mark.parametrize(
    ("put", "message"),
    [
        (
            lambda file, other: file.__setitem__(PLACE, h5py.ExternalLink(other, "x")),
            "is a link to another place",
        ),
        (lambda file, other: file.__setitem__(PLACE, h5py.SoftLink("/layers")), "is a link to another place"),
        (
            lambda file, other: file.create_dataset(PLACE, (11, 1), "<f4", external=[(other, 0, 44)]),
            "takes its values from another file",
        ),
        (
            lambda file, other: file.create_virtual_dataset(PLACE, virtual(other)),
            "takes its values from another file",
        ),
        (
            lambda file, other: file.create_dataset(PLACE, data=np.ones((11, 1), "<f4"), chunks=True),
            "in chunks",
        ),
    ],
    ids=["external link", "soft link", "external storage", "virtual", "chunks"],
)
def test_weights_from_elsewhere_are_refused(with_weights, outline, tmp_path, put, message):
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["x"] = np.ones((11, 1), np.float32)
    refused(with_weights(lambda file, values: put(file, str(other))), outline, message)


def virtual(other):
    layout = h5py.VirtualLayout((11, 1), "<f4")
    layout[...] = h5py.VirtualSource(other, "x", (11, 1))
    return layout


def test_weights_that_are_too_large_for_the_network_are_refused(changed, outline):
    refused(
        changed(WEIGHTS, bytes(10**7)),
        outline,
        f"found a member {WEIGHTS} of 10,000,000 bytes, expected at most",
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("conv", "layer 'strand': layer 'convolution': found class_name 'Lambda', expected 'Conv1D'"),
        ("order", "layer 'strand': found layers "),
        ("wires", "found inbound_nodes "),
        ("bool", "found use_bias 0, expected False"),
        ("units", "found units 3, expected 2"),
        ("none", "is not a network that Keras saved"),
        ("empty", "is not a network that Keras saved"),
    ],
)
def test_another_configuration_is_refused(changed, outline, change, message):
    with zipfile.ZipFile(KEPT) as archive:
        config = json.loads(archive.read(CONFIG))
    (strand,) = (layer for layer in config["config"]["layers"] if layer["name"] == "strand")
    inner = {layer["name"]: layer for layer in strand["config"]["layers"]}
    if change == "conv":
        inner["convolution"]["class_name"] = "Lambda"
    elif change == "order":
        # each direction would be given the weights of the other one
        strand["config"]["layers"].reverse()
    elif change == "wires":
        inner["recurrent_1"]["inbound_nodes"][0]["args"][0].reverse()
    elif change == "bool":
        inner["convolution"]["config"]["use_bias"] = 0
    elif change == "units":
        inner["recurrent_1_forward"]["config"]["units"] = 3
    elif change == "none":
        config["config"]["layers"] = None
    else:
        config = {}
    refused(changed(CONFIG, json.dumps(config).encode()), outline, message)


def test_outputs_that_are_not_finite_are_refused():
    found = np.ones((2, 3), np.float32)
    assert check_outputs("m.keras", found) is found
    found[1, 1] = np.nan
    with pytest.raises(
        TfbindError, match=r"m\.keras: its network gives nan \(1 of 6 outputs\), expected finite"
    ):
        check_outputs("m.keras", found)
