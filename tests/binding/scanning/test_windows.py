import itertools
import tracemalloc
from pathlib import Path

import pytest

from tfbind.binding.scanning.windows import (
    ROWS_AT_ONCE,
    Portion,
    Windows,
    count_windows,
    gather,
    window_starts,
    windows_of_fasta,
    windows_of_record,
)
from tfbind.errors import TfbindError

LENGTH = 60


def cut(sequence: str, length=LENGTH, stride=None, strict=False) -> Windows:
    """All windows of one record."""
    return join(windows_of_record(Path("in.fa"), "r", sequence, length, stride or length, strict))


def portion(windows: Windows) -> Portion:
    return Portion(len(windows.id), lambda: windows)


def join(portions) -> Windows:
    """The windows of all portions."""
    (together,) = gather(portions, 10**6)
    return together.cut()


class TestWindowStarts:
    @pytest.mark.parametrize(
        ("n", "length", "stride", "starts"),
        [
            (0, 10, 10, [0]),
            (9, 10, 3, [0]),
            (10, 10, 3, [0]),
            (11, 10, 10, [0, 1]),
            (20, 10, 10, [0, 10]),
            (25, 10, 10, [0, 10, 15]),
            (16, 10, 3, [0, 3, 6]),
            (17, 10, 3, [0, 3, 6, 7]),
            (30, 10, 15, [0, 15, 20]),
            (30, 10, 100, [0, 20]),
        ],
    )
    def test_every_stride_and_flush_with_the_end(self, n, length, stride, starts):
        assert window_starts(n, length, stride).tolist() == starts
        assert count_windows(n, length, stride) == len(starts)


class TestWindowsOfRecord:
    @pytest.mark.parametrize(
        ("record", "note"),
        [
            ("ACGT" * 15, ""),
            ("N" * 59 + "A", ""),
            ("N" * 60, "ambiguous"),
            ("ACGT" * 14, "padded"),
            ("A" * 10, "padded"),
            ("N" * 10, "ambiguous"),
            ("A" * 9, "too_short"),
            ("N" * 9, "too_short"),
            ("", "too_short"),
        ],
    )
    def test_of_the_models_length_or_shorter_is_one(self, record, note):
        found = cut(record)
        assert (found.id, found.start.tolist(), found.end.tolist()) == (["r"], [0], [len(record)])
        assert found.note == [note]
        assert found.codes.shape == (1, LENGTH)

    def test_windows_hold_what_stands_there(self):
        found = cut("AAAAACCCCCGGG", length=5, stride=5)
        assert found.start.tolist() == [0, 5, 8]
        assert found.end.tolist() == [5, 10, 13]
        assert found.codes.tolist() == [[0] * 5, [1] * 5, [1, 1, 2, 2, 2]]
        assert found.note == [""] * 3

    def test_a_window_without_a_base_is_noted(self):
        assert cut("ACGTN" + "N" * 5 + "ACGTA", length=5, stride=5).note == ["", "ambiguous", ""]

    def test_a_long_record_comes_in_portions(self):
        portions = list(windows_of_record(Path("in.fa"), "r", "ACGT" * 2073, 11, 1))
        assert [portion.n for portion in portions] == [ROWS_AT_ONCE, 90]
        assert portions[1].cut().start[[0, 89]].tolist() == [8192, 8281]
        assert portions[1].cut().codes[:, 0].tolist() == [0, 1, 2, 3] * 22 + [0, 1]

    @pytest.mark.parametrize("at", [0, 5, 8192 * 20 - 1, 8192 * 20, 8192 * 20 + 3, 200_002])
    def test_a_wrong_letter_is_found_between_windows_too(self, at):
        sequence = "A" * at + "X" + "A" * (200_002 - at)
        with pytest.raises(TfbindError, match=f"in.fa: record 'r': found 'X' at position {at + 1},"):
            cut(sequence, length=3, stride=20, strict=True)

    def test_a_window_with_a_wrong_letter_is_noted(self):
        found = cut("ACGTA" + "NN-NN" + "ACGTA" + "NNNNN" + "ACG*", length=5, stride=5)
        assert found.note == ["", "invalid", "", "ambiguous", "invalid"]
        assert found.start.tolist() == [0, 5, 10, 15, 19]
        assert found.codes[4].tolist() == [4, 0, 1, 2, 4]
        # base 7 is in the windows that start at 4 and 6
        assert cut("A" * 7 + "-" + "A" * 7, length=5, stride=2).note == ["", "", "invalid", "invalid", "", ""]
        # a letter between windows is in none of them
        assert cut("AAAAA-AAAA", length=4, stride=6).note == ["", ""]

    @pytest.mark.parametrize("record", ["AC-T", "-", "ACGT" * 15 + "é", "NN-NN"])
    def test_a_short_record_with_a_wrong_letter_is_noted(self, record):
        found = cut(record, length=61)
        assert found.note == ["invalid"]
        assert found.codes.shape == (1, 61)


class TestWindowsOfFasta:
    RECORDS = (
        "ACGTA",
        "ACG",
        "",
        "NNNNN",
        "ACGTACGTACGTN",
        "NNNNNNNNNNN",
        "ACGTACGTAC",
        "NNNNNNNNNNNN",
        "AC",
    )

    @pytest.mark.parametrize("length", [5, 12])
    def test_are_those_of_each_record(self, tmp_path, length):
        path = tmp_path / "in.fa"
        records = {f"r{i}": record for i, record in enumerate(self.RECORDS * 300)}
        path.write_text("".join(f">{name}\n{record}\n" for name, record in records.items()))
        found = join(windows_of_fasta(path, length, 4))
        expected = join(
            part
            for name, record in records.items()
            for part in windows_of_record(path, name, record, length, 4)
        )
        assert (found.id, found.note) == (expected.id, expected.note)
        for name in ("start", "end", "codes"):
            assert (getattr(found, name) == getattr(expected, name)).all()

    def test_short_records_come_many_at_a_time(self, tmp_path):
        (tmp_path / "in.fa").write_text(">a\nACGT\n" * 1500)
        assert [part.n for part in windows_of_fasta(tmp_path / "in.fa", 5, 5)] == [1024, 476]

    def test_portions_hold_as_many_windows_as_they_say(self, tmp_path):
        (tmp_path / "in.fa").write_text(f">a\nACGT\n>b\nA\n>c\n{'ACGT' * 6000}\n>d\nACGTA\n>e\n{'A' * 18}\n")
        portions = list(windows_of_fasta(tmp_path / "in.fa", 7, 2))
        assert [part.n for part in portions] == [2, 8192, 3806, 1, 7]
        for part in [*portions, *gather(portions, 10_000)]:
            assert len(part.cut().id) == part.n

    def test_what_is_not_cut_costs_no_memory(self, tmp_path):
        (tmp_path / "in.fa").write_text(f">a\n{'ACGT' * 50_000}\n")
        tracemalloc.start()
        assert sum(part.n for part in windows_of_fasta(tmp_path / "in.fa", 101, 1)) == 199_900
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        # the text is there twice while its lines are joined; the windows would be 20 MB
        assert most < 2_000_000

    def test_a_wrong_letter_is_found_among_them(self, tmp_path):
        (tmp_path / "in.fa").write_text(">a\nACGT\n>b\nACXT\n")
        with pytest.raises(TfbindError, match=r"in\.fa: record 'b': found 'X' at position 3"):
            join(windows_of_fasta(tmp_path / "in.fa", 5, 5, strict=True))
        found = join(windows_of_fasta(tmp_path / "in.fa", 5, 5))
        assert found.note == ["too_short", "invalid"]
        assert found.codes[0].tolist() == [0, 1, 2, 3, 4]


class TestGather:
    def test_joins_until_there_are_enough(self):
        ones = [portion(cut("ACGTACGTAC", length=10)) for _ in range(7)]
        assert [(group.n, len(group.cut().id)) for group in gather(ones, 3)] == [(3, 3), (3, 3), (1, 1)]

    def test_takes_no_more_than_it_needs(self):
        endless = (portion(cut("ACGTACGTAC", length=10)) for _ in itertools.count())
        groups = gather(endless, 3)
        assert [next(groups).n for _ in range(2)] == [3, 3]

    def test_of_nothing(self):
        assert list(gather([], 3)) == []
