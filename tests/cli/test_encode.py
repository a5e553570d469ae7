import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from tfbind import cli
from tfbind.binding.options import EncodeOptions
from tfbind.cli.encode import check, factor_name, fractions
from tfbind.dna.encoding import DnaEncoding
from tfbind.errors import TfbindError
from tfbind.tensors import open_tensors


def parse(*argv):
    return cli.make_parser().parse_args(["encode", *argv, "-o", "t.h5"])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("CTCF.fa").write_text(
        ">chr1:0-12\nACGTTGCAAGCT\n>chr2:0-12\nGGTCATTCAGAC\n>chr3:0-12\nCCTAGATTACAG\n"
    )
    Path("neg.fa").write_text(">n1\nTTGACCAGTACA\n>n2\nCATCAGGATACC\n")
    Path("labels.tsv").write_text("id\tA\tB\nn1\t1\t0\nn2\t0\t1\n")
    return tmp_path


def test_defaults_are_those_of_the_table():
    args = parse("--positives", "p.fa")
    found = {field.name: getattr(args, field.name) for field in fields(EncodeOptions)}
    assert EncodeOptions(**found) == EncodeOptions()


def test_every_option_reaches_the_tensors(folder, capsys):
    argv = "--positives CTCF.fa --length 10 --encoding kmer --k 3 --stride 1 --negative-ratio 2"
    argv += " --test-contigs chr1 --validation-contigs chr2 --seed 3 -o out/t.h5"
    assert cli.main(["encode", *argv.split()]) == 0
    assert capsys.readouterr().out == ""
    with open_tensors("out/t.h5") as tensors:
        assert tensors.encoding == DnaEncoding(encoding="kmer", length=10, k=3, stride=1)
        assert tensors.tasks == ("CTCF",)
        assert tensors.split.tolist() == [2, 1, 0, 2, 2, 1, 1, 0, 0]
    summary = json.loads(Path("out/t.summary.json").read_text())
    assert summary["parts"]["CTCF"]["test"] == {"unbound": 2, "bound": 1}


def test_negatives(folder):
    argv = "encode --positives CTCF.fa --negatives neg.fa --factor MAX --split 1,0,0"
    assert cli.main([*argv.split(), "-o", "t.h5"]) == 0
    with open_tensors("t.h5") as tensors:
        assert tensors.tasks == ("MAX",)
        assert tensors.y[:, 0].tolist() == [1, 1, 1, 0, 0]
        assert set(tensors.split) == {0}


def test_labels(folder):
    assert cli.main(["encode", "--fasta", "neg.fa", "--labels", "labels.tsv", "-o", "t.h5"]) == 0
    with open_tensors("t.h5") as tensors:
        assert tensors.tasks == ("A", "B")
        assert tensors.y.tolist() == [[1, 0], [0, 1]]


def test_table(folder):
    Path("t.csv").write_text("sequence,label\nACGTTGCAAG,1\nCCTAGATTAC,0\n")
    Path("dev.csv").write_text("sequence,label\nGGTCATTCAG,1\nTTGACCAGTA,0\n")
    argv = "encode --table t.csv --validation-table dev.csv --length 10 --split 1,0,0 -o t.h5"
    assert cli.main(argv.split()) == 0
    with open_tensors("t.h5") as tensors:
        assert tensors.tasks == ("t",)
        assert tensors.y[:, 0].tolist() == [1, 0, 1, 0]
        assert tensors.split.tolist() == [0, 0, 1, 1]
    assert cli.main([*argv.split(), "--factor", "MAX"]) == 0
    with open_tensors("t.h5") as tensors:
        assert tensors.tasks == ("MAX",)
    Path("u.csv").write_text("sequence,A,B,note\nACGTTGCAAG,1,0,x\nCCTAGATTAC,0,1,y\n")
    assert (
        cli.main(["encode", "--table", "u.csv", "--label-columns", "B,A", "--split", "1,0,0", "-o", "t.h5"])
        == 0
    )
    with open_tensors("t.h5") as tensors:
        assert tensors.tasks == ("B", "A")
        assert tensors.y.tolist() == [[0, 1], [1, 0]]


def test_what_is_wrong_in_a_table_is_one_line(folder, capsys):
    Path("t.csv").write_text("sequence,A,B\nACGT,1,bound\n")
    assert cli.main(["encode", "--table", "t.csv", "-o", "t.h5"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        "tfbind: error: t.csv: line 2: column 'B': found 'bound', expected 1, 0 or nothing; if the column is not a"
        " label, name those that are with --label-columns"
    )
    assert not Path("t.h5").exists()


def test_files_by_part(folder):
    Path("test.fa").write_text(">chr1:0-12\nGTTCAAGCTACT\n")
    argv = "encode --positives CTCF.fa --test-positives test.fa --length 12 --split 1,0,0 -o t.h5"
    assert cli.main(argv.split()) == 0
    with open_tensors("t.h5") as tensors:
        # by its coordinates the first record is the one of the test part
        assert tensors.split.tolist() == [0, 0, 0, 0, 2, 2]
        assert tensors.text("id")[4] == "chr1:0-12_test"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ("", "found no input, expected one of --positives, --peaks"),
        ("--positives p --fasta f --labels l", "found --positives and --fasta, expected one of"),
        ("--negatives n", "found no input"),
        ("--peaks p", "--peaks and --genome go together"),
        ("--positives p --genome g", "--peaks and --genome go together"),
        ("--fasta f", "--fasta and --labels go together"),
        ("--positives p --labels l", "--fasta and --labels go together"),
        ("--peaks p --genome g --negatives n", "--negatives goes with --positives"),
        ("--fasta f --labels l --negatives n", "--negatives goes with --positives"),
        ("--positives p --negatives n --negative-method dinucleotide", "not with --negative-method"),
        ("--positives p --negatives n --negative-ratio 2", "--negative-ratio is for negatives that are made"),
        ("--fasta f --labels l --negative-ratio 2", "--negative-ratio is for negatives that are made"),
        ("--positives p --negative-method genome", "--negative-method genome needs --peaks and --genome"),
        ("--fasta f --labels l --negative-method dinucleotide", "--negative-method has no meaning"),
        ("--fasta f --labels l --factor CTCF", "--factor has no meaning"),
        ("--positives p --negative-method background", "--negative-method background and --background go"),
        ("--positives p --background b", "--negative-method background and --background go together"),
        ("--fasta f --labels l --background b", "--negative-method background and --background go together"),
        ("--positives p --exclude b --keep-excluded-positives", "leaves --exclude nothing to take"),
        ("--fasta f --labels l --exclude b --keep-excluded-positives", "and with --peaks or --positives"),
        ("--positives p --max-peaks 9", "--max-peaks goes with --peaks"),
        ("--positives p --peak-format bed", "--peak-format goes with --peaks"),
        ("--peaks p --genome g --keep-excluded-positives", "--keep-excluded-positives goes with --exclude"),
        ("--peaks p --genome g --strict --skip-invalid", "--strict refuses what --skip-invalid leaves out"),
        ("--table t --positives p", "found --positives and --table, expected one of"),
        ("--table t --labels l", "--fasta and --labels go together"),
        ("--table t --negatives n", "--negatives goes with --positives"),
        ("--table t --negative-method dinucleotide", "--table tells what is unbound"),
        ("--table t --negative-ratio 2", "--negative-ratio is for negatives that are made"),
        ("--table t --exclude b", "--exclude goes with FASTA or peaks, found --table"),
        ("--fasta f --labels l --label-columns A", "--label-columns goes with --table"),
        ("--positives p --validation-table v", "--validation-table goes with --table"),
        ("--table t --test-positives p", "--test-positives and --test-negatives go with --positives"),
        ("--peaks p --genome g --test-positives p", "--test-positives and --test-negatives go with --posit"),
        ("--positives p --test-negatives n", "--test-negatives goes with --test-positives"),
        ("--positives p --negatives n --test-positives t", "--negatives are given, but not --test-negatives"),
        ("--table t --test-table u --test-contigs 1", "found --test-table and contigs to hold out"),
        ("--positives p --folds 1", "--folds is 1, expected a whole number from 2 to 255"),
        ("--positives p --folds 256", "--folds is 256, expected a whole number from 2 to 255"),
        ("--positives p --encoding kmer --k 8", "--k is 8, expected at most 7"),
        ("--positives p --encoding kmer --length 3", "--k is 5, expected at most 7 and at most --length"),
        ("--positives p --encoding kmer --stride 6", r"--stride is 6, expected at most --k \(5\)"),
    ],
)
def test_contradictions(argv, message):
    with pytest.raises(TfbindError, match=message):
        check(parse(*argv.split()))


@pytest.mark.parametrize(
    "argv",
    [
        "--positives p",
        "--positives p --negatives n",
        "--positives p --negative-method dinucleotide --negative-ratio 2",
        "--peaks p --genome g --exclude b --max-peaks 9",
        "--peaks p --genome g --negative-method dinucleotide",
        "--peaks p --genome g --exclude b --keep-excluded-positives --peak-format macs --strict",
        "--positives p --skip-invalid",
        "--positives p --strict",
        "--positives p --negative-method background --background b",
        "--peaks p --genome g --negative-method background --background b",
        "--fasta f --labels l",
        "--fasta f --labels l --exclude b",
        "--positives p --exclude b",
        "--table t --factor CTCF --validation-table v --test-table u --label-columns A,B",
        "--positives p --validation-positives v --test-positives t --test-negatives n",
        "--positives p --negatives n --validation-positives v --validation-negatives m",
        "--positives p --negatives n --exclude b --keep-excluded-positives",
    ],
)
def test_no_contradiction(argv):
    check(parse(*argv.split()))


class TestFractions:
    def test_three_that_sum_to_1(self):
        assert fractions("0.7,0.2,0.1") == (0.7, 0.2, 0.1)
        assert fractions("1,0,0") == (1, 0, 0)

    @pytest.mark.parametrize(
        "text", ["0.8,0.2", "0.8,0.1,0.2", "0,0.5,0.5", "1.1,-0.1,0", "a,b,c", "", "nan,0.5,0.5", "inf,0,0"]
    )
    def test_refused(self, text):
        with pytest.raises(TfbindError, match=r"argument --split: found .*, expected fractions of train"):
            parse("--positives", "p", f"--split={text}")


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("CTCF.fa", "CTCF"),
        ("dir/CTCF.FA.GZ", "CTCF"),
        ("MYC.H1.fasta.bgz", "MYC.H1"),
        ("x.narrowPeak.gz", "x"),
        ("x_peaks.xls", "x_peaks"),
        (".fa", ".fa"),
        ("tf3.train.csv.gz", "tf3.train"),
        ("ctcf.TSV", "ctcf"),
    ],
)
def test_factor_name(name, factor):
    assert factor_name(Path(name)) == factor


class TestPeaks:
    """Two peaks of chr1:0-3000, with summits at 500 and 2020 (0-based), and one of a virus."""

    @pytest.fixture(autouse=True)
    def files(self, folder):
        bases = np.random.default_rng(0).choice(list("ACGT"), 3000)
        Path("g.fa").write_text(f">chr1\n{''.join(bases)}\n")
        Path("p.narrowPeak").write_text(
            "chr1\t400\t700\ta\t0\t.\t9\t-1\t-1\t100\nchrEBV\t1\t9\tv\t0\t.\t7\t-1\t-1\t2\n"
            "chr1\t2000\t2100\tb\t0\t.\t5\t-1\t-1\t20\n"
        )

    def encode(self, *argv, peaks="p.narrowPeak"):
        given = ["--peaks", peaks, "--genome", "g.fa", "--length", "21", "--negative-method", "dinucleotide"]
        status = cli.main(["encode", *given, *argv, "--split", "1,0,0", "-o", "t.h5"])
        if status:
            return status
        with open_tensors("t.h5") as tensors:
            return [
                name
                for name, parent in zip(tensors.text("id"), tensors.text("parent"), strict=True)
                if not parent
            ]

    def test_what_was_assumed_is_logged(self, caplog):
        with caplog.at_level("INFO"):
            assert self.encode() == ["a::chr1:490-511", "b::chr1:2010-2031"]
        assert (
            "p.narrowPeak: read 3 peaks as narrowPeak (0-based; summit: column 10; ranked by signalValue, column 7)"
            in caplog.messages
        )
        counts = json.loads(Path("t.summary.json").read_text())["counts"]
        assert counts["peaks on contigs that the genome does not have, left out"] == 1

    def test_peak_format(self):
        assert self.encode("--peak-format", "bed") == ["a::chr1:540-561", "b::chr1:2040-2061"]

    def test_strict(self, capsys):
        assert self.encode("--strict") == 2
        (line,) = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
        assert (
            "p.narrowPeak: line 2: peak v::chrEBV:1-9 is not on g.fa: no contig 'chrEBV' (--strict)" in line
        )

    def test_skip_invalid(self, capsys):
        text = Path("p.narrowPeak").read_text()
        Path("q.narrowPeak").write_text(text + "chr1\t5\t99999999999999999999\tc\t0\t.\t1\t-1\t-1\t3\n")
        assert self.encode(peaks="q.narrowPeak") == 2
        assert (
            "error: q.narrowPeak: line 4: found end '99999999999999999999', which is too large"
            in capsys.readouterr().err
        )
        assert self.encode("--skip-invalid", peaks="q.narrowPeak") == ["a::chr1:490-511", "b::chr1:2010-2031"]

    def test_exclude(self, capsys):
        Path("x.bed").write_text("chr1\t2030\t2040\n")
        assert self.encode("--exclude", "x.bed") == ["a::chr1:490-511"]
        assert self.encode("--exclude", "x.bed", "--keep-excluded-positives") == [
            "a::chr1:490-511",
            "b::chr1:2010-2031",
        ]
        Path("x.bed").write_text("chr1\t2030\t99999999999999999999\n")
        assert self.encode("--exclude", "x.bed") == 2
        assert (
            "x.bed: line 1: found end '99999999999999999999', which is too large" in capsys.readouterr().err
        )
