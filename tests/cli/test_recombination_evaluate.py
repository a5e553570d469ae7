import json

import pandas as pd
import pytest

from tfbind import cli
from tfbind.cli.recombination_evaluate import UNITS
from tfbind.recombination.mapping.hotspots import FACTOR
from tfbind.recombination.maps import reading as truth
from tfbind.recombination.maps.table import read_map, write_bedgraph

HEADER = "chrom\tstart\tend\tn_sites\trate\trate_lower\trate_upper\tnote\n"
ROWS = (
    "chr1\t0\t100\t5\t1e-8\t5e-9\t2e-8\t\n"
    "chr1\t100\t200\t5\t3e-8\t1e-8\t4e-8\t\n"
    "chr1\t200\t300\t0\tNA\tNA\tNA\tfew\n"
)
TRUTH = (
    "Chromosome\tPosition(bp)\tRate(cM/Mb)\tMap(cM)\n1\t1\t2\t0\n1\t101\t5\t0\n1\t201\t1\t0\n1\t301\t0\t0\n"
)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "map.tsv").write_text(HEADER + ROWS)
    rows = ROWS.replace("5e-9", "0.5").replace("e-8", "")
    (tmp_path / "mu.tsv").write_text("# rates are r/mu (no mutation rate was given)\n" + HEADER + rows)
    (tmp_path / "truth.txt").write_text(TRUTH)


def evaluate(*argv, of="map.tsv"):
    return cli.main(["recombination", "evaluate", "--map", of, "--truth", "truth.txt", "-o", "out", *argv])


def metrics():
    with open("out/metrics.json") as handle:
        return json.load(handle)


def test_metrics_windows_and_figures(capsys):
    assert evaluate("--scales", "200,100") == 0
    assert capsys.readouterr().out == ""
    assert list(metrics()) == ["100", "200"]
    assert metrics()["100"] == {
        "n_windows": 2,
        "n_short": 0,
        "n_no_prediction": 1,
        "n_no_truth": 0,
        "pearson": None,
        "pearson_log": None,
        "spearman": None,
        "r2": pytest.approx(1 - 5 / 4.5),
        "mae": pytest.approx(1.5e-8),
        "rmse": pytest.approx(2.5e-16**0.5),
        "bias_ratio": pytest.approx(4 / 7),
        "coverage95": 0.5,
        "n_intervals": 2,
    }
    assert metrics()["200"]["bias_ratio"] == pytest.approx(4 / 7)
    assert metrics()["200"]["coverage95"] is None
    windows = pd.read_csv("out/windows.tsv", sep="\t", keep_default_na=False, dtype=str)
    assert windows.loc[2].tolist() == [
        "chr1",
        "200",
        "300",
        "100",
        "NA",
        "1e-08",
        "NA",
        "NA",
        "few;no_prediction",
    ]


def test_hotspots_are_judged_too(tmp_path):
    (tmp_path / "spots.bed").write_text("track name=x\r\nchr1\t0\t100\r\n")
    assert evaluate("--scales", "100", "--hotspots", "spots.bed") == 0
    assert list(metrics()) == ["100", "hotspots"]
    assert metrics()["hotspots"] == {
        "factor": 5,
        "n_true": 0,
        "n_called": 0,
        "n_left_out": 1,
        "recall": None,
        "precision": None,
    }
    with open("out/notes.json") as handle:
        assert any(note.startswith("hotspots: 0 called and 0 true") for note in json.load(handle))


@pytest.mark.parametrize(("argv", "n_true"), [((), 1), (("--hotspot-factor", "20"), 0)])
def test_hotspots_of_the_truth_have_the_factor_that_is_given(argv, n_true, tmp_path):
    rows = [f"1 {kb}000 {kb + 5}000 {10 if kb == 50 else 1}\n" for kb in range(0, 200, 5)]
    (tmp_path / "both.bg").write_text("".join(rows))
    (tmp_path / "spots.bed").write_text("")
    given = ("--scales", "5000", "--truth", "both.bg", "--hotspots", "spots.bed", *argv)
    assert evaluate(*given, of="both.bg") == 0
    assert metrics()["hotspots"]["n_true"] == n_true


def test_a_given_unit(tmp_path):
    (tmp_path / "truth.txt").write_text(TRUTH.replace("\t2\t", "\t2e-8\t").replace("\t5\t", "\t5e-8\t"))
    assert evaluate("--scales", "100", "--truth-unit", "per-bp") == 0
    assert metrics()["100"]["bias_ratio"] == pytest.approx(4 / 7)


@pytest.mark.parametrize(("unit", "factor"), [("cM/Mb", 1), ("per-bp", 1e8)])
def test_a_given_unit_of_the_map(unit, factor, tmp_path):
    (tmp_path / "map.bg").write_text("chr1 0 100 1\nchr1 100 200 3\n")
    assert evaluate("--scales", "100", "--map-unit", unit, of="map.bg") == 0
    assert metrics()["100"]["bias_ratio"] == pytest.approx(4 / 7 * factor)
    # population-scaled rates are converted first
    assert (*UNITS, "rho") == truth.UNITS


def test_a_given_unit_leaves_a_map_that_tells_its_own(caplog):
    caplog.set_level("INFO")
    assert evaluate("--scales", "100", "--map-unit", "cM/Mb") == 0
    assert metrics()["100"]["bias_ratio"] == pytest.approx(4 / 7)
    assert "map.tsv: tells the unit of its rates, which --map-unit does not change" in caplog.text


@pytest.mark.parametrize("of", ["mu.tsv", "mu.bg"])
@pytest.mark.parametrize(("argv", "bias"), [((), None), (("--mutation-rate", "1e-8"), 4 / 7)])
def test_rates_per_mutation(of, argv, bias, tmp_path):
    table, _ = read_map(tmp_path / "mu.tsv")
    write_bedgraph(tmp_path / "mu.bg", table, per_mutation=True)
    assert evaluate("--scales", "100", *argv, of=of) == 0
    assert metrics()["100"]["n_windows"] == 2
    assert metrics()["100"]["bias_ratio"] == (bias if bias is None else pytest.approx(bias))


def test_defaults():
    args = cli.make_parser().parse_args(
        ["recombination", "evaluate", "--map", "a", "--truth", "b", "c", "-o", "d"]
    )
    assert args.scales == (25_000, 100_000, 1_000_000)
    assert args.hotspot_factor == FACTOR
    assert (args.truth_unit, args.mutation_rate, len(args.truth)) == (None, None, 2)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--scales", "0"], "argument --scales: found '0', expected bp such as 25000,100000, each once"),
        (["--scales", "100,100"], "argument --scales: found '100,100'"),
        (["--scales", "1e5"], "argument --scales: found '1e5'"),
        (["--map-unit", "M"], "argument --map-unit: invalid choice: 'M'"),
        (["--hotspot-factor", "0"], "argument --hotspot-factor: found '0', expected a number above 0"),
        (["--truth-unit", "M"], "argument --truth-unit: invalid choice: 'M'"),
        (["--mutation-rate", "0"], "argument --mutation-rate: found '0'"),
        (["--map", "none.tsv"], "none.tsv: no such file"),
        (["--hotspots", "none.bed"], "none.bed: no such file"),
        (["--truth", "none.tsv"], "none.tsv: no such file"),
        (["--truth", "map.tsv", "mu.tsv"], "mu.tsv: found r/mu and rates per bp in one set of files"),
        (["--truth", "truth.txt", "truth.txt"], "truth.txt: found contig '1' again"),
        (["-o", "map.tsv"], "--output map.tsv is the file of --map"),
        (["-o", "truth.txt"], "--output truth.txt is the file of --truth"),
        ([], "no window of 25,000, 100,000, 1,000,000 bp has both a prediction and a truth over 90% of it"),
    ],
)
def test_wrong_input_is_one_line(argv, message, capsys, tmp_path):
    assert evaluate(*argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"tfbind: error: {message}")
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()
