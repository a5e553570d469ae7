from dataclasses import fields

import numpy as np
import pytest

from tfbind import cli
from tfbind.background.options import FITTING, BackgroundOptions


def parse(*argv):
    return cli.make_parser().parse_args(["background", *argv])


@pytest.fixture
def genome(tmp_path):
    path = tmp_path / "g.fa"
    text = "".join(np.random.default_rng(0).choice(list("ACGT"), 12_000))
    path.write_text(f">a\n{text}\n")
    return path


def test_defaults_are_those_of_the_table():
    args = parse("fit", "g.fa", "-o", "bg.keras")
    for table in (BackgroundOptions(), FITTING):
        found = {
            field.name: getattr(args, field.name) for field in fields(table) if hasattr(args, field.name)
        }
        assert found == {name: getattr(table, name) for name in found}
    assert {field.name for field in fields(BackgroundOptions)} <= set(vars(args))


def test_fit_and_sample(genome, tmp_path, capsys):
    model, samples = tmp_path / "new" / "bg.keras", tmp_path / "samples.fa"
    fit = ["fit", genome, "--units", 3, "--epochs", 1, "--window", 50, "--batch-size", 100, "--threads", 1]
    assert cli.main(["background", *map(str, fit), "-o", str(model)]) == 0
    sample = ["sample", model, "--n", 5, "--length", 20, "--seed", 3, "--temperature", 1.5]
    assert cli.main(["background", *map(str, sample), "-o", str(samples)]) == 0
    lines = samples.read_text().splitlines()
    assert lines[0::2] == [f">background_{number}" for number in range(1, 6)]
    assert {len(line) for line in lines[1::2]} == {20}
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ("", "the following arguments are required: ACTION (see tfbind background --help)"),
        ("fit g.fa", "the following arguments are required: -o/--output (see tfbind background fit --help)"),
        ("fit g.fa -o bg.h5", "--output is bg.h5, expected a name that ends in .keras"),
        ("fit none.fa -o bg.keras", "none.fa: no such file"),
        ("fit g.fa --cell qrnn -o bg.keras", "argument --cell: invalid choice: 'qrnn'"),
        ("sample bg.keras --length 5 -o s.fa", "the following arguments are required: --n"),
        ("sample none.keras --n 1 --length 5 -o s.fa", "none.keras: no such file"),
        ("sample none.keras --n 1 --length 5 --temperature 0 -o s.fa", "argument --temperature: found '0'"),
    ],
)
def test_users_faults(argv, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["background", *argv.split()]) == 2
    assert capsys.readouterr().err.startswith(f"tfbind: error: {message}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("action", ["fit", "sample"])
def test_help_explains_every_option(action, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["background", action, "--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: tfbind background {action}")
