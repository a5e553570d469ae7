"""The model file: what Keras saves, and beside it in the same zip a card with all that prediction needs.

`docs/format.md` specifies it.
Loading never runs anything out of the file: the network is built anew from the card's spec, by this package's
own code, and the file gives it nothing but numbers.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfbind import __version__
from tfbind.errors import TfbindError
from tfbind.files import whole_output
from tfbind.networks.spec import NetworkSpec
from tfbind.versions import check_version

if TYPE_CHECKING:
    import keras

FORMAT = "tfbind-model"
FORMAT_VERSION = "1.2"
CARD = "tfbind.json"
WEIGHTS = "model.weights.h5"
# from the kinds of model to the verbs that make them
MADE_BY = {
    "binding": "tfbind train",
    "background": "tfbind background fit",
    "rates": "tfbind recombination train",
}
# what a card without its entries, or with entries of the wrong kind, leads to
DAMAGED = (ValueError, KeyError, TypeError, AttributeError)
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

    Raises
    ------
    TfbindError
        If the file is missing, damaged, no model of tfbind, of another kind, or of a version that is not read.
    """
    path = Path(path)
    values = json.loads(read_members(path)[CARD])
    if values.get("format") != FORMAT:
        raise TfbindError(f"{path}: found format {values.get('format')!r}, expected {FORMAT!r}")
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
            f"{each!r} (of {MADE_BY[each]})" if isinstance(each, str) and each in MADE_BY else repr(each)
            for each in (values.get("kind"), kind)
        )
        raise TfbindError(f"{path}: found a model of kind {found}, expected kind {expected}")
    return values


def made_by(values: dict[str, Any]) -> str | None:
    """Name the tfbind that wrote a card, as far as the card says."""
    software = values.get("software")
    version = software.get("tfbind") if isinstance(software, dict) else None
    return f"tfbind {version}" if version else None


def load_network(path: str | Path, spec: NetworkSpec) -> keras.Model:
    """Build the network of a spec and fill it with the file's weights."""
    from tfbind.networks.build import build

    network = build(spec)
    fill(network, path)
    return network


def fill(network: keras.Model, path: str | Path) -> None:
    """Give a network the weights of a model file.

    Raises
    ------
    TfbindError
        If they do not fit, or the file is damaged.
    """
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / WEIGHTS
        weights.write_bytes(read_members(Path(path))[WEIGHTS])
        try:
            network.load_weights(weights)
        except (ValueError, KeyError, OSError) as error:
            why = str(error).split("\n", 1)[0]
            raise TfbindError(f"{path}: the weights do not fit the network that it names ({why})") from None


def read_members(path: Path) -> dict[str, bytes]:
    """Read the zip and check every member against the card's checksums."""
    if not path.is_file():
        raise TfbindError(f"{path}: {'is a folder, expected a file' if path.is_dir() else 'no such file'}")
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if CARD not in names:
                raise TfbindError(f"{path}: found no {CARD} inside, expected a model made by tfbind")
            members = {name: archive.read(name) for name in names}
        sums = json.loads(members[CARD])["sha256"]
        for name, expected in sums.items():
            if name not in members or hashlib.sha256(members[name]).hexdigest() != expected:
                raise TfbindError(f"{path}: damaged: its member {name} is not what was saved")
    # NotImplementedError and RuntimeError: a zip that is packed or locked in a way of its own
    except (*DAMAGED, zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise TfbindError(f"{path}: damaged or no model file ({error}), expected a .keras file") from None
    return members
