"""Damaged files through every reader, the same ones in each run; see README.md for longer runs."""

import pytest
from fuzzer.judge import make_input
from fuzzer.run import run_apart, run_here
from fuzzer.targets import all_targets, target_called

SEED = 20_000
TARGETS = all_targets()


def report(findings):
    return "\n".join(
        f"{one.what} at {one.place}: python tests/fuzz/run.py --target {one.target} --seed {SEED} --index {one.index}"
        for one in findings.values()
    )


@pytest.mark.parametrize("name", [name for name, target in TARGETS.items() if not target.native])
def test_gives_a_value_or_one_line(name):
    target = TARGETS[name]
    done, findings = run_here(target, SEED, 0, target.executions)
    assert done == target.executions
    assert not findings, report(findings)


@pytest.mark.parametrize("name", [name for name, target in TARGETS.items() if target.native])
def test_gives_a_value_or_one_line_in_a_process_of_its_own(name):
    target = TARGETS[name]
    done, findings = run_apart(target_called, name, SEED, 0, target.executions)
    assert done == target.executions
    assert not findings, report(findings)


def test_an_input_depends_on_its_seed_and_number_alone():
    target = TARGETS["bed"]
    assert make_input(target, 3, 17)[0] == make_input(target, 3, 17)[0]
    assert len({make_input(target, 3, index)[0] for index in range(50)}) > 40
    assert make_input(target, 4, 17)[0] != make_input(target, 3, 17)[0]
