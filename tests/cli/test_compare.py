import pytest

from tfbind.cli import main

HEAD = "id\tfactor\tlabel\tscore\tsplit\tcluster\n"


@pytest.fixture
def folders(tmp_path):
    for name, scores in (("a", (4, 3, 1, 2, 0)), ("b", (4, 1, 2, 3, 2))):
        rows = [f"s{i}\tX\t{int(i < 3)}\t{score}\ttest\t\n" for i, score in enumerate(scores)]
        (tmp_path / name).mkdir()
        (tmp_path / name / "predictions.tsv").write_text(HEAD + "".join(rows))
    return tmp_path / "a", tmp_path / "b"


def compare(*arguments) -> int:
    return main(["compare", *map(str, arguments)])


def test_writes_the_table(folders, tmp_path):
    assert compare(*folders, "-o", tmp_path / "new" / "table.tsv") == 0
    head, row = (tmp_path / "new" / "table.tsv").read_text().splitlines()
    assert head.startswith("factor\ta\tb\tn_positive\tn_negative\tauroc_a\tauroc_b\tdifference\tci95_low\t")
    assert row.startswith("X\ta\tb\t3\t2\t0.833333333\t0.416666667\t0.416666667\t-0.19")
    assert row.endswith("\tDeLong\t0")


def test_undefined_is_na(folders, tmp_path):
    for folder in folders:
        table = folder / "predictions.tsv"
        table.write_text(table.read_text().replace("\t0\t", "\t1\t"))
    assert compare(*folders, "-o", tmp_path / "table.tsv") == 0
    row = (tmp_path / "table.tsv").read_text().splitlines()[1]
    assert row == "X\ta\tb\t5\t0\tNA\tNA\tNA\tNA\tNA\tNA\tnone: needs positives and negatives\t0"


def test_same_seed_same_bytes(folders, tmp_path):
    for folder, turn in zip(folders, (3, 7), strict=True):
        rows = [f"s{i}\tX\t{i % 2}\t{i * turn % 11 + i % 2}\ttest\t{i // 2}\n" for i in range(40)]
        (folder / "predictions.tsv").write_text(HEAD + "".join(rows))
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        assert compare(*folders, "--seed", seed, "-o", tmp_path / name) == 0
    assert "bootstrap of 20 clusters" in (tmp_path / "one").read_text()
    assert (tmp_path / "one").read_bytes() == (tmp_path / "again").read_bytes()
    assert (tmp_path / "one").read_bytes() != (tmp_path / "other").read_bytes()


def test_what_is_wrong_is_one_line_and_exit_2(folders, tmp_path, capsys):
    for arguments, message in (
        (folders[:1], "expected at least two"),
        ((), "the following arguments are required: DIR"),
        ((*folders, tmp_path), "predictions.tsv: no such file"),
    ):
        assert compare(*arguments, "-o", tmp_path / "table.tsv") == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert message in line
        assert not (tmp_path / "table.tsv").exists()


def test_a_table_to_compare_is_never_written_over(folders, capsys):
    assert compare(*folders, "-o", folders[1] / "predictions.tsv") == 2
    assert "is a table to compare" in capsys.readouterr().err
