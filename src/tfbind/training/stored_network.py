"""The network inside a model file, compared with the one that the card describes before anything is built from it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

from tfbind.errors import TfbindError
from tfbind.hdf5.reading import open_hdf5
from tfbind.networks.outline import Layer, Outline
from tfbind.training.archive import CONFIG, WEIGHTS, ModelArchive
from tfbind.training.card_schema import parse_json, shortened

# what reading a value of another structure than Keras writes raises
_OTHER_STRUCTURE = (KeyError, TypeError, ValueError, IndexError, AttributeError)
# far beyond what training can lead to; a larger one would soon become infinity in a product
MOST_WEIGHT = 1e12
# HDF5 keeps a header and a heap for every group and data set
_BYTES_PER_LAYER = 64 * 1024


class StoredNetwork(NamedTuple):
    """A network as it was stored.

    config : Keras's configuration of it
    weights : float32, by their place in the file
    """

    config: dict[str, Any]
    weights: dict[str, np.ndarray]


def read_network(path: str | Path, outline: Outline, folder: str = "") -> StoredNetwork:
    """Read a network of a model file, and check that it is the one outlined; needs no TensorFlow.

    Parameters
    ----------
    path : path
    outline : Outline
    folder : str
        Of the network in the zip: see `tfbind.training.archive.member_folder`.

    Raises
    ------
    TfbindError
        If the file is damaged, or its network is not the one that its card describes: other layers, weights of other
        shapes or types, or weights that are not finite.
    """
    with ModelArchive(path) as archive:
        config = parse_json(path, folder + CONFIG, archive.read(folder + CONFIG))
        stored = archive.read(folder + WEIGHTS, most=most_bytes(outline))
    network = config.get("config")
    compare_config(path, network, outline, folder)
    return StoredNetwork(network, _read_weights(path, stored, outline, folder))


def compare_config(path: str | Path, config: Any, outline: Outline, folder: str = "") -> None:
    """Refuse Keras's configuration of a network that is not the one outlined.

    Parameters
    ----------
    path : path
        Of the model file, for messages.
    config : any
        What ``config`` holds in the member config.json.
    outline : Outline
    folder : str
        As in `read_network`.

    Raises
    ------
    TfbindError
    """
    try:
        _compare(config, outline, f"{path}: {folder}{CONFIG}: ")
    except _OTHER_STRUCTURE as error:
        raise TfbindError(
            f"{path}: {folder}{CONFIG} is not a network that Keras saved"
            f" ({type(error).__name__}: {shortened(str(error))})"
        ) from None


def most_bytes(outline: Outline) -> int:
    """Give the size that a file of an outlined network's weights cannot exceed."""
    return 8 * outline.n_parameters() + _BYTES_PER_LAYER * (outline.n_layers() + 16)


def _read_weights(path: str | Path, stored: bytes, outline: Outline, folder: str) -> dict[str, np.ndarray]:
    name = f"{path}: {folder}{WEIGHTS}"
    weights = {}
    with open_hdf5(io.BytesIO(stored), name, "weights that Keras saved", chunked=False) as file:
        for place, shape in outline.weights().items():
            found = file.find(place)
            if found is None:
                _misfit(path, folder + place, "no weights", f"some of shape {shape}")
            if found.shape != shape or found.dtype != np.float32:
                _misfit(
                    path, folder + place, f"{found.dtype} of shape {found.shape}", f"float32 of shape {shape}"
                )
            values = found.read()
            # NaN is not below anything
            good = np.abs(values) < MOST_WEIGHT
            if not good.all():
                bad = values[~good]
                expected = f"numbers below {MOST_WEIGHT:g}"
                _misfit(path, folder + place, f"{bad[0]} ({bad.size:,} of {values.size:,})", expected)
            weights[place] = values
    return weights


def check_outputs(path: str | Path, found: np.ndarray) -> np.ndarray:
    """Give what a network computed, if all of it is finite.

    Raises
    ------
    TfbindError
        Weights can be finite and yet lead to numbers that no float holds.
    """
    if not np.isfinite(found).all():
        bad = found[~np.isfinite(found)]
        raise TfbindError(
            f"{path}: its network gives {bad[0]} ({bad.size:,} of {found.size:,} outputs), expected finite numbers:"
            " its weights are damaged, or too large to compute with"
        )
    return found


def _misfit(path: str | Path, place: str, found: str, expected: str) -> NoReturn:
    raise TfbindError(
        f"{path}: the weights do not fit the network that its card describes: found {found} at {place!r}, expected"
        f" {expected}"
    )


def _compare(config: dict[str, Any], outline: Outline, where: str) -> None:
    """Refuse a configuration that is not of the outlined network."""
    layers = config["layers"]
    _expect(where, "layers", [layer["name"] for layer in layers], outline.order())
    _expect(where, "input_layers", [_tensor(each) for each in config["input_layers"]], _inputs(outline))
    output = config["output_layers"]
    _expect(
        where,
        "output_layers",
        _tensor(output if isinstance(output[0], str) else output[0]),
        (outline.output, 0),
    )
    for found in layers:
        layer = outline.layers[found["name"]]
        inside = f"{where}layer {found['name']!r}: "
        _expect(inside, "class_name", found["class_name"], layer.kind)
        _expect(inside, "inbound_nodes", [_called_with(node) for node in found["inbound_nodes"]], layer.calls)
        _compare_options(found["config"], layer, inside)
        if layer.inner:
            _compare(found["config"], layer.inner, inside)


def _compare_options(found: dict[str, Any], layer: Layer, where: str) -> None:
    for key, value in layer.options.items():
        # a bool equals a whole number
        _expect(where, key, found[key], value, same=found[key] == value and type(found[key]) is type(value))
    if layer.kind == "RNN":
        _expect(where, "cell", found["cell"]["class_name"], "JordanCell")
        _expect(where, "units", found["cell"]["config"]["units"], layer.weights["cell/vars/2"][0])


def _inputs(outline: Outline) -> list[tuple[str, int]]:
    return [(name, 0) for name in outline.inputs]


def _tensor(history: list[Any]) -> tuple[str, int]:
    name, call, number = history
    if number != 0:
        raise ValueError(f"output {number} of layer {name}")
    return name, call


def _called_with(node: dict[str, Any]) -> list[tuple[str, int]]:
    """Give the tensors that a layer is called with, those under a name last."""
    args = node["args"]
    # merging layers and models take one list of tensors
    listed = args[0] if args and isinstance(args[0], list) else args
    tensors = [*listed, *(value for value in node["kwargs"].values() if isinstance(value, dict))]
    for tensor in tensors:
        if tensor["class_name"] != "__keras_tensor__":
            raise ValueError(f"class_name {shortened(tensor['class_name'])}")
    return [_tensor(tensor["config"]["keras_history"]) for tensor in tensors]


def _expect(where: str, key: str, found: Any, expected: Any, *, same: bool | None = None) -> None:
    if not (found == expected if same is None else same):
        if isinstance(found, list) and isinstance(expected, list):
            found, expected = _first_difference(found, expected)
        raise TfbindError(
            f"{where}found {key} {shortened(found)}, expected {shortened(expected)} as in the network that the card"
            " describes"
        )


def _first_difference(found: list[Any], expected: list[Any]) -> tuple[Any, Any]:
    for one, other in zip(found, expected, strict=False):
        if one != other:
            return one, other
    return f"{len(found)} of them", f"{len(expected)}"
