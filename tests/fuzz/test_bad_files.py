"""Files that once ended in a traceback, a hang or a wrong number, and what is said of each today."""

import shutil
from pathlib import Path

import pytest
from fuzzer.judge import execute, watched
from fuzzer.targets import all_targets

from tfbind.cli import VERBS

FOLDER = Path(__file__).parents[1] / "data" / "bad"
ROWS = [line.split("\t") for line in (FOLDER / "table.tsv").read_text("utf-8").splitlines()[1:]]
# the first file of a kind waits until its reader is compiled
pytestmark = pytest.mark.usefixtures("patient")
CUT = "…"  # a message may go on, in the words of a library


@pytest.fixture
def patient(monkeypatch):
    monkeypatch.setattr("fuzzer.judge.SECONDS", 120)


@pytest.mark.parametrize(("name", "reader", "verb", "message"), ROWS, ids=[row[0] for row in ROWS])
def test_message(tmp_path, name, reader, verb, message):
    path = tmp_path / name
    with watched():
        kind, answer = execute(all_targets()[reader], path, (FOLDER / name).read_bytes())
    assert kind == ("error" if message else "value"), answer
    if message:
        expected = message.replace("FILE", str(path)).replace("FOLDER", str(tmp_path))
        if expected.endswith(CUT):
            assert answer.startswith(expected.removesuffix(CUT))
        else:
            assert answer == expected


def test_the_table_lists_every_file_once_with_a_verb_of_tfbind():
    names = [row[0] for row in ROWS]
    assert sorted(names) == sorted(
        path.name for path in FOLDER.iterdir() if path.is_file() and path.name != "table.tsv"
    )
    assert all(row[2].split()[0] in VERBS for row in ROWS)


def test_a_file_is_judged_by_its_reader_alone(tmp_path):
    """A table of messages that any reader gives would prove nothing."""
    path = shutil.copy(FOLDER / "end-2e63.bed", tmp_path)
    with watched():
        kind, answer = execute(all_targets()["labels"], Path(path), (FOLDER / "end-2e63.bed").read_bytes())
    assert kind == "error"
    assert "expected id and one column a factor" in answer
