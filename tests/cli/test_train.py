import logging
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tfbind.binding.model.card import read_card
from tfbind.cli import main


def command(tensors, output, *more) -> list[str]:
    return [
        *(sys.executable, "-m", "tfbind", "train", str(tensors), "-o", str(output), "--threads", "1"),
        *("--architecture", "conv-bigru", "--units", "3", "--epochs", "4", "--batch-size", "4", *more),
    ]


class TestArguments:
    def test_train_the_network_that_they_name(self, given_tensors, tmp_path):
        arguments = ["--architecture", "conv-bilstm", "--cell", "gru", "--units", "3", "--layers", "2"]
        fitting = [
            "--epochs",
            "1",
            "--batch-size",
            "64",
            "--learning-rate",
            "0.02",
            "--patience",
            "4",
            "--seed",
            "5",
        ]
        output = tmp_path / "new" / "m.v2.keras"
        assert main(["train", str(given_tensors), *arguments, *fitting, "-o", str(output)]) == 0
        assert sorted(path.name for path in output.parent.iterdir()) == [
            "m.v2.history.tsv",
            "m.v2.keras",
            "m.v2.learning.svg",
        ]
        card = read_card(output)
        network = card.network
        assert (network.architecture, network.cell) == ("conv-bilstm", "gru")
        assert (network.units, network.layers) == (3, 2)
        options = card.training["options"]
        names = ("epochs", "batch_size", "learning_rate", "patience", "seed")
        assert [options[name] for name in names] == [1, 64, 0.02, 4, 5]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (
                "--architecture gkm-linear --layers 2",
                "found layers 2, for which architecture gkm-linear has no use",
            ),
            (
                "--architecture transformer --cell gru",
                "found cell gru, for which architecture transformer has no",
            ),
        ],
    )
    def test_that_the_architecture_would_ignore_are_refused(
        self, arguments, message, given_tensors, tmp_path, capsys
    ):
        output = str(tmp_path / "m.keras")
        assert main(["train", str(given_tensors), *arguments.split(), "-o", output]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"tfbind: error: {message}")
        assert list(tmp_path.iterdir()) == []

    def test_hold_a_fold_out(self, fold_tensors, tmp_path):
        assert main(command(fold_tensors, tmp_path / "m.keras", "--epochs", "1", "--fold", "3")[3:]) == 0
        training = read_card(tmp_path / "m.keras").training
        assert (training["fold"], training["folds"]) == (3, 3)
        assert training["n_train"] + training["n_validation"] < 160

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["-o", "model.h5"], "--output is model.h5, expected a name that ends in .keras"),
            (["-o", "m.keras", "--epochs", "0"], "argument --epochs: found '0', expected a whole number"),
            (["-o", "m.keras", "--learning-rate", "nan"], "argument --learning-rate: found 'nan'"),
            (["-o", "m.keras", "--architecture", "cnn"], "argument --architecture: invalid choice"),
            (["-o", "m.keras", "--cell", "cnn"], "argument --cell: invalid choice"),
            ([], "the following arguments are required: -o/--output"),
            (["-o", "m.keras"], "missing.h5: no such file"),
        ],
    )
    def test_that_are_wrong_are_one_line_and_exit_2(self, capsys, tmp_path, monkeypatch, arguments, message):
        monkeypatch.chdir(tmp_path)
        assert main(["train", "missing.h5", *arguments]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("tfbind: error: ")
        assert message in line
        assert list(tmp_path.iterdir()) == []


def test_killed_and_resumed_ends_as_if_undisturbed(given_tensors, tmp_path):
    expected, output = tmp_path / "undisturbed" / "m.keras", tmp_path / "killed" / "m.keras"
    checkpoint = output.with_suffix(".checkpoint")
    subprocess.run(command(given_tensors, expected), check=True, capture_output=True)

    process = subprocess.Popen(command(given_tensors, output), stderr=subprocess.PIPE, text=True)
    try:
        seen: set[int] = set()
        while len(seen) < 2:
            assert process.poll() is None, process.stderr.read()
            if checkpoint.exists():
                seen.add(checkpoint.stat().st_mtime_ns)
            time.sleep(0.005)
        time.sleep(0.05)
        # two epochs are over, and the third one has begun
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not output.exists()
    assert not output.with_suffix(".history.tsv").exists()

    done = subprocess.run(command(given_tensors, output, "--resume"), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "resuming after epoch " in done.stderr
    assert "epoch 1: " not in done.stderr
    for name in ("m.keras", "m.history.tsv", "m.learning.svg"):
        assert (output.parent / name).read_bytes() == (expected.parent / name).read_bytes()
    assert not checkpoint.exists()
    assert np.loadtxt(output.with_suffix(".history.tsv"), skiprows=1)[:, 0].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("tensors", "architecture"), [("given_tensors", "gkm-bilstm"), ("kmer_tensors", "conv-bilstm")]
)
def test_the_default_architecture_suits_the_tensors(tensors, architecture, request, tmp_path):
    path = tmp_path / "m.keras"
    small = ["--units", "2", "--epochs", "1", "--threads", "1"]
    assert main(["train", str(request.getfixturevalue(tensors)), *small, "-o", str(path)]) == 0
    assert read_card(path).network.architecture == architecture


@pytest.mark.parametrize(("arguments", "rate"), [([], 0.003), (["--learning-rate", "0.5"], 0.5)])
def test_an_architectures_own_learning_rate(arguments, rate, given_tensors, tmp_path):
    path = tmp_path / "m.keras"
    small = ["--architecture", "deepbind", "--epochs", "1", "--threads", "1", *arguments]
    assert main(["train", str(given_tensors), *small, "-o", str(path)]) == 0
    assert read_card(path).training["options"]["learning_rate"] == rate


class TestFinished:
    """A training that is finished, run again with --resume."""

    @pytest.fixture
    def again(self, given_tensors, tmp_path):
        def run(*more):
            given = ["--architecture", "conv-bigru", "--units", "3", "--batch-size", "64", "--threads", "1"]
            return main(["train", str(given_tensors), *given, "-o", str(tmp_path / "m.keras"), *more])

        assert run("--epochs", "1") == 0
        return run

    def files(self, folder):
        return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}

    def test_stays_as_it_is(self, again, tmp_path, caplog):
        before = self.files(tmp_path)
        caplog.clear()
        with caplog.at_level(logging.INFO):
            assert again("--epochs", "1", "--resume") == 0
        assert self.files(tmp_path) == before
        assert f"{tmp_path / 'm.keras'}: is finished, so there is nothing to resume" in caplog.text

    @pytest.mark.parametrize(
        ("changed", "said"),
        [(("--epochs", "2"), "options.epochs 1, found 2"), (("--seed", "3"), "options.seed 0, found 3")],
    )
    def test_is_refused_with_other_arguments(self, again, tmp_path, capsys, changed, said):
        before = self.files(tmp_path)
        assert again("--epochs", "1", *changed, "--resume") == 2
        assert (
            f"m.keras: is finished, and was trained with {said}; rerun without --resume to train it again"
            in capsys.readouterr().err
        )
        assert self.files(tmp_path) == before

    def test_only_its_curves_are_drawn_where_these_are_missing(self, again, tmp_path):
        """A kill may come after hours of training, while the last figure is drawn."""
        before = self.files(tmp_path)
        (tmp_path / "m.learning.svg").unlink()
        assert again("--epochs", "1", "--resume") == 0
        after = self.files(tmp_path)
        assert after["m.learning.svg"][0] == before["m.learning.svg"][0]
        assert after["m.keras"] == before["m.keras"]

    @pytest.mark.parametrize("name", ["m.keras", "m.history.tsv"])
    def test_is_trained_again_where_a_file_is_missing(self, again, tmp_path, name):
        before = {name: content for name, (content, _) in self.files(tmp_path).items()}
        (tmp_path / name).unlink()
        assert again("--epochs", "1", "--resume") == 0
        assert {name: content for name, (content, _) in self.files(tmp_path).items()} == before


class TestEnsembles:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ("--seeds 0", "argument --seeds: found '0', expected a whole number of at least 1"),
            ("--seeds 1,1", "argument --seeds: found '1,1', expected each seed once"),
            ("--seeds 1,x", "argument --seeds: found 'x', expected a whole number"),
            ("--seeds 101", "--seeds is 101, expected at most 100"),
            ("--seeds 1,2 --seed 3", "--seeds names the seeds, so --seed has no meaning"),
            ("--members a.keras b.keras --epochs 3", "trains none, so --epochs has no meaning"),
            ("--members a.keras b.keras --seed 3", "trains none, so --seed has no meaning"),
            ("--members a.keras b.keras --seeds 3", "trains none, so --seeds has no meaning"),
            ("--members a.keras b.keras --batch-size 3", "trains none, so --batch-size has no meaning"),
            ("--members a.keras b.keras --start c.keras", "trains none, so --start has no meaning"),
            ("--allow-overlap", "--allow-overlap is about the model to start from, so it goes with --start"),
        ],
    )
    def test_what_has_no_meaning_is_refused(self, given_tensors, tmp_path, capsys, arguments, message):
        output = ["-o", str(tmp_path / "m.keras")]
        assert main(["train", str(given_tensors), *arguments.split(), *output]) == 2
        assert message in capsys.readouterr().err
        assert list(tmp_path.iterdir()) == []

    def test_seeds_are_trained_and_joined(self, given_tensors, tmp_path):
        small = ["--architecture", "conv-bigru", "--units", "2", "--epochs", "1", "--seeds", "7,3"]
        assert main(["train", str(given_tensors), *small, "-o", str(tmp_path / "m.keras")]) == 0
        names = ["m.history.tsv", "m.keras", "m.learning.svg"]
        assert sorted(path.name for path in tmp_path.iterdir()) == names
        training = read_card(tmp_path / "m.keras").training
        assert [each["options"]["seed"] for each in training["members"]] == [7, 3]

    def test_models_are_joined(self, two_factor_tensors, two_factor_model_path, ensemble_path, tmp_path):
        (tmp_path / "m.history.tsv").write_text("of another model")
        members = ["--members", str(two_factor_model_path), str(ensemble_path)]
        assert main(["train", str(two_factor_tensors), *members, "-o", str(tmp_path / "m.keras")]) == 0
        assert len(read_card(tmp_path / "m.keras").members) == 3
        assert [path.name for path in tmp_path.iterdir()] == ["m.keras"]


def test_a_number_of_seeds_counts_from_the_seed():
    from tfbind.cli import make_parser
    from tfbind.cli.train import numbered_seeds

    parser = make_parser()
    given = ["train", "t.h5", "-o", "m.keras"]
    assert numbered_seeds(parser.parse_args([*given, "--seeds", "3", "--seed", "4"])) == (4, 5, 6)
    assert numbered_seeds(parser.parse_args([*given, "--seeds", "9,2"])) == (9, 2)
    assert parser.parse_args(given).seeds is None
