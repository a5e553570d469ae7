"""What a binding model's file says of itself."""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tfbind.binding.model.calibration import SiteCalibration
from tfbind.binding.model.schema import StoredSites, check_card, digests, gkm_weights, stored_sketches
from tfbind.dna.minimizers import Sketches
from tfbind.errors import TfbindError
from tfbind.networks.spec import NetworkSpec
from tfbind.tensors import DnaEncoding
from tfbind.training.model_file import change_card, read_values, write_model

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
    sites : from log odds of windows to probabilities of sites in a genome; None until `tfbind calibrate`
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
    sites: SiteCalibration | None = None


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
        "sites": None if card.sites is None else asdict(card.sites),
    }
    write_model(path, network, values)


def save_site_calibration(model: str | Path, output: str | Path, sites: SiteCalibration) -> None:
    """Write the model file of ``model``'s network with another calibration for genomes; needs no TensorFlow."""
    change_card(Path(model), Path(output), {"sites": asdict(sites)})


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
    card = check_card(path, values)
    sketches = card.sketches
    return ModelCard(
        network=NetworkSpec(**msgspec.structs.asdict(card.network)),
        encoding=DnaEncoding(**msgspec.structs.asdict(card.encoding)),
        tasks=tuple(card.tasks),
        calibration=values["calibration"],
        threshold=tuple(card.threshold),
        negative_method=card.negative_method,
        gkm=None if card.gkm is None else gkm_weights(path, card.gkm, len(card.tasks)),
        digests=digests(path, card.digests),
        sketches=None if sketches is None else stored_sketches(path, sketches),
        sites=None if card.sites is None else _sites(card.sites),
        training=values["training"],
        software=values.get("software", {}),
    )


def _sites(stored: StoredSites) -> SiteCalibration:
    return SiteCalibration(
        slope=tuple(stored.slope),
        intercept=tuple(stored.intercept),
        expected_per_mb=tuple(stored.expected_per_mb),
        stride=stored.stride,
        distance=stored.distance,
        contigs=tuple(stored.contigs),
    )


def _sketches_as_json(sketches: Sketches) -> dict[str, Any]:
    return {
        **sketches.scheme._asdict(),
        "hashes": _as_text(sketches.hashes, "<u4"),
        "counts": _as_text(sketches.counts, "<u4"),
    }


def _as_text(array: np.ndarray, dtype: str) -> str:
    return base64.b64encode(array.astype(dtype).tobytes()).decode()
