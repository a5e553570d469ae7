import gzip
import re

import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.recombination.maps.points import between
from tfbind.recombination.maps.reading import read_map_file, read_rate_map

HEADER = "Chromosome\tPosition(bp)\tRate(cM/Mb)\tMap(cM)"
EDGES = [0, 100_000, 200_000, 300_000, 400_000]
# rates of the intervals, in the row after each or before it; the cumulative column is the same
RATES = [1, 5, 1, 0]
CM = [0, 0.1, 0.6, 0.7, 0.7]


def rows(rate, cm, header=HEADER):
    table = zip(EDGES, rate, cm, strict=True)
    return "\n".join([header, *(f"1\t{at + 1}\t{r}\t{c}" for at, r, c in table)]) + "\n"


def write(tmp_path, text, name="map.txt"):
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


def rates(path):
    [steps] = read_rate_map(path).values()
    return (steps.values * 1e8).round(9).tolist()


class TestWhichIntervalARateIsOf:
    def test_the_one_before_its_row(self, tmp_path):
        path = write(tmp_path, rows([0, *RATES], CM))
        assert rates(path) == RATES
        assert "each rate is of the interval before its row" in read_map_file(path).note

    def test_the_one_after_its_row(self, tmp_path):
        path = write(tmp_path, rows([*RATES, 0], CM))
        assert rates(path) == RATES
        assert "each rate is of the interval after its row" in read_map_file(path).note

    @pytest.mark.parametrize("cm", [[0] * 5, ["NA"] * 5, [""] * 5])
    def test_without_a_cumulative_column_the_one_after(self, cm, tmp_path):
        path = write(tmp_path, rows([*RATES, 0], cm))
        assert rates(path) == RATES
        note = read_map_file(path).note
        assert "its cumulative column is empty or all equal" in note
        assert "of the interval after its row (no cumulative column shows otherwise)" in note

    def test_a_rate_column_that_disagrees_is_said(self, tmp_path):
        path = write(tmp_path, rows([2.00001, 10, 2, 0, 0], [0, 0.100001, 0.600001, 0.700001, 0.700001]))
        assert rates(path) == [1.00001, 5, 1, 0]
        assert (
            "disagree by 1 of the genetic length: the cumulative column is used" in read_map_file(path).note
        )

    def test_rounding_is_no_disagreement(self):
        rng = np.random.default_rng(0)
        width, rate = rng.integers(20, 5000, 5000), rng.lognormal(0, 1, 5000)
        cm = np.append(0, np.cumsum(rate * width / 1e6)).round(6)
        _, notes = between(width, np.append(rate, 0).round(4), cm)
        assert notes == ["each rate is of the interval after its row, as its cumulative column shows"]

    def test_a_rate_that_is_unknown_makes_its_interval_unknown(self, tmp_path):
        path = write(tmp_path, rows([0, 1, 5, "NA", 0], CM))
        assert rates(path)[:2] == [1, 5]
        assert np.isnan(rates(path)[2])


class TestFormats:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("gmap", "pos\tchr\tcM\n1\t1\t0\n100001\t1\t.1\n200001\t1\t.6\n"),
            ("plink", "1 . 0 1\n1 . .1 100001\n1 . .6 200001\n"),
            ("plink", "1\trs7\t0\t1\n1\trs8\t.1\t100001\n1\trs9\t.6\t200001\n"),
            (
                "hapmap",
                "Chromosome Position(bp) Map(cM) Rate(cM/Mb)\n1 1 0 1\n1 100001 .1 5\n1 200001 .6 0\n",
            ),
            ("gmap", "Chromosome Position(bp) Map(cM)\n1 1 0\n1 100001 .1\n1 200001 .6\n"),
            ("hapmap", "position COMBINED_rate(cM/Mb) Genetic_Map(cM)\n1 0 5\n100001 1 5.1\n200001 5 5.6\n"),
            (
                "hapmap",
                "chr position COMBINED_rate(cM/Mb) Genetic_Map(cM)\n1 1 0 0\n1 100001 1 .1\n1 200001 5 .6\n",
            ),
            (
                "mareymap",
                '"set" "map" "mkr" "phys" "gen" "vld"\n"A thaliana" "1" "m1" 1 0 TRUE\n"A thaliana" "1" "m3" 200001'
                ' 0.6 TRUE\n"A thaliana" "1" "m2" 100001 0.1 TRUE\n"A thaliana" "1" "bad" 150001 90 FALSE\n',
            ),
        ],
    )
    @pytest.mark.parametrize("change", [lambda text: text, lambda text: text.replace("\n", "\r\n")])
    def test_are_recognized(self, name, text, change, tmp_path):
        path = write(tmp_path, change(text))
        assert read_map_file(path).form == name
        np.testing.assert_allclose(rates(path), [1, 5])
        path.write_bytes(gzip.compress(change(text).encode()))
        np.testing.assert_allclose(rates(path), [1, 5])

    def test_markers_out_of_order_are_fitted_and_counted(self, tmp_path):
        lines = ["s 1 m 1 0 TRUE", "s 1 m 100001 .3 TRUE", "s 1 m 200001 .1 TRUE", "s 1 m 300001 .6 TRUE"]
        path = write(tmp_path, "\n".join(["set map mkr phys gen vld", *lines]) + "\n")
        np.testing.assert_allclose(rates(path), [2, 0, 4])
        assert "1 markers have a smaller genetic position than the one before" in read_map_file(path).note

    def test_position_0_is_the_beginning(self, tmp_path):
        path = write(tmp_path, f"{HEADER}\n1 0 1 0\n1 11 0 0.00001\n".replace("\t", " "))
        [steps] = read_rate_map(path).values()
        assert steps.edges.tolist() == [0, 10]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no rows"),
        (f"{HEADER}\n", "has no rows"),
        (f"{HEADER}\n1\t5\t1\n", "not a table of 4 columns"),
        (
            f"{HEADER}\n1\t5\t1\t0\n1\t9\t1\n",
            "line 3: found '1\\t9\\t1', expected a genetic position of at least 0",
        ),
        (
            f"{HEADER}\n1\t5.5\t1\t0\n",
            "line 2: found '1\\t5.5\\t1\\t0', expected a whole number for position",
        ),
        (f"{HEADER}\n1\t{10**30}\t1\t0\n", "expected a whole number for position"),
        (f"{HEADER}\n1\t5\t-1\t0\n", "line 2: found '1\\t5\\t-1\\t0', expected a rate of at least 0"),
        (f"{HEADER}\n1\t5\tx\t0\n", "expected a rate of at least 0"),
        (f"{HEADER}\n1\t5\tinf\t0\n", "expected a rate of at least 0"),
        (f"{HEADER}\n1\t5\t1\tx\n", "expected a genetic position of at least 0"),
        (f"{HEADER}\n1\t5\t1\t0\n1\t5\t1\t0\n", "line 3: position 5 follows 5; positions must ascend"),
        (f"{HEADER}\n1\t5\t1\t2\n1\t9\t1\t1\n", "line 3: genetic position 1 cM follows 2"),
        (f"{HEADER}\n1\t5\t1\t0\n", "found one row of contig '1'"),
        ("pos chr cM\n1 20 0\n9 20 -.1\n", "line 3: found '9 20 -.1', expected a genetic position"),
    ],
)
def test_wrong_input(text, message, tmp_path):
    with pytest.raises(TfbindError, match=re.escape(f"map.txt: {message}").replace("map\\.txt:\\ ", ".*")):
        read_rate_map(write(tmp_path, text))
