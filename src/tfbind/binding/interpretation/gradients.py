"""Expected gradients: contributions from a network's gradients between shuffled sequences and the sequence itself."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tfbind.binding.interpretation.mutagenesis import (
    BATCH_BASES,
    centred,
    mutant_values,
    one_hot_bases,
    single_mutants,
)
from tfbind.binding.interpretation.sequences import Sequences
from tfbind.binding.model.model import BindingModel
from tfbind.dna.gkm import evidence_tracks
from tfbind.dna.shuffle import dinucleotide_shuffle
from tfbind.dna.splitmix import seeds_for
from tfbind.errors import TfbindError
from tfbind.inference.gradients import GradientEngine

REFERENCES = 20
# shuffles and places between them and their sequences have streams of random numbers of their own
_SHUFFLES, _PLACES = 1, 2


def expected_gradients(
    model: BindingModel,
    sequences: Sequences,
    factor: int = 0,
    *,
    references: int = REFERENCES,
    seed: int = 0,
    threads: int | None = None,
) -> Iterator[tuple[Sequences, np.ndarray, np.ndarray]]:
    """Compute hypothetical contributions by expected gradients (Erion et al. 2021, Nat Mach Intell 3:620).

    The gradient of the logit is averaged over points on the lines from dinucleotide shuffles of a sequence to the
    sequence, one random point a shuffle. What a network reads of gapped k-mers has no gradient with respect to the
    bases: there, its gradient is multiplied with what each single mutant changes in the tracks.

    Parameters
    ----------
    model : BindingModel
        One that reads one-hot bases.
    sequences, factor
        See `tfbind.binding.interpretation.mutagenesis.mutagenesis`.
    references : int
        Shuffles of each sequence.
    seed : int
    threads : int or None

    Yields
    ------
    As `tfbind.binding.interpretation.mutagenesis.mutagenesis`.

    Raises
    ------
    TfbindError
        If the model reads k-mers.
    """
    if model.card.encoding.k is not None:
        raise TfbindError(
            f"{model.path}: reads k-mers, which have no gradient; expected a one-hot model, or use --method ism"
        )
    networks = model.card.networks()
    engines = [
        GradientEngine(model.path, member.network, threads=threads, folder=folder)
        for folder, member in networks.items()
    ]
    tables = [member.gkm for member in networks.values()]
    slope = model.card.calibration["slope"][factor] / len(engines)
    length = sequences.codes.shape[1]
    at_once = max(BATCH_BASES // (length * references), 1)
    for start in range(0, sequences.n, at_once):
        numbers = np.arange(start, min(start + at_once, sequences.n))
        some = sequences.rows(numbers)
        codes, n = np.repeat(some.codes, references, axis=0), np.repeat(some.valid_length, references)
        shuffled = dinucleotide_shuffle(
            codes,
            n,
            seeds_for(
                np.repeat(numbers, references) * references + _tiled(references, some), seed, _SHUFFLES
            ),
        )
        place = np.random.default_rng((seed, _PLACES, start)).random((len(codes), 1, 1)).astype(np.float32)
        x = between(one_hot_bases(shuffled), one_hot_bases(codes), place)
        total = np.zeros((some.n, length, 4))
        for engine, gkm in zip(engines, tables, strict=True):
            if gkm is None:
                (of_bases,) = engine(factor, x, n)
            else:
                tracks = between(
                    evidence_tracks(shuffled, n, gkm[None]), evidence_tracks(codes, n, gkm[None]), place
                )
                of_bases, of_tracks = engine(factor, x, n, tracks)
                total += through_tracks(some, gkm, _mean(of_tracks, references))
            total += _mean(of_bases, references)
        yield (
            some,
            centred(slope * total, some.valid_length),
            model.logits(some.codes, some.valid_length)[:, factor],
        )


def _tiled(references: int, some: Sequences) -> np.ndarray:
    return np.tile(np.arange(references), some.n)


def between(reference: np.ndarray, value: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Give the point at ``place``, from 0 to 1, on the line from ``reference`` to ``value``."""
    return reference + place * (value - reference)


def _mean(gradient: np.ndarray, references: int) -> np.ndarray:
    return gradient.reshape(-1, references, *gradient.shape[1:]).mean(axis=1)


def through_tracks(some: Sequences, gkm: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Say what each base at each place adds to a logit through the tracks of gapped k-mers.

    Parameters
    ----------
    some : Sequences
    gkm : (tasks, N_FEATURES) float32
    gradient : (n, length, tasks) float32
        Of the logit with respect to the tracks.

    Returns
    -------
    (n, length, 4) float64
    """
    mutants = single_mutants(some.codes, some.valid_length)
    rows = max(BATCH_BASES // some.codes.shape[1], 1)
    added = []
    for first in range(0, len(mutants), rows):
        of, place, base = mutants[first : first + rows].T
        codes = some.codes[of]
        codes[np.arange(len(of)), place] = base
        tracks = evidence_tracks(codes, some.valid_length[of], gkm[None])
        added.append(np.einsum("nlt,nlt->n", tracks, gradient[of]))
    return mutant_values(some, mutants, np.concatenate(added).astype(np.float64))
