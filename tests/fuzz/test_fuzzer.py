"""The fuzzer itself finds each kind of fault that it looks for."""

import os
import signal

import pytest
from dying import of_the_dead
from fuzzer.judge import Target
from fuzzer.run import run_apart, run_here

from tfbind.errors import TfbindError

SEEDS = (b"a\t1\n",)


def value(path):
    return 1


def refused(path):
    raise TfbindError(f"{path}: no such thing")


def raises(path):
    raise IndexError("out of range")


def hangs(path):
    while True:
        pass


def nameless(path):
    raise TfbindError("found something")


def endless(path):
    error = TfbindError()
    error.args = (f"{path}: {'x' * 5000}",)
    raise error


def two_lines(path):
    error = TfbindError()
    error.args = (f"{path}: one\ntwo",)
    raise error


def line_ends_count(path):
    return len(path.read_bytes())


def overflows(path):
    import numpy as np

    return int(np.array([1e300]).astype(np.int64)[0])


def negative(value, data):
    assert value < 0, value


def target(read, **more):
    return Target("it", SEEDS, read, **more)


def found(read, n=1, **more):
    return [one.what for one in run_here(target(read, **more), 1, 0, n)[1].values()]


@pytest.mark.parametrize("read", [value, refused])
def test_finds_nothing_in_a_value_or_one_line(read):
    assert run_here(target(read), 1, 0, 50) == (50, {})


@pytest.mark.parametrize(
    ("read", "what"),
    [
        (raises, "IndexError: out of range"),
        (nameless, "a message without the file"),
        (endless, "characters"),
        (two_lines, "line ends"),
        (overflows, "RuntimeWarning"),
    ],
)
def test_finds(read, what):
    (one,) = found(read)
    assert what in one


def test_finds_what_hangs(monkeypatch):
    monkeypatch.setattr("fuzzer.judge.SECONDS", 0.05)
    monkeypatch.setattr("fuzzer.run._warm_up", lambda *_: None)
    assert found(hangs) == ["TooLong: "]


def test_an_alarm_that_comes_late_ends_nothing():
    assert found(value) == []
    os.kill(os.getpid(), signal.SIGPROF)


def test_finds_a_value_that_cannot_be_right():
    (one,) = found(value, check=negative)
    assert one.startswith("a value that cannot be right: 1")


def test_finds_a_change_without_a_meaning_that_matters():
    assert any("crlf changes what is read" in one for one in found(line_ends_count, 60, alike=("crlf",)))


def test_finds_a_signal_and_goes_on_with_the_next_input():
    done, findings = run_apart(of_the_dead, "it", 1, 0, 4)
    assert done == 4
    assert [one.what for one in findings.values()] == ["the process ended with -11"]
