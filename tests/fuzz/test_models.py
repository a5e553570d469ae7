"""Model files from a stranger are refused in one line, or give finite numbers.

`mutate_model.py` beside it makes them; run by hand it makes as many as you like.
"""

import runpy
from pathlib import Path

import pytest

N = 40


@pytest.fixture(scope="module")
def run():
    return runpy.run_path(str(Path(__file__).parent / "mutate_model.py"))["run"]


@pytest.mark.parametrize("kind", ["binding", "kmer", "ensemble", "background", "rates", "relernn"])
def test_a_mutant_is_refused_in_one_line_or_gives_finite_numbers(run, kind):
    counts, failures = run(7, N, [kind], ["openvino"])
    assert not failures, failures[0]
    assert sum(counts.values()) == N
    # both are met: files that are refused, and files in which nothing that matters was changed
    assert counts[f"{kind} refused"]
    assert counts[f"{kind} accepted"]


@pytest.mark.parametrize("kind", ["binding", "background", "relernn"])
def test_on_keras_too(run, kind):
    counts, failures = run(8, 6, [kind], ["keras"])
    assert not failures, failures[0]
    assert sum(counts.values()) == 6
