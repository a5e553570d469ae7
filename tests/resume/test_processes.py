"""Processes that are killed, and several into one output; see forked_work.py."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("forked_work.py")
KINDS = ("table", "replicates", "checkpoint")


def run(what, kind, n):
    command = [sys.executable, str(SCRIPT), what, kind, str(n), "7"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", KINDS)
def test_work_that_is_killed_anywhere_is_resumed(kind):
    found = run("kill", kind, 40)
    assert found["killed"] == 80
    assert found["wrong"] == []


@pytest.mark.parametrize("kind", KINDS)
def test_of_several_at_once_into_one_output_one_works_and_the_others_are_refused(kind):
    found = run("race", kind, 30)
    assert found["wrong"] == []
    assert found["done"] >= 30
    assert found["refused"] >= 10
