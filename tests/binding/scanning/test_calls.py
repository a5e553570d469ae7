import gzip

import pytest

from tfbind.binding.scanning.calls import (
    Call,
    CallOptions,
    as_printed,
    bed_line,
    choose_thresholds,
    contig_of,
    find_calls,
    write_calls,
)
from tfbind.binding.scanning.score_table import Row
from tfbind.errors import TfbindError
from tfbind.tables import open_table

NAN = float("nan")


def calls_of(*rows, thresholds=(0.5,), one_a_row=False):
    """Id, start, end, factor and score of the calls in rows of 10 bases: ``("a", start, scores ...)``."""
    rows = [Row(name, start, start + 10, scores) for name, start, *scores in rows]
    factors = ["A", "B", "C"][: len(thresholds)]
    found = find_calls(iter(rows), factors, thresholds, one_a_row=one_a_row)
    return [(call.id, call.start, call.end, call.factor, call.score) for call in found]


class TestFindCalls:
    def test_windows_at_or_above_the_threshold(self):
        assert calls_of(("a", 0, 0.4), ("b", 0, 0.5), ("c", 0, 0.6)) == [
            ("b", 0, 10, "A", 0.5),
            ("c", 0, 10, "A", 0.6),
        ]

    def test_overlapping_or_touching_ones_are_merged_under_the_highest_score(self):
        rows = [("a", 0, 0.6), ("a", 5, 0.9), ("a", 15, 0.7), ("a", 26, 0.8)]
        assert calls_of(*rows) == [("a", 0, 25, "A", 0.9), ("a", 26, 36, "A", 0.8)]

    def test_also_over_a_window_below_the_threshold(self):
        assert calls_of(("a", 0, 0.6), ("a", 5, 0.1), ("a", 10, NAN), ("a", 10, 0.7)) == [
            ("a", 0, 20, "A", 0.7)
        ]

    def test_not_over_the_end_of_a_record(self):
        rows = [("a", 0, 0.6), ("a", 8, 0.6), ("b", 0, 0.7), ("b", 0, 0.8)]
        assert calls_of(*rows) == [
            ("a", 0, 18, "A", 0.6),
            ("b", 0, 10, "A", 0.7),
            ("b", 0, 10, "A", 0.8),
        ]

    def test_where_each_row_is_a_record(self):
        rows = [("a", 3, 0.6), ("a", 8, 0.6), ("a", 2, 0.3)]
        assert calls_of(*rows, one_a_row=True) == [("a", 3, 13, "A", 0.6), ("a", 8, 18, "A", 0.6)]

    def test_what_has_no_score_is_not_called(self):
        assert calls_of(("a", 0, NAN), ("b", 0, NAN), thresholds=(0.0,)) == []

    def test_of_several_factors_by_start_and_then_factor(self):
        rows = [
            ("a", 0, 0.1, 0.6, 0.1),
            ("a", 8, 0.6, 0.7, 0.6),
            ("a", 16, 0.1, 0.7, 0.1),
            ("a", 24, 0.1, 0.7, 0.8),
            ("b", 0, 0.5, 0.5, 0.5),
        ]
        assert calls_of(*rows, thresholds=(0.5, 0.5, 0.5)) == [
            ("a", 0, 34, "B", 0.7),
            ("a", 8, 18, "A", 0.6),
            ("a", 8, 18, "C", 0.6),
            ("a", 24, 34, "C", 0.8),
            ("b", 0, 10, "A", 0.5),
            ("b", 0, 10, "B", 0.5),
            ("b", 0, 10, "C", 0.5),
        ]

    def test_each_factor_has_its_threshold(self):
        rows = [("a", 0, 0.4, 0.4), ("b", 0, 0.6, 0.6)]
        assert [call[:4:3] for call in calls_of(*rows, thresholds=(0.5, 0.3))] == [
            ("a", "B"),
            ("b", "A"),
            ("b", "B"),
        ]


class TestBedLine:
    def test_scores_in_thousandths(self):
        assert bed_line(Call("a", 3, 13, "SP1", 0.98765), genomic=False) == "a\t3\t13\tSP1\t988\t.\n"
        assert bed_line(Call("a", 3, 13, "SP1", 1.0), genomic=False) == "a\t3\t13\tSP1\t1000\t.\n"

    @pytest.mark.parametrize(
        ("record_id", "contig"),
        [
            ("chr1:90-150", "chr1"),
            ("a::b::chr1:90-150", "chr1"),
            ("my peak::HLA-A*01:01:90-150", "HLA-A*01:01"),
        ],
    )
    def test_peaks_name_their_contig(self, record_id, contig):
        assert contig_of(record_id) == contig
        assert bed_line(Call(record_id, 90, 150, "X", 0.5), genomic=True).startswith(f"{contig}\t90\t150\t")


class TestThresholds:
    def test_of_the_model_or_given(self, two_factor_model):
        assert choose_thresholds(two_factor_model, 0.7, 0.01) == [0.7, 0.7]
        assert choose_thresholds(two_factor_model, None, None) == list(two_factor_model.card.threshold)

    def test_of_the_model_do_not_go_with_another_prevalence(self, two_factor_model):
        with pytest.raises(
            TfbindError, match=r"--threshold auto does not go with --prevalence; expected a number"
        ):
            choose_thresholds(two_factor_model, None, 0.01)

    def test_a_score_right_at_the_threshold_is_called(self):
        assert float(f"{0.123456789:.6g}") >= as_printed(0.123456789)
        assert as_printed(0.123456789) == 0.123457


@pytest.mark.parametrize("name", ["c.bed", "c.bed.gz"])
def test_write_calls(tmp_path, name):
    (tmp_path / "t.tsv").write_text(
        "id\tstart\tend\tA\tB\tnote\nx\t0\t10\t0.25\tNA\t\nx\t5\t15\t0.5\t0.1\t\ny\t0\t9\t0.1\t0.9\tpadded\n"
    )
    options = CallOptions(tmp_path / name, [0.25, 0.5])
    with open_table(tmp_path / name) as bed:
        assert write_calls(tmp_path / "t.tsv", ["A", "B"], options, bed) == 2
    opener = gzip.open if name.endswith(".gz") else open
    with opener(tmp_path / name, "rt") as handle:
        assert handle.read() == "x\t0\t15\tA\t500\t.\ny\t0\t9\tB\t900\t.\n"
