"""In-silico mutagenesis: what every base of a sequence contributes, from the logits of all its single mutants."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Protocol

import numpy as np

from tfbind.binding.interpretation.sequences import Sequences
from tfbind.dna.alphabet import AMBIGUOUS

# bases in a batch: what its one-hot and a convolution of it take in memory
BATCH_BASES = 2**19
# the engine computes a multiple of this number of sequences at a time
_MULTIPLE = 128
# batches in a group of sequences, whose last batch is not full
_BATCHES = 4


class Scorer(Protocol):
    """What is asked of a model: `tfbind.binding.model.model.BindingModel` has it."""

    def stream_logits(self, batches: Iterator[tuple[np.ndarray, np.ndarray]]) -> Iterator[np.ndarray]:
        """Give (n, tasks) float64 for each batch of codes and valid_length."""
        ...


def mutagenesis(
    model: Scorer, sequences: Sequences, factor: int = 0
) -> Iterator[tuple[Sequences, np.ndarray, np.ndarray]]:
    """Compute hypothetical contributions from the logits of all single mutants.

    The contribution of a base at a place is the logit of the sequence with that base there, minus the mean over the
    four bases. For the base that is there this is what the sequence has from it. All mutants of a sequence follow
    each other, so that the engines work out once what two of them share.

    Parameters
    ----------
    model : Scorer
    sequences : Sequences
    factor : int
        Number of the task.

    Yields
    ------
    some : Sequences
        In their order.
    contributions : (n, length, 4) float32
        In natural logarithms of odds; 0 in the padding. At an ambiguous base, of each base in its place.
    logits : (n,) float64
        Of the sequences themselves.
    """
    length = sequences.codes.shape[1]
    rows = max(BATCH_BASES // length // _MULTIPLE, 1) * _MULTIPLE
    at_once = max(_BATCHES * rows // (3 * length + 1), 1)
    waiting: deque[tuple[Sequences, np.ndarray]] = deque()

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for start in range(0, sequences.n, at_once):
            some = sequences.rows(slice(start, start + at_once))
            mutants = single_mutants(some.codes, some.valid_length)
            waiting.append((some, mutants))
            for first in range(0, len(mutants), rows):
                of, place, base = mutants[first : first + rows].T
                codes = some.codes[of]
                codes[np.arange(len(of)), place] = base
                yield codes, some.valid_length[of]

    found = model.stream_logits(batches())
    for first_batch in found:
        some, mutants = waiting.popleft()
        more = islice(found, -(-len(mutants) // rows) - 1)
        logits = np.concatenate([first_batch, *more])[:, factor]
        own = logits[np.searchsorted(mutants[:, 0], np.arange(some.n))]
        yield some, centred(mutant_values(some, mutants, logits), some.valid_length), own


def single_mutants(codes: np.ndarray, valid_length: np.ndarray) -> np.ndarray:
    """List each sequence and then all its single mutants, from left to right.

    Parameters
    ----------
    codes : (n, length) uint8
    valid_length : (n,) int32

    Returns
    -------
    (m, 3) int64
        Number of the sequence, a place, and the base there; the sequence itself is listed with its own first base.
    """
    n, length = codes.shape
    changed = np.arange(4) != codes[:, :, None]
    changed &= (np.arange(length) < valid_length[:, None])[:, :, None]
    of, place, base = np.nonzero(changed)
    own = np.stack([np.arange(n), np.zeros(n, int), codes[:, 0]], axis=1)
    mutants = np.stack([of, place, base], axis=1)
    return np.insert(mutants, np.searchsorted(of, np.arange(n)), own, axis=0)


def mutant_values(some: Sequences, mutants: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Arrange what the sequences and their mutants have by place and base.

    Parameters
    ----------
    some : Sequences
    mutants : (m, 3) int64
        From `single_mutants`.
    values : (m,) float64

    Returns
    -------
    (n, length, 4) float64
        A sequence's own value where it has that base, and in the padding.
    """
    n, length = some.codes.shape
    first = np.searchsorted(mutants[:, 0], np.arange(n))
    arranged = np.repeat(values[first], length * 4).reshape(n, length, 4)
    is_mutant = np.ones(len(mutants), bool)
    is_mutant[first] = False
    of, place, base = mutants[is_mutant].T
    arranged[of, place, base] = values[is_mutant]
    return arranged


def centred(values: np.ndarray, valid_length: np.ndarray) -> np.ndarray:
    """Subtract the mean over the bases at every place, and blank the padding: (n, length, 4) float32."""
    values = values - values.mean(axis=2, keepdims=True)
    values[np.arange(values.shape[1]) >= valid_length[:, None]] = 0
    return values.astype(np.float32)


def one_hot_bases(codes: np.ndarray) -> np.ndarray:
    """One row of A, C, G, T a base, (n, length, 4) float32; zeros for an ambiguous base and for padding."""
    return np.eye(AMBIGUOUS + 1, AMBIGUOUS, dtype=np.float32)[codes]
