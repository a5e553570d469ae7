"""A coarse scan of whole sequences that keeps nothing but the local maxima."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tfbind.binding.model.model import BindingModel
from tfbind.binding.scanning.sites import Maxima
from tfbind.binding.scanning.windows import MIN_BASES, ROWS_AT_ONCE, window_starts
from tfbind.dna.alphabet import AMBIGUOUS, encode_any_letters
from tfbind.dna.genome import Genome
from tfbind.progress import Progress


class Letters(Protocol):
    """Sequences to be scanned, read as often as needed."""

    @property
    def contigs(self) -> list[str]:
        """Their names."""

    def __call__(self) -> Iterator[tuple[str, str]]:
        """Give name and letters of each."""


class ContigLetters:
    """Some contigs of an open genome, as names and letters, to be read as often as needed."""

    def __init__(self, genome: Genome, contigs: Iterable[str]):
        self.genome = genome
        self._contigs = list(contigs)

    @property
    def contigs(self) -> list[str]:
        """Names of the contigs."""
        return self._contigs

    def __call__(self) -> Iterator[tuple[str, str]]:
        """Read them one by one."""
        for contig in self.contigs:
            yield contig, self.genome.fetch(contig, 0, self.genome.contigs[contig])


def scan(
    model: BindingModel,
    sequences: Iterable[tuple[str, str]],
    *,
    stride: int,
    distance: int,
    batch_size: int = 512,
) -> tuple[list[Maxima], int]:
    """Score windows of whole sequences.

    What `tfbind.binding.scanning.windows` gives no score to has none here: windows of under 10 bases, without an
    unambiguous base, or with a character that is not a base.

    Parameters
    ----------
    model : BindingModel
    sequences : iterable of name and letters
    stride : int
        Bases from window to window.
    distance : int
        Of the local maxima.
    batch_size : int
        Windows that the engine sees at a time.

    Returns
    -------
    maxima : list of Maxima, one a factor
    n_windows : int
    """
    length = model.card.encoding.length
    maxima = [Maxima(distance) for _ in model.card.tasks]
    n_windows = 0
    with Progress("scanning", unit="windows") as progress:
        for number, (_, letters) in enumerate(sequences):
            codes, wrong = encode_any_letters(letters)
            n = len(codes)
            size = min(n, length)
            start = window_starts(n, length, stride)
            score = np.full((len(start), len(maxima)), np.nan)
            if size >= min(MIN_BASES, length):
                cut, wrong_in = sliding_window_view(codes, size), sliding_window_view(wrong, size)
                for first in range(0, len(start), ROWS_AT_ONCE):
                    some = np.arange(first, min(first + ROWS_AT_ONCE, len(start)))
                    bases = cut[start[some]]
                    usable = (bases != AMBIGUOUS).any(axis=1) & ~wrong_in[start[some]].any(axis=1)
                    some, bases = some[usable], bases[usable]
                    if len(some):
                        windows = np.full((len(some), length), AMBIGUOUS, np.uint8)
                        windows[:, :size] = bases
                        score[some] = model.logits(windows, np.full(len(some), size, np.int32), batch_size)
                    progress.update(len(some))
            for factor, one in enumerate(maxima):
                one.add(number, start, start + size, score[:, factor])
            n_windows += len(start)
    return maxima, n_windows
