"""Negatives made for positives, batch by batch: dinucleotide shuffles, or sequences of a background model."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tfbind.background.model import BackgroundModel
from tfbind.background.sampling import draw
from tfbind.binding.encoding.sources import copies_of_each
from tfbind.binding.options import EncodeOptions
from tfbind.dna.alphabet import AMBIGUOUS
from tfbind.dna.digests import strand_canonical_digests
from tfbind.dna.fasta import Batch
from tfbind.dna.shuffle import dinucleotide_shuffle
from tfbind.dna.splitmix import seeds_for

MAX_REDRAWS = 10


class Made(NamedTuple):
    """Negatives made for one batch of positives.

    positive : (m,) int, the row in the batch that each was made for; it has that one's length
    number : (m,) int, from 1 for each positive
    codes : (m, length) uint8
    digest : (m,) uint64
    """

    positive: np.ndarray
    number: np.ndarray
    codes: np.ndarray
    digest: np.ndarray


class Maker(NamedTuple):
    """A way to make negatives.

    word : stands in the negatives' names
    noun : what they are called in the summary
    paired : whether each has a parent: training shuffles that one afresh, and evaluation resamples both together
    make : from a batch of positives and how many came before it; the same again whenever asked
    """

    word: str
    noun: str
    paired: bool
    make: Callable[[Batch, int], Made]


def negative_maker(method: str, options: EncodeOptions) -> Maker | None:
    """Give the maker of "dinucleotide" or "background"; None where negatives are not made from positives.

    Raises
    ------
    TfbindError
        As `tfbind.background.model.BackgroundModel`.
    """
    if method == "dinucleotide":
        return Maker("shuffle", "shuffles", True, lambda batch, first: _shuffle(batch, first, options))
    if method == "background" and options.background is not None:
        # what the workflow gives to this verb is one core
        model = BackgroundModel(options.background, threads=1)
        return Maker(
            "background",
            "background sequences",
            False,
            lambda batch, first: _draw(batch, first, options, model),
        )
    return None


def _plan(batch: Batch, first: int, options: EncodeOptions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row of the positive, number and random stream of each negative; the batch begins with record ``first``."""
    copies = copies_of_each(first, len(batch.codes), options.ratio)
    positive = np.repeat(np.arange(len(copies)), copies)
    number = np.arange(len(positive)) - np.repeat(np.cumsum(copies) - copies, copies) + 1
    return positive, number, (first + positive) * (int(options.ratio) + 1) + number


def _shuffle(batch: Batch, first: int, options: EncodeOptions) -> Made:
    parent, number, stream = _plan(batch, first, options)
    codes, valid_length = batch.codes[parent], batch.valid_length[parent]
    own = strand_canonical_digests(batch.codes, batch.valid_length)[parent]
    shuffled = np.empty_like(codes)
    digest = own.copy()
    for attempt in range(1 + MAX_REDRAWS):
        # a shuffle that gives its parent back is no negative; a homopolymer has no other one, so stop some time
        again = np.flatnonzero(digest == own)
        if not len(again):
            break
        seeds = seeds_for(stream[again], options.seed, attempt)
        shuffled[again] = dinucleotide_shuffle(codes[again], valid_length[again], seeds)
        digest[again] = strand_canonical_digests(shuffled[again], valid_length[again])
    return Made(parent, number, shuffled, digest)


def _draw(batch: Batch, first: int, options: EncodeOptions, model: BackgroundModel) -> Made:
    positive, number, stream = _plan(batch, first, options)
    codes = draw(model, stream, batch.codes.shape[1], seed=options.seed)
    # padding and ambiguous bases stand where the positive has them: nothing but bases may tell them apart
    codes[batch.codes[positive] == AMBIGUOUS] = AMBIGUOUS
    return Made(positive, number, codes, strand_canonical_digests(codes, batch.valid_length[positive]))
