import gzip
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from tfbind.errors import TfbindError
from tfbind.recombination.maps.table import finest, read_map, resolution, write_bedgraph, write_map

HEADER = "chrom\tstart\tend\tn_sites\trate\trate_lower\trate_upper\tnote\n"
TEXT = HEADER + "1\t0\t100\t3\t1e-08\t5e-09\t2e-08\t\n1\t100\t150\t0\tNA\tNA\tNA\tno_sites\n"


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "chrom": ["1", "1"],
            "start": [0, 100],
            "end": [100, 150],
            "n_sites": [3, 0],
            "rate": [1e-8, np.nan],
            "rate_lower": [5e-9, np.nan],
            "rate_upper": [2e-8, np.nan],
            "note": ["", "no_sites"],
        }
    )


def written(tmp_path, text):
    path = tmp_path / "map.tsv"
    path.write_bytes(text.encode())
    return path


class TestWriteAndRead:
    def test_is_the_contracts_table(self, table, tmp_path):
        write_map(tmp_path / "new" / "map.tsv", table.assign(more=1), per_mutation=False)
        assert (tmp_path / "new" / "map.tsv").read_text() == TEXT

    @pytest.mark.parametrize("per_mutation", [False, True])
    @pytest.mark.parametrize("name", ["map.tsv", "map.tsv.gz"])
    def test_round_trip(self, name, per_mutation, table, tmp_path):
        table["scale"] = [100, 50]
        write_map(tmp_path / name, table, per_mutation=per_mutation)
        back, said = read_map(tmp_path / name)
        assert said is per_mutation
        pd.testing.assert_frame_equal(back, table, check_dtype=False)
        assert back["start"].dtype == np.int64
        assert back["rate"].dtype == np.float64

    def test_a_first_line_tells_of_rates_per_mutation(self, table, tmp_path):
        write_map(tmp_path / "map.tsv.gz", table, per_mutation=True)
        with gzip.open(tmp_path / "map.tsv.gz", "rt") as handle:
            assert handle.readline() == "# rates are r/mu (no mutation rate was given)\n"

    def test_comments_above_the_columns(self, tmp_path):
        text = "# made by hand\n# rates are r/mu (no mutation rate was given)\n" + TEXT
        assert read_map(written(tmp_path, text))[1]
        with pytest.raises(TfbindError, match="line 4: found rate_lower 'x'"):
            read_map(written(tmp_path, text.replace("5e-09", "x")))

    def test_carriage_returns_and_a_contig_called_na(self, tmp_path):
        text = TEXT.replace("\n1\t", "\nNA\t").replace("\n", "\r\n")
        back, _ = read_map(written(tmp_path, text))
        assert back["chrom"].tolist() == ["NA", "NA"]
        assert back["note"].tolist() == ["", "no_sites"]

    def test_the_rows_of_two_scales_may_overlap(self, tmp_path):
        text = HEADER.replace("\n", "\tscale\n")
        for start, end, scale in ((0, 100, 100), (0, 50, 50), (50, 100, 50)):
            text += f"1\t{start}\t{end}\t1\t1\t1\t1\t\t{scale}\n"
        back, _ = read_map(written(tmp_path, text))
        assert back["scale"].tolist() == [100, 50, 50]
        assert finest(back)["start"].tolist() == [0, 50]

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            (
                "rate_lower",
                "low",
                "found no column 'rate_lower', expected a map with the columns chrom start",
            ),
            ("\t5e-09", "\tx", "line 2: found rate_lower 'x', expected a number of at least 0 or NA"),
            ("\t5e-09", "\t-1", "line 2: found rate_lower '-1'"),
            ("\t5e-09", "\tinf", "line 2: found rate_lower 'inf'"),
            ("\t5e-09", "\t1", "line 2: found '1.*expected rate_lower to be at most rate_upper"),
            ("\t150", "\tNA", "line 3: found end 'NA', expected a whole number"),
            ("\t150", "\t150.5", "line 3: found end '150.5', expected a whole number"),
            ("\t150", "\t90", "line 3: .*expected an end above the start"),
            ("\t100\t150", "\t99\t150", "line 3: found start 99 before the end 100 of the row before"),
            (TEXT.removeprefix(HEADER), "", "has no rows"),
        ],
    )
    def test_wrong_input(self, old, new, message, tmp_path):
        text = TEXT.replace(old, new)
        with pytest.raises(TfbindError, match=message):
            read_map(written(tmp_path, text))


def test_empty_lines_are_passed_over_but_counted(tmp_path):
    header, rest = TEXT.split("\n", 1)
    text = f"{header}\n\n{rest}\n  \n\n"
    whole = read_map(written(tmp_path, TEXT))[0]
    pd.testing.assert_frame_equal(read_map(written(tmp_path, text))[0], whole)
    with pytest.raises(TfbindError, match="line 4: found end 'NA', expected a whole number"):
        read_map(written(tmp_path, text.replace("\t150", "\tNA")))


class TestResolution:
    def of(self, *contigs):
        rows = [(str(name), *ends) for name, edges in enumerate(contigs) for ends in pairwise(edges)]
        return resolution(pd.DataFrame(rows, columns=["chrom", "start", "end"]))

    def test_is_that_of_all_windows_but_a_contigs_first_and_last(self):
        assert self.of([37, 100, 200, 240], [60, 100]) == 100

    def test_among_many_scaffolds_shorter_than_two_windows(self):
        scaffolds = [[0, 40 + n] for n in range(50)] + [[20, 100, 130]] * 50
        assert self.of([0, 100, 200, 210], *scaffolds) == 100
        assert self.of(*scaffolds) == 100

    def test_of_windows_that_begin_anywhere(self):
        assert self.of([7, 107, 207, 307, 350]) == 100

    def test_of_one_row(self):
        assert self.of([0, 50]) == 50

    @pytest.mark.parametrize(
        "contigs",
        [
            ([0, 40], [0, 50]),  # all scaffolds are shorter than a window
            ([3990, 4000, 4005],),  # 10, 16, 20, 25 and more would do
            ([0, 30, 100, 250],),
        ],
    )
    def test_that_cannot_be_told(self, contigs):
        assert self.of(*contigs) == 0


class TestBedgraph:
    def test_the_finest_scale_in_centimorgan_per_megabase_without_gaps(self, table, tmp_path):
        both = pd.concat([table.assign(scale=50), table.assign(scale=500, rate=9.0)])
        write_bedgraph(tmp_path / "map.bg", both, per_mutation=False)
        assert (tmp_path / "map.bg").read_text() == "1\t0\t100\t1\n"

    def test_says_that_rates_are_per_mutation(self, table, tmp_path):
        write_bedgraph(tmp_path / "map.bg", table.assign(rate=[0.5, 2]), per_mutation=True)
        lines = (tmp_path / "map.bg").read_text().splitlines()
        assert lines == ["# rates are r/mu (no mutation rate was given)", "1\t0\t100\t0.5", "1\t100\t150\t2"]


def test_rates_have_six_significant_digits(table, tmp_path):
    table["rate"] = [1.23456789e-8, 123_456.789]
    write_map(tmp_path / "map.tsv", table, per_mutation=True)
    lines = (tmp_path / "map.tsv").read_text().splitlines()[2:]
    assert [line.split("\t")[4] for line in lines] == ["1.23457e-08", "123457"]
    write_bedgraph(tmp_path / "map.bg", table, per_mutation=True)
    lines = (tmp_path / "map.bg").read_text().splitlines()[1:]
    assert [line.split("\t")[3] for line in lines] == ["1.23457e-08", "123457"]
