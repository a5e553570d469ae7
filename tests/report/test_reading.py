"""Every kind of damage is one line, and gives nothing in place of the file."""

import numpy as np
import pytest

from tfbind.report.reading import SHARES, TEXTS, UNBOUNDED, Numbers, Reader
from tfbind.report.results import METRICS

CURVE = {"factor": None, "fpr": SHARES, "threshold": UNBOUNDED}
HEAD = "factor\tfpr\tthreshold\n"


def fault(reader):
    (problem,) = reader.faults.values()
    return problem


@pytest.fixture
def reader(tmp_path):
    return Reader(tmp_path)


class TestJson:
    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            ('{"a": ', "not JSON ("),
            ("", "not JSON ("),
            ("7", "found a JSON int, expected a dict"),
            ('["a"]', "found a JSON list, expected a dict"),
            ('{"a": 1}', "at a: 1 is not of type 'object'"),
            ('{"a": {"auroc": "high"}}', "at a.auroc: 'high' is not of type 'number', 'null'"),
            ('{"a": {"auroc": true}}', "at a.auroc: True is not of type"),
            ('{"a": {"auroc": NaN}}', "found nan, expected finite numbers, or null"),
            ('{"a": {"other": -Infinity}}', "found -inf, expected finite numbers, or null"),
            ('{"a": {"brier": 1e300}}', "at a.brier: 1e+300 is greater than the maximum"),
            ('{"a": {"n_positive": 1%s}}' % ("0" * 30), "found a whole number beyond 1e+12"),
            ('{"a": {"n_positive": 1%s}}' % ("0" * 5000), "not JSON ("),
            ('{"a": {"n_positive": -1}}', "at a.n_positive: -1 is less than the minimum of 0"),
            ('{"a": {"auroc_ci95": [0.5]}}', "at a.auroc_ci95: [0.5] is too short"),
            ('{"a": {"auroc_ci95": [0.5, null]}}', "at a.auroc_ci95.1: None is not of type 'number'"),
            ('{"a":' * 30 + "1" + "}" * 30, "nested more than 20 levels deep"),
            ('{"a":' * 99_999, "not JSON that tfbind wrote (nested too deep)"),
        ],
    )
    def test_damage(self, reader, tmp_path, content, problem):
        (tmp_path / "metrics.json").write_text(content)
        assert reader.json(tmp_path / "metrics.json", METRICS) is None
        assert fault(reader).startswith(problem)

    def test_no_text(self, reader, tmp_path):
        (tmp_path / "notes.json").write_bytes(b'["\xff"]')
        assert reader.json(tmp_path / "notes.json", TEXTS) is None
        assert fault(reader).startswith("not JSON (")

    def test_what_is_wrong_is_one_short_line(self, reader, tmp_path):
        (tmp_path / "notes.json").write_text(f'[["{"long" * 999}\\n"]]')
        assert reader.json(tmp_path / "notes.json", TEXTS) is None
        assert len(fault(reader)) == 203

    def test_what_is_not_there_is_no_fault(self, reader, tmp_path):
        assert reader.json(tmp_path / "metrics.json", METRICS) is None
        assert reader.faults == {}


class TestTable:
    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            ("", "found no column 'factor', expected the columns factor, fpr, threshold"),
            ("fpr\n", "found no column 'factor', expected the columns factor, fpr, threshold"),
            (HEAD + "a\t0\tinf\na\t1.5\t0\n", "line 3: found fpr '1.5', expected a number from 0 to 1 or NA"),
            (HEAD + "a\tx\tinf\n", "line 2: found fpr 'x', expected a number from 0 to 1 or NA"),
            (HEAD + "a\t0\t0.5\nb\t0\n", "line 3: found 2 cells, expected 3"),
            (HEAD + "a\t0\t0.5\nb\t0\t1\t2\n", "line 3: found 4 cells, expected 3"),
            (HEAD + "a\t0\t0.5\t7\nb\t0\t1\t2\n", "line 2: found 4 cells, expected 3"),
            ("factor\tfactor\n", "two columns have one name"),
            (HEAD + '"a\t0\t0.5\n', "line 2: not a table of tab-separated columns ("),
        ],
    )
    def test_damage(self, reader, tmp_path, content, problem):
        (tmp_path / "roc.tsv").write_text(content)
        assert reader.table(tmp_path / "roc.tsv", CURVE) is None
        assert fault(reader).startswith(problem)

    def test_no_text(self, reader, tmp_path):
        (tmp_path / "roc.tsv").write_bytes(b"\xff\xfe\xfd")
        assert reader.table(tmp_path / "roc.tsv", CURVE) is None
        assert fault(reader).startswith("not a text file")

    def test_missing_numbers_are_nan_unless_needed(self, reader, tmp_path):
        (tmp_path / "t.tsv").write_text("factor\tepoch\nNA\tNA\n\t3\n")
        table = reader.table(tmp_path / "t.tsv", {"factor": None, "epoch": Numbers(0)})
        assert table["factor"].tolist() == ["NA", ""]
        np.testing.assert_array_equal(table["epoch"], [np.nan, 3])
        assert reader.table(tmp_path / "t.tsv", {"epoch": Numbers(0, missing=False)}) is None
        assert fault(reader) == "line 2: found epoch 'NA', expected a number from 0 to 1e+12"


class TestPictures:
    def test_only_svg(self, reader, tmp_path):
        (tmp_path / "a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
        (tmp_path / "b.svg").write_text("<svg")
        (tmp_path / "c.svg").write_text("<html/>")
        (tmp_path / "d.svg").mkdir()
        assert [picture.name for picture in reader.pictures(tmp_path)] == ["a"]
        assert [*reader.faults] == ["b.svg", "c.svg", "d.svg"]
        assert reader.faults["c.svg"] == "not SVG (found the element 'html')"

    def test_entities_do_not_explode(self, reader, tmp_path):
        entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
        (tmp_path / "bomb.svg").write_text(f'<!DOCTYPE svg [<!ENTITY e0 "x">{entities}]><svg>&e11;</svg>')
        assert reader.pictures(tmp_path) == []
        assert fault(reader).startswith("not SVG (limit on input amplification factor")


class TestFaults:
    def test_are_given_by_folder_or_file(self, reader, tmp_path):
        for name in ("a", "ab"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "notes.json").write_text("7")
            reader.json(tmp_path / name / "notes.json", TEXTS)
        sentence = "a/notes.json: found a JSON int, expected a list"
        assert reader.faults_of(tmp_path / "a") == reader.faults_of(tmp_path / "a/notes.json") == [sentence]
