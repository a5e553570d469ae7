import gzip
import json

import pytest

from tfbind import cli
from tfbind.cli import recombination_enrichment
from tfbind.recombination.enrichment import measure as enrichment

HEADER = "chrom\tstart\tend\tn_sites\trate\trate_lower\trate_upper\tnote\n"
HOT = range(55_000, 1_000_000, 100_000)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [(at, "6e-8" if at in HOT else "2e-8") for at in range(0, 1_000_000, 5_000)]
    text = HEADER + "".join(f"chr20\t{at}\t{at + 5_000}\t9\t{rate}\t1e-9\t1e-7\t\n" for at, rate in rows)
    (tmp_path / "map.tsv").write_text(text)
    mu = "# rates are r/mu (no mutation rate was given)\n" + text.replace("e-8", "").replace(
        "1e-9", "0.1"
    ).replace("1e-7", "10")
    (tmp_path / "mu.tsv").write_text(mu)
    (tmp_path / "sites.bed").write_text("".join(f"20\t{at + 2_000}\t{at + 3_000}\n" for at in HOT))


def enrich(*argv, of="map.tsv", sites="sites.bed"):
    given = ["--map", of, "--sites", sites, "--permutations", "50", "-o", "out"]
    return cli.main(["recombination", "enrichment", *given, *argv])


def metrics():
    with open("out/metrics.json") as handle:
        return json.load(handle)


def test_folder(capsys, tmp_path):
    assert enrich() == 0
    assert capsys.readouterr().out == ""
    assert metrics()["ratio"] == pytest.approx(3)
    assert metrics()["ratio_ci95"] == pytest.approx([3, 3])
    assert metrics()["p"] == pytest.approx(2 / 51)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "metrics.json",
        "notes.json",
        "profile.svg",
        "profile.tsv",
        "sites.tsv",
    ]


def test_rates_per_mutation():
    assert enrich(of="mu.tsv") == 0
    assert metrics()["ratio"] == pytest.approx(3)
    assert metrics()["rate_unit"] == "r/mu"


def test_beds_of_any_dress(tmp_path):
    lines = [
        "track name=x",
        "# made by hand",
        *(tmp_path / "sites.bed").read_text().splitlines(),
        "X\t1\t2",
        "",
    ]
    (tmp_path / "dressed.bed.gz").write_bytes(gzip.compress("\r\n".join(lines).encode()))
    assert enrich(sites="dressed.bed.gz") == 0
    assert (metrics()["n_used"], metrics()["n_contig_not_in_map"]) == (10, 1)
    assert metrics()["ratio"] == pytest.approx(3)


def test_sites_of_macs_and_peak_format(tmp_path):
    # the summit is in the hot window, the midpoint 20 kb past it
    names = (
        "chr\tstart\tend\tlength\tabs_summit\tpileup\t-log10(pvalue)\tfold_enrichment\t-log10(qvalue)\tname\n"
    )
    rows = "".join(f"20\t{at + 1}\t{at + 45_000}\t45000\t{at + 2501}\t9\t9\t9\t9\tp\n" for at in HOT)
    (tmp_path / "peaks.xls").write_text(names + rows)
    assert enrich(sites="peaks.xls") == 0
    assert metrics()["ratio"] == pytest.approx(3)
    assert enrich("--peak-format", "table", sites="peaks.xls") == 0
    assert metrics()["ratio"] == pytest.approx(3)
    (tmp_path / "peaks.bed").write_text(rows)
    assert enrich("--peak-format", "bed", sites="peaks.bed") == 0
    assert metrics()["ratio"] < 1  # some controls are hot


def test_options():
    given = ("--window", "15000", "--flank", "20000", "--controls", "10", "--block", "200000", "--seed", "3")
    assert enrich(*given) == 0
    names = ("window", "flank", "block_bp", "seed", "n_permutations")
    assert [metrics()[name] for name in names] == [15_000, 20_000, 200_000, 3, 50]
    assert metrics()["ratio"] == pytest.approx(5 / 3)


def test_defaults_are_those_of_the_package():
    args = cli.make_parser().parse_args(
        ["recombination", "enrichment", "--map", "a", "--sites", "b", "-o", "c"]
    )
    assert (args.window, args.flank, args.seed) == (None, None, 0)
    for name in ("CONTROLS", "PERMUTATIONS", "BLOCK"):
        assert getattr(args, name.lower()) == getattr(enrichment, name)
        assert getattr(recombination_enrichment, name) == getattr(enrichment, name)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--map", "none.tsv"], "none.tsv: no such file"),
        (["--sites", "none.bed"], "none.bed: no such file"),
        (["--sites", "empty.bed"], "empty.bed: holds no peak, expected lines of contig, start, end"),
        (["--sites", "wrong.bed"], "wrong.bed: line 2: end (5) must be greater than start (9)"),
        (
            ["--sites", "other.bed"],
            "other.bed: 1 of 1 contigs ('X') are not in map.tsv (its contigs: 'chr20')",
        ),
        (["--sites", "beyond.bed"], "none of 1 sites counts (0 contig_not_in_map, 0 duplicate, 1 no_rate"),
        (["--window", "0"], "argument --window: found '0', expected a whole number of at least 1"),
        (["--controls", "1.5"], "argument --controls: found '1.5'"),
        (["--seed", "-1"], "argument --seed: found '-1'"),
        (["-o", "sites.bed"], "--output sites.bed is the file of --sites"),
        (["-o", "empty.bed"], "empty.bed: is a file, expected a folder for the results"),
    ],
)
def test_wrong_input_is_one_line(argv, message, capsys, tmp_path):
    (tmp_path / "empty.bed").write_text("# nothing\n")
    (tmp_path / "wrong.bed").write_text("20\t1\t2\n20\t9\t5\n")
    (tmp_path / "other.bed").write_text("X\t1\t2\n")
    (tmp_path / "beyond.bed").write_text("20\t9000000\t9000010\n")
    assert enrich(*argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1].startswith(f"tfbind: error: {message}")
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()
