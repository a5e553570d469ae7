import msprime
import numpy as np
import pandas as pd
import pytest

from tfbind.recombination.map_files import hapmap_name, write_hapmap_folder


@pytest.mark.parametrize(
    ("contig", "name"),
    [
        ("chr1", "chr1.txt"),
        ("NC_000001.11", "NC_000001.11.txt"),
        ("HLA-A*01:01/x", "HLA-A%2A01:01%2Fx.txt"),
        ("..", "%2E..txt"),
        ("a b|c", "a%20b%7Cc.txt"),
    ],
)
def test_names_fit_for_files(contig, name):
    assert hapmap_name(contig) == name


def test_a_file_a_contig_at_the_finest_scale(tmp_path):
    table = pd.DataFrame(
        [
            ("1", 100, 1_000, 1e-8, 1_000),
            ("1", 1_000, 2_000, np.nan, 1_000),
            ("1", 2_000, 2_500, 3e-8, 1_000),
            ("1", 100, 2_500, 9e-8, 5_000),
            ("2", 100, 1_000, np.nan, 1_000),
            ("2", 100, 1_000, np.nan, 5_000),
        ],
        columns=["chrom", "start", "end", "rate", "scale"],
    )
    write_hapmap_folder(tmp_path / "maps", table)
    assert [path.name for path in (tmp_path / "maps").iterdir()] == ["1.txt"]
    found = msprime.RateMap.read_hapmap(tmp_path / "maps" / "1.txt", rate_col=2)
    assert found.position.tolist() == [0, 101, 1_001, 2_001, 2_501]
    np.testing.assert_allclose(found.rate, [np.nan, 1e-8, 0, 3e-8])
