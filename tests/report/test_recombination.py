import json
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from tfbind.recombination.evaluation.comparison import compare_maps
from tfbind.recombination.evaluation.measure import evaluate_map
from tfbind.recombination.evaluation.windows import JudgedMap
from tfbind.recombination.maps.reading import Truth
from tfbind.report.recombination import (
    calibration_svg,
    comparison_svg,
    landscape_svg,
    scatter_svg,
    share_inside,
    write_map_evaluation,
)
from tfbind.steps import StepFunction


def text_of(svg):
    texts = (each.strip() for each in ET.fromstring(svg).itertext())
    return "\n".join(each for each in texts if each)


def evaluation(contigs=("1",), n=40, scales=(1000, 10_000), per_mutation=False):
    rng = np.random.default_rng(0)
    tables, pieces = [], {}
    for length, contig in enumerate(contigs, n):
        start = np.arange(length) * 1000
        true = rng.lognormal(-18, 1, length)
        rate = true * np.exp(rng.normal(0, 0.5, length))
        rate[3] = np.nan
        columns = {"chrom": contig, "start": start, "end": start + 1000, "rate": rate}
        tables.append(pd.DataFrame(columns | {"rate_lower": rate / 3, "rate_upper": rate * 3}))
        pieces[contig] = StepFunction.from_intervals(start, start + 1000, true)
    table = pd.concat(tables, ignore_index=True).assign(note="", scale=1000)
    return evaluate_map(JudgedMap(table, per_mutation), Truth(pieces, False, []), scales)


class TestFolder:
    def test_holds_what_the_contract_names(self, tmp_path):
        write_map_evaluation(tmp_path / "new", evaluation())
        names = {path.name for path in (tmp_path / "new").iterdir()}
        assert names == {
            "metrics.json",
            "windows.tsv",
            "notes.json",
            "landscape.svg",
            "scatter.svg",
            "calibration.svg",
        }
        metrics = json.loads((tmp_path / "new" / "metrics.json").read_text())
        assert metrics["1000"]["n_windows"] == 39
        assert metrics["10000"]["coverage95"] is None
        windows = pd.read_csv(tmp_path / "new" / "windows.tsv", sep="\t")
        assert " ".join(windows) == "chrom start end scale rate truth rate_lower rate_upper note"
        assert len(windows) == 44
        assert windows["note"][3] == "no_prediction"

    def test_a_failure_leaves_what_was_there(self, tmp_path, monkeypatch):
        (tmp_path / "metrics.json").write_text("{}")
        (tmp_path / "windows.tsv").mkdir()
        with pytest.raises(Exception, match="is a folder"):
            write_map_evaluation(tmp_path, evaluation())
        assert sorted(path.name for path in tmp_path.iterdir()) == ["metrics.json", "windows.tsv"]
        assert (tmp_path / "metrics.json").read_text() == "{}"


@pytest.mark.parametrize("draw", [landscape_svg, scatter_svg, calibration_svg])
class TestEveryFigure:
    def test_same_input_same_bytes(self, draw):
        assert draw(evaluation()) == draw(evaluation())

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize("per_mutation", [False, True])
    def test_draws_letters_and_plain_numbers(self, draw, per_mutation):
        text = text_of(draw(evaluation(["a_$x^2$"], per_mutation=per_mutation)))
        assert "mathdefault" not in text
        assert "1 kb" in text

    @pytest.mark.filterwarnings("error")
    def test_a_scale_without_windows(self, draw):
        assert draw(evaluation(scales=(1000, 1_000_000)))


class TestLandscape:
    def test_says_how_many_contigs_it_leaves_out(self):
        text = text_of(landscape_svg(evaluation([f"c{i}" for i in range(8)])))
        assert "6 of 8 contigs" in text
        assert "contig c7" in text  # the longest
        assert "contig c1\n" not in text
        assert "of 1 contigs" not in text_of(landscape_svg(evaluation()))

    def test_takes_the_finest_scale_that_can_be_told_apart(self):
        assert "windows of 1 kb" in text_of(landscape_svg(evaluation(n=800)))
        assert "windows of 10 kb" in text_of(landscape_svg(evaluation(n=801)))

    def test_says_that_a_map_in_another_unit_is_scaled(self):
        assert "scaled to the truth's length" in text_of(landscape_svg(evaluation(per_mutation=True)))


class TestScatter:
    def test_names_windows_correlation_and_length(self):
        found = evaluation()
        text = text_of(scatter_svg(found))
        assert "1 kb, 39 windows" in text
        assert f"r = {found.metrics['1000']['pearson']:.3f}" in text
        assert f"length x {found.metrics['1000']['bias_ratio']:.2f}" in text

    def test_another_unit_is_named(self):
        text = text_of(scatter_svg(evaluation(per_mutation=True)))
        assert "Prediction (r/mu)" in text
        assert "length x" not in text

    def test_many_windows_stay_a_small_picture(self):
        assert len(scatter_svg(evaluation(n=30_000, scales=(1000,)))) < 600_000


class TestCalibration:
    def test_names_the_coverage_of_each_scale(self):
        found = evaluation()
        text = text_of(calibration_svg(found))
        assert f"{found.metrics['1000']['coverage95']:.3f} of 39" in text
        assert "10 kb\nno intervals" in text

    def test_bounds_in_another_unit_are_not_judged(self):
        assert "no intervals" in text_of(calibration_svg(evaluation(per_mutation=True)))

    def test_share_inside_agrees_with_the_interval_at_its_level(self):
        rows = pd.DataFrame({"rate_lower": [1.0, 1, 1, 0], "rate_upper": 4.0, "truth": [2.0, 3.9, 4.1, 1]})
        np.testing.assert_allclose(
            share_inside(rows, np.array([0, 0.5, 0.95, 0.97])), [1 / 3, 1 / 3, 2 / 3, 1]
        )

    def test_share_inside_of_a_perfect_model(self):
        rng = np.random.default_rng(0)
        log_rate = rng.normal(0, 1, 20_000)
        rows = pd.DataFrame({"rate_lower": np.exp(log_rate - 0.98), "rate_upper": np.exp(log_rate + 0.98)})
        rows["truth"] = np.exp(log_rate + rng.normal(0, 0.5, 20_000))
        levels = np.array([0.1, 0.5, 0.9])
        np.testing.assert_allclose(share_inside(rows, levels), levels, atol=0.01)

    @pytest.mark.filterwarnings("error")
    def test_a_truth_of_zero_is_inside_of_none(self):
        rows = pd.DataFrame({"rate_lower": [1.0], "rate_upper": [4.0], "truth": [0.0]})
        assert share_inside(rows, np.array([0.5, 0.999])).tolist() == [0, 0]


class TestComparison:
    def table(self, per_mutation=False):
        start = np.arange(50) * 1000
        true = np.random.default_rng(0).lognormal(size=50)
        columns = {"chrom": "1", "start": start, "end": start + 1000, "rate": true**2}
        rows = pd.DataFrame(columns | {"rate_lower": np.nan, "rate_upper": np.nan, "note": "", "scale": 1000})
        maps = {name: JudgedMap(rows, per_mutation) for name in ("GRU", "_$pyrho$")}
        return compare_maps(
            maps,
            Truth({"1": StepFunction.from_intervals(start, start + 1000, true)}, False, []),
            [1000, 10_000],
        )

    @pytest.mark.filterwarnings("error")
    def test_names_maps_with_their_correlation(self):
        table = self.table()
        text = text_of(comparison_svg(table))
        assert f"_$pyrho$\n{table['pearson'][1]:.3f}" in text
        assert "Predicted / true length" in text
        assert "Inside the 95% interval" not in text

    def test_what_no_map_has_is_not_drawn(self):
        assert "Predicted / true length" not in text_of(comparison_svg(self.table(per_mutation=True)))
