"""What a binding model's file says of itself."""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from tfbind.dna.gkm import N_FEATURES
from tfbind.dna.minimizers import Scheme, Sketches
from tfbind.errors import TfbindError
from tfbind.networks.spec import NetworkSpec
from tfbind.tensors import DnaEncoding
from tfbind.training.model_file import CARD, DAMAGED, read_values, write_model

KIND = "binding"


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What a model file says of itself.

    network : NetworkSpec
    encoding : DnaEncoding
    tasks : names of the factors, in the order of the logits
    calibration : {"method": ..., "slope": [...], "intercept": [...]}, a value a task
    threshold : a probability a task, from which on a sequence is called bound
    negative_method : "given", "dinucleotide", "genome" or "background": what the model was taught to call unbound
    gkm : (tasks, N_FEATURES) float32, weights that evidence tracks are laid by, where the network reads any
    digests : (n,) uint64, sorted: strand-canonical digests of the training and validation sequences
    sketches : minimizers of the same sequences, shuffles left out, by which overlapping ones are found; some 36 bytes
        for a sequence of 101 bases. None in models of a tfbind that did not write them
    training : provenance: options, sources, counts, epochs
    software : versions that the model was made with
    """

    network: NetworkSpec
    encoding: DnaEncoding
    tasks: tuple[str, ...]
    calibration: dict[str, Any]
    threshold: tuple[float, ...]
    negative_method: str
    gkm: np.ndarray | None = field(repr=False, default=None)
    digests: np.ndarray = field(repr=False)
    training: dict[str, Any]
    software: dict[str, str] = field(default_factory=dict)
    sketches: Sketches | None = field(repr=False, default=None)


def save_model(path: str | Path, network: Any, card: ModelCard) -> None:
    """Write the model file of a Keras network; the card's ``software`` is filled in. See
    `tfbind.training.model_file.write_model`."""
    values = {item.name: getattr(card, item.name) for item in fields(card)} | {
        "kind": KIND,
        "network": asdict(card.network),
        "encoding": asdict(card.encoding),
        "digests": _as_text(card.digests, "<u8"),
        "gkm": None if card.gkm is None else _as_text(card.gkm, "<f4"),
        "sketches": None if card.sketches is None else _sketches_as_json(card.sketches),
    }
    write_model(path, network, values)


def read_card(path: str | Path) -> ModelCard:
    """Read and check a binding model's card; needs no TensorFlow.

    Raises
    ------
    TfbindError
        As `tfbind.training.model_file.read_values`, and for a card that is damaged.
    """
    values = read_values(path, KIND)
    if isinstance(values.get("gkm"), dict):
        raise TfbindError(
            f"{path}: found gapped k-mers of model format 1.0, which no later version reads: train the model again with"
            " tfbind train"
        )
    try:
        values = {"sketches": None} | values
        values = {name: values[name] for name in ModelCard.__dataclass_fields__}
        values["network"] = NetworkSpec(**values["network"])
        values["encoding"] = DnaEncoding(**values["encoding"])
        values["tasks"] = tuple(values["tasks"])
        values["threshold"] = tuple(values["threshold"])
        values["digests"] = _from_text(values["digests"], "<u8").astype(np.uint64)
        if values["gkm"] is not None:
            weights = _from_text(values["gkm"], "<f4").astype(np.float32)
            values["gkm"] = weights.reshape(len(values["tasks"]), N_FEATURES)
        calibration = values["calibration"]
        if calibration["method"] != "platt" or {
            len(calibration[name]) for name in ("slope", "intercept")
        } != {len(values["tasks"])}:
            raise ValueError("its calibration is none")
        if values["sketches"] is not None:
            values["sketches"] = _sketches_from_json(values["sketches"])
    except DAMAGED as error:
        raise TfbindError(
            f"{path}: its {CARD} is damaged ({error!r}), expected a model of tfbind train"
        ) from None
    return ModelCard(**values)


def _sketches_as_json(sketches: Sketches) -> dict[str, Any]:
    return {
        **sketches.scheme._asdict(),
        "hashes": _as_text(sketches.hashes, "<u4"),
        "counts": _as_text(sketches.counts, "<u4"),
    }


def _sketches_from_json(values: dict[str, Any]) -> Sketches:
    hashes = _from_text(values["hashes"], "<u4").astype(np.uint32)
    counts = _from_text(values["counts"], "<u4").astype(np.int32)
    if counts.sum() != len(hashes) or (counts < 0).any():
        raise ValueError(f"{len(hashes)} minimizers, counts of {counts.sum()}")
    return Sketches(Scheme(int(values["k"]), int(values["window"])), hashes, counts)


def _as_text(array: np.ndarray, dtype: str) -> str:
    return base64.b64encode(array.astype(dtype).tobytes()).decode()


def _from_text(text: str, dtype: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype)
