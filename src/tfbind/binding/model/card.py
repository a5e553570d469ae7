"""What a binding model's file says of itself."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from tfbind.binding.model.calibration import SiteCalibration
from tfbind.binding.model.schema import (
    StoredSites,
    check_card,
    digests,
    gkm_weights,
    networks_of,
    stored_sketches,
)
from tfbind.dna.encoding import DnaEncoding
from tfbind.dna.minimizers import Sketches
from tfbind.errors import TfbindError
from tfbind.networks.spec import NetworkSpec
from tfbind.training.archive import member_folder
from tfbind.training.model_file import change_card, read_values, write_ensemble, write_model

KIND = "binding"


class Member(NamedTuple):
    """One network of an ensemble.

    network : NetworkSpec
    gkm : (tasks, N_FEATURES) float32 or None, as in `ModelCard`
    """

    network: NetworkSpec
    gkm: np.ndarray | None


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What a model file says of itself.

    network : NetworkSpec; of an ensemble, of its first member
    encoding : DnaEncoding
    tasks : names of the factors, in the order of the logits
    calibration : {"method": ..., "slope": [...], "intercept": [...]}, a value a task
    threshold : a probability a task, from which on a sequence is called bound
    negative_method : "given", "dinucleotide", "genome" or "background": what the model was taught to call unbound
    gkm : (tasks, N_FEATURES) float32, weights that evidence tracks are laid by, where the network reads any;
        of an ensemble, of its first member
    digests : (n,) uint64, sorted: strand-canonical digests of the training and validation sequences
    sketches : minimizers of the same sequences, shuffles left out, by which overlapping ones are found; some 36 bytes
        for a sequence of 101 bases. None in models of a tfbind that did not write them
    sites : from log odds of windows to probabilities of sites in a genome; None until `tfbind calibrate`
    training : provenance: options, sources, counts, epochs
    software : versions that the model was made with
    members : of an ensemble, all its networks, whose logits are averaged and then calibrated; else empty
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
    members: tuple[Member, ...] = field(repr=False, default=())

    def networks(self) -> dict[str, Member]:
        """Give all networks, one or those of an ensemble, by their folder in the file."""
        if not self.members:
            return {"": Member(self.network, self.gkm)}
        return {member_folder(number): member for number, member in enumerate(self.members, 1)}


def save_model(path: str | Path, network: Any, card: ModelCard) -> None:
    """Write the model file of a Keras network; the card's ``software`` is filled in. See
    `tfbind.training.model_file.write_model`."""
    write_model(path, network, _as_json(card))


def save_ensemble(path: str | Path, sources: Sequence[Path], card: ModelCard) -> None:
    """Write the model file of the networks of several models, in their order; needs no TensorFlow.

    Parameters
    ----------
    path : path
    sources : sequence of Path
        Model files. Of one that is an ensemble, all members are taken.
    card : ModelCard
        With these networks as its ``members``; its ``software`` is filled in.
    """
    networks = [(source, folder) for source in sources for folder in read_card(source).networks()]
    write_ensemble(path, networks, _as_json(card))


def _as_json(card: ModelCard) -> dict[str, Any]:
    values = {item.name: getattr(card, item.name) for item in fields(card)} | {
        "kind": KIND,
        "encoding": asdict(card.encoding),
        "digests": _as_text(card.digests, "<u8"),
        "sketches": None if card.sketches is None else _sketches_as_json(card.sketches),
        "sites": None if card.sites is None else asdict(card.sites),
        "members": [_network_as_json(*member) for member in card.members],
    }
    if card.members:
        return {name: value for name, value in values.items() if name not in ("network", "gkm")}
    values |= _network_as_json(card.network, card.gkm)
    return {name: value for name, value in values.items() if name != "members"}


def _network_as_json(network: NetworkSpec, gkm: np.ndarray | None) -> dict[str, Any]:
    return {"network": asdict(network), "gkm": None if gkm is None else _as_text(gkm, "<f4")}


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
    members = [
        Member(
            NetworkSpec(**msgspec.structs.asdict(each.network)),
            None if each.gkm is None else gkm_weights(path, each.gkm, len(card.tasks), key),
        )
        for key, each in networks_of(card)
    ]
    return ModelCard(
        network=members[0].network,
        encoding=DnaEncoding(**msgspec.structs.asdict(card.encoding)),
        tasks=tuple(card.tasks),
        calibration=values["calibration"],
        threshold=tuple(card.threshold),
        negative_method=card.negative_method,
        gkm=members[0].gkm,
        digests=digests(path, card.digests),
        sketches=None if sketches is None else stored_sketches(path, sketches),
        sites=None if card.sites is None else _sites(card.sites),
        training=values["training"],
        software=values.get("software", {}),
        members=tuple(members) if "members" in values else (),
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
