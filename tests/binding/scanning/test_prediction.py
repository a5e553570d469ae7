import gzip
from pathlib import Path

import numpy as np
import pytest

from tfbind.binding.scanning.prediction import predict, score
from tfbind.binding.scanning.windows import (
    ROWS_AT_ONCE,
    Portion,
    Windows,
    gather,
    windows_of_fasta,
    windows_of_peaks,
    windows_of_record,
)
from tfbind.errors import TfbindError

NAN = float("nan")
LENGTH = 60


def cut(sequence: str, length=LENGTH, stride=None) -> Windows:
    """All windows of one record."""
    (group,) = gather(windows_of_record(Path("in.fa"), "r", sequence, length, stride or length), 10**6)
    return group.cut()


def portion(windows: Windows) -> Portion:
    return Portion(len(windows.id), lambda: windows)


def rows_of(path) -> list[list[str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt") as handle:
        return [line.rstrip("\n").split("\t") for line in handle]


@pytest.fixture
def fasta(tmp_path):
    def fasta(**records: str):
        path = tmp_path / "in.fa"
        path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in records.items()))
        return path

    return fasta


def sequence(n: int, seed: int = 1) -> str:
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), n))


class TestScore:
    def test_is_unknown_where_nothing_can_be_said(self, two_factor_model):
        records = ("ACGT" * 15, "N" * 60, "ACGTACGT", "ACGTACGTAC")
        windows = next(gather([portion(cut(record)) for record in records], 9)).cut()
        ((_, found),) = score(two_factor_model, [windows], 2)
        assert found.shape == (4, 2)
        assert np.isnan(found).all(axis=1).tolist() == [False, True, True, False]

    def test_padding_has_no_influence(self, model):
        windows = cut(sequence(40))
        ((_, one),) = score(model, [windows], 8)
        windows.codes[:, 40:] = 2
        ((_, other),) = score(model, [windows], 8)
        assert other == pytest.approx(one, abs=1e-6)

    def test_of_groups_without_a_score(self, model):
        groups = [cut("N" * 60), cut(""), cut("ACGT" * 15), cut("N" * 60), cut("ACGT")]
        found = list(score(model, groups, 8))
        assert [windows is group for (windows, _), group in zip(found, groups, strict=True)] == [True] * 5
        assert [bool(np.isnan(scores[0, 0])) for _, scores in found] == [True, True, False, True, True]


class TestPredict:
    def test_accounts_for_every_record_in_order(self, model, fasta, tmp_path):
        path = fasta(
            z=sequence(60),
            long=sequence(150),
            n="N" * 60,
            short=sequence(30),
            tiny="ACGT",
            empty="",
            a="acgun" * 12,
        )
        counts = predict(
            model, windows_of_fasta(path, LENGTH, LENGTH), tmp_path / "o.tsv", best=False, batch_size=8
        )
        rows = rows_of(tmp_path / "o.tsv")
        assert rows[0] == ["id", "start", "end", "CREB", "note"]
        assert [(row[0], row[1], row[2], row[4]) for row in rows[1:]] == [
            ("z", "0", "60", ""),
            ("long", "0", "60", ""),
            ("long", "60", "120", ""),
            ("long", "90", "150", ""),
            ("n", "0", "60", "ambiguous"),
            ("short", "0", "30", "padded"),
            ("tiny", "0", "4", "too_short"),
            ("empty", "0", "0", "too_short"),
            ("a", "0", "60", ""),
        ]
        assert [row[3] == "NA" for row in rows[1:]] == [False] * 4 + [True, False, True, True, False]
        assert all(0 < float(row[3]) < 1 for row in rows[1:] if row[3] != "NA")
        assert counts == {"windows": 9, "padded": 1, "too_short": 2, "ambiguous": 1}

    def test_a_windows_score_is_that_of_the_sequence_alone(self, model, fasta, tmp_path):
        whole = sequence(130)
        path = fasta(whole=whole, first=whole[:60], last=whole[70:])
        predict(model, windows_of_fasta(path, LENGTH, LENGTH), tmp_path / "o.tsv", best=False, batch_size=8)
        scores = {(row[0], row[1]): float(row[3]) for row in rows_of(tmp_path / "o.tsv")[1:]}
        assert scores["whole", "0"] == pytest.approx(scores["first", "0"], abs=2e-6)
        assert scores["whole", "70"] == pytest.approx(scores["last", "0"], abs=2e-6)

    def test_both_strands_score_alike(self, model, fasta, tmp_path):
        one = sequence(45)
        path = fasta(one=one, other=one[::-1].translate(str.maketrans("ACGT", "TGCA")))
        predict(model, windows_of_fasta(path, LENGTH, LENGTH), tmp_path / "o.tsv", best=False, batch_size=8)
        one, other = (float(row[3]) for row in rows_of(tmp_path / "o.tsv")[1:])
        assert one == pytest.approx(other, abs=2e-6)

    @pytest.mark.parametrize("batch_size", [1, 64])
    @pytest.mark.parametrize("which", ["model", "kmer_model"])
    def test_does_not_depend_on_the_batch_size(self, request, which, fasta, tmp_path, batch_size):
        model = request.getfixturevalue(which)
        path = fasta(**{f"r{i}": sequence(20 + 5 * i, seed=i) for i in range(12)})
        for name, size in (("a.tsv", 8), ("b.tsv", batch_size)):
            windows = windows_of_fasta(path, LENGTH, 30)
            predict(model, windows, tmp_path / name, best=False, batch_size=size)
        for one, other in zip(rows_of(tmp_path / "a.tsv")[1:], rows_of(tmp_path / "b.tsv")[1:], strict=True):
            assert one[:3] == other[:3]
            assert float(one[3]) == pytest.approx(float(other[3]), abs=2e-6)

    def test_best_keeps_the_highest_window(self, model, fasta, tmp_path):
        path = fasta(a=sequence(400), b=sequence(30), c="N" * 100, d=sequence(200, seed=2))
        for name, best in (("all.tsv", False), ("best.tsv", True)):
            predict(model, windows_of_fasta(path, LENGTH, 20), tmp_path / name, best=best, batch_size=8)
        expected = {}
        for row in rows_of(tmp_path / "all.tsv")[1:]:
            score = -1 if row[3] == "NA" else float(row[3])
            if row[0] not in expected or score > expected[row[0]][0]:
                expected[row[0]] = (score, row)
        assert rows_of(tmp_path / "best.tsv")[1:] == [row for _, row in expected.values()]

    def test_several_factors_have_a_column_each(self, two_factor_model, fasta, tmp_path):
        path = fasta(a=sequence(60), b="ACGT")
        output = tmp_path / "o.tsv"
        predict(two_factor_model, windows_of_fasta(path, LENGTH, LENGTH), output, best=True, batch_size=8)
        rows = rows_of(output)
        assert rows[0] == ["id", "start", "end", "CREB", "SP1", "note"]
        assert rows[2][3:] == ["NA", "NA", "too_short"]

    def test_gzip_holds_the_same_table_and_the_same_bytes_each_time(self, model, fasta, tmp_path):
        path = fasta(a=sequence(60), b=sequence(200))
        for name in ("o.tsv", "o.tsv.gz", "p.tsv.gz"):
            predict(model, windows_of_fasta(path, LENGTH, 30), tmp_path / name, best=False, batch_size=8)
        assert gzip.decompress((tmp_path / "o.tsv.gz").read_bytes()) == (tmp_path / "o.tsv").read_bytes()
        assert (tmp_path / "o.tsv.gz").read_bytes() == (tmp_path / "p.tsv.gz").read_bytes()

    @pytest.mark.parametrize("name", ["o.tsv", "o.tsv.gz"])
    def test_a_wrong_letter_leaves_no_output(self, model, fasta, tmp_path, name):
        path = fasta(a=sequence(60), b="ACGTXACGTACGT")
        windows = windows_of_fasta(path, LENGTH, 30, strict=True)
        with pytest.raises(TfbindError, match=r"in\.fa: record 'b': found 'X' at position 5"):
            predict(model, windows, tmp_path / name, best=False, batch_size=8)
        assert [entry.name for entry in tmp_path.iterdir()] == ["in.fa"]

    def test_a_wrong_letter_costs_its_windows_their_score(self, model, fasta, tmp_path, caplog):
        good, other = sequence(150), sequence(60, seed=2)
        path = fasta(a=good[:70] + "-" + good[71:], b="ACGTXACGTACGT", c=other)
        with caplog.at_level("INFO"):
            counts = predict(
                model, windows_of_fasta(path, LENGTH, 30), tmp_path / "o.tsv", best=False, batch_size=8
            )
        rows = [(*row[:3], row[3] == "NA", row[4]) for row in rows_of(tmp_path / "o.tsv")[1:]]
        assert rows == [
            ("a", "0", "60", False, ""),
            ("a", "30", "90", True, "invalid"),
            ("a", "60", "120", True, "invalid"),
            ("a", "90", "150", False, ""),
            ("b", "0", "13", True, "invalid"),
            ("c", "0", "60", False, ""),
        ]
        assert counts["invalid"] == 3
        assert "6 windows, of them 3 invalid (first: a)" in caplog.text
        path = fasta(a=good, c=other)
        predict(model, windows_of_fasta(path, LENGTH, 30), tmp_path / "p.tsv", best=False, batch_size=8)
        scores = {tuple(row[:3]): row[3] for row in rows_of(tmp_path / "p.tsv")}
        for row in rows_of(tmp_path / "o.tsv"):
            assert row[4] == "invalid" or scores[tuple(row[:3])] == row[3]

    def test_the_best_window_has_no_wrong_letter(self, model, fasta, tmp_path):
        path = fasta(a=sequence(70) + "-" + sequence(79), b="ACGTXACGTACGT")
        predict(model, windows_of_fasta(path, LENGTH, 30), tmp_path / "o.tsv", best=True, batch_size=8)
        rows = rows_of(tmp_path / "o.tsv")[1:]
        assert [(row[0], row[3] == "NA", row[4]) for row in rows] == [
            ("a", False, ""),
            ("b", True, "invalid"),
        ]

    def test_reads_as_it_goes(self, tmp_path):
        """A stand-in for a model counts how many windows were taken when it was first asked."""
        taken, asked = [], []

        class Card:
            tasks = ("X",)

        class Model:
            card = Card()

            def stream(self, batches, *, uncertainty):
                for codes, _ in batches:
                    asked.append(len(taken))
                    yield np.full((len(codes), 1), 0.5)

        def windows():
            for number in range(3 * ROWS_AT_ONCE):
                taken.append(number)
                yield portion(cut("ACGTACGTAC", length=10))

        counts = predict(Model(), windows(), tmp_path / "o.tsv", best=False, batch_size=ROWS_AT_ONCE)
        assert asked == [ROWS_AT_ONCE, 2 * ROWS_AT_ONCE, 3 * ROWS_AT_ONCE]
        assert counts["windows"] == 3 * ROWS_AT_ONCE


class TestPeaks:
    @pytest.fixture
    def genome(self, tmp_path):
        path = tmp_path / "g.fa"
        path.write_text(f">chr1\n{sequence(500)}\n>chr2\n{sequence(40)}\n>chr3\n{'N' * 300}\n")
        return path

    def test_have_a_row_each_in_their_order(self, model, genome, tmp_path):
        (tmp_path / "p.bed").write_text(
            "chr1\t300\t340\tlast\nchr1\t100\t140\nchr1\t0\t10\nchr2\t5\t25\nchr3\t100\t200\n"
        )
        windows = windows_of_peaks(tmp_path / "p.bed", genome, LENGTH)
        predict(model, windows, tmp_path / "o.tsv", best=False, batch_size=8)
        assert [(*row[:3], row[4]) for row in rows_of(tmp_path / "o.tsv")[1:]] == [
            ("last::chr1:290-350", "290", "350", ""),
            ("chr1:90-150", "90", "150", ""),
            ("chr1:0-60", "0", "60", ""),
            ("chr2:0-40", "0", "40", "padded"),
            ("chr3:120-180", "120", "180", "ambiguous"),
        ]

    def test_score_as_the_same_sequence_from_fasta(self, model, genome, fasta, tmp_path):
        (tmp_path / "p.bed").write_text("chr1\t100\t140\n")
        windows = windows_of_peaks(tmp_path / "p.bed", genome, LENGTH)
        predict(model, windows, tmp_path / "p.tsv", best=False, batch_size=8)
        path = fasta(a=sequence(500)[90:150])
        predict(model, windows_of_fasta(path, LENGTH, LENGTH), tmp_path / "f.tsv", best=False, batch_size=8)
        assert rows_of(tmp_path / "p.tsv")[1][3] == rows_of(tmp_path / "f.tsv")[1][3]

    def test_what_has_no_window_has_a_row_and_a_note(self, model, genome, tmp_path, caplog):
        (tmp_path / "p.bed").write_text(
            "chr1\t300\t340\tlast\n"
            "chrEBV\t5\t9000\tv\n"
            "chr1\t1e99\t3\tx\n"
            "chr1\t100\t140\n"
            "chr2\t30\t60\n"
            "what is this\n"
            "chr1\t0\t10\n"
            "chr1\t200\t240\n"
        )
        with caplog.at_level("INFO"):
            windows = windows_of_peaks(tmp_path / "p.bed", genome, LENGTH)
            counts = predict(model, windows, tmp_path / "o.tsv", best=False, batch_size=8)
        assert [(*row[:3], row[3] == "NA", row[4]) for row in rows_of(tmp_path / "o.tsv")[1:]] == [
            ("last::chr1:290-350", "290", "350", False, ""),
            ("v::chrEBV:5-9000", "5", "9000", True, "no_contig"),
            ("x::chr1:1e99-3", "NA", "NA", True, "malformed"),
            ("chr1:90-150", "90", "150", False, ""),
            ("chr2:30-60", "30", "60", True, "off_contig"),
            ("what:is-this", "NA", "NA", True, "malformed"),
            ("chr1:0-60", "0", "60", False, ""),
            ("chr1:190-250", "190", "250", False, ""),
        ]
        assert {note: n for note, n in counts.items() if n} == {
            "windows": 8,
            "no_contig": 1,
            "off_contig": 1,
            "malformed": 2,
        }
        assert (
            "8 windows, of them 1 no_contig (first: v::chrEBV:5-9000), 2 malformed (first: x::chr1:1e99-3),"
            " 1 off_contig (first: chr2:30-60)"
        ) in caplog.text
        assert "(first: line 2, v::chrEBV:5-9000: no contig 'chrEBV')" in caplog.text
        assert (
            "no score for 2 lines that are not peaks (first: line 3: found start '1e99', which is too large"
            in (caplog.text)
        )

    def test_only_such_rows_in_a_group(self, tmp_path):
        """The engine gets one of them all the same, of a length that it can take."""
        asked = []

        class Model:
            card = type("Card", (), {"tasks": ("X",)})()

            def stream(self, batches, *, uncertainty):
                for codes, valid_length in batches:
                    asked.append((codes.shape, valid_length.tolist()))
                    yield np.full((len(codes), 1), 0.5)

        (tmp_path / "g.fa").write_text(f">c\n{sequence(500)}\n")
        (tmp_path / "p.bed").write_text("x\t5\t9000\nc\t100\t101\n")
        (one, _) = windows_of_peaks(tmp_path / "p.bed", tmp_path / "g.fa", LENGTH)
        predict(Model(), [one], tmp_path / "o.tsv", best=False, batch_size=8)
        assert asked == [((1, LENGTH), [LENGTH])]
        assert rows_of(tmp_path / "o.tsv")[1] == ["x:5-9000", "5", "9000", "NA", "no_contig"]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                "chr1\t1\t2\nx\t1\t2\nchr1\t5\t9\n",
                r"p\.bed: line 2: peak x:1-2 is not on .*g\.fa: no contig 'x'",
            ),
            (
                "chr1\t1\t2\nchr2\t40\t50\n",
                r"p\.bed: line 2: peak chr2:40-50 is not on .*: chr2 has only 40 bases",
            ),
            ("chr1\t1\t2\n\nchr1\t5\t5\n", r"p\.bed: line 3: end \(5\) must be greater than start \(5\)"),
        ],
    )
    def test_strict_refuses_them(self, genome, tmp_path, text, message):
        (tmp_path / "p.bed").write_text(text)
        assert len(list(windows_of_peaks(tmp_path / "p.bed", genome, LENGTH))) in (2, 3)
        with pytest.raises(TfbindError, match=message):
            list(windows_of_peaks(tmp_path / "p.bed", genome, LENGTH, strict=True))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("chr8\t1\t2\n", r"p\.bed: 1 of 1 contigs \('chr8'\) are not in .*g\.fa"),
            (
                "chr1\t1\t2\nx\t1\t2\nchr2\t50\t60\n",
                r"p\.bed: 2 of 3 peaks are not on .*\(first: line 2, x:1-2",
            ),
            (
                "chr1\t1\t2\nchr1\t2\t1\nchr1\t2\n",
                r"p\.bed: 2 of 3 lines cannot be read as BED \(line 2: end",
            ),
        ],
    )
    def test_most_of_them_are_refused(self, genome, tmp_path, text, message):
        (tmp_path / "p.bed").write_text(text)
        with pytest.raises(TfbindError, match=message):
            list(windows_of_peaks(tmp_path / "p.bed", genome, LENGTH))
