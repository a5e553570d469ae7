"""Damaged sheets and configs of the workflow: one line that says what is wrong, or a value.

By hand, for more of them: ``python tests/fuzz/test_sheets.py 20000 [FIRST_SEED]``.
"""

from __future__ import annotations

import importlib
import os
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest
import yaml
from fuzzer.mutate import mutate
from snakemake.exceptions import WorkflowError

from tfbind.errors import LONGEST_MESSAGE

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow"))
configuration = importlib.import_module("configuration")

SHEETS = {
    "datasets": (
        b"name\tpositives\tnegatives\tpredict\nSP1\treads.fa\t\treads.fa\nGATA4\treads.fa\treads.fa\t\n",
        b"name\tpeaks\tgenome\nReb1\treads.fa\treads.fa\n",
    ),
    "populations": (
        b"name\tvcf\tmask\ttruth\tmutation_rate\tdiversity\tunphased\nCEU\treads.fa\treads.fa\t\t1.25e-8\t0.001\tyes\n",
        b"name\tvcf\tgenetic_length\tinbreeding\na\treads.fa\t62.5\tauto\nb\treads.fa\treads.fa\t0.9\n",
    ),
}
CONFIG = (ROOT / "config" / "config.yaml").read_bytes()
SEEDS = 150  # of each kind, in continuous integration


def read(kind, data):
    """Read a mutant; give what was raised, or None."""
    try:
        if kind == "config":
            try:
                config = yaml.safe_load(data)
            except (yaml.YAMLError, ValueError, RecursionError, AttributeError, TypeError, OverflowError):
                # Snakemake reads the file, and answers for what is no YAML
                return None
            if not isinstance(config, dict):
                return None
            configuration.read_config(config)
        else:
            path = Path("sheet.tsv")
            path.write_bytes(data)
            configuration.read_sheet(str(path), kind)
    except WorkflowError as error:
        return error
    return None


def judge(kind, seed):
    """Read the mutant of a seed, and check what was said of it."""
    rng = random.Random(f"{kind} {seed}")
    seeds = SHEETS.get(kind, (CONFIG,))
    data = rng.choice(seeds)
    for _ in range(rng.randint(1, 3)):
        data = mutate(data, rng, seeds)
    error = read(kind, data)
    if error is None:
        return "value"
    message = str(error)
    assert message
    assert "\n" not in message, message
    assert message.isprintable(), message
    assert len(message) <= LONGEST_MESSAGE, message[:200]
    return "error"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reads.fa").write_text(">a\nACGT\n")


@pytest.mark.parametrize("kind", [*SHEETS, "config"])
def test_one_line_or_a_value(kind, folder):
    found = Counter(judge(kind, seed) for seed in range(SEEDS))
    assert found["error"] > SEEDS / 10


def main():
    """Judge many mutants and print what fails."""
    n, first = int(sys.argv[1]), int((sys.argv[2:] or [1000])[0])
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        Path("reads.fa").write_text(">a\nACGT\n")
        for kind in (*SHEETS, "config"):
            found = Counter()
            for seed in range(first, first + n):
                try:
                    found[judge(kind, seed)] += 1
                except Exception as error:
                    found["failed"] += 1
                    print(kind, seed, type(error).__name__, str(error)[:300])
            print(kind, dict(found))


if __name__ == "__main__":
    main()
