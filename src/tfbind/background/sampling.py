"""Sequences drawn from a background model, each from random numbers of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tfbind.background.model import BackgroundModel
from tfbind.dna.alphabet import decode_letters
from tfbind.files import write_text
from tfbind.progress import Progress

SEQUENCES_A_BATCH = 512
BASES_A_BATCH = 1 << 22


def batch_size(length: int) -> int:
    """How many sequences are drawn side by side, so that memory stays flat."""
    return max(1, min(SEQUENCES_A_BATCH, BASES_A_BATCH // length))


def draw(
    model: BackgroundModel, numbers: np.ndarray, length: int, *, seed: int, temperature: float = 1.0
) -> np.ndarray:
    """Draw the sequences that bear these numbers.

    Each has a random stream of its own, so that neither its batch nor the length asked for changes it.

    Parameters
    ----------
    model : BackgroundModel
    numbers : (n,) int
    length : int
    seed : int
    temperature : float

    Returns
    -------
    (n, length) uint8
        Codes, none ambiguous.
    """
    size = batch_size(length)
    drawn = np.empty((len(numbers), length), np.uint8)
    for start in range(0, len(numbers), size):
        rows = slice(start, start + size)
        streams = [np.random.default_rng([seed, number]) for number in numbers[rows].tolist()]
        uniform = np.stack([stream.random(length, np.float32) for stream in streams])
        drawn[rows] = model.sample(uniform, temperature)
    return drawn


def write_samples(
    model_path: Path,
    output: Path,
    *,
    n: int,
    length: int,
    temperature: float,
    seed: int,
    threads: int | None,
) -> None:
    """Draw ``n`` sequences of ``length`` bases into a FASTA file, called background_1 and so on.

    It is BGZF where its name ends in .gz or .bgz.
    """
    model = BackgroundModel(model_path, threads=threads)
    size = batch_size(length)

    def records() -> Iterator[str]:
        with Progress("sampling", total=n, unit="sequences") as progress:
            for start in range(0, n, size):
                numbers = np.arange(start, min(start + size, n)) + 1
                codes = draw(model, numbers, length, seed=seed, temperature=temperature)
                for number, row in zip(numbers, codes, strict=True):
                    yield f">background_{number}\n{decode_letters(row)}\n"
                progress.update(len(numbers))

    write_text(output, records())
