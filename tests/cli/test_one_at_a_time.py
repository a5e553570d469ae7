"""A second command with the output of one that is still at work."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest


def start(*argv) -> subprocess.Popen:
    command = [sys.executable, "-m", "tfbind", *map(str, argv), "--threads", "1"]
    return subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # where the tests are a background job they ignore Ctrl-C, and their children with them
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.fixture
def commands(request, tmp_path):
    """By verb: a command that would take minutes, the file that shows that it is at work, and what it keeps."""

    def of(verb):
        if verb == "train":
            tensors = request.getfixturevalue("given_tensors")
            small = ("--architecture", "conv-bigru", "--units", 2, "--epochs", 5000, "--patience", 5000)
            return ("train", tensors, *small, "-o", tmp_path / "m.keras"), "m.checkpoint", "m.checkpoint"
        if verb == "simulate":
            many = ("--length", 3000, "--samples", 2, "--replicates", 100_000)
            return (
                ("recombination", "simulate", *many, "-o", tmp_path / "s.h5"),
                "s.h5.partial",
                "s.h5.partial",
            )
        fasta = tmp_path / "in.fa"
        fasta.write_bytes(
            b">a\n" + np.random.default_rng(1).choice(np.frombuffer(b"ACGT", "S1"), 20_000_000).tobytes()
        )
        given = ("--model", request.getfixturevalue("model_path"), "--fasta", fasta, "--stride", 1)
        return ("predict", *given, "-o", tmp_path / "p.tsv"), "p.tsv.partial.journal", "p.tsv.partial"

    return of


@pytest.mark.parametrize("verb", ["train", "simulate", "predict"])
def test_is_refused_and_leaves_the_first_one_alone(verb, commands, tmp_path):
    argv, shown, kept = commands(verb)
    first = start(*argv)
    try:
        while not ((tmp_path / shown).exists() and (tmp_path / shown).stat().st_size):
            assert first.poll() is None, first.stderr.read()
            time.sleep(0.02)
        second = start(*argv, "--resume")
        *_, line = second.communicate()[1].splitlines()
        assert second.returncode == 2
        assert line.startswith("tfbind: error: ")
        assert f"{kept}: another run is using it; wait until that run has ended" in line
        assert first.poll() is None
        first.send_signal(signal.SIGINT)
        *_, line = first.communicate(timeout=60)[1].splitlines()
        assert first.returncode == 130
        assert line.startswith("tfbind: interrupted; what is done is kept in ")
        assert f"{kept}; the same command with --resume continues" in line
    finally:
        first.kill()
        first.communicate()
