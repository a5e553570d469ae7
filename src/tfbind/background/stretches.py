"""A genome cut into stretches without ambiguous bases, some of them held out whole."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfbind.dna.alphabet import AMBIGUOUS, reverse_complement
from tfbind.dna.fasta import encode_record, read_fasta
from tfbind.dna.packing import pack
from tfbind.dna.splits import PARTS, split_at_random
from tfbind.errors import TfbindError

logger = logging.getLogger(__name__)

# a block is held out whole: far longer than what a base tells of the ones round it
BLOCK = 10_000
# a small genome has so many blocks at least, or no part could be dealt its share
MIN_BLOCKS = 60
MIN_BASES = 10_000
# shorter stretches, between ambiguous bases, teach and tell nothing
SHORTEST = 20
# of validation and test each: a twentieth of the genome, and of a large one as much as takes seconds to judge
HELD_OUT, MOST_HELD_OUT = 0.05, 1_000_000
# so many whole blocks are 120 MB in each layer of 128 units
STRETCHES_A_BATCH = 24
# every seed of a model has the same held-out blocks, so that trying seeds shows none of them the test part
_DEALING = 0


class Stretches(NamedTuple):
    """Stretches of unambiguous bases, end to end.

    codes : (bases,) uint8
    bounds : (stretches + 1,) int64, where in ``codes`` each begins, and where the last one ends
    """

    codes: np.ndarray
    bounds: np.ndarray

    def __iter__(self) -> Iterator[np.ndarray]:  # type: ignore[override]
        return (self.codes[start:end] for start, end in pairwise(self.bounds))


class JudgedBatch(NamedTuple):
    """Stretches to be judged, of either strand.

    codes : (n, length) uint8, padded on the right
    valid_length : (n,) int32
    judged : (n, length) bool, bases that count
    """

    codes: np.ndarray
    valid_length: np.ndarray
    judged: np.ndarray


def read_stretches(path: Path) -> tuple[Stretches, Stretches, Stretches]:
    """Read a genome and deal its blocks to training, validation and test.

    What is held out is never seen in training, on either strand; but a repeat may have copies in several parts,
    which helps all models that are judged by them. Soft-masked bases are bases like others; N and other ambiguous
    ones end a stretch. A byte a base is kept; on the way there memory holds twice that, and five bytes a base of the
    contig that is being read.

    Parameters
    ----------
    path : Path
        FASTA.

    Returns
    -------
    three Stretches
        Of training, validation and test.

    Raises
    ------
    TfbindError
        As `tfbind.dna.fasta.read_fasta` and `encode_record`, and where there are too few bases.
    """
    contigs = [encode_record(path, name, sequence) for name, sequence in read_fasta(path)]
    n_bases = sum(int((codes != AMBIGUOUS).sum()) for codes in contigs)
    if n_bases < MIN_BASES:
        raise TfbindError(
            f"{path}: found {n_bases:,} unambiguous bases, expected {MIN_BASES:,} to learn from at least"
        )
    block = min(BLOCK, n_bases // MIN_BLOCKS)
    n_blocks = [-(-len(codes) // block) for codes in contigs]
    share = min(HELD_OUT, MOST_HELD_OUT / n_bases)
    numbers = np.arange(sum(n_blocks))
    parts = split_at_random(numbers, np.zeros_like(numbers), (1 - 2 * share, share, share), _DEALING)
    pieces: list[list[np.ndarray]] = [[] for _ in PARTS]
    for codes, of_blocks in zip(contigs, np.split(parts, np.cumsum(n_blocks)[:-1]), strict=True):
        key = np.repeat(of_blocks, block)[: len(codes)]
        key[codes == AMBIGUOUS] = len(PARTS)
        edges = [0, *(np.flatnonzero(np.diff(key)) + 1).tolist(), len(codes)]
        for start, end in pairwise(edges):
            if end - start >= SHORTEST and key[start] < len(PARTS):
                pieces[key[start]].append(codes[start:end])
    for name, found in zip(PARTS, pieces, strict=True):
        if not found:
            raise TfbindError(
                f"{path}: found no stretch of {SHORTEST} unambiguous bases for the {name} part, expected some"
            )
        logger.info("%s: %s bases in %s stretches", name, f"{sum(map(len, found)):,}", f"{len(found):,}")
    short = n_bases - sum(len(piece) for found in pieces for piece in found)
    if short:
        logger.info("left out, in stretches of fewer than %d bases: %s bases", SHORTEST, f"{short:,}")
    training, validation, test = map(_join, pieces)
    return training, validation, test


def _join(pieces: list[np.ndarray]) -> Stretches:
    return Stretches(np.concatenate(pieces), np.cumsum([0, *map(len, pieces)]))


def judged_batches(stretches: Stretches, skip: int, size: int) -> Iterator[JudgedBatch]:
    """Give held-out stretches of either strand, and which of their bases count.

    Parameters
    ----------
    stretches : Stretches
    skip : int
        So many bases at the beginning of a stretch, on the strand that is read, count nothing: a Markov model
        of this order has not yet seen enough. Thus all models are judged by the same bases.
    size : int
        Stretches a batch, counting either strand.
    """
    long_enough = [stretch for stretch in stretches if len(stretch) > skip]
    # batches of like lengths pad little
    long_enough.sort(key=len, reverse=True)
    n_rows = -(-size // 2)
    for start in range(0, len(long_enough), n_rows):
        rows = long_enough[start : start + n_rows]
        lengths = np.array([len(stretch) for stretch in rows])
        codes, valid_length = pack(np.concatenate(rows), lengths, int(lengths.max()))
        codes = np.concatenate([codes, reverse_complement(codes, valid_length)])
        place = np.arange(codes.shape[1])
        valid_length = np.concatenate([valid_length, valid_length])
        yield JudgedBatch(codes, valid_length, (place >= skip) & (place < valid_length[:, None]))
