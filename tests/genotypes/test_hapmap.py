import gzip
import re

import msprime
import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.genotypes.hapmap import HEADER, read_hapmap, write_hapmap

RATES = msprime.RateMap(position=[0, 1000, 5000, 20_000], rate=[1e-8, 2.5e-6, 0])
TEXT = """Chromosome\tPosition(bp)\tRate(cM/Mb)\tMap(cM)
1\t1\t1\t0
1\t1001\t250\t0.001
1\t5001\t0\t1.001
1\t20001\t0\t1.001
"""


class TestWriting:
    def test_literal(self, tmp_path):
        write_hapmap(tmp_path / "1.txt", {"1": RATES})
        assert (tmp_path / "1.txt").read_text() == TEXT

    @pytest.mark.parametrize("column", [{"rate_col": 2}, {"map_col": 3}])
    def test_msprime_reads_either_column(self, tmp_path, column):
        write_hapmap(tmp_path / "1.txt", {"1": RATES})
        found = msprime.RateMap.read_hapmap(str(tmp_path / "1.txt"), **column)
        np.testing.assert_array_equal(found.position[1:], RATES.position + 1)
        assert np.isnan(found.rate[0])
        np.testing.assert_allclose(found.rate[1:], RATES.rate, rtol=1e-6, atol=1e-18)

    def test_round_trip(self, tmp_path):
        rng = np.random.default_rng(0)
        position = np.append(0, np.cumsum(rng.integers(1, 3000, 50)))
        rates = msprime.RateMap(position=position, rate=rng.lognormal(-18, 2, 50))
        write_hapmap(tmp_path / "map.txt", {"x": rates, "y": RATES})
        found = read_hapmap(tmp_path / "map.txt")
        assert list(found) == ["x", "y"]
        np.testing.assert_array_equal(found["x"].position, position)
        np.testing.assert_allclose(found["x"].rate, rates.rate, rtol=1e-9)

    def test_what_is_unknown_at_the_ends_stays_unknown(self, tmp_path):
        rates = msprime.RateMap(position=[0, 10, 20, 30], rate=[np.nan, 1e-8, np.nan])
        write_hapmap(tmp_path / "map.txt", {"1": rates})
        found = read_hapmap(tmp_path / "map.txt")["1"]
        np.testing.assert_array_equal(found.position, [0, 10, 20])
        np.testing.assert_array_equal(found.rate, [np.nan, 1e-8])


class TestReading:
    def write(self, tmp_path, text):
        path = tmp_path / "map.txt"
        path.write_bytes(text.encode())
        return path

    def test_dos_lines_and_gzip(self, tmp_path):
        path = tmp_path / "map.txt.gz"
        path.write_bytes(gzip.compress(TEXT.replace("\n", "\r\n").encode()))
        assert read_hapmap(path)["1"] == RATES

    def test_without_the_contig(self, tmp_path):
        text = "position COMBINED_rate(cM/Mb) Genetic_Map(cM)\n11 2 0\n21 0 0.00002\n"
        found = read_hapmap(self.write(tmp_path, text))[""]
        np.testing.assert_array_equal(found.position, [0, 10, 20])
        np.testing.assert_allclose(found.rate, [np.nan, 2e-8])

    def test_position_0_is_the_beginning(self, tmp_path):
        found = read_hapmap(self.write(tmp_path, f"{HEADER}\n1 0 1 0\n1 11 0 0.1\n"))["1"]
        np.testing.assert_array_equal(found.position, [0, 10])

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "has no rows"),
            ("1 1 1 0\n1 9 0 0\n", "line 1: found '1 1 1 0', expected 'Chromosome"),
            (
                "Chromosome Position(bp) Map(cM)\nsim1 1 0\n",
                "line 1: found the columns 'Chromosome Position(bp) Map(cM)' without a rate before the last, expected"
                " 'Chromosome Position(bp) Rate(cM/Mb) Map(cM)', of which the first may be missing",
            ),
            ("pos chr cM\n1 20 0\n9 20 0.1\n", "line 1: found the columns 'pos chr cM' without a rate"),
            (
                "Chromosome Position(bp) Map(cM) Rate(cM/Mb)\n",
                "line 1: found the columns 'Chromosome Position",
            ),
            (f"{HEADER}\n1 5 1\n", "line 2: found 3 columns, expected the header's 4"),
            (f"{HEADER}\n1 5.5 1 0\n", "line 2: found position '5.5', expected a whole number"),
            (f"{HEADER}\n1 5 -1 0\n", "line 2: found rate '-1'"),
            (f"{HEADER}\n1 5 nan 0\n", "line 2: found rate 'nan'"),
            (f"{HEADER}\n1 5 1 0\n1 5 1 0\n", "line 3: found position 5 behind 5"),
            (f"{HEADER}\n1 5 1 0\n", "found one row of a contig"),
        ],
    )
    def test_wrong(self, tmp_path, text, message):
        with pytest.raises(TfbindError, match=re.escape(f"map.txt: {message}")):
            read_hapmap(self.write(tmp_path, text))

    def test_absent(self, tmp_path):
        with pytest.raises(TfbindError, match="no such file"):
            read_hapmap(tmp_path / "none.txt")
