import msprime
import numpy as np
import pandas as pd
import pytest

from tfbind.recombination.maps.files import CHECKSUMS, hapmap_name, write_hapmap_folder


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
    assert sorted(path.name for path in (tmp_path / "maps").glob("[!.]*")) == ["1.gaps.bed", "1.txt"]
    assert (tmp_path / "maps" / "1.gaps.bed").read_text() == "1\t1000\t2000\n"
    found = msprime.RateMap.read_hapmap(tmp_path / "maps" / "1.txt", rate_col=2)
    assert found.position.tolist() == [0, 101, 1_001, 2_001, 2_501]
    np.testing.assert_allclose(found.rate, [np.nan, 1e-8, 0, 3e-8])


class TestFilesOfEarlierRuns:
    def write(self, folder, *contigs):
        write_hapmap_folder(folder, pd.DataFrame({"chrom": contigs, "start": 0, "end": 100, "rate": 1e-8}))

    def names(self, folder):
        return sorted(path.name for path in folder.glob("[!.]*"))

    def test_go_where_the_map_has_no_such_contig(self, tmp_path, caplog):
        self.write(tmp_path, "1", "2", "3")
        self.write(tmp_path, "2", "4")
        assert self.names(tmp_path) == ["2.txt", "4.txt"]
        self.write(tmp_path, "4")
        assert self.names(tmp_path) == ["4.txt"]
        assert not [record for record in caplog.records if record.levelname == "WARNING"]

    @pytest.mark.parametrize("change", [lambda text: text + "2\t201\t0\t0\n", lambda text: ""])
    def test_stay_where_somebody_has_changed_them(self, change, tmp_path, caplog):
        self.write(tmp_path, "1", "2")
        (tmp_path / "2.txt").write_text(change((tmp_path / "2.txt").read_text()))
        self.write(tmp_path, "1")
        assert self.names(tmp_path) == ["1.txt", "2.txt"]
        assert "not of this map, and left as they are: 2.txt" in caplog.text

    def test_and_nothing_of_the_users_own_is_touched(self, tmp_path, caplog):
        mine = dict.fromkeys(("a.txt", "b.tsv"), "Chromosome\tPosition(bp)\tRate(cM/Mb)\tMap(cM)\n")
        for name, text in mine.items():
            (tmp_path / name).write_text(text)
        (tmp_path / CHECKSUMS).write_text("no checksum\n0  a.txt\n0  ../b.txt\n")
        self.write(tmp_path, "1")
        assert {name: (tmp_path / name).read_text() for name in mine} == mine
        assert "left as they are: a.txt" in caplog.text

    def test_gaps_of_an_earlier_map_go_with_it(self, tmp_path):
        gap = {
            "chrom": ["1"] * 3,
            "start": [0, 100, 200],
            "end": [100, 200, 300],
            "rate": [1e-8, np.nan, 1e-8],
        }
        write_hapmap_folder(tmp_path, pd.DataFrame(gap))
        assert self.names(tmp_path) == ["1.gaps.bed", "1.txt"]
        (tmp_path / CHECKSUMS).unlink()
        self.write(tmp_path, "1")
        assert self.names(tmp_path) == ["1.txt"]

    def test_a_failure_leaves_the_folder_as_it_was(self, tmp_path, monkeypatch):
        self.write(tmp_path / "old", "1")
        before = {path.name: path.read_bytes() for path in (tmp_path / "old").iterdir()}

        def fail(path):
            raise ZeroDivisionError

        monkeypatch.setattr("tfbind.recombination.maps.files.sha256", fail)
        for folder in (tmp_path / "old", tmp_path / "new"):
            with pytest.raises(ZeroDivisionError):
                self.write(folder, "2")
        assert {path.name: path.read_bytes() for path in (tmp_path / "old").iterdir()} == before
        assert not (tmp_path / "new").exists()
