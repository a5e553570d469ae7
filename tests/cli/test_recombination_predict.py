import errno
import gzip
import json
import subprocess
import sys

import msprime
import numpy as np
import pytest

from tfbind import cli
from tfbind.genotypes.vcf_writing import write_vcf
from tfbind.recombination.mapping.hotspots import FACTOR
from tfbind.recombination.maps.table import read_map


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """Six diploids on 300 kb, with a hotspot."""
    path = tmp_path_factory.mktemp("vcf") / "a.vcf.gz"
    rates = msprime.RateMap(position=[0, 150_000, 153_000, 300_000], rate=[4e-9, 4e-7, 4e-9])
    trees = msprime.sim_ancestry(12, population_size=1e4, recombination_rate=rates, random_seed=5)
    trees = msprime.sim_mutations(trees, rate=2e-8, model=msprime.BinaryMutationModel(), random_seed=5)
    positions = trees.tables.sites.position.astype(int)
    write_vcf(path, "c*1", 300_000, positions, trees.genotype_matrix().astype(np.int8), ploidy=2, phased=True)
    return path


@pytest.fixture
def vcf(packed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return packed


def predict(*argv, output="out/map.tsv"):
    return cli.main(["recombination", "predict", *map(str, argv), "--threads", "1", "-o", output])


def test_everything_that_is_written(vcf, tmp_path, capsys):
    given = ("--vcf", vcf, "--mutation-rate", "2e-8", "--resolution", "50000,5000", "--hapmap", "out/maps")
    assert predict(*given, "--bedgraph", "out/map.bg", "--hotspots", "out/h.bed", "--hotspot-factor", 3) == 0
    table, per_mutation = read_map(tmp_path / "out" / "map.tsv")
    assert not per_mutation
    assert set(table["scale"]) == {5_000, 50_000}
    found = msprime.RateMap.read_hapmap(tmp_path / "out" / "maps" / "c%2A1.txt", rate_col=2)
    assert found.total_mass == pytest.approx(
        (table["rate"] * (table["end"] - table["start"]))[table["scale"] == 5_000].sum(), rel=1e-4
    )
    assert len((tmp_path / "out" / "map.bg").read_text().splitlines()) == (table["scale"] == 5_000).sum()
    spots = [line.split("\t") for line in (tmp_path / "out" / "h.bed").read_text().splitlines()]
    assert any(int(spot[1]) < 153_000 and int(spot[2]) > 150_000 for spot in spots)
    assert capsys.readouterr().out == ""


def test_rates_are_per_mutation_where_its_rate_is_not_given(vcf, tmp_path, caplog):
    assert predict("--vcf", vcf, output="out/map.tsv.gz") == 0
    with gzip.open(tmp_path / "out" / "map.tsv.gz", "rt") as lines:
        assert next(lines) == "# rates are r/mu (no mutation rate was given)\n"
        assert next(lines) == "chrom\tstart\tend\tn_sites\trate\trate_lower\trate_upper\tnote\n"
    assert "rates will be r/mu, as no --mutation-rate is given" in caplog.text


def test_warnings_are_kept(vcf, tmp_path):
    assert predict("--vcf", vcf, "--notes", "out/notes.json") == 0
    assert "rates will be r/mu, as no --mutation-rate is given" in json.loads(
        (tmp_path / "out" / "notes.json").read_text()
    )


def test_the_same_twice(vcf, tmp_path):
    for name in ("a", "b"):
        assert predict("--vcf", vcf, "--mutation-rate", "1e-8", output=f"{name}.tsv") == 0
    assert (tmp_path / "a.tsv").read_bytes() == (tmp_path / "b.tsv").read_bytes()


def test_needs_no_tensorflow(vcf):
    code = (
        "import sys; from tfbind.cli import main\n"
        f"main(['recombination', 'predict', '--vcf', {str(vcf)!r}, '-o', 'x.tsv', '--threads', '1'])\n"
        "print('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_defaults():
    args = cli.make_parser().parse_args(["recombination", "predict", "--vcf", "a", "-o", "x"])
    assert args.resolution == (25_000,)
    assert args.hotspot_factor == FACTOR
    assert (args.model, args.mutation_rate, args.mask, args.samples) == (None, None, None, None)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--vcf", "none.vcf"], "none.vcf: no such file"),
        (
            ["--vcf", "VCF", "--hapmap", "maps"],
            "--hapmap is given without --mutation-rate or --genetic-length",
        ),
        (
            ["--vcf", "VCF", "--mutation-rate", "1.25"],
            "--mutation-rate: found 1.25, expected a number per bp",
        ),
        (["--vcf", "VCF", "--mutation-rate", "0"], "argument --mutation-rate: found '0'"),
        (
            ["--vcf", "VCF", "--resolution", "1e5"],
            "argument --resolution: found '1e5', expected whole numbers",
        ),
        (["--vcf", "VCF", "--resolution", "100,"], "argument --resolution: found '100,'"),
        (["--vcf", "VCF", "--model", "none.keras"], "none.keras: no such file"),
        (["--vcf", "VCF", "--mask", "none.bed"], "none.bed: no such file"),
        (["--vcf", "VCF", "--samples", "none.txt"], "none.txt: no such file"),
        (
            ["--vcf", "VCF", "--diversity", "2"],
            "argument --diversity: found '2', expected a number above 0 and below 1",
        ),
        (["--vcf", "none.vcf", "--diversity", "5"], "argument --diversity: found '5'"),
        (["--vcf", "VCF", "--bedgraph", "out/map.tsv"], "--output out/map.tsv is the file of --bedgraph"),
        (["--vcf", "VCF", "--hotspots", "VCF"], "--hotspots"),
    ],
)
def test_wrong_input_is_one_line(argv, message, vcf, capsys, tmp_path):
    assert predict(*[str(vcf) if part == "VCF" else part for part in argv]) == 2
    err = capsys.readouterr().err
    assert f"tfbind: error: {message}" in err
    assert "Traceback" not in err
    assert not list(tmp_path.rglob("map*"))


@pytest.mark.parametrize("name", ["files.sha256", "table.write_text"])
def test_a_failure_leaves_no_folder(name, vcf, tmp_path, monkeypatch, capsys):
    def full(path, *_):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(f"tfbind.recombination.maps.{name}", full)
    given = ("--vcf", vcf, "--mutation-rate", "2e-8", "--hapmap", "new/maps", "--bedgraph", "new/a/map.bg")
    # the map in the folder is whole where it is what comes later that fails
    assert predict(*given) == 2
    assert "No space left on device" in capsys.readouterr().err
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert left == ([] if name == "files.sha256" else ["new", "new/maps", *left[2:]])


class TestGeneticLength:
    def test_scales_rates_intervals_and_hotspots(self, vcf, tmp_path, caplog):
        given = ("--vcf", vcf, "--mutation-rate", "2e-8", "--hotspot-factor", 3)
        assert predict(*given, "--hotspots", "plain.bed", output="plain.tsv") == 0
        scaled = ("--genetic-length", "7.5", "--hotspots", "scaled.bed", "--notes", "notes.json")
        assert (
            predict(*given, *scaled, "--map", "gmap:map.gmap", "--map", "plink:map.map", output="scaled.tsv")
            == 0
        )
        before, after = (read_map(tmp_path / name)[0] for name in ("plain.tsv", "scaled.tsv"))
        width = before["end"] - before["start"]
        factor = 0.075 / (before["rate"] * width).sum()
        for name in ("rate", "rate_lower", "rate_upper"):
            np.testing.assert_allclose(after[name], before[name] * factor, rtol=1e-5)
        [note] = [note for note in json.loads((tmp_path / "notes.json").read_text()) if "multiplied" in note]
        mean = (before["rate"] * width).sum() / width.sum()
        assert note == (
            f"contig c*1: rates multiplied by {factor:.4g} to the genetic length given;"
            f" their mean was {mean:.4g} before"
        )
        plain, spots = (
            np.loadtxt(tmp_path / name, usecols=8, ndmin=1) for name in ("plain.bed", "scaled.bed")
        )
        np.testing.assert_allclose(spots, plain * factor, rtol=1e-4)
        assert float((tmp_path / "map.gmap").read_text().split()[-1]) == pytest.approx(7.5)
        assert float((tmp_path / "map.map").read_text().split()[-2]) == pytest.approx(7.5)

    def test_makes_a_mutation_rate_needless(self, vcf, tmp_path):
        assert predict("--vcf", vcf, "--genetic-length", "7.5", "--hapmap", "maps") == 0
        table, per_mutation = read_map(tmp_path / "out" / "map.tsv")
        assert not per_mutation
        assert 100 * (table["rate"] * (table["end"] - table["start"])).sum() == pytest.approx(7.5, rel=1e-5)

    @pytest.mark.parametrize(
        ("argv", "message"),
        [
            (("--genetic-length", "-1"), "-1"),
            (("--genetic-length", "cm.txt"), "contigs"),
            (("--map", "vcf:x"), "found 'vcf:x', expected FORMAT:FILE with FORMAT one of hapmap, plink"),
            (("--map", "gmap:x"), "--map is given without --mutation-rate or --genetic-length"),
            (("--mutation-rate", "1e-8", "--map", "gmap:out/map.tsv"), "is the file of --"),
        ],
    )
    def test_what_is_refused(self, argv, message, vcf, tmp_path, capsys):
        (tmp_path / "cm.txt").write_text("chr9 100\n")
        try:
            status = predict("--vcf", vcf, *argv)
        except SystemExit as error:
            status = error.code
        assert status == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "out" / "map.tsv").exists()


class TestRealFiles:
    @staticmethod
    def lines(packed):
        return gzip.decompress(packed.read_bytes()).decode().splitlines(keepends=True)

    def test_one_bad_record_is_left_out_and_in_the_notes(self, vcf, tmp_path, capsys):
        text = self.lines(vcf)
        (tmp_path / "good.vcf").write_text("".join(text))
        text.insert(20, text[20].replace("\t0|", "\t3|").replace("\t1|", "\t3|"))
        (tmp_path / "bad.vcf").write_text("".join(text))
        assert predict("--vcf", "good.vcf", output="good.tsv") == 0
        assert predict("--vcf", "bad.vcf", "--notes", "notes.json", output="bad.tsv") == 0
        notes = json.loads((tmp_path / "notes.json").read_text())
        assert any("left out 1 of" in note and "bad.vcf: line 21: sample" in note for note in notes)
        good, bad = (read_map(tmp_path / name)[0] for name in ("good.tsv", "bad.tsv"))
        # a site more that could have been lowers the rates a little
        np.testing.assert_allclose(bad["rate"], good["rate"], rtol=0.01)
        capsys.readouterr()
        assert predict("--vcf", "bad.vcf", "--strict", output="strict.tsv") == 2
        assert "bad.vcf: line 21: sample" in capsys.readouterr().err
        assert not (tmp_path / "strict.tsv").exists()

    def test_a_file_without_a_site_that_can_be_used(self, vcf, tmp_path, capsys):
        text = []
        for line in self.lines(vcf):
            columns = line.split("\t")
            if not line.startswith("#"):
                columns[6] = "q10"
            text.append("\t".join(columns))
        (tmp_path / "filtered.vcf").write_text("".join(text))
        assert predict("--vcf", "filtered.vcf", "--notes", "notes.json") == 2
        error = capsys.readouterr().err
        assert "filtered.vcf: has no site that can be used:" in error
        assert "with a FILTER other than PASS" in error
        assert not (tmp_path / "out" / "map.tsv").exists()

    @pytest.mark.parametrize("value", ["1", "-0.1", "x"])
    def test_an_inbreeding_coefficient_is_below_one(self, value, vcf, capsys):
        assert predict("--vcf", vcf, f"--inbreeding={value}") == 2
        assert "expected auto, or a number of at least 0 and below 1" in capsys.readouterr().err

    def test_inbreeding_raises_rates_and_is_noted(self, vcf, tmp_path):
        assert predict("--vcf", vcf, output="plain.tsv") == 0
        assert (
            predict("--vcf", vcf, "--inbreeding", "0.75", "--notes", "notes.json", output="selfed.tsv") == 0
        )
        plain, selfed = (read_map(tmp_path / name)[0] for name in ("plain.tsv", "selfed.tsv"))
        for name in ("rate", "rate_lower", "rate_upper"):
            np.testing.assert_allclose(selfed[name], 4 * plain[name], rtol=1e-5)
        with_rates = selfed["rate"].notna()
        assert selfed["note"][with_rates].str.contains("inbreeding_corrected").all()
        assert not selfed["note"][~with_rates].str.contains("inbreeding_corrected").any()
        assert any(
            "rates divided by 1 - F" in note for note in json.loads((tmp_path / "notes.json").read_text())
        )


class TestPloidy:
    def test_is_stated_by_a_file(self, vcf, tmp_path, caplog):
        (tmp_path / "p.txt").write_text("c*1 * * * 2\n")
        assert predict("--vcf", vcf, "--ploidy", tmp_path / "p.txt") == 0
        assert predict("--vcf", vcf, "--ploidy", "auto", output="out/auto.tsv") == 0
        assert (tmp_path / "out" / "map.tsv").read_text() == (tmp_path / "out" / "auto.tsv").read_text()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("c*1 * * * 1\n", "is stated haploid by"),
            ("c2 * * * 2\n", "found the contig 'c2', which is not in"),
            ("c*1 * * nobody 2\n", "line 1: found 'nobody', expected a sample of"),
            ("c*1 * * * 4\n", "maps of polyploids cannot be made"),
        ],
    )
    def test_what_the_calls_contradict_is_one_line(self, vcf, tmp_path, capsys, text, message):
        (tmp_path / "p.txt").write_text(text)
        assert predict("--vcf", vcf, "--ploidy", tmp_path / "p.txt") == 2
        assert message in capsys.readouterr().err.splitlines()[-1]
        assert not (tmp_path / "out" / "map.tsv").exists()


def test_pseudo_haploids_are_refused(vcf, tmp_path, capsys):
    assert predict("--vcf", vcf, "--pseudo-haploid") == 2
    assert "--pseudo-haploid: no map can be made of one random allele a site" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
