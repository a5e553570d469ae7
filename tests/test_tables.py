import gzip
import json

import numpy as np
import pandas as pd
import pysam
import pytest

from tfbind.errors import TfbindError
from tfbind.files import BGZF_END
from tfbind.tables import (
    LineWriter,
    open_table,
    read_json,
    read_text_table,
    table_text,
    write_json,
    write_table,
)

NAN = float("nan")


class TestTable:
    table = pd.DataFrame({"id": ["NA", "b"], "score": [1 / 3, NAN]})

    def test_is_text_with_na_for_what_is_missing(self):
        assert table_text(self.table, digits=3) == "id\tscore\nNA\t0.333\nb\tNA\n"
        assert table_text(self.table, digits=3, header=False) == "NA\t0.333\nb\tNA\n"

    def test_has_nine_digits_or_all_of_them(self, tmp_path):
        write_table(tmp_path / "t.tsv", self.table)
        assert (tmp_path / "t.tsv").read_text() == "id\tscore\nNA\t0.333333333\nb\tNA\n"
        write_table(tmp_path / "t.tsv.gz", self.table, digits=None)
        assert gzip.decompress((tmp_path / "t.tsv.gz").read_bytes()).decode().split()[3] == repr(1 / 3)

    def test_keeps_a_record_called_na_when_it_is_read(self, tmp_path):
        write_table(tmp_path / "t.tsv", self.table)
        assert read_text_table(tmp_path / "t.tsv", ["id"], "tfbind x")["id"].tolist() == ["NA", "b"]

    def test_a_hostile_name_stays_in_its_cell(self, tmp_path):
        names = [
            "a\tb",
            "a\nb",
            '"',
            "<script>alert(1)</script>",
            "x" * 300,
            "=cmd|' /C calc'!A0",
            "\\",
            "",
            "#",
        ]
        write_table(tmp_path / "t.tsv", pd.DataFrame({"factor": names, "score": 1}))
        table = read_text_table(tmp_path / "t.tsv", ["factor", "score"], "tfbind x")
        assert table["factor"].tolist() == names
        assert table["score"].tolist() == ["1"] * len(names)

    def test_without_a_column_is_refused(self, tmp_path):
        write_table(tmp_path / "t.tsv", self.table)
        with pytest.raises(TfbindError, match=r"t\.tsv: found no column 'y', expected .* id, y of tfbind x"):
            read_text_table(tmp_path / "t.tsv", ["id", "y"], "tfbind x")


class TestJson:
    @pytest.mark.parametrize("content", ["[" * 99_999, '{"a":' * 99_999, "[" * 99_999 + "]" * 99_999])
    def test_that_is_nested_too_deep_is_refused(self, tmp_path, content):
        (tmp_path / "m.json").write_text(content)
        with pytest.raises(TfbindError, match=r"m\.json: not JSON"):
            read_json(tmp_path / "m.json", list)

    def test_comes_back_with_null_for_what_is_not_finite(self, tmp_path):
        write_json(
            tmp_path / "new" / "m.json", {"a": [1.5, NAN, (float("inf"), np.float64("nan"))], "b": None}
        )
        assert read_json(tmp_path / "new" / "m.json", dict) == {"a": [1.5, None, [None, None]], "b": None}
        assert (tmp_path / "new" / "m.json").read_text().endswith("}\n")

    @pytest.mark.parametrize(
        ("text", "message"),
        [("[1]", "found a JSON list, expected a dict"), ("{", "not JSON"), (None, "no such file")],
    )
    def test_of_another_kind_is_refused(self, tmp_path, text, message):
        if text is not None:
            (tmp_path / "m.json").write_text(text)
        with pytest.raises(TfbindError, match=rf"m\.json: {message}"):
            read_json(tmp_path / "m.json", dict)

    def test_is_indented_by_two(self, tmp_path):
        write_json(tmp_path / "m.json", {"a": 1})
        assert (tmp_path / "m.json").read_text() == json.dumps({"a": 1}, indent=2) + "\n"


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
