"""The model file: what Keras saves, and beside it in the same zip a card with all that prediction needs.

`docs/format.md` specifies it.
Loading never runs anything out of the file: the network is built anew from the card's spec, by this package's
own code, and the file gives it nothing but numbers.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import re
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tfbind import __version__
from tfbind.errors import TfbindError
from tfbind.files import whole_output
from tfbind.hdf5.reading import open_hdf5
from tfbind.networks.outlines import binding_outline
from tfbind.networks.spec import NetworkSpec
from tfbind.training.archive import CARD, CONFIG, WEIGHTS, ModelArchive, member_folder
from tfbind.training.card_schema import Name, Sha256, checked, parse_json, shortened
from tfbind.training.stored_network import read_network
from tfbind.versions import check_version

if TYPE_CHECKING:
    import keras

FORMAT = "tfbind-model"
FORMAT_VERSION = "1.3"
# from the kinds of model to the verbs that make them
MADE_BY = {
    "binding": "tfbind train",
    "background": "tfbind background fit",
    "rates": "tfbind recombination train",
}
# a fixed date in the zip, so that the same training gives the same file
_DATE = (1980, 1, 1, 0, 0, 0)


def write_model(path: str | Path, network: keras.Model, values: dict[str, Any]) -> None:
    """Write a model file, whole or not at all.

    Parameters
    ----------
    path : path
        Its name ends in ``.keras``.
    network : keras.Model
    values : dict
        The card as JSON can hold it, with its ``kind``; format, software and checksums are added.
    """
    import keras
    import tensorflow as tf

    software = {"tfbind": __version__, "keras": keras.__version__, "tensorflow": tf.__version__}
    software |= {"numpy": np.__version__, "python": platform.python_version()}
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "model.keras"
        network.save(saved)
        with zipfile.ZipFile(saved) as source:
            members = {name: source.read(name) for name in source.namelist()}
        keras_metadata = json.loads(members["metadata.json"])
        keras_metadata.pop("date_saved", None)
        members["metadata.json"] = json.dumps(keras_metadata).encode()
        # addresses in memory, by which Keras would know one initializer of several layers again
        members["config.json"] = re.sub(rb', "shared_object_id": \d+', b"", members["config.json"])
    _write_new(path, values, software, members)


def write_ensemble(path: str | Path, networks: Sequence[tuple[Path, str]], values: dict[str, Any]) -> None:
    """Write a model file of several networks, whole or not at all; needs no TensorFlow.

    Parameters
    ----------
    path : path
        Its name ends in ``.keras``.
    networks : sequence of path and folder
        The model files that hold the networks, and where in the zip: see `tfbind.training.archive.member_folder`.
    values : dict
        As in `write_model`.

    Raises
    ------
    TfbindError
        As `read_members`.
    """
    software: dict[str, str] = {}
    members = {}
    for number, (source, folder) in enumerate(networks, 1):
        found = read_members(source)
        # what made the networks, as the first one says
        software = software or json.loads(found[CARD]).get("software", {})
        for name, data in found.items():
            place = name.removeprefix(folder)
            if name != CARD and name == folder + place and (folder or "/" not in name):
                members[member_folder(number) + place] = data
    _write_new(path, values, software | {"tfbind": __version__}, members)


def _write_new(
    path: str | Path, values: dict[str, Any], software: dict[str, str], members: dict[str, bytes]
) -> None:
    values = values | {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "software": software,
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in members.items()},
    }
    _write_members(path, values, members)


def change_card(path: Path, output: Path, changes: dict[str, Any]) -> None:
    """Write a model file with the same network and some entries of its card changed; needs no TensorFlow.

    The format version stays what it was, unless it is among the changes.

    Raises
    ------
    TfbindError
        As `read_members`.
    """
    members = read_members(path)
    _write_members(output, json.loads(members.pop(CARD)) | changes, members)


def _write_members(path: str | Path, values: dict[str, Any], members: dict[str, bytes]) -> None:
    with whole_output(path) as temporary, zipfile.ZipFile(temporary, "w") as target:
        for name, data in {CARD: json.dumps(values, allow_nan=False).encode(), **members}.items():
            target.writestr(zipfile.ZipInfo(name, _DATE), data, compress_type=zipfile.ZIP_DEFLATED)


def read_values(path: str | Path, kind: str) -> dict[str, Any]:
    """Read a model file's card as it was written, and check the file; needs no TensorFlow.

    What a card of its kind must hold is checked by the schema of that kind.

    Raises
    ------
    TfbindError
        If the file is missing, damaged, no model of tfbind, of another kind, or of a version that is not read.
    """
    path = Path(path)
    with ModelArchive(path) as archive:
        values = _read_card(archive)
        archive.check(values["sha256"])
    if values.get("format") != FORMAT:
        raise TfbindError(f"{path}: found format {shortened(values.get('format'))}, expected {FORMAT!r}")
    check_version(
        path,
        "model format",
        values.get("format_version"),
        FORMAT_VERSION,
        made_by=made_by(values),
        again=MADE_BY.get(str(values.get("kind")), "the verb that made it"),
    )
    if values.get("kind") != kind:
        found, expected = (
            f"{each!r} (of {MADE_BY[each]})" if isinstance(each, str) and each in MADE_BY else shortened(each)
            for each in (values.get("kind"), kind)
        )
        raise TfbindError(f"{path}: found a model of kind {found}, expected kind {expected}")
    return values


class _Sums(msgspec.Struct):
    """What every card has, of any version."""

    sha256: dict[Name, Sha256]


def _read_card(archive: ModelArchive) -> dict[str, Any]:
    if CARD not in archive:
        raise TfbindError(f"{archive.path}: found no {CARD} inside, expected a model made by tfbind")
    values = parse_json(archive.path, CARD, archive.read(CARD))
    checked(archive.path, values, _Sums)
    return values


def made_by(values: dict[str, Any]) -> str | None:
    """Name the tfbind that wrote a card, as far as the card says."""
    software = values.get("software")
    version = software.get("tfbind") if isinstance(software, dict) else None
    return f"tfbind {version}" if isinstance(version, str) and version.isprintable() else None


def load_network(path: str | Path, spec: NetworkSpec, folder: str = "", *, soft: bool = False) -> keras.Model:
    """Build the network of a spec and fill it with the file's weights, once they have been checked.

    ``folder`` is as in `tfbind.training.stored_network.read_network`, ``soft`` as in `tfbind.networks.build.build`.
    """
    read_network(path, binding_outline(spec), folder)

    from tfbind.networks.build import build

    network = build(spec, soft=soft)
    fill(network, path, folder)
    return network


def fill(network: keras.Model, path: str | Path, folder: str = "") -> None:
    """Give a network the weights of a model file.

    Raises
    ------
    TfbindError
        If they do not fit, or the file is damaged.
    """
    stored = read_members(Path(path), folder)[folder + WEIGHTS]
    # Keras follows links to other files
    with open_hdf5(
        io.BytesIO(stored), f"{path}: {folder}{WEIGHTS}", "weights that Keras saved", chunked=False
    ) as file:
        for place in file.places:
            file.find(place)
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / WEIGHTS
        weights.write_bytes(stored)
        try:
            network.load_weights(weights)
        except (ValueError, KeyError, OSError) as error:
            why = str(error).split("\n", 1)[0]
            raise TfbindError(f"{path}: the weights do not fit the network that it names ({why})") from None


def read_members(path: Path, folder: str = "") -> dict[str, bytes]:
    """Read the card and what it names, each checked against the card's checksum.

    A network must be there: the one in ``folder``, or that of an ensemble's first member.
    """
    with ModelArchive(path) as archive:
        values = _read_card(archive)
        sums = values["sha256"]
        archive.check(sums)
        if not folder and "members" in values:
            folder = member_folder(1)
        wanted = {folder + CONFIG: "", folder + WEIGHTS: ""} | sums
        return {name: archive.read(name) for name in (CARD, *wanted)}
