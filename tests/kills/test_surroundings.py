"""Homes that are not there, folders that cannot be written to, and inputs that vanish while they are read."""

import os
import subprocess
import sys
from pathlib import Path

import kill_verbs
import pytest

from tfbind import cli
from tfbind.binding.encoding import encode as encoding

QUICK = ("simulate", "encode", "encode peaks", "recombination evaluate", "recombination enrichment")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    kill_verbs.write_texts(tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.mark.parametrize("verb", ["recombination evaluate", "encode peaks"])
def test_without_a_home(verb, here):
    words = kill_verbs.command(verb, [])
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "LANG")}
    found = []
    for home in ({"HOME": "/nowhere/at/all"}, {}):
        done = subprocess.run(
            [sys.executable, "-m", "tfbind", *words], env=kept | home, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        found.append(contents(here))
    before = contents(here).keys() - {"out"}
    assert found[0] == found[1]
    assert any(name.startswith("out") for name in before)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
@pytest.mark.parametrize("verb", QUICK)
def test_a_folder_that_cannot_be_written_to(verb, here, capsys):
    before = contents(here)
    here.chmod(0o555)
    try:
        assert cli.main(kill_verbs.command(verb, [])) == 2
    finally:
        here.chmod(0o755)
    error = capsys.readouterr().err
    assert error.startswith("tfbind: error: out")
    assert "cannot be written (no permission to write in ." in error
    assert contents(here) == before


def test_an_input_that_vanishes_between_two_readings(here, monkeypatch, capsys):
    deal = encoding.deal

    def vanish(*arguments):
        (here / "negatives.fa").unlink()
        return deal(*arguments)

    monkeypatch.setattr(encoding, "deal", vanish)
    assert cli.main(kill_verbs.command("encode", [])) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "tfbind: error: negatives.fa: was removed while it was read; run again when it stays as it is"
    )
    assert not list(here.glob("*out*"))


@pytest.mark.parametrize("same_number", [False, True])
def test_an_input_that_changes_between_two_readings(same_number, here, monkeypatch, capsys):
    """The parts were dealt to other records."""
    deal = encoding.deal

    def change(*arguments):
        if same_number:
            (here / "negatives.fa").write_bytes((here / "positives.fa").read_bytes())
        else:
            with open(here / "negatives.fa", "a") as handle:
                handle.write(">one_more\nACGT\n")
        return deal(*arguments)

    monkeypatch.setattr(encoding, "deal", change)
    assert cli.main(kill_verbs.command("encode", [])) == 2
    assert "negatives.fa: changed while it was read; run again" in capsys.readouterr().err
    assert not list(here.glob("*out*"))
