"""The model file of recombination rates, and a network out of it at work."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tfbind.errors import TfbindError
from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.features import (
    FEATURES,
    FEATURES_VERSION,
    REGION_FEATURES,
    Features,
    compute_features,
)
from tfbind.genotypes.mask import Accessible
from tfbind.networks.spec import CELLS
from tfbind.recombination.mapping.posterior import Calibration, TokenPosterior, average, token_posterior
from tfbind.recombination.mapping.relernn import ARCHITECTURE, KIND, RelernnModel, load_relernn
from tfbind.recombination.mapping.scaling import Scaling, region_values
from tfbind.recombination.options import OUTPUTS, SCALES, RateOptions
from tfbind.training.model_file import change_card, made_by, read_values, write_model

logger = logging.getLogger(__name__)

# the network that the package ships
SHIPPED = Path(__file__).parents[1] / "rates.keras"
# A contig is read in chunks of so many tokens, of which MARGIN at either end only lead in
CHUNK, MARGIN = 512, 64
CHUNKS_AT_ONCE = 4
# so many share chunks; scaled features of thousands of simulated regions would fill gigabytes
CONTIGS_AT_ONCE = 256
# Each contig is cut into tokens so many times, so many tokens further on: where the first one begins is chance, and
# where sites are rare a token is as wide as what a map should show
SHIFTS = (0.0, 0.25, 0.5, 0.75)
# of the training regions, the share that lies within the distance 1
WITHIN = 0.999
# how far beyond what training has seen of a feature the distance 1 lies, in its ranges
BEYOND = 0.05

Outputs = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Grid(Protocol):
    """Tokens of a contig and their features: start, end (tokens,) int64 and x (tokens, features)."""

    @property
    def start(self) -> np.ndarray: ...
    @property
    def end(self) -> np.ndarray: ...
    @property
    def x(self) -> np.ndarray: ...


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
    try:
        scaling, calibration = values["scaling"], values["calibration"]
        card = RateCard(
            network=RateOptions(**values["network"]),
            scaling=Scaling(np.array(scaling["mean"], np.float32), np.array(scaling["sd"], np.float32)),
            seen=Seen(**values["seen"]),
            calibration=Calibration(tuple(calibration["lower"]), tuple(calibration["upper"])),
            training=values["training"],
        )
        if card.network.cell not in CELLS or card.scaling.mean.shape != (len(FEATURES),):
            raise ValueError("its network is none")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TfbindError(
            f"{path}: its card is damaged ({error!r}), expected a model of tfbind recombination train"
        ) from None
    return card


def _check_features(path: Path, values: dict[str, Any]) -> None:
    # model format 1.2 added the field: before it, there was one version
    version = values.get("features_version", 1)
    if version != FEATURES_VERSION:
        raise TfbindError(
            f"{path}: found a network trained on version {version!r} of the features, made by"
            f" {made_by(values) or 'unknown software'}; this tfbind computes version {FEATURES_VERSION}: retrain with"
            " tfbind recombination train, or use the tfbind that made it"
        )
    if tuple(values.get("features", ())) != FEATURES or tuple(values.get("scales", ())) != SCALES:
        raise TfbindError(
            f"{path}: found a network of other features than this version of tfbind computes, expected"
            " one made by its own tfbind recombination train"
        )


class RateModel:
    """A network of rates that is ready to read contigs.

    card : RateCard
    """

    def __init__(self, card: RateCard, outputs: Outputs):
        self.card = card
        self._outputs = outputs

    @property
    def most_samples(self) -> int:
        """Chromosomes in the largest sample of training: more samples than these, of any ploidy, are outside of it."""
        return round(np.exp(self.card.seen.highest[REGION_FEATURES.index("region_log_n")]))

    def read(
        self, genotypes: Genotypes, mask: Accessible | None = None, diversity: float | None = None
    ) -> tuple[TokenPosterior, str]:
        """Predict the rates along a contig; and say how it lies outside what training has seen, if it does.

        Raises
        ------
        TfbindError
            As `tfbind.genotypes.features.compute_features`.
        """
        grids = [compute_features(genotypes, mask, diversity, shift) for shift in SHIFTS]
        distance, deviating = self.distance(grids[0])
        outside = f"{distance:.1f} times as far from its centre as nearly all of that; most in {', '.join(deviating)}"
        (found,) = self.rates([grids])
        rate = found.rate.replace(found.rate.values * grids[0].share)
        return replace(found, rate=rate), outside if distance > 1 else ""

    def rates(self, contigs: Sequence[Sequence[Grid]]) -> list[TokenPosterior]:
        """Predict the rates of whole contigs, each cut into tokens at SHIFTS; see `rates_of_grids`."""
        return rates_of_grids(self._outputs, self.card.scaling, contigs)

    def distance(self, features: Features) -> tuple[float, list[str]]:
        """How far the data lie outside what training has seen; see `Seen.distance`. Above 1 is outside."""
        return self.card.seen.distance(region_values(features.x))


def load_rate_model(path: Path | None = None, *, threads: int | None = None) -> RateModel | RelernnModel:
    """Load a model of rates; None takes the network that the package ships. Only ReLERNN's needs TensorFlow.

    Raises
    ------
    TfbindError
        As `read_rate_card` and `tfbind.recombination.mapping.relernn.load_relernn`.
    """
    path = path or SHIPPED
    values = read_values(path, KIND)
    if values.get("architecture") == ARCHITECTURE:
        logger.warning("%s: a relernn model has no intervals: rate_lower and rate_upper are NA", path)
        return load_relernn(path, values, threads=threads)

    from tfbind.inference.tokens import TokenEngine

    card = read_rate_card(path)
    engine = TokenEngine(path, shape=(CHUNKS_AT_ONCE, CHUNK, len(FEATURES)), threads=threads)
    return RateModel(card, engine.run)


def rates_of_grids(
    outputs: Outputs, scaling: Scaling, contigs: Sequence[Sequence[Grid]]
) -> list[TokenPosterior]:
    """Predict the rates of whole contigs, as the average over all ways in which each is cut into tokens.

    So a map does not depend on where tokens begin, and comes out better than with any one way: more so the rarer sites
    are.

    Parameters
    ----------
    outputs : callable
        As in `read_in_chunks`.
    scaling : Scaling
    contigs : sequence of sequence of Grid
        Of each contig those at SHIFTS.
    """
    found: list[TokenPosterior] = []
    for at in range(0, len(contigs), CONTIGS_AT_ONCE):
        some = contigs[at : at + CONTIGS_AT_ONCE]
        read = iter(read_both_ways(outputs, [scaling.apply(grid.x) for grids in some for grid in grids]))
        found += [
            average([token_posterior(grid.start, grid.end, next(read)) for grid in grids]) for grids in some
        ]
    return found


def read_both_ways(outputs: Outputs, contigs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Apply a network of tokens to whole contigs from either end, and average what it says.

    So a map does not depend on which end of the contig is called its start, and comes out better than one way.
    Shapes as in `read_in_chunks`.
    """
    read = read_in_chunks(outputs, [x[::way] for x in contigs for way in (1, -1)])
    return [(there + back[::-1]) / 2 for there, back in zip(read[::2], read[1::2], strict=True)]


def read_in_chunks(outputs: Outputs, contigs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Apply a network of tokens to whole contigs.

    Chunks overlap, so that each token is read with MARGIN others on either side at least, where there are any.

    Parameters
    ----------
    outputs : callable
        From x (CHUNKS_AT_ONCE, CHUNK, features) float32 and valid_length (CHUNKS_AT_ONCE,) int32 to
        (CHUNKS_AT_ONCE, CHUNK, OUTPUTS) float32.
    contigs : sequence of (tokens, features) float32

    Returns
    -------
    list of (tokens, OUTPUTS) float32
    """
    results = [np.empty((len(x), OUTPUTS), np.float32) for x in contigs]
    chunks = [
        (x, result, start)
        for x, result in zip(contigs, results, strict=True)
        for start in range(0, max(len(x) - 2 * MARGIN, 1), CHUNK - 2 * MARGIN)
    ]
    for at in range(0, len(chunks), CHUNKS_AT_ONCE):
        group = chunks[at : at + CHUNKS_AT_ONCE]
        batch = np.zeros((CHUNKS_AT_ONCE, CHUNK, group[0][0].shape[1]), np.float32)
        valid_length = np.ones(CHUNKS_AT_ONCE, np.int32)
        for row, (x, _, start) in enumerate(group):
            valid_length[row] = min(CHUNK, len(x) - start)
            batch[row, : valid_length[row]] = x[start : start + CHUNK]
        found = outputs(batch, valid_length)
        for row, (_, result, start) in enumerate(group):
            lead_in = MARGIN if start else 0
            result[start + lead_in : start + valid_length[row]] = found[row, lead_in : valid_length[row]]
    return results
