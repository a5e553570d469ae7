import gzip

import numpy as np
import pysam
import pytest

from tfbind.binding.scanning.score_table import LineWriter, open_table, read_rows, table_header, table_rows
from tfbind.binding.scanning.windows import Windows
from tfbind.files import BGZF_END

NAN = float("nan")


def test_table_rows():
    windows = Windows(
        ["a", "b"], np.array([0, 7]), np.array([5, 12]), np.zeros((2, 5), np.uint8), ["", "ambiguous"]
    )
    assert table_rows(windows, np.array([[0.1234567, 1], [NAN, NAN]])) == [
        "a\t0\t5\t0.123457\t1\t\n",
        "b\t7\t12\tNA\tNA\tambiguous\n",
    ]


@pytest.mark.parametrize("name", ["t.tsv", "t.tsv.gz", "t.tsv.bgz"])
def test_a_table_is_read_back(tmp_path, name):
    windows = Windows(["a", "b"], np.array([0, 7]), np.array([5, 12]), np.zeros((2, 5), np.uint8), ["", "x"])
    with open_table(tmp_path / name) as table:
        table.write(table_header(["CREB", "SP1"]))
        table.writelines(table_rows(windows, np.array([[0.5, 1], [NAN, 0.25]])))
    one, other = read_rows(tmp_path / name)
    assert one == ("a", 0, 5, [0.5, 1.0])
    assert other[:3] == ("b", 7, 12)
    assert np.isnan(other.scores[0])
    assert other.scores[1] == 0.25


class TestBgzf:
    def test_is_gzip_with_an_end_and_can_be_entered_anywhere(self, tmp_path):
        lines = [f"chr1\t{start}\t{start + 10}\n" for start in range(0, 200_000, 10)]
        with open_table(tmp_path / "t.bed.gz") as table:
            table.writelines(lines)
        data = (tmp_path / "t.bed.gz").read_bytes()
        assert gzip.decompress(data).decode() == "".join(lines)
        assert data.endswith(BGZF_END)
        pysam.tabix_index(str(tmp_path / "t.bed.gz"), preset="bed")
        with pysam.TabixFile(str(tmp_path / "t.bed.gz")) as indexed:
            assert list(indexed.fetch("chr1", 150_000, 150_010)) == ["chr1\t150000\t150010"]

    def test_a_file_cut_behind_a_call_goes_on_with_the_same_bytes(self, tmp_path):
        whole, parts = tmp_path / "whole", tmp_path / "parts"
        with open(whole, "wb") as handle:
            writer = LineWriter(handle, True)
            writer.write("a\n")
            cut_at = handle.tell()
            writer.write("")
            writer.write("b\n")
            writer.finish()
        parts.write_bytes(whole.read_bytes()[:cut_at])
        assert gzip.decompress(parts.read_bytes()) == b"a\n"
        with open(parts, "ab") as handle:
            writer = LineWriter(handle, True)
            writer.write("b\n")
            writer.finish()
        assert parts.read_bytes() == whole.read_bytes()
