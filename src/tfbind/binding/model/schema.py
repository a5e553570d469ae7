"""What the card of a binding model must hold: types, ranges and what must agree with what.

`docs/format.md` says the same in words. A card is checked once, when it is read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import UNSET, Meta, UnsetType

from tfbind.binding.options import MOST_MEMBERS
from tfbind.dna.alphabet import n_tokens
from tfbind.dna.gkm import N_FEATURES
from tfbind.dna.minimizers import Scheme, Sketches
from tfbind.errors import TfbindError
from tfbind.networks.spec import MOST_LAYERS, MOST_STEPS, MOST_UNITS
from tfbind.training.card_schema import (
    Count,
    Name,
    Number,
    Positive,
    Share,
    Size,
    array,
    check_length,
    checked,
    refuse,
    shortened,
)

Length = Annotated[int, Meta(ge=1, le=MOST_STEPS)]
# k-mers of up to 7 bases have a place in tensors files
K = Annotated[int, Meta(ge=1, le=7)]
SizeOrNone = Annotated[int, Meta(ge=0, le=MOST_UNITS)]
Dropout = Annotated[float, Meta(ge=0, lt=1)]
# of each 64-bit digest and of each 32-bit hash
_DIGEST, _HASH, _WEIGHT = "<u8", "<u4", "<f4"


class Network(msgspec.Struct, forbid_unknown_fields=True):
    """The spec of a network, as `tfbind.networks.spec.NetworkSpec`."""

    architecture: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\Z")]
    length: Length
    vocabulary: Annotated[int, Meta(ge=0, le=4**7 + 1)] = 0
    k: K = 1
    stride: Length = 1
    n_tasks: Size = 1
    tracks: bool = False
    body: Literal["conv-recurrent", "deepbind", "danq", "kegru", "transformer"] = "conv-recurrent"
    cell: Literal["lstm", "gru", "rnn", "irnn", "jordan"] = "lstm"
    units: Size = 32
    layers: Annotated[int, Meta(ge=0, le=MOST_LAYERS)] = 1
    filters: SizeOrNone = 64
    kernel_size: Length = 19
    pool: Length = 4
    embedding: Size = 64
    dropout: Dropout = 0.2
    head_dropout: Dropout = 0.4


class Encoding(msgspec.Struct, forbid_unknown_fields=True):
    """How sequences become the network's input, as `tfbind.tensors.DnaEncoding`."""

    encoding: Literal["onehot", "kmer"]
    length: Length
    k: K | None = None
    stride: Length | None = None


class Calibration(msgspec.Struct):
    """From logits to probabilities."""

    method: Literal["platt"]
    slope: list[Positive]
    intercept: list[Number]
    prevalence: list[Share] | UnsetType = UNSET


class StoredSites(msgspec.Struct):
    """From log odds of windows to probabilities of sites in a genome; None for a factor without."""

    slope: list[Positive | None]
    intercept: list[Number | None]
    expected_per_mb: list[Number | None]
    stride: Length
    distance: Annotated[int, Meta(ge=1, le=2**31)]
    contigs: list[Name]


class StoredSketches(msgspec.Struct):
    """Minimizers, as `tfbind.dna.minimizers.Sketches`."""

    # a k-mer is a 64-bit number
    k: Annotated[int, Meta(ge=1, le=31)]
    window: Length
    hashes: str
    counts: str


class FitSettings(msgspec.Struct):
    """What a table of candidates shows of the options of training."""

    epochs: Count | UnsetType | None = UNSET
    batch_size: Count | UnsetType = UNSET
    learning_rate: Number | UnsetType | None = UNSET
    patience: Count | UnsetType = UNSET
    seed: int | UnsetType = UNSET


class Training(msgspec.Struct):
    """Provenance, as far as any verb reads it."""

    options: FitSettings | UnsetType = UNSET
    stored_as: Literal["onehot", "kmer"] | UnsetType = UNSET
    best_epoch: Count | UnsetType = UNSET
    val_loss: Number | UnsetType = UNSET
    val_auroc: Number | UnsetType = UNSET
    data: str | UnsetType = UNSET
    fold: Count | UnsetType | None = UNSET
    folds: Count | UnsetType | None = UNSET


class StoredMember(msgspec.Struct):
    """A network, with what its evidence tracks are laid by."""

    network: Network
    gkm: str | None


class Card(msgspec.Struct):
    """The card: of one network, or of an ensemble's members."""

    encoding: Encoding
    tasks: Annotated[list[Name], Meta(min_length=1, max_length=MOST_UNITS)]
    calibration: Calibration
    threshold: list[Share]
    negative_method: Name
    digests: str
    training: Training
    network: Network | UnsetType = UNSET
    gkm: str | UnsetType | None = UNSET
    members: Annotated[list[StoredMember], Meta(min_length=2, max_length=MOST_MEMBERS)] | UnsetType = UNSET
    sketches: StoredSketches | None = None
    sites: StoredSites | None = None
    software: dict[Name, Name] | None = None


def check_card(path: str | Path, values: dict[str, Any]) -> Card:
    """Check the card of a binding model.

    Raises
    ------
    TfbindError
        Naming the key, what was found and what was expected.
    """
    card = checked(path, values, Card)
    n = len(card.tasks)
    for key in ("network", "gkm"):
        if (getattr(card, key) is UNSET) != (card.members is not UNSET):
            refuse(
                path,
                "",
                f"missing required field '{key}'" if card.members is UNSET else f"has members and {key}",
            )
    if len(set(card.tasks)) < n:
        refuse(path, "tasks", "names a factor twice, expected each once")
    for prefix, each in networks_of(card):
        _check_member(path, prefix, each, card)
    for key, found in (
        ("threshold", card.threshold),
        ("calibration.slope", card.calibration.slope),
        ("calibration.intercept", card.calibration.intercept),
        ("calibration.prevalence", card.calibration.prevalence),
    ):
        if not isinstance(found, UnsetType):
            check_length(path, key, found, n, "factor")
    if card.sites is not None:
        for key in ("slope", "intercept", "expected_per_mb"):
            found = getattr(card.sites, key)
            check_length(path, f"sites.{key}", found, n, "factor")
            if [value is None for value in found] != [value is None for value in card.sites.slope]:
                refuse(path, f"sites.{key}", "is null for other factors than sites.slope")
    return card


def networks_of(card: Card) -> list[tuple[str, StoredMember]]:
    """Give the networks, one or those of an ensemble, each with what its keys begin with."""
    if isinstance(card.members, UnsetType):
        assert not isinstance(card.network, UnsetType)
        assert not isinstance(card.gkm, UnsetType)
        return [("", StoredMember(card.network, card.gkm))]
    return [(f"members[{number}].", member) for number, member in enumerate(card.members)]


def _check_member(path: str | Path, prefix: str, member: StoredMember, card: Card) -> None:
    """Refuse a network that is not of the card's factors and encoding."""
    network, n = member.network, len(card.tasks)
    if network.n_tasks != n:
        refuse(path, f"{prefix}network.n_tasks", f"is {network.n_tasks}, expected {n} as in tasks")
    if network.tracks != (member.gkm is not None):
        refuse(
            path,
            f"{prefix}gkm",
            f"is {'missing' if network.tracks else 'there'}, but network.tracks is {network.tracks}",
        )
    _check_encoding(path, prefix, network, card.encoding)
    _check_network(path, prefix, network)


def check_tasks(path: str | Path, tasks: Sequence[str]) -> None:
    """Refuse names of factors that no card can hold, before a model is trained.

    Parameters
    ----------
    path : path
        Of the tensors file that has them.
    tasks : sequence of str

    Raises
    ------
    TfbindError
    """
    try:
        msgspec.convert(list(tasks), list[Name])
    except msgspec.ValidationError as error:
        number = int(re.findall(r"\[(\d+)\]", str(error))[-1])
        raise TfbindError(
            f"{path}: found a factor named {shortened(tasks[number])}, expected 1 to 200 characters without tabs"
            " or line breaks: name it with tfbind encode --factor, or in the header of --labels"
        ) from None


def _check_encoding(path: str | Path, prefix: str, network: Network, encoding: Encoding) -> None:
    """Refuse an encoding that is not what the network reads."""
    if encoding.encoding == "onehot":
        if (encoding.k, encoding.stride) != (None, None):
            refuse(path, "encoding.k", f"is {encoding.k}, expected null for onehot, and so for the stride")
        expected = {"length": encoding.length, "vocabulary": 0, "k": 1, "stride": 1}
    else:
        if encoding.k is None or encoding.stride is None:
            refuse(path, "encoding.k", "or encoding.stride is null, expected a number for kmer")
        if encoding.k > encoding.length:
            refuse(path, "encoding.k", f"is {encoding.k}, expected at most the length, {encoding.length}")
        expected = {
            "length": n_tokens(encoding.length, encoding.k, encoding.stride),
            "vocabulary": 4**encoding.k + 1,
            "k": encoding.k,
            "stride": encoding.stride,
        }
        if network.tracks:
            refuse(path, f"{prefix}network.tracks", "is True, expected False for kmer")
    for key, value in expected.items():
        if (found := getattr(network, key)) != value:
            refuse(path, f"{prefix}network.{key}", f"is {found}, expected {value} for this encoding")


def _check_network(path: str | Path, prefix: str, network: Network) -> None:
    """Refuse a network that cannot be built."""
    if not network.layers and not network.tracks:
        refuse(
            path, f"{prefix}network.layers", "is 0, expected at least 1 in a network without evidence tracks"
        )
    if network.layers and not network.filters and network.body in ("deepbind", "danq", "transformer"):
        refuse(path, f"{prefix}network.filters", f"is 0, expected at least 1 for {network.body}")


def gkm_weights(path: str | Path, text: str, n_tasks: int, prefix: str = "") -> np.ndarray:
    """Read weights of gapped k-mers: (tasks, N_FEATURES) float32; ``prefix`` is as of `networks_of`."""
    found = array(path, f"{prefix}gkm", text, _WEIGHT, n_tasks * N_FEATURES)
    return found.astype(np.float32).reshape(n_tasks, N_FEATURES)


def digests(path: str | Path, text: str) -> np.ndarray:
    """Read digests: (n,) uint64, ascending."""
    found = array(path, "digests", text, _DIGEST).astype(np.uint64)
    if (found[1:] <= found[:-1]).any():
        refuse(path, "digests", "are not in ascending order, each once")
    return found


def stored_sketches(path: str | Path, stored: StoredSketches) -> Sketches:
    """Read minimizers."""
    hashes = array(path, "sketches.hashes", stored.hashes, _HASH).astype(np.uint32)
    counts = array(path, "sketches.counts", stored.counts, _HASH)
    total = int(counts.sum(dtype=np.uint64))
    if total != len(hashes):
        refuse(path, "sketches.counts", f"add up to {total:,}, expected {len(hashes):,} as there are hashes")
    return Sketches(Scheme(stored.k, stored.window), hashes, counts.astype(np.int32))
