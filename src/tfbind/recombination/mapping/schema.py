"""What the cards of models of rates must hold: types, ranges and what must agree with what.

`docs/format.md` says the same in words. A card is checked once, when it is read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import UNSET, Meta, UnsetType

from tfbind.genotypes.features import FEATURES, REGION_FEATURES
from tfbind.recombination.options import SCALES
from tfbind.training.card_schema import (
    Count,
    Layers,
    Name,
    Number,
    Positive,
    Size,
    check_length,
    checked,
    refuse,
)

# longer than any contig
BasePairs = Annotated[int, Meta(ge=1, le=10**12)]
# of intervals, in standard deviations
Deviations = Annotated[float, Meta(ge=-1e3, le=1e3)]


class Network(msgspec.Struct, forbid_unknown_fields=True):
    """As `tfbind.recombination.options.RateOptions`."""

    cell: Literal["lstm", "gru", "rnn", "irnn", "jordan"] = "gru"
    units: Size = 64
    layers: Layers = 2
    crop: Size = 256


class StoredScaling(msgspec.Struct):
    """Of the features."""

    mean: list[Number]
    sd: list[Positive]


class StoredSeen(msgspec.Struct, forbid_unknown_fields=True):
    """As `tfbind.recombination.mapping.card.Seen`."""

    lowest: list[Number]
    highest: list[Number]
    mean: list[Number]
    precision: list[list[Number]]
    limit: Positive


class StoredCalibration(msgspec.Struct):
    """Of the intervals."""

    lower: list[Deviations]
    upper: list[Deviations]


class Source(msgspec.Struct):
    """A file that a model was trained on, as far as any verb reads what a model says of it."""

    sha256: Name


class Start(msgspec.Struct):
    """The model that training started from."""

    training: Training


class Training(msgspec.Struct):
    """Provenance, as far as any verb reads it."""

    settings: list[dict[str, Any]] | UnsetType = UNSET
    source: list[Source] | UnsetType = UNSET
    start: Start | UnsetType | None = UNSET


class TokenTraining(Training, kw_only=True):
    """Of a network of tokens, from which training can go on."""

    settings: list[dict[str, Any]]


class TokenCard(msgspec.Struct):
    """The card of a network of tokens."""

    network: Network
    scaling: StoredScaling
    seen: StoredSeen
    calibration: StoredCalibration
    training: TokenTraining
    software: dict[Name, Name] | None = None


class StoredSample(msgspec.Struct, forbid_unknown_fields=True):
    """As `tfbind.recombination.mapping.site_windows.Sample`."""

    columns: Size
    ploidy: Literal[1, 2]


class StoredTarget(msgspec.Struct, forbid_unknown_fields=True):
    """As `tfbind.recombination.mapping.site_windows.Target`."""

    mean: Number
    sd: Positive


class SiteCard(msgspec.Struct):
    """The card of ReLERNN's network."""

    units: Size
    window: BasePairs
    sample: StoredSample
    sites: Size
    mean_sites: tuple[Number, Number]
    target: StoredTarget
    training: Training
    software: dict[Name, Name] | None = None


class _Features(msgspec.Struct):
    # absent in ReLERNN's card, whose network reads none
    features: list[str] = []
    scales: list[Count] = []
    # of any type, as one that is not ours is another version, whatever it is
    features_version: Any = 1


def check_features(path: str | Path, values: dict[str, Any]) -> _Features:
    """Check what a card says of the features; whether they are ours is for the caller to say."""
    return checked(path, values, _Features)


def check_token_card(path: str | Path, values: dict[str, Any]) -> TokenCard:
    """Check the card of a network of tokens.

    Raises
    ------
    TfbindError
        Naming the key, what was found and what was expected.
    """
    card = checked(path, values, TokenCard)
    seen, n = card.seen, len(REGION_FEATURES)
    for key, found in (("mean", card.scaling.mean), ("sd", card.scaling.sd)):
        check_length(path, f"scaling.{key}", found, len(FEATURES), "feature")
    for key, found in (("lowest", seen.lowest), ("highest", seen.highest), ("mean", seen.mean)):
        check_length(path, f"seen.{key}", found, n, "region feature")
    for key, found in (("lower", card.calibration.lower), ("upper", card.calibration.upper)):
        check_length(path, f"calibration.{key}", found, len(SCALES), "scale")
    check_length(path, "seen.precision", seen.precision, n, "region feature")
    for i, row in enumerate(seen.precision):
        check_length(path, f"seen.precision[{i}]", row, n, "region feature")
    precision = np.array(seen.precision)
    # of a covariance: distances are roots of what it gives
    if not np.allclose(precision, precision.T, rtol=1e-3) or np.linalg.eigvalsh(precision).min() <= 0:
        refuse(path, "seen.precision", "is not the inverse of a covariance")
    if any(low > high for low, high in zip(seen.lowest, seen.highest, strict=True)):
        refuse(path, "seen.lowest", "is above seen.highest")
    return card


def check_site_card(path: str | Path, values: dict[str, Any]) -> SiteCard:
    """Check the card of ReLERNN's network; errors as `check_token_card`."""
    return checked(path, values, SiteCard)
