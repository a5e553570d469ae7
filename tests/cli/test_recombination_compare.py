import gzip

import pandas as pd
import pytest

from tfbind import cli


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, rates in (("a.bg", (1, 2, 3, 4)), ("b.bg", (2, 1, 4, 3)), ("truth.bg", (1, 3, 5, 7))):
        rows = [f"1 {100 * i} {100 * i + 100} {rate}\n" for i, rate in enumerate(rates)]
        (tmp_path / name).write_text("".join(rows))


def compare(*argv, maps=("a.bg", "b.bg"), output="out/table.tsv"):
    given = ["--maps", *maps, "--truth", "truth.bg", "-o", output]
    return cli.main(["recombination", "compare", *given, *argv])


@pytest.mark.parametrize(("argv", "names"), [((), ["a.bg", "b.bg"]), (("--names", "x,y"), ["x", "y"])])
def test_table_and_figure(argv, names, tmp_path):
    assert compare("--scales", "100", *argv) == 0
    table = pd.read_csv("out/table.tsv", sep="\t")
    assert table["map"].tolist() == names
    assert table["n_windows"].tolist() == [4, 4]
    assert table["pearson"].tolist() == pytest.approx([1, 0.6])
    assert table["pearson_difference"][1] == pytest.approx(-0.4)
    assert table["bias_ratio"].tolist() == pytest.approx([10 / 16, 10 / 16])
    assert table["pearson_difference_ci95_low"].isna().all()
    assert names[1] in (tmp_path / "out" / "table.svg").read_text()


def test_maps_of_which_one_is_per_mutation(tmp_path):
    line = "# rates are r/mu (no mutation rate was given)\n"
    (tmp_path / "b.bg").write_text(line + (tmp_path / "b.bg").read_text())
    assert compare("--scales", "100", "--map-unit", "per-bp") == 0
    table = pd.read_csv("out/table.tsv", sep="\t")
    assert table["bias_ratio"][0] == pytest.approx(1e8 * 10 / 16)
    assert table["pearson"][1] == pytest.approx(0.6)
    assert table[["bias_ratio", "mae", "r2"]].loc[1].isna().all()
    assert compare("--scales", "100", "--mutation-rate", "1e-8") == 0
    assert pd.read_csv("out/table.tsv", sep="\t")["bias_ratio"].tolist() == pytest.approx([10 / 16, 10 / 16])


def test_a_name_in_gz_is_packed(tmp_path):
    assert compare("--scales", "100", output="out/table.tsv.gz") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["table.svg", "table.tsv.gz"]
    with gzip.open("out/table.tsv.gz", "rt") as handle:
        assert len(handle.readlines()) == 3


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--maps", "a.bg"], "found 1 maps and 1 names, expected at least two maps and a name each"),
        (["--maps", "a.bg", "a.bg"], "--maps: found a.bg twice, expected each once"),
        (["--names", "x"], "found 2 maps and 1 names"),
        (["--names", "x,x"], "argument --names: found 'x,x'"),
        (["--maps", "a.bg", "none.bg"], "none.bg: no such file"),
        (["-o", "b.bg"], "--output b.bg is the file of --maps, choose another name"),
        (
            ["-o", "table.svg"],
            "--output table.svg is the figure's name, expected a name for the table, as in .tsv",
        ),
        (["-o", "truth.bg"], "--output truth.bg is the file of --truth"),
        ([], "no window is known to the truth and to all of a.bg, b.bg"),
    ],
)
def test_wrong_input_is_one_line(argv, message, capsys, tmp_path):
    assert compare(*argv) == 2
    err = capsys.readouterr().err
    assert err.splitlines()[-1].startswith(f"tfbind: error: {message}")
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()
    assert (tmp_path / "b.bg").read_text().startswith("1 0 100 2")
