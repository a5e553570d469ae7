"""Kills at random moments; by hand, with more of them and of all verbs: see kill.py."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from kill_verbs import COMMANDS, needed

SCRIPT = Path(__file__).with_name("kill.py")
QUICK = ("simulate", "encode", "recombination simulate", "recombination evaluate")


def kill(n, seed, folder, verbs):
    """Kill verbs ``n`` times, and give what the script printed by verb: killed, ended before, wrong, left."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(n), str(seed), str(folder), *verbs],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-4000:]}"
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return {name: tuple(map(int, numbers[:4])) for name, *numbers in rows}


def test_a_few_kills_leave_nothing_wrong(tmp_path):
    found = kill(16, 3, tmp_path, QUICK)
    assert list(found) == [*QUICK, "all"]
    killed, ended_before, wrong, left = found["all"]
    assert killed + ended_before == 16
    assert killed >= 8
    assert (wrong, left) == (0, 0)


@pytest.mark.long
@pytest.mark.parametrize("verb", COMMANDS)
def test_kills_of_every_verb_leave_nothing_wrong(verb, tmp_path):
    found = kill(int(os.environ.get("TFBIND_KILLS", "12")), 5, tmp_path, [verb])
    assert found["all"][2:] == (0, 0)


def test_inputs_are_made_by_need():
    assert needed(["simulate", "encode", "recombination evaluate"]) == []
    assert [line.split()[0] for line in needed(["evaluate"])] == ["encode", "train"]
    assert [line.split()[-1] for line in needed(["gather pieces"])] == [
        *("given.h5", "one.keras", "piece1.tsv.gz", "piece2.tsv.gz"),
    ]
