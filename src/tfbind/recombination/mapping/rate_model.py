"""A network of recombination rates at work: whole contigs, in chunks, read from both ends."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from tfbind.errors import TfbindError
from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.features import FEATURES, REGION_FEATURES, Features, compute_features
from tfbind.genotypes.groups import number_of_groups, split_samples
from tfbind.genotypes.mask import Accessible
from tfbind.recombination.checks.local_structure import BlockRate, Stretch
from tfbind.recombination.mapping.card import RateCard, read_rate_card
from tfbind.recombination.mapping.posterior import TokenOutputs, TokenPosterior, average_outputs, windows_of
from tfbind.recombination.mapping.relernn import ARCHITECTURE, KIND, RelernnModel, load_relernn
from tfbind.recombination.mapping.scaling import Scaling, region_values
from tfbind.recombination.options import OUTPUTS
from tfbind.training.model_file import read_values
from tfbind.training.stored_network import check_outputs, read_network

logger = logging.getLogger(__name__)

# the network that the package ships
SHIPPED = Path(__file__).parents[1] / "rates.keras"
# A contig is read in chunks of so many tokens, of which MARGIN at either end only lead in
CHUNK, MARGIN = 512, 64
CHUNKS_AT_ONCE = 4
# so many share chunks; scaled features of thousands of simulated regions would fill gigabytes
CONTIGS_AT_ONCE = 256
# features of this many tokens, or of one grid, are held at a time
TOKENS_AT_ONCE = 50_000
# Each contig is cut into tokens so many times, so many tokens further on: where the first one begins is chance, and
# where sites are rare a token is as wide as what a map should show
SHIFTS = (0.0, 0.25, 0.5, 0.75)

# Samples of up to so many times the chromosomes of the largest one in training are read whole: features depend on the
# logarithm of their number, and halves say less (404 human chromosomes whole and as halves: Pearson .951 and .943)
BEYOND = 1.25

Outputs = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Grid(Protocol):
    """Tokens of a contig and their features: start, end (tokens,) int64 and x (tokens, features)."""

    @property
    def start(self) -> np.ndarray: ...
    @property
    def end(self) -> np.ndarray: ...
    @property
    def x(self) -> np.ndarray: ...


class RateModel:
    """A network of rates that is ready to read contigs.

    card : RateCard
    """

    def __init__(self, card: RateCard, outputs: Outputs):
        self.card = card
        self._outputs = outputs

    @property
    def most_samples(self) -> int:
        """Chromosomes in the largest sample of training."""
        return round(np.exp(self.card.seen.highest[REGION_FEATURES.index("region_log_n")]))

    def read(
        self,
        genotypes: Genotypes,
        mask: Accessible | None = None,
        diversity: float | None = None,
        *,
        keep_calls: bool = True,
    ) -> tuple[TokenPosterior, str]:
        """Predict the rates along a contig; and say how it lies outside what training has seen, if it does.

        A sample of far more chromosomes than any in training is read in groups (`tfbind.genotypes.groups`), whose rates
        are averaged: all samples count, and time grows with their number. ``keep_calls`` is that of `split_samples`.

        Raises
        ------
        TfbindError
            As `tfbind.genotypes.features.compute_features`.
        """
        most = genotypes.n_chromosomes
        if most > BEYOND * self.most_samples:
            most = self.most_samples
            logger.info(
                "contig %s: %s chromosomes are read in %d groups, whose rates are averaged",
                genotypes.contig,
                f"{genotypes.n_chromosomes:,}",
                number_of_groups(genotypes, most),
            )
        distances: list[tuple[float, list[str]]] = []
        shares: list[float] = []
        read: list[TokenOutputs] = []
        waiting: list[Features] = []
        # memory holds the features of a few tokens, and of the others what the network says of them
        for group in split_samples(genotypes, most, keep_calls=keep_calls):
            for shift in SHIFTS:
                grid = compute_features(group, mask, diversity, shift)
                if shift == SHIFTS[0]:
                    distances.append(self.distance(grid))
                    shares.append(grid.share)
                waiting.append(grid)
                if sum(len(each.start) for each in waiting) >= TOKENS_AT_ONCE:
                    read += read_grids(self._outputs, self.card.scaling, waiting)
                    waiting = []
                del grid
        read += read_grids(self._outputs, self.card.scaling, waiting)
        distance, deviating = max(distances)
        outside = f"{distance:.1f} times as far from its centre as nearly all of that; most in {', '.join(deviating)}"
        return average_outputs(read, float(np.mean(shares))), outside if distance > 1 else ""

    def read_stretches(self, stretches: Iterable[Stretch], mask: Accessible | None = None) -> list[BlockRate]:
        """Predict the mean rate of each stretch, from tokens that begin at one place; errors as `read`."""
        found: list[BlockRate] = []
        # features take less memory than the genotypes of overlapping stretches
        waiting: list[tuple[int, int, Features]] = []
        for part in stretches:
            waiting.append((part.start, part.end, compute_features(part.genotypes, mask)))
            if sum(len(grid.start) for _, _, grid in waiting) >= TOKENS_AT_ONCE:
                found += self._block_rates(waiting)
                waiting = []
        return found + self._block_rates(waiting)

    def _block_rates(self, grids: Sequence[tuple[int, int, Features]]) -> list[BlockRate]:
        read = self.rates([[grid] for _, _, grid in grids])
        found = []
        for (start, end, grid), tokens in zip(grids, read, strict=True):
            log_rate, sd = block_rates(tokens, np.array([start]), np.array([end]))
            found.append(BlockRate(start, end, float(log_rate[0] + np.log(grid.share)), float(sd[0])))
        return found

    def rates(self, contigs: Sequence[Sequence[Grid]]) -> list[TokenPosterior]:
        """Predict the rates of whole contigs, each cut into tokens several times; see `rates_of_grids`."""
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

    from tfbind.inference.nodes import UnconvertibleError
    from tfbind.inference.tokens import TokenEngine

    card = read_rate_card(path)
    shape = (CHUNKS_AT_ONCE, CHUNK, len(FEATURES))
    network = read_network(path, card.outline)
    try:
        engine = TokenEngine(network, shape=shape, threads=threads)
    except UnconvertibleError as error:
        raise TfbindError(f"{path}: its network cannot be computed: {error}") from None
    return RateModel(card, lambda *inputs: check_outputs(path, engine.run(*inputs)))


def block_rates(
    tokens: TokenPosterior, starts: np.ndarray, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give what tokens say of the mean rates of blocks: medians of their logarithms, and standard deviations.

    Parameters
    ----------
    tokens : TokenPosterior
    starts, ends : (blocks,) int64
        0-based, half-open, bp.
    """
    blocks = windows_of(tokens, starts, ends)
    return blocks.median_log(), blocks.sd


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
        Of each contig those at SHIFTS, of one sample or of several.
    """
    found: list[TokenPosterior] = []
    for at in range(0, len(contigs), CONTIGS_AT_ONCE):
        some = contigs[at : at + CONTIGS_AT_ONCE]
        read = iter(read_grids(outputs, scaling, [grid for grids in some for grid in grids]))
        found += [average_outputs([next(read) for _ in grids]) for grids in some]
    return found


def read_grids(outputs: Outputs, scaling: Scaling, grids: Sequence[Grid]) -> list[TokenOutputs]:
    """Apply a network to the tokens of each grid; arguments as in `rates_of_grids`."""
    read = read_both_ways(outputs, [scaling.apply(grid.x) for grid in grids])
    # each token ends where the next one starts
    return [
        TokenOutputs(np.append(grid.start, grid.end[-1:]), each)
        for grid, each in zip(grids, read, strict=True)
    ]


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
