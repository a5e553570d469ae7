import numpy as np
import pytest

from tfbind.binding.scanning.score_table import read_rows, table_header, table_rows
from tfbind.binding.scanning.windows import Windows
from tfbind.errors import TfbindError
from tfbind.tables import open_table

NAN = float("nan")


def test_table_rows():
    windows = Windows(
        ["a", "b"], np.array([0, 7]), np.array([5, 12]), np.zeros((2, 5), np.uint8), ["", "ambiguous"]
    )
    assert table_rows(windows, np.array([[0.1234567, 1], [NAN, NAN]])) == [
        "a\t0\t5\t0.123457\t1\t\n",
        "b\t7\t12\tNA\tNA\tambiguous\n",
    ]


def test_a_row_without_a_place(tmp_path):
    windows = Windows(["what is"], np.array([-1]), np.array([-1]), np.zeros((1, 5), np.uint8), ["malformed"])
    lines = table_rows(windows, np.array([[NAN]]))
    assert lines == ["what is\tNA\tNA\tNA\tmalformed\n"]
    with open_table(tmp_path / "t.tsv") as table:
        table.writelines([table_header(["CREB"]), *lines])
    (row,) = read_rows(tmp_path / "t.tsv")
    assert row[:3] == ("what is", -1, -1)


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


def test_spreads_come_after_all_scores_and_are_read_if_asked_for(tmp_path):
    windows = Windows(["a"], np.array([0]), np.array([5]), np.zeros((1, 5), np.uint8), [""])
    with open_table(tmp_path / "t.tsv") as table:
        table.write(table_header(["CREB", "SP1"], uncertainty=True))
        table.writelines(table_rows(windows, np.array([[0.5, 1, 0.25, 0.125]])))
    assert (tmp_path / "t.tsv").read_text().splitlines()[
        0
    ] == "id\tstart\tend\tCREB\tSP1\tCREB_sd\tSP1_sd\tnote"
    (row,) = read_rows(tmp_path / "t.tsv", 2)
    assert row.scores == [0.5, 1.0]
    (row,) = read_rows(tmp_path / "t.tsv")
    assert row.scores == [0.5, 1.0, 0.25, 0.125]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected the columns id, start, end, factors and note"),
        ("id\tstart\tend\tCREB\n", "line 1: expected the columns"),
        ("a\t0\n", r"line 2: found 'a\\t0', expected a row of scores"),
        ("a\t0\t5\t0.5\t\t\n", "line 2: found"),
        ("a\t0\tNA\t0.5\t\n", "line 2: found"),
        ("a\t5\t0\t0.5\t\n", "line 2: found"),
        ("a\t-1\t5\t0.5\t\n", "line 2: found"),
        ("a\t1_0\t50\t0.5\t\n", "line 2: found"),
        ("a\t0\t9223372036854775808\t0.5\t\n", "line 2: found"),
        ("a\t0\t5\thigh\t\n", "line 2: found"),
        ("a\t0\t5\t1e400\t\n", "line 2: found"),
        ("a\t0\t5\t0.5\t\nb\t0\n", "line 3: found"),
    ],
)
def test_a_damaged_table_is_refused_by_its_line(tmp_path, text, message):
    path = tmp_path / "t.tsv"
    header = "" if not text or text.startswith("id") else "id\tstart\tend\tCREB\tnote\n"
    path.write_text(header + text)
    with pytest.raises(TfbindError, match=f"t.tsv: {message}"):
        list(read_rows(path))
