import gzip
import json
import subprocess
import sys

import numpy as np
import pybigtools
import pytest

from tfbind.cli import main


def predict(*arguments) -> int:
    return main(["predict", *map(str, arguments), "--threads", "1"])


def columns_of(path, *numbers: int) -> list[tuple[str, ...]]:
    rows = [line.split("\t") for line in path.read_text().splitlines()[1:]]
    return [tuple(row[number] for number in numbers) for row in rows]


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "in.fa.gz"
    with gzip.open(path, "wt") as handle:
        handle.write(
            f">long\r\n{'acgu' * 10}\r\n{'TTGCA' * 20}\r\n>short\r\nACGTACGTACGT\r\n>none\r\nNNNNNNNNNNN\r\n"
        )
    return path


class TestFasta:
    def test_gives_the_contracts_table(self, model_path, fasta, tmp_path):
        output = tmp_path / "new" / "o.tsv"
        assert predict("--model", model_path, "--fasta", fasta, "-o", output) == 0
        assert output.read_text().splitlines()[0] == "id\tstart\tend\tCREB\tnote"
        assert columns_of(output, 0, 1, 2, 4) == [
            ("long", "0", "60", ""),
            ("long", "60", "120", ""),
            ("long", "80", "140", ""),
            ("short", "0", "12", "padded"),
            ("none", "0", "11", "ambiguous"),
        ]

    def test_stride_and_best(self, model_path, fasta, tmp_path):
        arguments = ("--model", model_path, "--fasta", fasta, "--stride", 30)
        assert predict(*arguments, "-o", tmp_path / "all.tsv") == 0
        starts = [start for name, start in columns_of(tmp_path / "all.tsv", 0, 1) if name == "long"]
        assert starts == ["0", "30", "60", "80"]
        assert predict(*arguments, "--best", "-o", tmp_path / "best.tsv") == 0
        assert columns_of(tmp_path / "best.tsv", 0) == [("long",), ("short",), ("none",)]
        scores = [float(score) for name, score in columns_of(tmp_path / "all.tsv", 0, 3) if name == "long"]
        assert float(columns_of(tmp_path / "best.tsv", 3)[0][0]) == max(scores)

    def test_gzip_where_the_name_says_so(self, two_factor_model_path, fasta, tmp_path):
        for name in ("o.tsv", "o.tsv.gz"):
            assert predict("--model", two_factor_model_path, "--fasta", fasta, "-o", tmp_path / name) == 0
        text = gzip.decompress((tmp_path / "o.tsv.gz").read_bytes()).decode()
        assert text == (tmp_path / "o.tsv").read_text()
        assert text.startswith("id\tstart\tend\tCREB\tSP1\tnote\n")

    def test_a_wrong_letter_leaves_no_output(self, model_path, tmp_path, capsys):
        (tmp_path / "in.fa").write_text(f">good\n{'ACGT' * 15}\n>bad\nACGTACGTAC-GT\n")
        given = ("--model", model_path, "--fasta", tmp_path / "in.fa", "-o", tmp_path / "o.tsv")
        assert predict(*given, "--strict") == 2
        assert "in.fa: record 'bad': found '-' at position 11" in capsys.readouterr().err
        assert [path.name for path in tmp_path.iterdir()] == ["in.fa"]

    def test_a_wrong_letter_is_noted(self, model_path, tmp_path, caplog):
        (tmp_path / "in.fa").write_text(f">good\n{'ACGT' * 15}\n>bad\nACGTACGTAC-GT\n")
        given = ("--model", model_path, "--fasta", tmp_path / "in.fa", "-o", tmp_path / "o.tsv")
        with caplog.at_level("INFO"):
            assert predict(*given) == 0
        assert columns_of(tmp_path / "o.tsv", 0, 4) == [("good", ""), ("bad", "invalid")]
        assert columns_of(tmp_path / "o.tsv", 3)[1] == ("NA",)
        assert "2 windows, of them 1 invalid (first: bad)" in caplog.messages
        assert "is this DNA?" not in caplog.text
        (tmp_path / "in.fa").write_text(">good\nACGTACGTAC\n>p1\nMEEPQSDPSV\n>p2\nMEEPQSDPSV\n")
        assert predict(*given) == 0
        assert "most windows have letters that are not bases: is this DNA?" in caplog.messages

    def test_what_it_did_is_told_in_the_end(self, model_path, fasta, tmp_path, caplog):
        with caplog.at_level("INFO"):
            predict("--model", model_path, "--fasta", fasta, "-o", tmp_path / "o.tsv")
        assert "5 windows, of them 1 padded, 1 ambiguous" in caplog.text


@pytest.fixture(scope="module")
def gkm_model_path(shuffle_tensors, train_small, tmp_path_factory):
    """A model that reads evidence tracks."""
    path = tmp_path_factory.mktemp("model") / "gkm.keras"
    train_small(shuffle_tensors, path, architecture="gkm-bilstm")
    return path


class TestEngines:
    @pytest.mark.parametrize(
        "which", ["model_path", "kmer_model_path", "two_factor_model_path", "gkm_model_path"]
    )
    def test_give_every_record_the_same_score(self, request, which, fasta, tmp_path):
        found = {}
        for engine in ("keras", "openvino"):
            output = tmp_path / f"{engine}.tsv"
            given = ("--model", request.getfixturevalue(which), "--fasta", fasta, "--stride", 7)
            assert predict(*given, "--engine", engine, "-o", output) == 0
            found[engine] = [line.split("\t") for line in output.read_text().splitlines()]
        assert len(found["keras"]) == len(found["openvino"]) > 10
        for one, other in zip(*found.values(), strict=True):
            assert (one[:3], one[-1]) == (other[:3], other[-1])
            for score, same in zip(one[3:-1], other[3:-1], strict=True):
                if score.startswith("0."):
                    assert float(score) == pytest.approx(float(same), abs=1e-5)
                else:
                    assert score == same

    def test_scores_in_bfloat16_are_near(self, model_path, fasta, tmp_path):
        scores = []
        for precision in ("f32", "bf16"):
            output = tmp_path / f"{precision}.tsv"
            given = ("--model", model_path, "--fasta", fasta, "--engine", "openvino")
            assert predict(*given, "--precision", precision, "-o", output) == 0
            scores.append([float(score) for (score,) in columns_of(output, 3) if score != "NA"])
        assert scores[1] == pytest.approx(scores[0], abs=0.02)

    def test_by_openvino_nothing_slow_is_loaded(self, gkm_model_path, fasta, tmp_path):
        code = (
            "import sys; from tfbind.cli import main;"
            f" status = main(['predict', '--model', {str(gkm_model_path)!r}, '--fasta', {str(fasta)!r},"
            f" '--engine', 'openvino', '-o', {str(tmp_path / 'o.tsv')!r}]);"
            " print(status, sorted({'keras', 'tensorflow', 'sklearn', 'pandas', 'openvino'} & set(sys.modules)))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout == "0 ['openvino']\n", done.stderr


def test_peaks(model_path, tmp_path):
    (tmp_path / "g.fa").write_text(f">chr1\n{'ACGTTGCA' * 40}\n")
    (tmp_path / "p.bed").write_text("chr1\t100\t140\tb\nchr1\t0\t20\ta\n")
    arguments = ("--peaks", tmp_path / "p.bed", "--genome", tmp_path / "g.fa", "-o", tmp_path / "o.tsv")
    assert predict("--model", model_path, *arguments) == 0
    assert columns_of(tmp_path / "o.tsv", 0, 1, 2) == [
        ("b::chr1:90-150", "90", "150"),
        ("a::chr1:0-60", "0", "60"),
    ]


class TestPeaksThatDoNotFit:
    @pytest.fixture
    def given(self, model_path, tmp_path):
        (tmp_path / "g.fa").write_text(f">chr1\n{'ACGTTGCA' * 40}\n")
        (tmp_path / "p.bed").write_text(
            "chr1\t100\t140\tb\t9\nchrEBV\t5\t9\nchr1\tx\t20\tc\nchr1\t0\t20\ta\t9\n"
        )
        given = ("--model", model_path, "--peaks", tmp_path / "p.bed", "--genome", tmp_path / "g.fa")
        return (*given, "-o", tmp_path / "o.tsv")

    def test_are_noted_and_not_called(self, given, tmp_path):
        assert predict(*given, "--bed", tmp_path / "c.bed", "--threshold", 0) == 0
        assert columns_of(tmp_path / "o.tsv", 0, 1, 2, 4) == [
            ("b::chr1:90-150", "90", "150", ""),
            ("chrEBV:5-9", "5", "9", "no_contig"),
            ("c::chr1:x-20", "NA", "NA", "malformed"),
            ("a::chr1:0-60", "0", "60", ""),
        ]
        calls = [line.split("\t")[:3] for line in (tmp_path / "c.bed").read_text().splitlines()]
        assert calls == [["chr1", "90", "150"], ["chr1", "0", "60"]]

    def test_are_refused_by_strict(self, given, tmp_path, capsys):
        assert predict(*given, "--strict") == 2
        assert "p.bed: line 3: found start 'x', expected a whole number" in capsys.readouterr().err
        assert not (tmp_path / "o.tsv").exists()

    def test_peak_format(self, given, tmp_path):
        (tmp_path / "p.bed").write_text("chr1\t100\t200\tb\t9\t.\t1\t1\t1\t10\n")
        for peak_format, start in (("auto", "80"), ("bed", "120")):
            assert predict(*given, "--peak-format", peak_format) == 0
            assert columns_of(tmp_path / "o.tsv", 1) == [(start,)]


class TestBed:
    def test_calls_are_what_the_table_says(self, two_factor_model_path, fasta, tmp_path):
        given = ("--model", two_factor_model_path, "--fasta", fasta, "--stride", 10, "--threshold", 0.5)
        assert predict(*given, "--bed", tmp_path / "c.bed", "-o", tmp_path / "o.tsv") == 0
        called = {}
        for factor, column in (("CREB", 3), ("SP1", 4)):
            for name, start, end, score in columns_of(tmp_path / "o.tsv", 0, 1, 2, column):
                if score != "NA" and float(score) >= 0.5:
                    called.setdefault((name, factor), set()).update(range(int(start), int(end)))
        found = {}
        for line in (tmp_path / "c.bed").read_text().splitlines():
            name, start, end, factor, score, strand = line.split("\t")
            assert (500 <= int(score) <= 1000, strand) == (True, ".")
            bases = found.setdefault((name, factor), set())
            assert not bases & set(range(int(start) - 1, int(end) + 1))
            bases.update(range(int(start), int(end)))
        assert found == called != {}

    def test_of_a_low_threshold_are_whole_records(self, model_path, fasta, tmp_path):
        given = ("--model", model_path, "--fasta", fasta, "--threshold", 0, "--bed", tmp_path / "c.bed")
        assert predict(*given, "-o", tmp_path / "o.tsv") == 0
        calls = [line.split("\t")[:4] for line in (tmp_path / "c.bed").read_text().splitlines()]
        assert calls == [["long", "0", "140", "CREB"], ["short", "0", "12", "CREB"]]

    def test_of_best_windows(self, model_path, fasta, tmp_path):
        given = (
            "--model",
            model_path,
            "--fasta",
            fasta,
            "--best",
            "--threshold",
            0,
            "--bed",
            tmp_path / "c.bed",
        )
        assert predict(*given, "-o", tmp_path / "o.tsv") == 0
        calls = [tuple(line.split("\t")[:3]) for line in (tmp_path / "c.bed").read_text().splitlines()]
        assert calls == columns_of(tmp_path / "o.tsv", 0, 1, 2)[:2]

    def test_of_peaks_are_named_by_their_contig(self, model_path, tmp_path):
        (tmp_path / "g.fa").write_text(f">chr1\n{'ACGTTGCA' * 40}\n")
        (tmp_path / "p.bed").write_text("chr1\t100\t140\tb\nchr1\t0\t20\ta\nchr1\t110\t150\n")
        given = ("--peaks", tmp_path / "p.bed", "--genome", tmp_path / "g.fa", "--threshold", 0)
        output = ("--bed", tmp_path / "c.bed", "-o", tmp_path / "o.tsv")
        assert predict("--model", model_path, *given, *output) == 0
        calls = [line.split("\t")[:3] for line in (tmp_path / "c.bed").read_text().splitlines()]
        assert calls == [["chr1", "90", "150"], ["chr1", "0", "60"], ["chr1", "100", "160"]]

    def test_the_default_threshold_is_the_models(self, model_path, model, fasta, tmp_path):
        for name, more in (
            ("a", ()),
            ("b", ("--threshold", "auto")),
            ("c", ("--threshold", model.card.threshold[0])),
        ):
            given = ("--model", model_path, "--fasta", fasta, *more, "--bed", tmp_path / f"{name}.bed")
            assert predict(*given, "-o", tmp_path / "o.tsv") == 0
        assert (tmp_path / "a.bed").read_bytes() == (tmp_path / "b.bed").read_bytes()
        assert (tmp_path / "a.bed").read_bytes() == (tmp_path / "c.bed").read_bytes()

    def test_a_wrong_letter_leaves_neither_file(self, model_path, tmp_path):
        (tmp_path / "in.fa").write_text(f">good\n{'ACGT' * 15}\n>bad\nACGTACGTAC-GT\n")
        given = ("--model", model_path, "--fasta", tmp_path / "in.fa", "--bed", tmp_path / "c.bed")
        assert predict(*given, "--strict", "-o", tmp_path / "o.tsv") == 2
        assert [path.name for path in tmp_path.iterdir()] == ["in.fa"]


class TestBigwig:
    def test_has_a_track_for_each_factor(self, two_factor_model_path, fasta, tmp_path):
        given = ("--model", two_factor_model_path, "--fasta", fasta, "--stride", 20)
        assert predict(*given, "--bigwig", tmp_path / "t.bw", "-o", tmp_path / "o.tsv") == 0
        for factor, column in (("CREB", 3), ("SP1", 4)):
            with pybigtools.open(str(tmp_path / f"t.{factor}.bw")) as track:
                assert track.chroms() == {"long": 140, "short": 12}
                shown = [(start + end) // 2 for start, end, _ in track.records("long")]
                assert shown == [30, 50, 70, 90, 110]
                scores = [score for _, _, score in track.records("long")]
            table = columns_of(tmp_path / "o.tsv", 0, column)
            assert scores == pytest.approx([float(score) for name, score in table if name == "long"])

    def test_a_name_that_comes_twice_is_told_before_anything_is_scored(self, model_path, tmp_path, capsys):
        (tmp_path / "in.fa").write_text(">a\nACGTACGTACGT\n>a\nACGTACGTACGT\n")
        given = ("--model", model_path, "--fasta", tmp_path / "in.fa", "--bigwig", tmp_path / "t.bw")
        assert predict(*given, "-o", tmp_path / "o.tsv") == 2
        assert "found two records called 'a'" in capsys.readouterr().err
        assert [path.name for path in tmp_path.iterdir()] == ["in.fa"]


class TestPieces:
    def test_are_gathered_to_the_table_of_one_run(self, gkm_model_path, tmp_path):
        (tmp_path / "in.fa").write_text(f">a\n{'ACGTTGCATTGAC' * 1500}\n>b\nACGTACGTAC\n>c\n{'N' * 70}\n")
        given = ("--model", gkm_model_path, "--fasta", tmp_path / "in.fa", "--stride", 2)
        assert predict(*given, "-o", tmp_path / "whole.tsv.gz") == 0
        pieces = [tmp_path / f"{number}.tsv.gz" for number in (1, 2)]
        for number, path in enumerate(pieces, 1):
            assert predict(*given, "--piece", f"{number}/2", "--resume", "anew", "-o", path) == 0
        assert main(["gather", *map(str, pieces), "-o", str(tmp_path / "t.tsv.gz")]) == 0
        assert (tmp_path / "t.tsv.gz").read_bytes() == (tmp_path / "whole.tsv.gz").read_bytes()
        assert min(path.stat().st_size for path in pieces) > 5000

    def test_give_the_best_windows_calls_and_tracks_of_one_run(self, model_path, tmp_path, capsys):
        letters = "".join(np.random.default_rng(5).choice(list("ACGT"), 20_000))
        fasta = tmp_path / "in.fa"
        fasta.write_text(f">a\n{letters}\n>b\n{letters[:70]}\n")
        given = ("--model", model_path, "--fasta", fasta, "--stride", 2, "--batch-size", 3000)
        written = ("--bed", tmp_path / "whole.bed", "--threshold", 0.2)
        for name, more, beside in (
            ("all", (), (*written, "--bigwig", tmp_path / "whole.bw")),
            ("best", ("--best",), written),
        ):
            assert predict(*given, *more, *beside, "-o", tmp_path / "whole.tsv.gz") == 0
            pieces = [tmp_path / f"{name}.{number}.tsv.gz" for number in (1, 2)]
            for number, path in enumerate(pieces, 1):
                assert predict(*given, *more, "--piece", f"{number}/2", "-o", path) == 0
            assert main(["gather", *map(str, pieces), "-o", str(tmp_path / f"{name}.tsv.gz")]) == 0
            assert (tmp_path / f"{name}.tsv.gz").read_bytes() == (tmp_path / "whole.tsv.gz").read_bytes()
            again = [str(one).replace("whole", "again") for one in beside]
            common = ("--model", model_path, "--fasta", fasta, *more)
            assert predict(*common, "--scores", tmp_path / f"{name}.tsv.gz", *again) == 0
            for suffix in ("bed", "bw") if "--bigwig" in beside else ("bed",):
                assert (tmp_path / f"again.{suffix}").read_bytes() == (
                    tmp_path / f"whole.{suffix}"
                ).read_bytes()
                assert (tmp_path / f"whole.{suffix}").stat().st_size > 20
        # neither table is taken for the other
        for more, name, message in (
            (("--best",), "all", "its row of 'a' is not the best window of record 'b'"),
            ((), "best", "its windows of 'a' are not those of record 'a'"),
        ):
            table = ("--scores", tmp_path / f"{name}.tsv.gz")
            assert (
                predict("--model", model_path, "--fasta", fasta, *more, *table, "--bed", tmp_path / "x") == 2
            )
            assert message in capsys.readouterr().err
            assert not (tmp_path / "x").exists()

    @pytest.mark.parametrize("value", ["0/3", "4/3", "3", "1/0", "a/b", "-1/3", "1/3/5"])
    def test_have_a_number(self, tmp_path, value, capsys):
        given = ("--model", "m.keras", "--fasta", "f.fa", f"--piece={value}")
        assert predict(*given, "-o", tmp_path / "o.tsv.gz") == 2
        assert f"argument --piece: found '{value}', expected K/N" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--fasta", "f.fa", "--piece", "1/2", "--bed", "c.bed"],
            "a piece may end within a record, so --piece goes",
        ),
        (["--fasta", "f.fa", "--piece", "1/2"], "o.tsv, expected a name that ends in .gz or .bgz"),
        (["--fasta", "f.fa", "--best", "--bigwig", "t.bw"], "--bigwig goes with --fasta and without --best"),
        (["--fasta", "f.fa", "--bed", "x", "--bigwig", "x"], "--bigwig x is the file of --bed"),
        (["--fasta", "f.fa", "--threshold", "0.5"], "--threshold is for the calls, so it goes with --bed"),
        (
            ["--fasta", "f.fa", "--bed", "c.bed", "--threshold", "1.5"],
            "found '1.5', expected a number from 0 to 1",
        ),
        (["--fasta", "f.bed", "--bed", "./f.bed"], "--bed f.bed is the file of --fasta"),
        ([], "expected either --fasta, or --peaks and --genome"),
        (["--peaks", "p.bed"], "expected either --fasta, or --peaks and --genome"),
        (["--fasta", "f.fa", "--genome", "g.fa"], "expected either --fasta, or --peaks and --genome"),
        (["--peaks", "p.bed", "--genome", "g.fa", "--best"], "a peak has one window"),
        (["--fasta", "f.fa", "--peak-format", "bed"], "--peak-format goes with --peaks"),
        (["--fasta", "f.fa", "--stride", "0"], "argument --stride: found '0'"),
        (["--fasta", "f.fa", "--engine", "abacus"], "argument --engine: invalid choice"),
        (["--fasta", "f.fa"], "missing.keras: no such file"),
    ],
)
def test_wrong_arguments_are_one_line_and_exit_2(capsys, tmp_path, arguments, message):
    assert predict("--model", tmp_path / "missing.keras", *arguments, "-o", tmp_path / "o.tsv") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("tfbind: error: ")
    assert message in line
    assert list(tmp_path.iterdir()) == []


def test_a_missing_fasta_is_named(capsys, tmp_path, model_path):
    assert predict("--model", model_path, "--fasta", tmp_path / "no.fa", "-o", tmp_path / "o.tsv") == 2
    assert "no.fa: no such file" in capsys.readouterr().err


class TestPrevalence:
    def test_a_rarer_factor_lowers_every_score_and_keeps_the_order(self, kmer_model_path, fasta, tmp_path):
        scores = []
        for name, more in (("as_trained.tsv", ()), ("rare.tsv", ("--prevalence", 0.001))):
            output = tmp_path / name
            assert predict("--model", kmer_model_path, "--fasta", fasta, *more, "-o", output) == 0
            scores.append([float(score) for (score,) in columns_of(output, 3) if score != "NA"])
        assert all(rare < usual for usual, rare in zip(*scores, strict=True))
        assert sorted(scores[0]) == [usual for _, usual in sorted(zip(scores[1], scores[0], strict=True))]

    def test_is_refused_for_a_model_that_was_trained_on_shuffles(self, model_path, fasta, tmp_path, capsys):
        given = ("--prevalence", 0.1)
        assert predict("--model", model_path, "--fasta", fasta, *given, "-o", tmp_path / "o.tsv") == 2
        assert "trained on shuffles" in capsys.readouterr().err

    @pytest.mark.parametrize("value", [0, 1, -0.5, "nan", "x"])
    def test_must_be_a_share(self, model_path, fasta, tmp_path, value, capsys):
        given = ("--prevalence", value)
        assert predict("--model", model_path, "--fasta", fasta, *given, "-o", tmp_path / "o.tsv") == 2
        assert "above 0 and below 1" in capsys.readouterr().err


class TestSites:
    @pytest.fixture
    def genome(self, tmp_path):
        """Two contigs with a CREB site every 300 bases, and one that has none and is shorter than a window."""
        rng = np.random.default_rng(3)
        letters = {name: rng.choice(list("ACGT"), 6_000) for name in ("I", "II")}
        for sequence in letters.values():
            for at in range(100, 6_000, 300):
                sequence[at : at + 8] = list("TGACGTCA")
        path = tmp_path / "g.fa"
        records = "".join(f">{name}\n{''.join(sequence)}\n" for name, sequence in letters.items())
        path.write_text(records + ">short\nACGTTGCACCAATTGG\n")
        return path

    def rows(self, path):
        return [line.split("\t") for line in path.read_text().splitlines()]

    def test_are_where_they_were_planted(self, model_path, genome, tmp_path):
        given = ("--model", model_path, "--fasta", genome, "-o", tmp_path / "o.tsv")
        assert predict(*given, "--sites", tmp_path / "s.bed", "--fdr", 0.5) == 0
        rows = self.rows(tmp_path / "s.bed")
        assert {len(row) for row in rows} == {10}
        summits = {(row[0], int(row[1]) + int(row[9])) for row in rows}
        planted = [(name, at + 4) for name in ("I", "II") for at in range(100, 6_000, 300)]
        near = [
            min((abs(at - summit) for contig, summit in summits if contig == name), default=999)
            for name, at in planted
        ]
        assert np.median(near) <= 8
        # the windows are a tenth of the model's length apart
        assert columns_of(tmp_path / "o.tsv", 1)[:3] == [("0",), ("6",), ("12",)]
        for row in rows:
            assert 0 < float(row[6]) <= 1
            assert float(row[8]) >= -np.log10(0.5) - 1e-6
            assert row[5] in "+-."
        summary = json.loads((tmp_path / "s.bed.json").read_text())
        assert (summary["sites"], summary["factor"], summary["fdr"]) == (len(rows), "CREB", 0.5)
        assert "knows nothing" in summary["notes"][0]

    def test_are_those_of_an_undisturbed_run_after_an_interruption(
        self, model_path, genome, tmp_path, monkeypatch
    ):
        given = (
            "--model",
            model_path,
            "--fasta",
            genome,
            "--sites",
            tmp_path / "s.bed",
            "-o",
            tmp_path / "o.tsv",
        )
        assert predict(*given) == 0
        names = ("o.tsv", "s.bed", "s.bed.json")
        whole = [(tmp_path / name).read_bytes() for name in names]
        for name in names:
            (tmp_path / name).unlink()
        from tfbind.binding.scanning import site_files

        def interrupt(*_, **__):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(site_files, "find_sites", interrupt)
            assert predict(*given) == 130
        assert not any((tmp_path / name).exists() for name in names)
        assert predict(*given, "--resume") == 0
        assert [(tmp_path / name).read_bytes() for name in names] == whole

    @pytest.mark.parametrize("which", ["kmer_model_path", "gkm_model_path"])
    def test_of_models_that_read_k_mers(self, request, which, genome, tmp_path):
        given = ("--model", request.getfixturevalue(which), "--fasta", genome, "-o", tmp_path / "o.tsv")
        assert predict(*given, "--sites", tmp_path / "s.bed", "--fdr", 0.5) == 0
        rows = self.rows(tmp_path / "s.bed")
        assert len(rows) > 10
        for contig, start, end, *_, summit in rows:
            assert 0 <= int(start) + int(summit) < {"I": 6_000, "II": 6_000, "short": 16}[contig]
            assert int(end) - int(start) <= 45

    def test_of_a_table_that_was_joined_from_pieces(self, model_path, genome, tmp_path, capsys):
        given = ("--model", model_path, "--fasta", genome)
        assert predict(*given, "--sites", tmp_path / "s.bed", "-o", tmp_path / "o.tsv.gz") == 0
        for number in (1, 2):
            piece = ("--stride", 6, "--piece", f"{number}/2", "-o", tmp_path / f"{number}.tsv.gz")
            assert predict(*given, *piece) == 0
        pieces = [str(tmp_path / f"{number}.tsv.gz") for number in (1, 2)]
        assert main(["gather", *pieces, "-o", str(tmp_path / "all.tsv.gz")]) == 0
        again = ("--scores", tmp_path / "all.tsv.gz", "--sites", tmp_path / "a.bed")
        assert predict(*given, *again) == 0
        for name in ("bed", "bed.json"):
            assert (tmp_path / f"a.{name}").read_bytes() == (tmp_path / f"s.{name}").read_bytes()
        assert predict(*given, *again, "-o", tmp_path / "x.tsv") == 2
        assert (
            "--scores goes with --fasta and --sites, --bed or --bigwig, and without -o"
            in capsys.readouterr().err
        )
        assert predict(*given, "--sites", tmp_path / "b.bed") == 2
        assert "expected -o, the table to write, or --scores" in capsys.readouterr().err

    def test_of_a_table_of_something_else_are_refused(
        self, model_path, two_factor_model_path, genome, tmp_path, capsys
    ):
        table, other = tmp_path / "o.tsv", tmp_path / "other.fa"
        assert predict("--model", model_path, "--fasta", genome, "--stride", 20, "-o", table) == 0
        lines = table.read_text().splitlines(keepends=True)
        other.write_text(genome.read_text().replace(">II", ">III"))
        (tmp_path / "cut.tsv").write_text("".join(lines[:-1]))
        (tmp_path / "best.tsv").write_text("".join(lines[:1] + lines[5:]))
        for model, fasta, scores, message in (
            (two_factor_model_path, genome, table, "has scores of CREB, expected CREB, SP1"),
            (model_path, other, table, "its windows of 'II' are not those of record 'III'"),
            (model_path, genome, tmp_path / "cut.tsv", "has no windows of record 'short'"),
            (model_path, genome, tmp_path / "best.tsv", "its windows of 'I' are not those of record 'I'"),
        ):
            given = ("--model", model, "--fasta", fasta, "--scores", scores, "--sites", tmp_path / "s.bed")
            assert predict(*given) == 2
            assert message in capsys.readouterr().err
            assert not (tmp_path / "s.bed").exists()

    def test_of_several_factors_are_files_of_their_own(self, two_factor_model_path, genome, tmp_path):
        given = ("--model", two_factor_model_path, "--fasta", genome, "-o", tmp_path / "o.tsv")
        assert predict(*given, "--sites", tmp_path / "s.bed.gz") == 0
        assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("s.")) == [
            *("s.CREB.bed.gz", "s.CREB.bed.gz.json", "s.SP1.bed.gz", "s.SP1.bed.gz.json")
        ]
        with gzip.open(tmp_path / "s.CREB.bed.gz", "rt") as lines:
            names = [line.split("\t")[3] for line in lines]
        assert names == [f"CREB_{number}" for number in range(1, len(names) + 1)]

    @pytest.mark.parametrize(
        ("more", "message"),
        [
            (["--sites", "s.bed", "--best"], "--sites goes with --fasta and without --best"),
            (["--fdr", "0.1"], "they go with --sites"),
            (["--sites", "s.bed", "--piece", "1/2"], "without --bed, --bigwig and --sites"),
            (["--sites", "s.bed", "--fdr", "0"], "expected a number above 0"),
        ],
    )
    def test_what_does_not_go_together_is_refused(self, model_path, genome, tmp_path, capsys, more, message):
        given = ("--model", model_path, "--fasta", genome, "-o", tmp_path / "o.tsv.gz")
        try:
            status = predict(*given, *more)
        except SystemExit as stop:
            status = stop.code
        assert status == 2
        assert message in capsys.readouterr().err
        assert [path.name for path in tmp_path.iterdir()] == ["g.fa"]


class TestUncertainty:
    """Columns ``_sd`` of an ensemble, beside all that is made of the table."""

    @pytest.fixture
    def written(self, ensemble_path, fasta, tmp_path):
        """Tables with and without the columns, of every window and of the best ones."""
        common = ("--model", ensemble_path, "--fasta", fasta, "--stride", 20)
        for name, more in (
            ("plain", ()),
            ("sd", ("--uncertainty", "--bed", tmp_path / "sd.bed", "--bigwig", tmp_path / "sd.bw")),
            ("best", ("--uncertainty", "--best")),
        ):
            assert predict(*common, *more, "-o", tmp_path / f"{name}.tsv") == 0
        return tmp_path

    def test_stand_behind_the_scores(self, written):
        header = (written / "sd.tsv").read_text().splitlines()[0]
        assert header == "id\tstart\tend\tCREB\tSP1\tCREB_sd\tSP1_sd\tnote"
        plain = columns_of(written / "plain.tsv", 0, 1, 2, 3, 4, 5)
        assert columns_of(written / "sd.tsv", 0, 1, 2, 3, 4, 7) == plain
        spreads = [
            cell for row in columns_of(written / "sd.tsv", 5, 6, 7) for cell in row[:2] if row[2] == ""
        ]
        assert min(map(float, spreads)) > 0
        assert columns_of(written / "sd.tsv", 0, 5, 6)[-1] == ("none", "NA", "NA")

    def test_do_not_choose_the_best_window(self, written):
        rows = {row for row in columns_of(written / "sd.tsv", *range(8)) if row[0] == "long"}
        best = columns_of(written / "best.tsv", *range(8))[0]
        assert best in rows
        assert max(map(float, best[3:5])) == max(float(cell) for row in rows for cell in row[3:5])

    def test_calls_and_tracks_are_of_the_scores(self, written, ensemble_path, fasta):
        common = ("--model", ensemble_path, "--fasta", fasta, "--stride", 20)
        assert (
            predict(
                *common, "--bed", written / "p.bed", "--bigwig", written / "p.bw", "-o", written / "p.tsv"
            )
            == 0
        )
        assert (written / "sd.bed").read_text() == (written / "p.bed").read_text()
        for factor in ("CREB", "SP1"):
            one, other = (pybigtools.open(str(written / f"{name}.{factor}.bw")) for name in ("sd", "p"))
            assert list(one.records("long")) == list(other.records("long"))

    def test_sites_are_called_in_such_a_table(self, written, ensemble_path, fasta):
        common = ("--model", ensemble_path, "--fasta", fasta)
        for name in ("sd", "plain"):
            table, sites = written / f"{name}.tsv", written / f"{name}.sites.bed"
            assert predict(*common, "--scores", table, "--sites", sites) == 0
        for factor in ("CREB", "SP1"):
            one, other = (written / f"{name}.sites.{factor}.bed" for name in ("sd", "plain"))
            assert one.read_text() == other.read_text()

    def test_of_one_network_are_refused(self, model_path, fasta, tmp_path, capsys):
        arguments = ("--model", model_path, "--fasta", fasta, "--uncertainty", "-o", tmp_path / "o.tsv")
        assert predict(*arguments) == 2
        error = capsys.readouterr().err
        assert (
            "one.keras: is one network, so nothing is known of its uncertainty: expected an ensemble" in error
        )
        assert not (tmp_path / "o.tsv").exists()

    def test_a_run_without_them_is_not_continued(self, ensemble_path, fasta, tmp_path, monkeypatch, capsys):
        def stop(*_):
            raise KeyboardInterrupt

        common = ("--model", ensemble_path, "--fasta", fasta, "-o", tmp_path / "o.tsv")
        with monkeypatch.context() as patch:
            patch.setattr("tfbind.resume.table.PartialTable.publish", stop)
            assert predict(*common) == 130
        assert predict(*common, "--uncertainty", "--resume") == 2
        assert "uncertainty" in capsys.readouterr().err
