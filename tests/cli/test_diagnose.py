import json

import pandas as pd
import pytest

from tfbind.cli import main
from tfbind.networks.spec import CELLS

FAST = ["--epochs", "1", "--units", "3", "--steps", "12", "--architecture", "bigru", "--threads", "1"]
FILES = ["diagnosis.json", "gradients.svg", "gradients.tsv", "learning_rate.svg", "learning_rate.tsv"]


def test_writes_tables_figures_and_a_proposal(given_tensors, tmp_path, caplog):
    folder = tmp_path / "new" / "d"
    more = ["--steps", "60", "--batch-size", "128", "-o", str(folder)]
    assert main(["diagnose", str(given_tensors), *FAST, *more]) == 0
    # several networks, each traced for itself, are no reason to warn
    assert "retracing" not in caplog.text
    assert sorted(path.name for path in folder.iterdir()) == FILES
    gradients = pd.read_csv(folder / "gradients.tsv", sep="\t")
    assert list(gradients.columns) == ["cell", "step", "norm", "n"]
    assert tuple(gradients["cell"].unique()) == CELLS
    rates = pd.read_csv(folder / "learning_rate.tsv", sep="\t")
    assert list(rates.columns) == ["rate", "loss", "smoothed"]
    summary = json.loads((folder / "diagnosis.json").read_text())
    assert summary["architecture"] == "bigru"
    assert 1e-5 < summary["proposed_learning_rate"] <= 10
    assert list(summary["gradient"]) == list(CELLS)
    for cell in CELLS:
        assert f">{cell}<" in (folder / "gradients.svg").read_text() or not summary["gradient"][cell]["reach"]
    assert (
        f"proposed rate, {summary['proposed_learning_rate']:.2g}"
        in (folder / "learning_rate.svg").read_text()
    )


def test_proposes_nothing_where_the_range_test_shows_nothing(given_tensors, tmp_path, caplog):
    caplog.set_level("INFO")
    more = ["--steps", "5", "--cell", "rnn", "-o", str(tmp_path)]
    assert main(["diagnose", str(given_tensors), *FAST, *more]) == 0
    assert json.loads((tmp_path / "diagnosis.json").read_text())["proposed_learning_rate"] is None
    (line,) = (record.message for record in caplog.records if "learning rate" in record.message)
    assert line == (
        "no learning rate can be proposed for bigru: its loss did not fall by more than batches differ"
        " in the range test of 5 steps; try more --steps"
    )
    assert "no rate to propose, try more --steps" in (tmp_path / "learning_rate.svg").read_text()
    assert "proposed for" not in caplog.text.replace(line, "")


def test_is_the_same_for_the_same_seed_and_whatever_other_cells_there_are(given_tensors, tmp_path):
    for name, cells, seed in (("a", "gru,rnn", "1"), ("b", "rnn", "1"), ("c", "rnn", "2")):
        more = ["--cell", cells, "--seed", seed, "-o", str(tmp_path / name)]
        assert main(["diagnose", str(given_tensors), *FAST, *more]) == 0
    a, b, c = (pd.read_csv(tmp_path / name / "gradients.tsv", sep="\t") for name in "abc")
    assert a[a["cell"] == "rnn"].to_numpy().tolist() == b.to_numpy().tolist() != c.to_numpy().tolist()
    a, b, c = ((tmp_path / name / "learning_rate.tsv").read_bytes() for name in "abc")
    assert a == b != c


def test_reads_kmers_by_default_with_what_train_takes_for_them(kmer_tensors, tmp_path):
    fast = FAST[: FAST.index("--architecture")]
    assert main(["diagnose", str(kmer_tensors), *fast, "--cell", "jordan", "-o", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "diagnosis.json").read_text())["architecture"] == "conv-bilstm"
    # 60 bases are 20 3-mers
    assert pd.read_csv(tmp_path / "gradients.tsv", sep="\t")["step"].tolist() == list(range(1, 21))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cell", "lstm,elman"], "argument --cell: found 'elman', expected names out of lstm, gru, rnn"),
        (["--cell", "gru,gru"], "argument --cell: found 'gru,gru', expected names separated by commas"),
        (["--architecture", "gkm-linear"], "argument --architecture: invalid choice"),
        ([], "missing.h5: no such file"),
    ],
)
def test_wrong_arguments_are_one_line_and_exit_2(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["diagnose", "missing.h5", "-o", "d", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("tfbind: error: ")
    assert message in line
    assert not (tmp_path / "d").exists()


def test_an_output_that_is_a_file_is_refused(given_tensors, tmp_path, capsys):
    output = tmp_path / "file"
    output.touch()
    assert main(["diagnose", str(given_tensors), "-o", str(output)]) == 2
    assert "is a file, expected a folder for the results" in capsys.readouterr().err
