import io

import pytest

from tfbind import progress
from tfbind.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_plain_line_now_and_then(clock, capsys):
    with Progress("encoding", total=4000, unit="sequences") as counter:
        clock[0] += 10
        counter.update(500)
        assert capsys.readouterr().err == ""
        clock[0] += 10
        counter.update(500, "loss 0.5")
        assert capsys.readouterr().err == "encoding: 1,000/4,000 sequences, 50/s, 60 s left loss 0.5\n"
        clock[0] += 1
        counter.update(500)
    assert capsys.readouterr() == ("", "")
    assert counter.done == 1500


def test_total_unknown(clock, capsys):
    with Progress("reading") as counter:
        clock[0] += 20
        counter.update(40)
    assert capsys.readouterr().err == "reading: 40 records, 2/s\n"


def test_nothing_done_yet(clock, capsys):
    with Progress("reading", total=10) as counter:
        clock[0] += 20
        counter.update(0)
    assert capsys.readouterr().err == "reading: 0/10 records, 0/s\n"


def test_a_bar_on_a_terminal(monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr(progress.sys, "stderr", terminal)
    with Progress("encoding", total=2, unit="sequences") as counter:
        counter.update(2, "note")
    assert "encoding" in terminal.getvalue()
    assert capsys.readouterr().out == ""


def test_an_error_in_the_block_is_not_swallowed():
    with pytest.raises(KeyError), Progress("encoding"):
        raise KeyError
