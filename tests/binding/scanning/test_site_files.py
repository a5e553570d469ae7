import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from planted import SITE, Matrix, plant

from tfbind.binding.model.calibration import SiteCalibration
from tfbind.binding.scanning.score_table import Rows
from tfbind.binding.scanning.site_files import (
    HOLDS,
    SiteOptions,
    genome_note,
    narrow_peaks,
    read_maxima,
    site_paths,
    summary_path,
    write_sites,
)
from tfbind.binding.scanning.sites import Sites
from tfbind.dna.peaks import read_peaks
from tfbind.tables import open_table


def sites_of(*rows):
    """Sites of record, summit, probability, q and strand."""
    record, summit, probability, q, strand = (np.array(column) for column in zip(*rows, strict=True))
    refined = np.ones(len(rows), bool)
    return Sites(record, summit, probability, probability, q, refined, strand, "", 0)


class TestPaths:
    def test_one_factor(self):
        assert site_paths(Path("a/s.bed"), ["X"]) == [Path("a/s.bed")]

    def test_several_factors(self):
        assert site_paths(Path("a/s.bed.gz"), ["X", "Y/Z"]) == [Path("a/s.X.bed.gz"), Path("a/s.Y_Z.bed.gz")]
        assert site_paths(Path("s.narrowPeak"), ["X", "Y"])[1] == Path("s.Y.narrowPeak")

    def test_summary(self):
        assert summary_path(Path("a/s.bed.gz")) == Path("a/s.bed.gz.json")


class TestReadMaxima:
    @pytest.mark.parametrize("divided", [(0, 6), (0, 2, 6), (0, 1, 3, 4, 5, 6)])
    def test_records_are_told_apart_by_their_first_window(self, divided):
        start, end = np.array([0, 5, 10, 0, 0, 0]), np.array([10, 15, 20, 7, 0, 10])
        scores = np.array([0.1, 0.9, 0.2, 0.5, np.nan, 0.75])
        scores = np.stack([scores, [0.9, 0.1, 0.8, np.nan, np.nan, 0.25]], axis=1)
        rows = Rows(("a", "a", "a", "a", "b", "c"), start, end, scores)
        # wherever they are divided
        blocks = [Rows(*(values[first:last] for values in rows)) for first, last in pairwise(divided)]
        maxima, n_windows = read_maxima(blocks, 2, 20)
        record, start, middle, _, score = maxima[0].joined()
        assert (record.tolist(), start.tolist(), middle.tolist()) == ([0, 1, 3], [5, 0, 0], [10, 3, 5])
        assert score == pytest.approx([np.log(9), 0, np.log(3)])
        assert maxima[1].joined()[0].tolist() == [0, 3]
        assert n_windows == 6


class TestNarrowPeaks:
    def test_rows(self, tmp_path):
        sites = sites_of(
            (0, 500, 0.9991, 0.0009, "+"),
            (0, 600, 0.5, 0.25, "-"),
            (1, 3, 1.0, 0.0, "."),
            (1, 99, 0.75, 0.1, "-"),
        )
        called = np.array([True, False, True, True])
        lines = list(narrow_peaks(sites, called, {0: ("I", 1000), 1: ("II", 100)}, "Reb1", 75))
        assert lines[0] == f"I\t463\t538\tReb1_1\t999\t+\t0.9991\t-1\t{-np.log10(0.0009):.6g}\t37\n"
        assert lines[1] == "II\t0\t41\tReb1_2\t1000\t.\t1\t-1\t300\t3\n"
        assert lines[2] == "II\t62\t100\tReb1_3\t750\t-\t0.75\t-1\t1\t37\n"
        # as a reader of peaks sees them
        path = tmp_path / "s.bed"
        path.write_text("".join(lines))
        peaks = read_peaks(path)
        assert [(peak.contig, peak.summit, peak.signal) for peak in peaks] == [
            ("I", 500, 0.9991),
            ("II", 3, 1.0),
            ("II", 99, 0.75),
        ]

    def test_those_of_one_contig_do_not_overlap(self):
        sites = sites_of(*((0, at, 0.9, 0.1, "+") for at in range(40, 1000, 75)))
        lines = narrow_peaks(sites, np.ones(len(sites.record), bool), {0: ("I", 1000)}, "X", 75)
        start, end = np.array([line.split("\t")[1:3] for line in lines], int).T
        assert (start[1:] == end[:-1]).all()


class TestWriteSites:
    def test_planted_sites_of_two_factors(self, tmp_path):
        rng = np.random.default_rng(9)
        other = "GGATTTCAGGTAC"
        starts = np.arange(100, 5000, 200)
        letters = plant(rng, 5_100, starts[::2], ["+"] * 13)
        letters = letters[:-1] + "a"
        for at in starts[1::2]:
            letters = letters[:at] + other + letters[at + len(other) :]
        (tmp_path / "g.fa").write_text(f">none\n{'ACGT' * 20}\n>I\n{letters}\n")
        model, rows = Matrix(SITE, other), ["id\tstart\tend\tTF0\tTF1\tnote\n"]
        for name, sequence in (("none", "ACGT" * 20), ("I", letters)):
            codes = np.array(["ACGT".index(letter) for letter in sequence.upper()], np.uint8)
            for at in range(0, len(sequence) - 59, 10):
                p = 1 / (1 + np.exp(-model.logits(codes[None, at : at + 60], None)[0]))
                rows.append(f"{name}\t{at}\t{at + 60}\t{p[0]:.6g}\t{p[1]:.6g}\t\n")
        (tmp_path / "t.tsv").write_text("".join(rows))
        options = SiteOptions(tmp_path / "s.bed", tmp_path / "g.fa", 10, 45, fdr=0.01)
        found = {}
        with open_table(tmp_path / "a.bed") as a, open_table(tmp_path / "b.bed") as b:
            files = [(a, lambda one: found.update(a=one)), (b, lambda one: found.update(b=one))]
            write_sites(tmp_path / "t.tsv", model, options, 512, files)
        for name, planted in (("a", starts[::2]), ("b", starts[1::2])):
            lines = [line.split("\t") for line in (tmp_path / f"{name}.bed").read_text().splitlines()]
            assert {line[0] for line in lines} == {"I"}
            assert [int(line[1]) + int(line[9]) for line in lines] == (planted + 6).tolist()
            assert found[name]["sites"] == len(planted) == len(lines)
            assert found[name]["windows"] == len(rows) - 1
            json.dumps(found[name], allow_nan=False)
        assert (found["a"]["factor"], found["b"]["factor"]) == ("TF0", "TF1")
        assert found["a"]["notes"] == [genome_note(model, 0)]


class TestGenomeNote:
    def test_of_a_model_that_knows_nothing_of_the_genome(self):
        assert "knows nothing of how many sites a genome has" in genome_note(Matrix(SITE), 0)
        assert not genome_note(Matrix(SITE), 0).startswith(HOLDS)

    def test_with_a_prevalence(self):
        assert genome_note(Matrix(SITE), 0, 0.001).startswith(f"{HOLDS} where 0.001 of the windows")

    def test_of_a_calibrated_model(self):
        model = Matrix(SITE, SITE[:5])
        model.card.sites = SiteCalibration(
            slope=(1.0, None),
            intercept=(-3.0, None),
            expected_per_mb=(62.5, None),
            stride=10,
            distance=75,
            contigs=("XIII", "XV"),
        )
        assert genome_note(model, 0) == (
            f"{HOLDS} for genomes with 62.5 sites of TF0 per Mb (calibrated on XIII, XV) and scans every 10 bases"
        )
        assert "knows nothing" in genome_note(model, 1)
