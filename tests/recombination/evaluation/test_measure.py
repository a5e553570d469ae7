import json

import numpy as np
import pandas as pd
import pytest

from tfbind.errors import TfbindError
from tfbind.recombination.evaluation.measure import evaluate_map, pearson, window_metrics
from tfbind.recombination.evaluation.windows import JudgedMap
from tfbind.recombination.maps.reading import Truth
from tfbind.steps import StepFunction


def judged(rate, truth, lower=np.nan, upper=np.nan, length=100, left_out=""):
    start = np.arange(len(rate)) * 1000
    columns = {
        "chrom": "1",
        "start": start,
        "end": start + length,
        "scale": 100,
        "rate": rate,
        "truth": truth,
    }
    return pd.DataFrame(columns | {"rate_lower": lower, "rate_upper": upper, "left_out": left_out})


def measure(*args, same_unit=True, **kwargs):
    return window_metrics(judged(*args, **kwargs), same_unit=same_unit)


class TestMetrics:
    def test_of_known_values(self):
        found = measure([1.0, 2.0, 6.0], [1.0, 4.0, 4.0])
        assert found["n_windows"] == 3
        assert found["pearson"] == pytest.approx(np.sqrt(3 / 7))  # 6 / sqrt(14 * 6)
        assert found["spearman"] == pytest.approx(np.sqrt(3) / 2)
        assert found["mae"] == pytest.approx(4 / 3)
        assert found["rmse"] == pytest.approx(np.sqrt(8 / 3))
        assert found["r2"] == pytest.approx(1 - 8 / 6)
        assert found["bias_ratio"] == pytest.approx(1.0)

    def test_bias_is_of_genetic_lengths(self):
        assert measure([1.0, 2.0], [1.0, 1.0], length=np.array([100, 300]))["bias_ratio"] == 1.75

    def test_logarithms_leave_zeros_out(self):
        found = measure([1.0, 10.0, 100.0, 0.0, 5.0], [2.0, 20.0, 200.0, 9.0, 0.0])
        assert found["pearson_log"] == pytest.approx(1.0)
        assert found["pearson"] < 1

    def test_coverage_is_of_windows_that_have_an_interval(self):
        lower, upper = np.array([0.5, 0.5, np.nan, 3]), np.array([2, 0.9, np.nan, 4])
        found = measure([1.0, 2, 3, 4], [1.0, 1, 1, 4], lower, upper)
        assert found["coverage95"] == pytest.approx(2 / 3)
        assert found["n_intervals"] == 3

    def test_windows_left_out_are_counted_and_not_used(self):
        left_out = ["", "", "no_truth", "no_prediction", "no_prediction", "short"]
        found = measure([1.0, 2, 9, np.nan, np.nan, 50], [1.0, 2, np.nan, 1, 1, 1], left_out=left_out)
        counts = [found[f"n_{name}"] for name in ("windows", "no_truth", "no_prediction", "short")]
        assert counts == [2, 1, 2, 1]
        assert found["rmse"] == 0

    def test_in_two_units_only_what_no_factor_changes(self):
        found = measure([1.0, 2, 4], [1e-8, 2e-8, 4e-8], 0.1, 9.0, same_unit=False)
        assert found["pearson"] == found["pearson_log"] == found["spearman"] == pytest.approx(1)
        assert [found[name] for name in ("r2", "mae", "rmse", "bias_ratio", "coverage95")] == [None] * 5

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize(
        ("rate", "truth", "undefined"),
        [
            ([], [], "pearson pearson_log spearman r2 mae rmse bias_ratio coverage95"),
            ([1.0], [1.0], "pearson pearson_log spearman r2 coverage95"),
            ([1.0, 1 + 1e-13, 1], [1.0, 2, 3], "pearson pearson_log spearman coverage95"),
            ([1.0, 2, 3], [1.0, 1, 1 - 1e-13], "pearson pearson_log spearman r2 coverage95"),
            ([1.0, 2], [1.0, 2], "pearson pearson_log spearman coverage95"),
            ([1.0, 2, 3], [0.0, 0, 0], "pearson pearson_log spearman r2 bias_ratio coverage95"),
            ([0.0, 0, 3], [0.0, 1, 2], "pearson_log coverage95"),
        ],
    )
    def test_what_is_undefined_is_none_and_never_nan(self, rate, truth, undefined):
        found = measure(np.array(rate, dtype=float), np.array(truth, dtype=float))
        assert {name for name, value in found.items() if value is None} == set(undefined.split())
        json.dumps(found, allow_nan=False)


def test_pearson():
    assert pearson(np.array([1.0, 2, 3]), np.array([3.0, 2, 1])) == pytest.approx(-1)


class TestEvaluateMap:
    TABLE = pd.DataFrame(
        {
            "chrom": "chr1",
            "start": [0, 50, 100, 150],
            "end": [50, 100, 150, 200],
            "rate": [1.0, 3, 5, 9],
            "rate_lower": [0.5, 1, 4, 8],
            "rate_upper": [1.5, 4, 6, 9],
            "note": "",
            "scale": 50,
        }
    )
    PIECES = StepFunction.from_intervals(np.array([0, 100]), np.array([100, 200]), np.array([2.0, 8.0]))

    def evaluate(self, *scales, truth="1", per_mutation=False):
        return evaluate_map(
            JudgedMap(self.TABLE, per_mutation), Truth({truth: self.PIECES}, False, []), scales
        )

    def test_by_scale(self):
        found = self.evaluate(50, 100)
        assert list(found.metrics) == ["50", "100"]
        assert found.metrics["50"]["n_windows"] == 4
        assert found.metrics["50"]["coverage95"] == 0.5
        assert found.metrics["100"]["n_windows"] == 2
        assert found.metrics["100"]["coverage95"] is None
        assert found.metrics["100"]["mae"] == pytest.approx(0.5)
        assert found.windows["chrom"].unique().tolist() == ["chr1"]
        assert found.windows["scale"].tolist() == [50] * 4 + [100] * 2
        assert len(found.used) == 6

    def test_tells_of_names_and_of_a_coarse_truth(self, caplog):
        caplog.set_level("INFO")
        notes = self.evaluate(50, 100).notes
        assert notes[0] == "contigs of the map and the truth match except for 'chr': chr1 = 1"
        assert notes[1].startswith("scale 50: most of the truth is coarser")
        assert notes[2:] == [
            "coverage95 is null at 100 bp: the map's windows, which have the intervals, are of 50 bp"
        ]
        assert not any("coverage95" in note for note in self.evaluate(50).notes)
        assert "scale 50: 4 windows; left out: 0 short, 0 no_prediction, 0 no_truth" in caplog.text

    def test_tells_that_windows_of_no_common_length_cannot_cover(self):
        unlike = JudgedMap(self.TABLE.assign(scale=0), False)
        found = evaluate_map(unlike, Truth({"1": self.PIECES}, False, []), [100])
        assert found.metrics["100"]["coverage95"] is None
        assert found.notes[-1].endswith("which have the intervals, are of no common length")

    def test_another_unit(self):
        found = self.evaluate(50, 100, per_mutation=True)
        assert not found.same_unit
        assert not any("coverage95" in note for note in found.notes)
        assert found.metrics["50"]["bias_ratio"] is None
        assert found.metrics["50"]["pearson"] == pytest.approx(30 / np.sqrt(35 * 36))

    def test_hotspots(self, caplog):
        caplog.set_level("INFO")
        start = np.arange(0, 300_000, 5_000)
        rate = np.where(np.isin(start, [50_000, 150_000, 250_000]), 10.0, 1.0)
        columns = {"start": start, "end": start + 5_000, "rate": rate, "rate_lower": rate, "rate_upper": rate}
        predicted = JudgedMap(pd.DataFrame({"chrom": "chr1", **columns, "note": "", "scale": 5_000}), False)
        truth = Truth({"1": StepFunction.from_intervals(start, start + 5_000, rate)}, False, [])
        called = [("1", 50_000, 55_000), ("1", 100_000, 105_000), ("2", 0, 5_000)]
        found = evaluate_map(predicted, truth, [5_000], called)
        expected = {
            "factor": 5,
            "n_true": 3,
            "n_called": 2,
            "n_left_out": 1,
            "recall": pytest.approx(1 / 3),
            "precision": 0.5,
        }
        assert found.hotspots == expected
        note = "hotspots: 2 called and 3 true (5 times their surroundings), recall 0.333, precision 0.500; 1 left out"
        assert any(line.startswith(note) for line in found.notes)
        assert not any("coarser" in line for line in found.notes)
        coarse = Truth({"1": StepFunction([0, 150_000, 300_000], [1, 2])}, False, [])
        assert (
            "hotspots: the truth is coarser than 5,000 bp"
            in evaluate_map(predicted, coarse, [5_000], []).notes[-1]
        )
        assert evaluate_map(predicted, truth, [5_000], []).hotspots["precision"] is None
        assert evaluate_map(predicted, truth, [5_000]).hotspots is None
        higher = evaluate_map(predicted, truth, [5_000], called, hotspot_factor=20)
        assert (higher.hotspots["factor"], higher.hotspots["n_true"]) == (20, 0)
        with pytest.raises(
            TfbindError,
            match=r"the hotspots: 1 of 1 contigs \('7'\) are not in the map \(its contigs: 'chr1'\)",
        ):
            evaluate_map(predicted, truth, [5_000], [("7", 0, 5_000)])

    def test_nothing_in_common(self):
        with pytest.raises(
            TfbindError, match=r"the map: 1 of 1 contigs \('chr1'\) are not in the truth \(its contigs: '2'\)"
        ):
            self.evaluate(50, truth="2")
        with pytest.raises(
            TfbindError, match="no window of 1,000, 5,000 bp has both a prediction and a truth"
        ):
            self.evaluate(1000, 5000)


class TestNotes:
    @staticmethod
    def notes(n_renamed, n_absent, scale=100, start=1_000, edges=(0, 60, 200, 300)):
        """Evaluate a map of contigs that the truth names without chr, and of others that it lacks."""
        names = [f"chr{i}" for i in range(n_renamed)] + [f"x{i}" for i in range(n_absent)]
        rows = [(name, start + at, start + at + 100, 1.0 + at) for name in names for at in (0, 100, 200)]
        table = pd.DataFrame(rows, columns=["chrom", "start", "end", "rate"])
        table = table.assign(rate_lower=np.nan, rate_upper=np.nan, note="", scale=100)
        rates = StepFunction(start + np.array(edges), [1.0, 2, 3])
        truth = Truth({str(i): rates for i in range(n_renamed)}, False, [])
        return evaluate_map(JudgedMap(table, False), truth, [scale])

    @pytest.mark.parametrize(
        ("n", "shown"),
        [
            (3, "chr0 = 0, chr1 = 1, chr2 = 2"),
            (4, "chr0 = 0, chr1 = 1, chr2 = 2 and 1 more"),
        ],
    )
    def test_three_renamed_contigs_are_shown(self, n, shown):
        assert (
            self.notes(n, 0).notes[0] == f"contigs of the map and the truth match except for 'chr': {shown}"
        )

    @pytest.mark.parametrize(
        ("n", "shown"),
        [(3, "'x0', 'x1', 'x2'"), (4, "'x0', 'x1', 'x2', ..."), (7, "'x0', 'x1', 'x2', ...")],
    )
    def test_three_contigs_without_a_truth_are_shown(self, n, shown):
        assert self.notes(1, n).notes[1] == f"{n} contigs of the map have no truth: {shown}"

    @pytest.mark.parametrize(("scale", "is_coarse"), [(140, False), (139, False), (100, False), (99, True)])
    def test_a_truth_is_coarse_where_more_than_half_of_it_is_longer_than_a_window(self, scale, is_coarse):
        # pieces of 60, 140 and 100 bp: of 300 bp, 140 are longer than 100, and 240 longer than 99
        found = self.notes(1, 0, scale)
        assert any("most of the truth is coarser" in note for note in found.notes) == is_coarse

    def test_half_of_a_truth_is_not_most_of_it(self):
        found = self.notes(1, 0, edges=(0, 50, 200, 300))
        assert not any("most of the truth is coarser" in note for note in found.notes)

    def test_windows_are_numbered_on_from_scale_to_scale(self):
        rows = [("1", at, at + 100, 1.0 + at) for at in range(0, 400, 100)]
        table = pd.DataFrame(rows, columns=["chrom", "start", "end", "rate"])
        table = table.assign(rate_lower=np.nan, rate_upper=np.nan, note="", scale=100)
        truth = Truth({"1": StepFunction([0, 400], [2.0])}, False, [])
        found = evaluate_map(JudgedMap(table, False), truth, [100, 200])
        assert found.windows.index.tolist() == list(range(6))


@pytest.mark.parametrize(("of_map", "of_truth"), [(True, False), (False, True), (True, True), (False, False)])
def test_only_equal_units_are_one_unit(of_map, of_truth):
    found = evaluate_map(
        JudgedMap(TestEvaluateMap.TABLE, of_map), Truth({"1": TestEvaluateMap.PIECES}, of_truth, []), [50]
    )
    assert found.same_unit == (of_map == of_truth)
    assert (found.metrics["50"]["mae"] is not None) == (of_map == of_truth)


@pytest.mark.parametrize(("n_long", "is_told"), [(8, False), (11, True)])
def test_hotspots_may_be_hidden_where_nine_of_ten_pieces_of_the_truth_are_longer_than_5_kb(n_long, is_told):
    # one or two pieces of 5 kb among wider ones, which begin far from 0
    width = np.array([5_000] * (1 if is_told else 2) + [6_000] * n_long)
    edges = 10_000 + np.append(0, np.cumsum(width))
    rates = StepFunction(edges, np.arange(1.0, len(width) + 1))
    table = pd.DataFrame({"chrom": "1", "start": edges[:-1], "end": edges[1:], "rate": rates.values})
    table = table.assign(rate_lower=np.nan, rate_upper=np.nan, note="", scale=0)
    found = evaluate_map(JudgedMap(table, False), Truth({"1": rates}, False, []), [10_000], [])
    assert any("the truth is coarser than 5,000 bp" in note for note in found.notes) == is_told
