"""What a model file of recombination rates says of itself, and of the regions it was trained on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tfbind.errors import TfbindError
from tfbind.genotypes.features import FEATURES, FEATURES_VERSION, REGION_FEATURES
from tfbind.networks.outline import Outline
from tfbind.networks.outlines import rate_outline
from tfbind.recombination.mapping.posterior import Calibration
from tfbind.recombination.mapping.relernn import KIND
from tfbind.recombination.mapping.scaling import Scaling
from tfbind.recombination.mapping.schema import check_features, check_token_card
from tfbind.recombination.options import OUTPUTS, SCALES, RateOptions
from tfbind.training.card_schema import shortened
from tfbind.training.model_file import change_card, made_by, read_values, write_model

# of the training regions, the share that lies within the distance 1
WITHIN = 0.999
# how far beyond the training range of a feature the distance 1 lies, in ranges
BEYOND = 0.05


@dataclass(frozen=True)
class Seen:
    """The region features that training has seen: their range, and a normal distribution's centre and spread.

    lowest, highest : (region features,)
    mean : (region features,)
    precision : (region features, region features), inverse of the covariance
    limit : Mahalanobis distance that WITHIN of the training regions keep
    """

    lowest: tuple[float, ...]
    highest: tuple[float, ...]
    mean: tuple[float, ...]
    precision: tuple[tuple[float, ...], ...]
    limit: float

    @classmethod
    def from_values(cls, values: np.ndarray) -> Seen:
        """Describe (regions, region features) float64."""
        mean = values.mean(axis=0)
        spread = values.std(axis=0)
        # features that depend on each other must not make a hair's breadth a long way
        covariance = np.cov(values.T) + np.diag(0.05 * spread**2 + 1e-9)
        precision = np.linalg.inv(covariance)
        apart = values - mean
        distances = np.sqrt(np.einsum("ij,jk,ik->i", apart, precision, apart))
        return cls(
            lowest=tuple(values.min(axis=0).tolist()),
            highest=tuple(values.max(axis=0).tolist()),
            mean=tuple(mean.tolist()),
            precision=tuple(map(tuple, precision.tolist())),
            limit=float(np.quantile(distances, WITHIN)),
        )

    def distance(self, values: np.ndarray) -> tuple[float, list[str]]:
        """Distance in limits, and the features that deviate most.

        The larger of two: that of all features together (Mahalanobis 1936), which sees what does not go together, and
        that of the feature furthest out of its range, which sees what is only too large, as far too many samples.
        """
        apart = values - np.array(self.mean)
        precision = np.array(self.precision)
        together = float(np.sqrt(apart @ precision @ apart)) / self.limit
        low, high = np.array(self.lowest), np.array(self.highest)
        reach = np.maximum(high - low, 1e-2) * (0.5 + BEYOND)
        alone = np.abs(values - (low + high) / 2) / reach
        spread = np.sqrt(np.diag(np.linalg.inv(precision)))
        deviation = alone if alone.max() > max(together, 1) else np.abs(apart) / spread
        most = np.argsort(-deviation)[:3]
        return max(together, float(alone.max())), [REGION_FEATURES[i].removeprefix("region_") for i in most]


@dataclass(frozen=True, kw_only=True)
class RateCard:
    """What a model file of rates says of itself.

    network : RateOptions
    scaling : Scaling
        Of the features.
    seen : Seen
    calibration : Calibration
        On simulated regions that training has not seen.
    training : dict
        Provenance: options, sources, the prior, figures, epochs.
    """

    network: RateOptions
    scaling: Scaling
    seen: Seen
    calibration: Calibration
    training: dict[str, Any]

    @property
    def outline(self) -> Outline:
        """Of the network."""
        made = self.network
        return rate_outline(
            features=len(FEATURES), outputs=OUTPUTS, cell=made.cell, units=made.units, layers=made.layers
        )


def settings_of(training: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the settings of the simulations that a network was trained on, those of the model it started from included.

    Parameters
    ----------
    training : dict
        Of a card.
    """
    start = training.get("start")
    return training.get("settings", []) + (settings_of(start["training"]) if start else [])


def save_rate_model(path: Path, network: Any, card: RateCard) -> None:
    """Write the model file of a Keras network, whole or not at all."""
    values = {
        "kind": KIND,
        "features": list(FEATURES),
        "features_version": FEATURES_VERSION,
        "scales": list(SCALES),
        "network": asdict(card.network),
        "scaling": {"mean": card.scaling.mean.tolist(), "sd": card.scaling.sd.tolist()},
        "seen": asdict(card.seen),
        **_calibrated(card.calibration, card.training),
    }
    write_model(path, network, values)


def save_calibration(model: Path, output: Path, calibration: Calibration, training: dict[str, Any]) -> None:
    """Write the model file of ``model``'s network with another calibration and provenance; needs no TensorFlow."""
    change_card(model, output, _calibrated(calibration, training))


def _calibrated(calibration: Calibration, training: dict[str, Any]) -> dict[str, Any]:
    return {"calibration": {"on": "simulations", **asdict(calibration)}, "training": training}


def read_rate_card(path: Path) -> RateCard:
    """Read and check a model of rates' card; needs no TensorFlow.

    Raises
    ------
    TfbindError
        As `tfbind.training.model_file.read_values`, for a card that is damaged, and for a model that reads other
        features, or another version of them, than this tfbind computes.
    """
    values = read_values(path, KIND)
    _check_features(path, values)
    card = check_token_card(path, values)
    scaling, seen = card.scaling, card.seen
    return RateCard(
        network=RateOptions(**msgspec.structs.asdict(card.network)),
        scaling=Scaling(np.array(scaling.mean, np.float32), np.array(scaling.sd, np.float32)),
        seen=Seen(
            lowest=tuple(seen.lowest),
            highest=tuple(seen.highest),
            mean=tuple(seen.mean),
            precision=tuple(map(tuple, seen.precision)),
            limit=seen.limit,
        ),
        calibration=Calibration(tuple(card.calibration.lower), tuple(card.calibration.upper)),
        training=values["training"],
    )


def _check_features(path: Path, values: dict[str, Any]) -> None:
    # model format 1.2 added features_version: before it, there was one version
    found = check_features(path, values)
    version = found.features_version
    # true is 1, too
    if type(version) is not int or version != FEATURES_VERSION:
        raise TfbindError(
            f"{path}: found a network trained on version {shortened(version)} of the features, made by"
            f" {made_by(values) or 'unknown software'}; this tfbind computes version {FEATURES_VERSION}: retrain with"
            " tfbind recombination train, or use the tfbind that made it"
        )
    if tuple(found.features) != FEATURES or tuple(found.scales) != SCALES:
        raise TfbindError(
            f"{path}: found a network of other features than this version of tfbind computes, expected"
            " one made by its own tfbind recombination train"
        )
