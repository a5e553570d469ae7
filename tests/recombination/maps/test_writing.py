import msprime
import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.recombination.maps.reading import read_rate_map
from tfbind.recombination.maps.writing import WRITERS, write_hapmap, write_map_as
from tfbind.steps import StepFunction

RATES = StepFunction([0, 1000, 5000, 20_000], [1e-8, 2.5e-6, 0])
HAPMAP = """Chromosome\tPosition(bp)\tRate(cM/Mb)\tMap(cM)
1\t1\t1\t0
1\t1001\t250\t0.001
1\t5001\t0\t1.001
1\t20001\t0\t1.001
"""
# unknown, 2 cM/Mb, unknown, 4 cM/Mb, unknown
WITH_GAPS = StepFunction(
    [0, 100, 1_000_100, 1_500_100, 2_000_100, 3_000_000], [np.nan, 2e-8, np.nan, 4e-8, np.nan]
)
LITERAL = {
    "hapmap": """Chromosome\tPosition(bp)\tRate(cM/Mb)\tMap(cM)
1\t101\t2\t0
1\t1000101\t0\t2
1\t1500101\t4\t2
1\t2000101\t0\t4
""",
    "plink": "1\t.\t0\t101\n1\t.\t2\t1000101\n1\t.\t3.5\t1500101\n1\t.\t5.5\t2000101\n",
    "gmap": "pos\tchr\tcM\n101\t1\t0\n1000101\t1\t2\n1500101\t1\t3.5\n2000101\t1\t5.5\n",
    "eagle": """chr position COMBINED_rate(cM/Mb) Genetic_Map(cM)
1 101 0 0
1 1000101 2 2
1 1500101 3 3.5
1 2000101 4 5.5
""",
    "bedgraph": "1\t100\t1000100\t2\n1\t1500100\t2000100\t4\n",
    "tsv": "chrom\tstart\tend\trate_per_bp\n1\t100\t1000100\t2e-08\n1\t1500100\t2000100\t4e-08\n",
}


def random_map(seed, largest=3000):
    rng = np.random.default_rng(seed)
    edges = np.append(0, np.cumsum(rng.integers(1, largest, 200)))
    return StepFunction(edges, rng.lognormal(-18, 2, 200))


class TestHapMap:
    def test_literal(self, tmp_path):
        write_hapmap(tmp_path / "1.txt", {"1": RATES})
        assert (tmp_path / "1.txt").read_text() == HAPMAP

    @pytest.mark.parametrize("column", [{"rate_col": 2}, {"map_col": 3}])
    def test_msprime_reads_either_column(self, tmp_path, column):
        write_hapmap(tmp_path / "1.txt", {"1": RATES})
        found = msprime.RateMap.read_hapmap(str(tmp_path / "1.txt"), **column)
        np.testing.assert_array_equal(found.position[1:], RATES.edges + 1)
        assert np.isnan(found.rate[0])
        np.testing.assert_allclose(found.rate[1:], RATES.values, rtol=1e-6, atol=1e-18)


@pytest.mark.parametrize("form", WRITERS)
class TestEveryFormat:
    def test_literal_with_gaps(self, form, tmp_path):
        write_map_as(form, tmp_path / "map.txt", {"1": WITH_GAPS})
        assert (tmp_path / "map.txt").read_text() == LITERAL[form]

    def test_gaps_come_back_as_missing(self, form, tmp_path):
        write_map_as(form, tmp_path / "map.txt", {"1": WITH_GAPS})
        found = read_rate_map(tmp_path / "map.txt")["1"]
        assert found.edges.tolist() == [100, 1_000_100, 1_500_100, 2_000_100]
        np.testing.assert_allclose(found.values, [2e-8, np.nan, 4e-8], rtol=1e-12)

    def test_round_trip_is_exact_to_a_billionth_of_a_centimorgan(self, form, tmp_path):
        maps = {"2": random_map(0), "x": random_map(1, largest=200_000)}
        write_map_as(form, tmp_path / "map.gz", maps)
        found = read_rate_map(tmp_path / "map.gz")
        assert list(found) == ["2", "x"]
        for contig, steps in maps.items():
            np.testing.assert_array_equal(found[contig].edges, steps.edges)
            start = np.zeros(200, np.int64)
            cm = 100 * np.abs(found[contig].integral(start, steps.end) - steps.integral(start, steps.end))
            assert cm.max() < 1e-9

    def test_a_map_without_gaps_leaves_no_list_of_an_earlier_one(self, form, tmp_path):
        write_map_as(form, tmp_path / "map.txt", {"1": WITH_GAPS})
        write_map_as(form, tmp_path / "map.txt", {"1": RATES})
        assert [path.name for path in tmp_path.iterdir()] == ["map.txt"]
        assert read_rate_map(tmp_path / "map.txt")["1"].is_known.all()

    def test_a_contig_without_a_name_is_refused(self, form, tmp_path):
        with pytest.raises(TfbindError, match="does not name its contig"):
            write_map_as(form, tmp_path / "map.txt", {"": RATES})
        assert not list(tmp_path.iterdir())


def test_a_contig_without_any_rate_has_no_rows(tmp_path):
    write_map_as("plink", tmp_path / "map.txt", {"1": StepFunction([0, 9], [np.nan]), "2": RATES})
    assert {line.split()[0] for line in (tmp_path / "map.txt").read_text().splitlines()} == {"2"}
