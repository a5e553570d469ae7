import json

import numpy as np
import pytest

from tfbind.cli import main

FILES = [
    "calibration.svg",
    "calibration.tsv",
    "metrics.json",
    "notes.json",
    "pr.svg",
    "pr.tsv",
    "predictions.tsv",
    "roc.svg",
    "roc.tsv",
]


def evaluate(*arguments) -> int:
    return main(["evaluate", *map(str, arguments), "--threads", "1"])


def unseen(path, n: int, seed: int):
    rng = np.random.default_rng(seed)
    rows = rng.choice(list("acgt"), (n, 60))
    path.write_text("".join(f">{path.stem}_{i}\r\n{''.join(row)}\r\n" for i, row in enumerate(rows)))
    return path


@pytest.fixture
def fasta(tmp_path):
    """Twelve positives and twelve negatives that no model has seen."""
    return unseen(tmp_path / "p.fa", 12, 20), unseen(tmp_path / "n.fa", 12, 21)


def reverse_complement(sequence: str) -> str:
    return sequence[::-1].translate(str.maketrans("ACGT", "TGCA"))


class TestTensors:
    def test_of_the_test_part(self, model_path, shuffle_tensors, tmp_path):
        folder = tmp_path / "new" / "ev"
        assert evaluate("--model", model_path, "--tensors", shuffle_tensors, "-o", folder) == 0
        assert sorted(path.name for path in folder.iterdir()) == FILES
        metrics = json.loads((folder / "metrics.json").read_text())
        assert list(metrics) == ["CREB"]
        low, high = metrics["CREB"]["auroc_ci95"]
        assert 0 <= low <= metrics["CREB"]["auroc"] <= high <= 1
        assert {"auprc", "auprc_ci95", "brier", "n_positive", "n_negative", "threshold"} <= set(
            metrics["CREB"]
        )

    def test_the_training_part_is_refused_unless_told_otherwise(
        self, model_path, shuffle_tensors, tmp_path, capsys
    ):
        arguments = (
            "--model",
            model_path,
            "--tensors",
            shuffle_tensors,
            "--split",
            "train",
            "-o",
            tmp_path / "ev",
        )
        assert evaluate(*arguments) == 2
        assert "--allow-overlap" in capsys.readouterr().err
        assert not (tmp_path / "ev").exists()
        assert evaluate(*arguments, "--allow-overlap") == 0

    def test_of_several_factors(self, two_factor_model_path, two_factor_tensors, tmp_path):
        assert (
            evaluate("--model", two_factor_model_path, "--tensors", two_factor_tensors, "-o", tmp_path / "ev")
            == 0
        )
        text = (tmp_path / "ev" / "metrics.json").read_text()
        assert list(json.loads(text)) == ["CREB", "SP1"]
        assert "NaN" not in text

    def test_of_another_encoding_are_refused(self, model_path, kmer_tensors, tmp_path, capsys):
        assert evaluate("--model", model_path, "--tensors", kmer_tensors, "-o", tmp_path / "ev") == 2
        assert "kmer.h5: found " in capsys.readouterr().err

    def test_same_seed_same_bytes(self, model_path, shuffle_tensors, tmp_path):
        for name in ("a", "b"):
            assert evaluate("--model", model_path, "--tensors", shuffle_tensors, "-o", tmp_path / name) == 0
        for name in FILES:
            assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


class TestFasta:
    def test_of_unseen_sequences(self, model_path, fasta, tmp_path):
        positives, negatives = fasta
        arguments = ("--positives", positives, "--negatives", negatives, "-o", tmp_path / "ev")
        assert evaluate("--model", model_path, *arguments) == 0
        metrics = json.loads((tmp_path / "ev" / "metrics.json").read_text())["CREB"]
        assert (metrics["n_positive"], metrics["n_negative"]) == (12, 12)

    @pytest.mark.parametrize("turn", [str, reverse_complement], ids=["duplicate", "reverse complement"])
    def test_a_planted_training_sequence_is_refused(self, model_path, fasta, data, tmp_path, capsys, turn):
        positives, negatives = fasta
        # the twentieth positive is in the training or the validation part, or else one of the next
        lines = (data / "positives.fa").read_text().splitlines()
        with positives.open("a") as handle:
            for number in range(20, 25):
                handle.write(f">planted_{number}\n{turn(lines[2 * number + 1])}\n")
        arguments = (
            "--model",
            model_path,
            "--positives",
            positives,
            "--negatives",
            negatives,
            "-o",
            tmp_path / "ev",
        )
        assert evaluate(*arguments) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "'planted_2" in line
        assert "were in the training or validation set of" in line
        assert not (tmp_path / "ev").exists()
        assert evaluate(*arguments, "--allow-overlap") == 0

    def test_shifted_training_sequences_are_refused(self, model_path, fasta, data, tmp_path, capsys):
        positives, negatives = fasta
        lines = (data / "positives.fa").read_text().splitlines()
        with positives.open("a") as handle:
            for number in range(20, 25):
                handle.write(f">shifted_{number}\n{lines[2 * number + 1][6:]}\n")
        arguments = (
            "--model",
            model_path,
            "--positives",
            positives,
            "--negatives",
            negatives,
            "-o",
            tmp_path / "ev",
        )
        assert evaluate(*arguments) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "'shifted_2" in line
        assert "overlap sequences in the training or validation set of" in line
        assert evaluate(*arguments, "--allow-overlap") == 0
        notes = json.loads((tmp_path / "ev" / "notes.json").read_text())
        assert "because of --allow-overlap" in notes[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected either --tensors, or --positives and --negatives"),
        (["--positives", "p.fa"], "expected either --tensors, or --positives and --negatives"),
        (["--tensors", "t.h5", "--positives", "p.fa"], "expected either --tensors"),
        (["--tensors", "t.h5", "--split", "all"], "argument --split: invalid choice"),
        (["--tensors", "t.h5"], "missing.keras: no such file"),
    ],
)
def test_wrong_arguments_are_one_line_and_exit_2(capsys, tmp_path, arguments, message):
    assert evaluate("--model", tmp_path / "missing.keras", *arguments, "-o", tmp_path / "ev") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("tfbind: error: ")
    assert message in line


def test_a_file_in_the_folders_place_is_refused(capsys, tmp_path, model_path, shuffle_tensors):
    (tmp_path / "ev").write_text("mine")
    assert evaluate("--model", model_path, "--tensors", shuffle_tensors, "-o", tmp_path / "ev") == 2
    assert "ev: is a file, expected a folder" in capsys.readouterr().err
    assert (tmp_path / "ev").read_text() == "mine"


class TestContigs:
    @pytest.fixture
    def given(self, tmp_path):
        """A genome of two contigs with a site every 300 bases, its peaks, and the matrix of the site."""
        rng = np.random.default_rng(3)
        contigs = {name: rng.choice(list("ACGT"), 6_000) for name in ("I", "II")}
        for sequence in contigs.values():
            for at in range(100, 6_000, 300):
                sequence[at : at + 8] = list("TGACGTCA")
        genome, peaks = tmp_path / "g.fa", tmp_path / "p.bed"
        genome.write_text("".join(f">{name}\n{''.join(letters)}\n" for name, letters in contigs.items()))
        peaks.write_text(
            "".join(f"chr{name}\t{at + 4}\t{at + 5}\n" for name in contigs for at in range(100, 6_000, 300))
        )
        rows = {letter: ["90" if one == letter else "2" for one in "TGACGTCA"] for letter in "ACGT"}
        counts = "".join(f"{letter} [ {' '.join(row)} ]\n" for letter, row in rows.items())
        (tmp_path / "m.jaspar").write_text(f">MA9999.1 CREB\n{counts}")
        return ("--genome", genome, "--peaks", peaks, "--contigs", "I,II", "--pwm", tmp_path / "m.jaspar")

    def test_metrics_of_models_and_matrix(self, model_path, two_factor_model_path, given, tmp_path):
        models = ("--model", model_path, two_factor_model_path)
        assert evaluate(*models, *given, "--factor", "CREB", "-o", tmp_path / "ev") == 0
        metrics = json.loads((tmp_path / "ev" / "metrics.json").read_text())
        assert set(metrics["models"]) == {"one", "two"}
        assert metrics["sites"]["model"] == "one"
        assert {"average_precision", "recall_at_q10", "median_offset", "expected", "observed"} <= set(
            metrics["sites"]
        ) & set(metrics["pwm"])
        assert metrics["sites"]["observed"] == metrics["pwm"]["observed"] == 40
        assert metrics["pwm"]["average_precision"] > 0.95
        assert metrics["pwm"]["median_offset"] == 0
        # about a tenth of the sites would be right by chance
        assert metrics["sites"]["average_precision"] > 0.3
        notes = json.loads((tmp_path / "ev" / "notes.json").read_text())
        assert any("knows nothing of how many sites" in note for note in notes)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (("--contigs", "I,III"), "1 of 2 contigs ('III') are not in"),
            (("--factor", "SP1"), "found --factor SP1, expected one of CREB"),
            (("--pwm", "nothing"), "motif 'nothing': no such file"),
            (("--tensors", "t.h5"), "expected either --tensors, or"),
        ],
    )
    def test_what_does_not_fit_leaves_no_folder(self, model_path, given, tmp_path, capsys, change, message):
        assert evaluate("--model", model_path, *given, *change, "-o", tmp_path / "ev") == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "ev").exists()

    def test_options_of_one_input_are_refused_with_another(
        self, model_path, shuffle_tensors, tmp_path, capsys
    ):
        tensors = ("--tensors", shuffle_tensors, "-o", tmp_path / "ev")
        for more, message in (
            (("--model", model_path, "--pwm", "CTCF"), "--pwm goes with --genome"),
            (("--model", model_path, "--skip-invalid"), "--skip-invalid goes with --peaks"),
            (
                ("--model", model_path, "--genome", "g.fa", "--peaks", "p.bed", "--split", "validation"),
                "--split goes with --tensors alone",
            ),
            (("--model", model_path, model_path), "several models are evaluated together on --genome only"),
        ):
            assert evaluate(*more, *tensors) == 2
            assert message in capsys.readouterr().err
