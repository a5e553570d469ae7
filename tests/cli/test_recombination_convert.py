import pytest

from tfbind import cli
from tfbind.cli.recombination_convert import FORMATS_READ, FORMATS_WRITTEN, UNITS
from tfbind.recombination.maps import formats, reading
from tfbind.recombination.maps.writing import WRITERS

# the cumulative column says that a rate belongs to the interval before its row
HEADER = "position COMBINED_rate(cM/Mb) Genetic_Map(cM)"
LATE_RATES = f"{HEADER}\n1 0 0\n100001 1 0.1\n200001 5 0.6\n300001 1 0.7\n400001 0 0.7\n"


def convert(*argv):
    return cli.main(["recombination", "convert", *map(str, argv)])


@pytest.fixture
def late(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "late.txt"
    path.write_text(LATE_RATES)
    return path


def test_options_are_those_of_the_readers_and_writers():
    assert set(FORMATS_WRITTEN) == set(WRITERS)
    assert set(FORMATS_READ) == {*formats.FORMATS, *formats.ALIASES}
    assert UNITS == reading.UNITS


def test_to_hapmap(late, tmp_path):
    assert convert(late, "--to", "hapmap", "--contig", "20", "-o", "out/map.txt") == 0
    assert (tmp_path / "out" / "map.txt").read_text().splitlines()[1:] == [
        "20\t1\t1\t0",
        "20\t100001\t5\t0.1",
        "20\t200001\t1\t0.6",
        "20\t300001\t0\t0.7",
        "20\t400001\t0\t0.7",
    ]


def test_to_a_genetic_length(late, tmp_path, caplog):
    assert convert(late, "--to", "gmap", "--contig", "20", "--genetic-length", "1.4", "-o", "map.gmap") == 0
    assert (tmp_path / "map.gmap").read_text().splitlines()[-1] == "400001\t20\t1.4"
    caplog.set_level("INFO")
    convert(late, "--to", "gmap", "--contig", "20", "--genetic-length", "1.4", "-o", "map.gmap")
    assert "contig 20: rates multiplied by 2, to the genetic length given" in caplog.text


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ((), "the map does not name its contig, which format plink needs; give --contig"),
        (("--contig", "1", "--ne", "100"), "not population-scaled, so --ne has no use"),
        (
            ("--from", "gmap"),
            f"late.txt: found the columns '{HEADER}', expected gmap",
        ),
        (("--genetic-length", "none.txt"), "none.txt: no such file"),
    ],
)
def test_what_is_refused(argv, message, late, tmp_path, capsys):
    assert convert(late, "--to", "plink", *argv, "-o", "map.map") == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["late.txt"]


def test_the_map_is_not_overwritten_by_the_list_of_gaps(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "map.gaps.bed").write_text("1\t0\t100000\t2\n1\t150000\t200000\t2\n")
    assert convert("map.gaps.bed", "--to", "hapmap", "-o", "map.txt") == 2
    assert "map.gaps.bed: would overwrite the file of" in capsys.readouterr().err
