import numpy as np
import pandas as pd
import pytest

from tfbind.recombination.evaluation.windows import judged_windows, map_windows, rates_over, read_prediction
from tfbind.steps import StepFunction

HEADER = "chrom\tstart\tend\tn_sites\trate\trate_lower\trate_upper\tnote\n"


def row(chrom, start, end, rate, lower=np.nan, upper=np.nan, note="", scale=50):
    return (chrom, start, end, rate, lower, upper, note, scale)


def table(*rows):
    names = ["chrom", "start", "end", "rate", "rate_lower", "rate_upper", "note", "scale"]
    return pd.DataFrame(rows, columns=names)


FINE = [
    row("1", 100, 150, 1.0, 0.5, 2.0),
    row("1", 150, 200, 3.0, 2.0, 4.0),
    row("1", 200, 250, np.nan, note="few"),
]
COARSE = [row("1", 100, 200, 7.0, 6.0, 8.0, scale=100)]


class TestReadPrediction:
    @pytest.mark.parametrize(
        ("ends", "scale"),
        [((50, 100, 120), 50), ((50, 90, 120), 0)],
    )
    def test_finds_the_scale_of_a_table_that_has_none(self, ends, scale, tmp_path):
        starts = (0, *ends[:-1])
        lines = [f"1\t{start}\t{end}\t1\t1\t1\t1\t\n" for start, end in zip(starts, ends, strict=True)]
        (tmp_path / "map.tsv").write_text(HEADER + "".join(lines))
        assert set(read_prediction(tmp_path / "map.tsv").table["scale"]) == {scale}

    def test_multiplies_rates_per_mutation(self, tmp_path):
        text = "# rates are r/mu (no mutation rate was given)\n" + HEADER + "1\t0\t50\t1\t2\t1\t4\t\n"
        (tmp_path / "map.tsv").write_text(text)
        assert read_prediction(tmp_path / "map.tsv").per_mutation
        table, per_mutation, _ = read_prediction(tmp_path / "map.tsv", 1e-8)
        assert table[["rate", "rate_lower", "rate_upper"]].to_numpy().tolist() == [[2e-8, 1e-8, 4e-8]]
        assert not per_mutation

    def test_leaves_absolute_rates_and_says_so(self, tmp_path, caplog):
        caplog.set_level("INFO")
        (tmp_path / "map.tsv").write_text(HEADER + "1\t0\t50\t1\t2\t1\t4\t\n")
        assert read_prediction(tmp_path / "map.tsv", 1e-8).table["rate"].tolist() == [2]
        assert "holds absolute rates, which --mutation-rate does not change" in caplog.text

    def test_maps_of_others_keep_their_zeros_and_have_no_intervals(self, tmp_path):
        (tmp_path / "map.bg").write_text("1 0 50 0\n1 50 100 2\n")
        table, per_mutation, _ = read_prediction(tmp_path / "map.bg")
        assert table["rate"].tolist() == [0, 2e-8]
        assert table["rate_upper"].isna().all()
        assert not per_mutation


class TestMapWindows:
    def test_are_the_maps_own_where_it_has_that_scale(self):
        windows = map_windows(table(*FINE, *COARSE), 100)
        assert windows.to_numpy().tolist() == [["1", 100, 200]]

    def test_begin_at_multiples_of_the_scale_elsewhere(self):
        windows = map_windows(table(*FINE, row("2", 0, 60, 1.0)), 60)
        assert windows.to_numpy().tolist() == [
            ["1", 60, 120],
            ["1", 120, 180],
            ["1", 180, 240],
            ["1", 240, 300],
            ["2", 0, 60],
        ]


class TestRatesOver:
    def test_take_the_rows_of_the_scale_with_their_intervals(self):
        rates = rates_over(
            table(*FINE, *COARSE), pd.DataFrame({"chrom": ["1"], "start": [100], "end": [200]}), 100
        )
        assert rates.to_numpy().tolist() == [[7.0, 6.0, 8.0, ""]]

    def test_are_means_of_the_finest_rows_without_intervals_elsewhere(self):
        windows = pd.DataFrame({"chrom": ["1", "1", "2"], "start": [125, 150, 0], "end": [200, 250, 50]})
        rates = rates_over(table(*COARSE, *FINE), windows, 75)
        np.testing.assert_allclose(rates["rate"], [(25 * 1 + 50 * 3) / 75, np.nan, np.nan])
        assert rates["rate_lower"].isna().all()

    def test_a_row_without_a_rate_is_not_made_up_from_finer_ones(self):
        coarse = row("1", 100, 200, np.nan, note="masked", scale=100)
        rates = rates_over(
            table(*FINE, coarse), pd.DataFrame({"chrom": ["1"], "start": [100], "end": [200]}), 100
        )
        assert rates["rate"].isna().all()
        assert rates["note"].tolist() == ["masked"]


def test_what_does_not_count_is_there_with_the_reason():
    rows = [*FINE, row("1", 250, 260, 1.0), row("1", 300, 350, 1.0), row("9", 0, 50, 1.0)]
    truth = {"1": StepFunction.from_intervals(np.array([0]), np.array([300]), np.array([2.0]))}
    windows = table(*rows)[["chrom", "start", "end"]]
    judged = judged_windows(table(*rows), truth, windows, 50)
    assert judged["left_out"].tolist() == ["", "", "no_prediction", "short", "no_truth", "no_truth"]
    assert judged["note"].tolist() == ["", "", "few;no_prediction", "short", "no_truth", "no_truth"]
    np.testing.assert_array_equal(judged["truth"], [2, 2, 2, 2, np.nan, np.nan])
    assert list(judged)[:-1] == [
        "chrom",
        "start",
        "end",
        "scale",
        "rate",
        "truth",
        "rate_lower",
        "rate_upper",
        "note",
    ]


class TestTheTableThatIsRead:
    def test_a_table_of_tfbind_tells_its_unit(self, tmp_path, caplog):
        caplog.set_level("INFO")
        (tmp_path / "map.tsv").write_text(HEADER + "1\t0\t50\t5\t1e-8\t1e-8\t1e-8\t\n")
        read_prediction(tmp_path / "map.tsv")
        assert "which --map-unit does not change" not in caplog.text
        found = read_prediction(tmp_path / "map.tsv", unit="cM/Mb")
        assert "which --map-unit does not change" in caplog.text
        assert found.table["rate"].tolist() == [1e-8]

    def test_rows_of_several_contigs_are_numbered_on(self, tmp_path):
        (tmp_path / "map.bg").write_text("1 0 50 1\n1 50 100 2\n2 0 50 3\n")
        assert read_prediction(tmp_path / "map.bg").table.index.tolist() == [0, 1, 2]


class TestWindowsOfSeveralScales:
    def test_coarser_rows_are_none_of_a_scale(self):
        windows = map_windows(table(*FINE, *COARSE), 50)
        assert windows.to_numpy().tolist() == [["1", 100, 150], ["1", 150, 200], ["1", 200, 250]]

    def test_contigs_keep_their_order(self):
        windows = map_windows(table(row("2", 0, 60, 1.0), row("10", 0, 60, 1.0), row("1", 0, 60, 1.0)), 30)
        assert windows["chrom"].tolist() == ["2", "2", "10", "10", "1", "1"]


@pytest.mark.parametrize(("start", "end", "left_out"), [(340, 385, ""), (340, 384, "short"), (40, 90, "")])
def test_a_window_with_nine_tenths_of_the_scale_counts(start, end, left_out):
    truth = {"1": StepFunction([0, 1_000], [2.0])}
    rows = table(row("1", start, end, 1.0))
    judged = judged_windows(rows, truth, rows[["chrom", "start", "end"]], 50)
    assert judged["left_out"].tolist() == [left_out]
