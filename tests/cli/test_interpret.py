import json
import re
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from tfbind.binding.model.card import read_card
from tfbind.cli import main

KEPT = Path(__file__).parents[1] / "data"
MODEL = KEPT / "model-1.1-binding.keras"
ENSEMBLE = KEPT / "model-1.3-ensemble.keras"


@pytest.fixture
def fasta(tmp_path):
    length, rng = read_card(MODEL).encoding.length, np.random.default_rng(0)
    path = tmp_path / "in.fa"
    records = ["".join(rng.choice(list("ACGT"), length)) for _ in range(6)]
    records[2] = records[2][:12]
    path.write_text("".join(f">r{i}\n{record}\n" for i, record in enumerate([*records, "ACG"])))
    return path


def interpret(model, *arguments):
    return main(["interpret", "--model", *map(str, [model, "--threads", 1, *arguments])])


def test_contributions_alone(fasta, tmp_path, documented, check_documented):
    out = tmp_path / "out"
    assert interpret(MODEL, "--fasta", fasta, "--no-motifs", "--npz", "-o", out) == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "contributions.h5",
        "contributions.npz",
        "sequences.npz",
        "summary.json",
    ]
    summary = json.loads((out / "summary.json").read_text())
    assert summary["n_found"] == 7
    assert summary["n_sequences"] == 6
    assert summary["left_out"] == {"too_short": 1}
    with h5py.File(out / "contributions.h5") as file:
        assert file.attrs["factor"] == read_card(MODEL).tasks[0]
        check_documented("Attributes of contributions", file.attrs)
        check_documented("Data sets of contributions", file)
        for name, row in documented["Data sets of contributions"].items():
            dtype = "text" if h5py.check_string_dtype(file[name].dtype) else str(file[name].dtype)
            assert dtype == row["dtype"], name
        scores, one_hot = file["hyp_scores"][:], file["input_seqs"][:]
    assert (np.load(out / "contributions.npz")["arr_0"] == scores.transpose(0, 2, 1)).all()
    assert (np.load(out / "sequences.npz")["arr_0"] == one_hot.transpose(0, 2, 1)).all()


def test_two_methods_are_compared(fasta, tmp_path):
    out = tmp_path / "out"
    arguments = ("--fasta", fasta, "--no-motifs", "--method", "ism", "gradients", "-o", out)
    assert interpret(MODEL, *arguments) == 0
    summary = json.loads((out / "summary.json").read_text())
    assert summary["correlation"]["gradients"] > 0.5
    with h5py.File(out / "contributions.gradients.h5") as file:
        assert file.attrs["method"] == "gradients"


def test_same_seed_same_bytes(fasta, tmp_path):
    for out in ("a", "b"):
        assert (
            interpret(MODEL, "--fasta", fasta, "--no-motifs", "--max-sequences", 3, "-o", tmp_path / out) == 0
        )
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_motifs_of_a_handful_of_sequences_are_none(fasta, tmp_path, caplog):
    pytest.importorskip("modiscolite")
    pytest.importorskip("memelite")
    out = tmp_path / "out"
    motifs = Path(__file__).parents[2] / "src" / "tfbind" / "dna" / "motifs.jaspar"
    assert interpret(MODEL, "--fasta", fasta, "--motifs", motifs, "-o", out) == 0
    table = pd.read_csv(out / "motifs.tsv", sep="\t")
    assert {"name", "match", "q", "sites", "importance"} <= set(table)
    assert not len(table)
    assert (out / "hits.bed").read_text() == ""
    assert (out / "motifs.meme").read_text().startswith("MEME version 4")
    notes = json.loads((out / "summary.json").read_text())["notes"]
    assert len(notes) == 1
    assert notes[0] in caplog.messages


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected one of --fasta, --peaks with --genome, and --tensors"),
        (["--peaks", "p.bed"], "expected one of"),
        (["--fasta", "in.fa", "--tensors", "t.h5"], "expected one of"),
        (["--fasta", "in.fa", "--split", "train"], "--split goes with --tensors"),
        (["--fasta", "in.fa", "--method", "ism", "ism"], "expected each method once"),
        (["--fasta", "in.fa", "--peak-format", "bed"], "--peak-format goes with --peaks"),
        (["--fasta", "in.fa", "--factor", "NONE"], "found --factor NONE, expected one of"),
    ],
)
def test_wrong_arguments_are_one_line_and_leave_nothing(capsys, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert interpret(ENSEMBLE, *arguments, "--no-motifs", "-o", "out") == 2
    assert re.search(message, capsys.readouterr().err.strip().splitlines()[-1])
    assert not list(tmp_path.iterdir())


def test_what_is_not_installed_is_named(capsys, tmp_path, monkeypatch, fasta):
    monkeypatch.setitem(__import__("sys").modules, "modiscolite", None)
    assert interpret(MODEL, "--fasta", fasta, "-o", tmp_path / "out") == 2
    assert "needs the package modiscolite" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
