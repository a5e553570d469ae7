"""Kept models, sequences with all that can be wrong with them, and a model that is a weight matrix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tfbind.binding.interpretation.sequences import Sequences
from tfbind.binding.model.model import BindingModel
from tfbind.dna.matrices import Matrix, shipped_matrices

KEPT = Path(__file__).parents[2] / "data"


def sequences_of(codes, valid_length=None):
    n, length = codes.shape
    lengths = np.full(n, length, np.int32) if valid_length is None else np.array(valid_length, np.int32)
    id = np.array([f"s{i}" for i in range(n)], dtype=object)
    return Sequences(id, id, np.zeros(n, np.int64), lengths.astype(np.int64), codes, lengths)


@pytest.fixture(scope="session")
def make_sequences():
    return sequences_of


@pytest.fixture(scope="session")
def kept_model():
    """Open a kept model: ``kept_model("binding", engine="openvino")``."""
    names = {
        "binding": "model-1.1-binding.keras",
        "kmer": "model-1.1-kmer.keras",
        "ensemble": "model-1.3-ensemble.keras",
        "gru": "model-1.0-binding.keras",
    }
    opened = {}

    def kept_model(name, engine="openvino"):
        key = name, engine
        if key not in opened:
            opened[key] = BindingModel(KEPT / names[name], engine=engine, threads=1)
        return opened[key]

    return kept_model


@pytest.fixture
def mixed(kept_model, make_sequences):
    """Random sequences, one with ambiguous bases (its first among them), and two that are padded."""

    def mixed(name):
        length = kept_model(name).card.encoding.length
        codes = np.random.default_rng(3).integers(0, 4, (5, length)).astype(np.uint8)
        codes[1, [0, 7, 8, length - 1]] = 4
        valid_length = [length, length, length - 3, 12, length]
        for row, n in enumerate(valid_length):
            codes[row, n:] = 4
        return make_sequences(codes, valid_length)

    return mixed


@pytest.fixture(scope="session")
def known():
    """The matrices that ship, among random ones."""
    rng = np.random.default_rng(0)
    others = [
        Matrix(f"R{i}", f"random{i}", 100 * rng.dirichlet([0.3] * 4, rng.integers(6, 16))) for i in range(60)
    ]
    return [*others, *shipped_matrices()]
