"""Small data sets and models trained for an epoch or two on them, made once a run."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tfbind.binding.options import EncodeOptions
from tfbind.training.options import FitOptions

FORMAT = Path(__file__).parents[1] / "docs" / "format.md"
# the tests compare models byte by byte, and a library call leaves this to the program that makes it
os.environ["TF_DETERMINISTIC_OPS"] = "1"

LENGTH = 60
SITE = "TGACGTCA"
SMALL = {"units": 4, "filters": 6, "kernel_size": 9, "embedding": 5}
OPTIONS = EncodeOptions(length=LENGTH, k=3, stride=3)


def random_sequence(rng: np.random.Generator, length: int = LENGTH) -> str:
    return "".join(rng.choice(list("ACGT"), length))


def bound_sequence(rng: np.random.Generator) -> str:
    at = rng.integers(10, 40)
    return random_sequence(rng, at) + SITE + random_sequence(rng, LENGTH - at - len(SITE))


def write_fasta(path: Path, records: dict[str, str]) -> Path:
    path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in records.items()))
    return path


def read_tables(text: str) -> dict[str, dict[str, dict[str, str]]]:
    """Read the tables of a Markdown text that name things: heading -> name -> column -> cell."""
    tables: dict[str, dict[str, dict[str, str]]] = {}
    heading, columns = "", None
    for line in text.splitlines():
        if line.startswith("#"):
            heading = line.lstrip("#").strip()
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            columns = None
        elif columns is None:
            columns = cells
        elif columns[0] == "name" and not set(line) <= set("|- "):
            row = dict(zip(columns, cells, strict=True))
            name = row["name"].strip("`")
            table = tables.setdefault(heading, {})
            assert name not in table, f"{heading}: {name} is there twice"
            table[name] = row
    return tables


@pytest.fixture(scope="session")
def documented():
    """The tables of docs/format.md: heading -> name -> column -> cell."""
    return read_tables(FORMAT.read_text())


@pytest.fixture(scope="session")
def check_documented(documented):
    """Compare what a writer wrote with a table: ``check_documented(heading, names, lacking=...)``.

    What is ``lacking`` the table must call optional.
    """

    def check_documented(heading, names, lacking=()):
        table = documented[heading]
        assert set(names) | set(lacking) == set(table), heading
        assert not set(names) & set(lacking), heading
        assert all(table[name]["required"] != "MUST" for name in lacking), heading

    return check_documented


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> Path:
    """A folder with ``positives.fa`` (80, a few short or with N), ``negatives.fa`` (80) and ``labels.tsv``."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(7)
    positives = {f"bound_{i}": bound_sequence(rng) for i in range(80)}
    positives["bound_0"] = positives["bound_0"][:50]
    for number in range(1, 6):
        name = f"bound_{number}"
        positives[name] = positives[name][:31] + "N" + positives[name][32:]
    negatives = {f"unbound_{i}": random_sequence(rng) for i in range(80)}
    write_fasta(folder / "positives.fa", positives)
    write_fasta(folder / "negatives.fa", negatives)
    write_fasta(folder / "both.fa", positives | negatives)
    rows = [f"{name}\t1\t{'' if i % 3 == 0 else i % 2}\n" for i, name in enumerate(positives)]
    rows += [f"{name}\t0\t{'' if i % 3 == 1 else i % 2}\n" for i, name in enumerate(negatives)]
    (folder / "labels.tsv").write_text("id\tCREB\tSP1\n" + "".join(rows))
    return folder


@pytest.fixture(scope="session")
def given_tensors(data) -> Path:
    """One factor, negatives given, one-hot."""
    from tfbind.binding.encoding.from_fasta import encode_fasta

    path = data / "given.h5"
    encode_fasta(path, data / "positives.fa", data / "negatives.fa", "CREB", OPTIONS)
    return path


@pytest.fixture(scope="session")
def shuffle_tensors(data) -> Path:
    """One factor, negatives are dinucleotide shuffles, one-hot."""
    from tfbind.binding.encoding.from_fasta import encode_fasta

    path = data / "shuffle.h5"
    encode_fasta(path, data / "positives.fa", None, "CREB", OPTIONS)
    return path


@pytest.fixture(scope="session")
def fold_tensors(data) -> Path:
    """As ``shuffle_tensors``, without a test part, in three folds."""
    from tfbind.binding.encoding.from_fasta import encode_fasta

    path = data / "folds.h5"
    options = replace(OPTIONS, folds=3, split=(0.8, 0.2, 0.0))
    encode_fasta(path, data / "positives.fa", None, "CREB", options)
    return path


@pytest.fixture(scope="session")
def kmer_tensors(data) -> Path:
    """One factor, negatives given, 3-mers every 3 bases."""
    from tfbind.binding.encoding.from_fasta import encode_fasta

    path = data / "kmer.h5"
    options = replace(OPTIONS, encoding="kmer")
    encode_fasta(path, data / "positives.fa", data / "negatives.fa", "CREB", options)
    return path


@pytest.fixture(scope="session")
def two_factor_tensors(data) -> Path:
    """Two factors, the second one unknown for a third of the records."""
    from tfbind.binding.encoding.from_labels import encode_labelled

    path = data / "two.h5"
    encode_labelled(path, data / "both.fa", data / "labels.tsv", OPTIONS)
    return path


@pytest.fixture(scope="session")
def train_small():
    """Train a tiny network: ``train_small(tensors, output, architecture=..., epochs=..., seed=..., resume=...)``."""

    def train_small(
        tensors,
        output,
        *,
        architecture="conv-bigru",
        resume=False,
        network=SMALL,
        fold=None,
        seeds=None,
        start=None,
        allow_overlap=False,
        **options,
    ):
        from tfbind.binding.learning.ensemble import train_ensemble
        from tfbind.binding.learning.training import train

        values = {"epochs": 2, "batch_size": 32, "learning_rate": 0.01} | options
        arguments = {
            "architecture": architecture,
            "network_values": network,
            "options": FitOptions(**values),
            "threads": 1,
            "resume": resume,
            "fold": fold,
            "start": start,
            "allow_overlap": allow_overlap,
        }
        if seeds is not None:
            return train_ensemble(tensors, output, seeds=seeds, **arguments)
        return train(tensors, output, **arguments)

    return train_small


@pytest.fixture(scope="session")
def model_path(shuffle_tensors, train_small, tmp_path_factory) -> Path:
    """A model of one factor, one-hot, trained against shuffles."""
    path = tmp_path_factory.mktemp("model") / "one.keras"
    train_small(shuffle_tensors, path, epochs=6)
    return path


@pytest.fixture(scope="session")
def fold_model_path(fold_tensors, train_small, tmp_path_factory) -> Path:
    """A model that has not seen fold 2 of ``fold_tensors``."""
    path = tmp_path_factory.mktemp("model") / "fold2.keras"
    train_small(fold_tensors, path, fold=2)
    return path


@pytest.fixture(scope="session")
def kmer_model_path(kmer_tensors, train_small, tmp_path_factory) -> Path:
    """A model that reads 3-mers."""
    path = tmp_path_factory.mktemp("model") / "kmer.keras"
    train_small(kmer_tensors, path, architecture="bilstm")
    return path


@pytest.fixture(scope="session")
def two_factor_model_path(two_factor_tensors, train_small, tmp_path_factory) -> Path:
    """A model of the factors CREB and SP1."""
    path = tmp_path_factory.mktemp("model") / "two.keras"
    train_small(two_factor_tensors, path)
    return path


@pytest.fixture(scope="session")
def ensemble_path(two_factor_tensors, train_small, tmp_path_factory) -> Path:
    """An ensemble of two networks of the factors CREB and SP1; the first one is ``two_factor_model_path``'s."""
    path = tmp_path_factory.mktemp("model") / "ensemble.keras"
    train_small(two_factor_tensors, path, seeds=(0, 1))
    return path


@pytest.fixture(scope="session")
def ensemble(ensemble_path):
    from tfbind.binding.model.model import BindingModel

    return BindingModel(ensemble_path, threads=1)


@pytest.fixture(scope="session")
def model(model_path):
    from tfbind.binding.model.model import BindingModel

    return BindingModel(model_path, threads=1)


@pytest.fixture(scope="session")
def kmer_model(kmer_model_path):
    from tfbind.binding.model.model import BindingModel

    return BindingModel(kmer_model_path, threads=1)


@pytest.fixture(scope="session")
def two_factor_model(two_factor_model_path):
    from tfbind.binding.model.model import BindingModel

    return BindingModel(two_factor_model_path, threads=1)
