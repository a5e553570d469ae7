import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.recombination.maps.formats import find_format
from tfbind.recombination.maps.layout import read_layout
from tfbind.recombination.maps.windows import read_windows


def read(tmp_path, text):
    path = tmp_path / "rates.txt"
    path.write_bytes(text.encode())
    layout = read_layout(path)
    return read_windows(path, layout, find_format(path, layout))


DECODE = "# Halldorsson 2019\n# a comment\nChr\tBegin\tEnd\tcMperMb\tcM\nchr1\t0\t50\t2.5\t0\nchr1\t50\t90\tNA\t0\n"
RELERNN = "chrom\tstart\tend\tnSites\trecombRate\tCI95LO\nchr1\t0\t50\t7\t2.5\t1\nchr1\t50\t90\t8\tnan\t1\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (DECODE, "cMperMb"),
        (DECODE.replace("\n", "\r\n"), "cMperMb"),
        (RELERNN, "recombRate"),
        ("track type=bedGraph\nchr1 0 50 2.5\nchr1 50 90 NA\n", ""),
        ("#chrom\tstart\tend\trate\nchr1\t0\t50\t2.5\nchr1\t50\t90\t\n", "rate"),
        ("rate,other,chromEnd,chromStart,Chromosome\n2.5,1,50,0,chr1\n.,1,90,50,chr1\n", "rate"),
        ("chrom\tstart\tend\trate_upper\trate\nchr1\t50\t90\t9\tNA\nchr1\t0\t50\t9\t2.5\n", "rate"),
    ],
)
def test_formats(text, name, tmp_path):
    table, of_rate = read(tmp_path, text)
    assert table["chrom"].tolist() == ["chr1", "chr1"]
    assert table["start"].tolist() == [0, 50]
    assert table["end"].tolist() == [50, 90]
    np.testing.assert_array_equal(table["rate"], [2.5, np.nan])
    assert of_rate == name


def test_without_contigs(tmp_path):
    table, _ = read(tmp_path, "0\t50\t2.5\n50\t90\t3\n")
    assert table["chrom"].tolist() == ["", ""]
    assert table["rate"].tolist() == [2.5, 3]


def test_contigs_keep_their_order_and_a_contig_may_be_a_number_or_na(tmp_path):
    table, _ = read(tmp_path, "2 5 9 1\nNA 0 5 2\n2 0 5 3\n01 0 5 4\n")
    assert table["chrom"].tolist() == ["2", "2", "NA", "01"]
    assert table["rate"].tolist() == [3, 1, 2, 4]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no rows, expected a map"),
        ("# only\n", "has no rows, expected a map"),
        ("chrom\tstart\tend\trate\n", "has no rows, expected a map"),
        ("1 0 50 2.5 7\n", "found the columns '1 0 50 2.5 7 .no header.', expected one of"),
        (
            "chrom start end other\n1 0 50 2\n",
            "found the columns 'chrom start end other', expected one of",
        ),
        ("1 0 50 x\n", "line 1: found '1 0 50 x', expected a rate of at least 0 or NA"),
        ("1 0 50 -2\n", "line 1: found '1 0 50 -2', expected a rate of at least 0 or NA"),
        ("1 0 50 inf\n", "expected a rate of at least 0 or NA"),
        ("1 0 50 2\n1 a 50 2\n", "line 2: found '1 a 50 2', expected a whole number for start"),
        ("1 0 50.5 2\n1 51 52 1\n", "expected a whole number for end"),
        ("1 50 50 2\n1 60 70 2\n", "line 1: .*expected an end greater than the start"),
        ("1 0 50 2\n1 49 60 2\n", "line 2: found '1 49 60 2', expected windows that do not overlap"),
        ("1 0 50 2\n1 50\n", "line 2: found '1 50', expected a whole number for end"),
        ("track x\n1 5 9 1\n\n# more\n1 0 5 -1 # odd\n", "line 5: found '1 0 5 -1 # odd', expected a rate"),
        ("# c\nchrom\tstart\tend\trate\n1\t0\t5\t1\n  \n1\t5\t9\tx\n", r"line 5: found '1\\t5\\t9\\tx'"),
        ("start,end,rate\n0,5,1\n4,9,1\n", "line 3: found '4,9,1', expected windows that do not overlap"),
    ],
)
def test_wrong_input(text, message, tmp_path):
    with pytest.raises(TfbindError, match=message):
        read(tmp_path, text)
