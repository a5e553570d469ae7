"""Windows of a genome to learn from, and held-out stretches to be judged by."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tfbind.background.stretches import Stretches, judged_batches
from tfbind.dna.alphabet import AMBIGUOUS, one_hot, reverse_complement
from tfbind.training.data import Examples


class BackgroundData:
    """Training and validation examples for `tfbind.training.fit.fit`.

    Parameters
    ----------
    training, validation : Stretches
    window : int
        Bases of a training example.
    epoch_bases : int
        An epoch shows so many at most.
    skip : int
        Bases at a held-out stretch's beginning that do not count.
    seed : int
        Of the windows, their order and their strands.
    """

    def __init__(
        self,
        training: Stretches,
        validation: Stretches,
        *,
        window: int,
        epoch_bases: int,
        skip: int,
        seed: int,
    ):
        self.training, self.held_out = training, validation
        self.window, self.skip, self.seed = window, skip, seed
        n_windows = int((-(-np.diff(training.bounds) // window)).sum())
        self.n_train = max(1, min(n_windows, epoch_bases // window))

    def batches(self, epoch: int, size: int) -> Iterator[Examples]:
        """Give one epoch's windows in random order, each on a strand drawn at random.

        The windows tile each stretch from a place that differs from epoch to epoch.
        """
        rng = np.random.default_rng([self.seed, epoch])
        begin, end = self.training.bounds[:-1], self.training.bounds[1:]
        phase = rng.integers(self.window, size=len(begin))
        n_windows = -(-(end - begin + phase) // self.window)
        of_stretch = np.repeat(np.arange(len(begin)), n_windows)
        number = np.arange(len(of_stretch)) - np.repeat(np.cumsum(n_windows) - n_windows, n_windows)
        start = (begin - phase)[of_stretch] + number * self.window
        chosen = rng.permutation(len(start))[: self.n_train]
        turned = rng.random(self.n_train) < 0.5
        first = np.maximum(start, begin[of_stretch])[chosen]
        valid_length = (np.minimum(start + self.window, end[of_stretch])[chosen] - first).astype(np.int32)
        place = np.arange(self.window)
        for at in range(0, self.n_train, size):
            rows = slice(at, at + size)
            source = np.minimum(first[rows, None] + place, len(self.training.codes) - 1)
            inside = place < valid_length[rows, None]
            codes = np.where(inside, self.training.codes[source], np.uint8(AMBIGUOUS))
            other = turned[rows]
            codes[other] = reverse_complement(codes[other], valid_length[rows][other])
            yield Examples((shifted(codes), valid_length[rows]), codes)

    def validation(self, size: int) -> Iterator[Examples]:
        """Give the validation stretches of either strand."""
        return judged_examples(self.held_out, self.skip, size)


def judged_examples(stretches: Stretches, skip: int, size: int) -> Iterator[Examples]:
    """Give held-out stretches of either strand to a network; see `tfbind.background.stretches.judged_batches`."""
    for batch in judged_batches(stretches, skip, size):
        y = np.where(batch.judged, batch.codes, np.uint8(AMBIGUOUS))
        yield Examples((shifted(batch.codes), batch.valid_length), y)


def shifted(codes: np.ndarray) -> np.ndarray:
    """One-hot base before each one, zeros before the first: (n, length) uint8 to (n, length, 4) uint8."""
    before = np.zeros((*codes.shape, 4), np.uint8)
    before[:, 1:] = one_hot(codes[:, :-1])
    return before
