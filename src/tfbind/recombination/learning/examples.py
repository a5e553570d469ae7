"""Simulated regions as tokens with known rates, and the crops of them that a network learns from."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tfbind.errors import TfbindError
from tfbind.genotype_tensors import open_regions
from tfbind.genotypes.features import FEATURES, compute_features
from tfbind.genotypes.simulation import Region
from tfbind.progress import Progress
from tfbind.recombination.mapping.scaling import Scaling
from tfbind.steps import StepFunction
from tfbind.training.data import Examples

logger = logging.getLogger(__name__)

# of the diversity that a user gives for a chip's data, as a standard deviation of its logarithm
DIVERSITY_ERROR = 0.08


@dataclass(frozen=True, eq=False)
class RegionTokens:
    """A region as the network sees it, and the truth.

    start, end : (tokens,) int64 bp
    x : (tokens, features) float16, in the order of `tfbind.genotypes.features.FEATURES`
    rate : (tokens,) float32, true r/mu
    source : number of the file that it was read from, and of the region in that
    """

    start: np.ndarray
    end: np.ndarray
    x: np.ndarray
    rate: np.ndarray
    source: tuple[int, int] = (0, 0)

    def true_rate(self) -> StepFunction:
        """Give the truth along the region."""
        return StepFunction(np.append(self.start, self.end[-1:]), self.rate)


def tokens_of(region: Region, rng: np.random.Generator, shift: float = 0.0) -> RegionTokens | None:
    """Compute a simulated region's tokens, ``shift`` of a token further on; None where its sites are too few for any.

    Where sites were chosen, as on a chip, the diversity is given, with an error as a user's would have.
    """
    is_chip = region.parameters.get("chip_spacing", 0) > 0
    given = region.diversity * np.exp(rng.normal(0, DIVERSITY_ERROR))
    try:
        features = compute_features(region.genotypes(), diversity=given if is_chip else None, shift=shift)
    except TfbindError:
        return None
    edges = np.append(features.start, features.end[-1:])
    length = np.diff(region.rate_map().get_cumulative_mass(edges.astype(float)))
    rate = length / np.diff(edges) / region.mutation_rate
    return RegionTokens(features.start, features.end, features.x.astype(np.float16), rate.astype(np.float32))


def read_regions(paths: Sequence[Path], *, seed: int, threads: int) -> list[RegionTokens]:
    """Read files of `tfbind recombination simulate` and compute their regions' tokens.

    Raises
    ------
    TfbindError
        If a file is not one, or no region has sites enough.
    """
    return [tokens for (tokens,) in read_grids(paths, (0.0,), seed=seed, threads=threads)]


def read_grids(
    paths: Sequence[Path],
    shifts: Sequence[float],
    *,
    seed: int,
    threads: int,
    chosen: Collection[RegionTokens] | None = None,
) -> list[list[RegionTokens]]:
    """Read files as `read_regions` does, and compute each region's tokens once for each of ``shifts``.

    With ``chosen``, regions that `read_regions` gave for the same files and seed, these alone.
    """
    sources = None if chosen is None else {tokens.source for tokens in chosen}
    found: list[list[RegionTokens]] = []
    empty = 0
    for number, path in enumerate(paths):
        with open_regions(path) as regions:
            indices = [i for i in range(len(regions)) if sources is None or (number, i) in sources]

            def compute(index: int, number: int = number, regions=regions) -> list[RegionTokens | None]:
                region = regions.region(index)
                grids = [
                    tokens_of(region, np.random.default_rng([seed, number, index]), shift) for shift in shifts
                ]
                return [tokens and replace(tokens, source=(number, index)) for tokens in grids]

            with (
                ThreadPoolExecutor(threads) as pool,
                Progress("computing features", len(indices), "regions") as progress,
            ):
                for grids in pool.map(compute, indices):
                    progress.update(1)
                    known = [tokens for tokens in grids if tokens is not None]
                    if known:
                        found.append(known)
                    else:
                        empty += 1
    if empty:
        logger.info("%d of %d regions have too few sites and are left out", empty, empty + len(found))
    if not found:
        raise TfbindError(
            f"{paths[0]}: found no region with sites enough, expected at least two common ones in each"
        )
    return found


class RateExamples:
    """Crops of regions for `tfbind.training.fit.fit`; whole regions are training or validation.

    Parameters
    ----------
    training, validation : list of RegionTokens
    crop : int
        Tokens.
    seed : int
        Of the crops, their order and their directions.
    scaling : Scaling, optional
        Of the features, where the network has one; else that of the training regions.
    """

    def __init__(
        self,
        training: list[RegionTokens],
        validation: list[RegionTokens],
        *,
        crop: int,
        seed: int,
        scaling: Scaling | None = None,
    ):
        self.training, self.held_out, self.crop, self.seed = training, validation, crop, seed
        self.scaling = scaling or fit_scaling(training)
        self._n_crops = np.array([-(-len(tokens.rate) // crop) for tokens in training])
        self.n_train = int(self._n_crops.sum())

    def batches(self, epoch: int, size: int) -> Iterator[Examples]:
        """Give as many crops of each region as cover it, anywhere on it, read from either end."""
        rng = np.random.default_rng([self.seed, epoch])
        region = rng.permutation(np.repeat(np.arange(len(self.training)), self._n_crops))
        place, turned = rng.random(len(region)), rng.random(len(region)) < 0.5
        for at in range(0, len(region), size):
            chosen = range(at, min(at + size, len(region)))
            yield self._examples(
                [self._cut(self.training[region[i]], place[i], bool(turned[i])) for i in chosen]
            )

    def validation(self, size: int) -> Iterator[Examples]:
        """Give the validation regions cut into crops, the last of each shorter."""
        crops = [
            (tokens.x[at : at + self.crop], tokens.rate[at : at + self.crop])
            for tokens in self.held_out
            for at in range(0, len(tokens.rate), self.crop)
        ]
        for at in range(0, len(crops), size):
            yield self._examples(crops[at : at + size])

    def _cut(self, tokens: RegionTokens, place: float, turned: bool) -> tuple[np.ndarray, np.ndarray]:
        start = int(place * (max(len(tokens.rate) - self.crop, 0) + 1))
        inside = slice(start, start + self.crop)
        x, rate = tokens.x[inside], tokens.rate[inside]
        # nothing in the features has a direction
        return (x[::-1], rate[::-1]) if turned else (x, rate)

    def _examples(self, crops: list[tuple[np.ndarray, np.ndarray]]) -> Examples:
        x = np.zeros((len(crops), self.crop, len(FEATURES)), np.float32)
        y = np.full((len(crops), self.crop), np.nan, np.float32)
        for row, (features, rate) in enumerate(crops):
            x[row, : len(rate)] = self.scaling.apply(features)
            y[row, : len(rate)] = rate
        return Examples((x, np.isfinite(y).sum(axis=1).astype(np.int32)), y)


def fit_scaling(regions: list[RegionTokens]) -> Scaling:
    """Mean and standard deviation of the features, each region counting alike."""
    means = np.stack([tokens.x.mean(axis=0, dtype=np.float64) for tokens in regions])
    squares = np.stack(
        [(tokens.x.astype(np.float32) ** 2).mean(axis=0, dtype=np.float64) for tokens in regions]
    )
    mean = means.mean(axis=0)
    sd = np.sqrt(np.maximum(squares.mean(axis=0) - mean**2, 0))
    # a feature that never differed tells nothing, and must not when it does
    return Scaling(mean.astype(np.float32), np.where(sd > 1e-6, sd, 1e6).astype(np.float32))
