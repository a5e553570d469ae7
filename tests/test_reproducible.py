"""The promise of the README: same seed and machine, same bytes; and scores that --threads does not change."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from tfbind import cli
from tfbind.genotypes.vcf_writing import write_vcf

RECORDS = 400


def run(*argv):
    assert cli.main([str(word) for word in argv]) == 0


def digests(folder):
    """SHA-256 of every file, by its path in the folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def fasta(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sequences")
    run("simulate", "--motif", "MA0139.2", "--n", RECORDS, "--length", 60, "-o", folder)
    return folder


def everything(folder, fasta):
    """Tensors, two kinds of model, an evaluation, scores and the page."""
    run("encode", "--positives", fasta / "positives.fa", "--length", 60, "-o", folder / "tensors" / "a.h5")
    for name, options in (("linear", ["--architecture", "gkm-linear"]), ("rnn", ["--architecture", "bigru"])):
        model = folder / "models" / f"a.{name}.keras"
        run("train", folder / "tensors" / "a.h5", *options, "--epochs", 1, "-o", model)
        run(
            "evaluate",
            "--model",
            model,
            "--tensors",
            folder / "tensors" / "a.h5",
            "-o",
            folder / "evaluation" / f"a.{name}",
        )
        run(
            "predict",
            "--model",
            model,
            "--fasta",
            fasta / "positives.fa",
            "-o",
            folder / "predictions" / f"a.{name}.tsv.gz",
        )
    run("report", folder, "-o", folder / "report.html")


def test_same_seed_same_bytes(fasta, tmp_path, monkeypatch):
    found = []
    for name in ("one", "two"):
        # under the same names, which the page and the model's provenance hold
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        everything(Path("results"), fasta)
        found.append(digests(tmp_path / name))
    assert len(found[0]) > 20
    assert [name for name in found[0] if found[0][name] != found[1].get(name)] == []


def test_threads_do_not_change_scores(fasta, tmp_path):
    run("encode", "--positives", fasta / "positives.fa", "--length", 60, "-o", tmp_path / "a.h5")
    run("train", tmp_path / "a.h5", "--architecture", "bigru", "--epochs", 1, "-o", tmp_path / "a.keras")
    for threads in (1, 2):
        given = ("--fasta", fasta / "negatives.fa", "--threads", threads)
        run("predict", "--model", tmp_path / "a.keras", *given, "-o", tmp_path / f"{threads}.tsv")
    assert (tmp_path / "1.tsv").read_bytes() == (tmp_path / "2.tsv").read_bytes()


def test_threads_do_not_change_maps(tmp_path):
    rng = np.random.default_rng(0)
    positions = np.sort(rng.choice(200_000, 600, replace=False))
    ancestors = rng.integers(0, 2, (600, 4))
    haplotypes = ancestors[:, rng.integers(0, 4, 12)].astype(np.int8)
    haplotypes ^= (rng.random(haplotypes.shape) < 0.05).astype(np.int8)
    write_vcf(tmp_path / "a.vcf.gz", "1", 200_000, positions, haplotypes, ploidy=1, phased=True)
    for threads in (1, 2):
        given = ("--vcf", tmp_path / "a.vcf.gz", "--threads", threads)
        run("recombination", "predict", *given, "-o", tmp_path / f"{threads}.tsv")
    assert (tmp_path / "1.tsv").read_bytes() == (tmp_path / "2.tsv").read_bytes()
