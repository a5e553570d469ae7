"""A genome from a Markov chain that looks the same on either strand, and a background model of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

# how often each base (row) is followed by each; symmetric, and the same of the reverse complement
PAIRS = np.array(
    [[0.18, 0.01, 0.03, 0.04], [0.01, 0.01, 0.19, 0.03], [0.03, 0.19, 0.01, 0.01], [0.04, 0.03, 0.01, 0.18]]
)


def chain(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    following = np.cumsum(PAIRS / PAIRS.sum(axis=1, keepdims=True), axis=1)
    codes = [0]
    for uniform in rng.random(n - 1):
        codes.append(int(np.searchsorted(following[codes[-1]], uniform)))
    return np.minimum(codes, 3).astype(np.uint8)


@pytest.fixture(scope="session")
def pairs():
    """(4, 4): frequency of each dinucleotide in the chain."""
    return PAIRS


@pytest.fixture(scope="session")
def genome(tmp_path_factory):
    """A FASTA of two contigs, 120 kb, soft-masked in parts, with two runs of N."""
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    letters = np.array(list("ACGT"))
    with path.open("w") as handle:
        for number, length in enumerate((80_000, 40_000)):
            text = "".join(letters[chain(length, number)])
            text = text[:5000] + text[5000:9000].lower() + "N" * 50 + text[9050:20_000] + "n" + text[20_001:]
            handle.write(f">contig_{number}\r\n{text}\r\n")
    return path


@pytest.fixture(scope="session")
def fit_small():
    """Fit a tiny network: ``fit_small(genome, output, epochs=..., seed=..., cell=..., resume=...)``."""

    def fit_small(genome, output, *, cell="gru", layers=1, resume=False, **changes):
        from tfbind.background.fitting import fit_background
        from tfbind.background.options import FITTING, BackgroundOptions

        return fit_background(
            genome,
            output,
            options=BackgroundOptions(cell=cell, layers=layers, units=8, window=64),
            fitting=replace(FITTING, **{"epochs": 4, "batch_size": 32, "learning_rate": 0.02} | changes),
            threads=1,
            resume=resume,
        )

    return fit_small


@pytest.fixture(scope="session")
def fitted(genome, fit_small, tmp_path_factory):
    """The model file and the summary of its fitting."""
    path = tmp_path_factory.mktemp("background") / "bg.keras"
    return path, fit_small(genome, path)
