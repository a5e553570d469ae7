import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from tfbind.binding.evaluation.reliability import reliability
from tfbind.report.figures import (
    calibration_figure,
    learning_curves,
    offset_figure,
    pr_figure,
    roc_figure,
)

ROC = np.array([[0, 0, 1.1], [0, 0.6, 0.8], [0.3, 0.9, 0.4], [1, 1, 0.1]])
PR = np.array([[0.5, 1, 0.8], [0.9, 0.8, 0.4], [1, 0.5, 0.1]])
CURVES = {"roc": (roc_figure, ROC), "pr": (pr_figure, PR)}


def text_of(path):
    return "\n".join(ET.parse(path).getroot().itertext())


@pytest.mark.parametrize("kind", CURVES)
class TestCurveFigures:
    def test_names_each_curve_with_its_area_and_interval(self, kind, tmp_path):
        draw, rows = CURVES[kind]
        draw(tmp_path / "a.svg", {"CTCF": (rows, 0.9123, [0.9, 0.92]), "MAX": (rows, 0.8, None)}, "Demo")
        text = text_of(tmp_path / "a.svg")
        assert "CTCF" in text
        assert "0.912 [0.900, 0.920]" in text
        assert "0.800" in text
        assert "Demo" in text

    def test_same_input_same_bytes(self, kind, tmp_path):
        draw, rows = CURVES[kind]
        for name in "ab":
            draw(tmp_path / f"{name}.svg", {"CTCF": (rows, 0.9, [0.8, 1.0])})
        assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
        assert b"date" not in (tmp_path / "a.svg").read_bytes().lower()

    def test_an_undefined_curve_is_named_and_not_drawn(self, kind, tmp_path):
        CURVES[kind][0](tmp_path / "a.svg", {"CTCF": (np.empty((0, 3)), None, None)})
        assert "undefined" in text_of(tmp_path / "a.svg")

    def test_a_name_is_no_mathematics_and_no_markup(self, kind, tmp_path):
        draw, rows = CURVES[kind]
        draw(tmp_path / "a.svg", {"_$x^2$ <b>&": (rows, 0.9, None)}, "$\\frac$")
        text = text_of(tmp_path / "a.svg")
        assert "_$x^2$ <b>&" in text
        assert "$\\frac$" in text

    def test_many_curves(self, kind, tmp_path):
        draw, rows = CURVES[kind]
        draw(tmp_path / "a.svg", {f"F{i}": (rows, i / 40, None) for i in range(40)})
        assert "F39" in text_of(tmp_path / "a.svg")


def test_a_precision_recall_curve_without_intervals_says_so(tmp_path):
    curves = {"pwm": (PR, 0.5, None)}
    for name, options in (("a", {}), ("b", {"heading": "Average precision", "baseline": False})):
        pr_figure(tmp_path / f"{name}.svg", curves, **options)
    assert "95% interval" in text_of(tmp_path / "a.svg")
    assert "95% interval" not in text_of(tmp_path / "b.svg")
    # the dotted line is the only one that is drawn in grey
    lines = [(tmp_path / f"{name}.svg").read_text().count("stroke-dasharray") for name in "ab"]
    assert lines[0] > lines[1]


class TestOffsetFigure:
    OFFSETS = pd.DataFrame({"scanner": ["m", "m", "pwm"], "offset": [-3, 0, 40], "n": [2, 5, 1]})

    def test_names_each_scanner_with_its_right_sites(self, tmp_path):
        offset_figure(tmp_path / "a.svg", self.OFFSETS, ["m", "pwm", "none"])
        words = text_of(tmp_path / "a.svg").split()
        for name, n in (("m", "7"), ("pwm", "1"), ("none", "0")):
            assert words[words.index(name) + 1] == n

    def test_without_a_right_site(self, tmp_path):
        offset_figure(tmp_path / "a.svg", self.OFFSETS[:0], ["m"])
        assert "Summit minus peak (bp)" in text_of(tmp_path / "a.svg")

    def test_same_input_same_bytes(self, tmp_path):
        for name in "ab":
            offset_figure(tmp_path / f"{name}.svg", self.OFFSETS, ["m", "pwm"])
        assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


class TestCalibrationFigure:
    LABEL = np.arange(100) % 3 == 0
    SCORE = np.linspace(0.01, 0.99, 100)

    def draw(self, path, **errors):
        bins = reliability(self.LABEL, self.SCORE)
        calibration_figure(path, {name: (bins, self.SCORE, *both) for name, both in errors.items()}, "Demo")
        return text_of(path)

    def test_names_each_curve_with_its_error_the_least_on_top(self, tmp_path):
        text = self.draw(tmp_path / "a.svg", CTCF=(0.2, 0.05), MAX=(0.1234, 0.06), _YY1=(0.3, None))
        assert "0.123 [0.060]" in text
        assert "Demo" in text
        assert "0.300\n" in text
        assert text.index("MAX") < text.index("CTCF") < text.index("_YY1")

    def test_same_input_same_bytes(self, tmp_path):
        for name in "ab":
            self.draw(tmp_path / f"{name}.svg", CTCF=(0.2, 0.05))
        assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()

    @pytest.mark.filterwarnings("error")
    def test_scores_that_are_no_probabilities_are_named_and_not_drawn(self, tmp_path):
        score = np.array([np.nan, 7.0])
        calibration_figure(tmp_path / "a.svg", {"CTCF": (reliability([1, 0], score), score, None, None)})
        assert "undefined" in text_of(tmp_path / "a.svg")

    @pytest.mark.filterwarnings("error")
    def test_of_nothing(self, tmp_path):
        calibration_figure(tmp_path / "a.svg", {})
        assert "Predicted probability" in text_of(tmp_path / "a.svg")


class TestLearningCurves:
    def test_marks_the_best_epoch(self, tmp_path):
        history = pd.DataFrame(
            {
                "epoch": [1, 2, 3],
                "loss": [0.7, 0.5, 0.3],
                "val_loss": [0.7, 0.6, 0.65],
                "val_auroc": [0.5, 0.8, 0.8],
            }
        )
        learning_curves(tmp_path / "a.svg", history, "CTCF")
        assert "best epoch, 2" in text_of(tmp_path / "a.svg")

    @pytest.mark.parametrize("columns", [["epoch", "loss"], ["epoch", "loss", "val_loss"]])
    def test_draws_what_there_is(self, columns, tmp_path):
        history = pd.DataFrame({column: [1.0] for column in columns})
        learning_curves(tmp_path / "a.svg", history)
        assert "training" in text_of(tmp_path / "a.svg")

    def test_each_member_of_an_ensemble_has_its_lines(self, tmp_path):
        history = pd.DataFrame({"member": [1, 1, 2, 2], "epoch": [1, 2] * 2, "loss": 0.5, "val_loss": 0.4})
        learning_curves(tmp_path / "a.svg", history)
        text = text_of(tmp_path / "a.svg")
        assert [text.count(f"\n{name}\n") for name in ("training", "validation")] == [1, 1]
        assert "best epoch" not in text
        learning_curves(tmp_path / "b.svg", history.assign(member=1))
        lines = [(tmp_path / name).read_text().count('<g id="line2d') for name in ("a.svg", "b.svg")]
        assert lines[0] == lines[1] + 2

    def test_an_undefined_validation_is_not_drawn(self, tmp_path):
        history = pd.DataFrame({"epoch": [1, 2], "loss": [0.7, 0.5], "val_loss": [np.nan] * 2})
        learning_curves(tmp_path / "a.svg", history)
        assert "best epoch" not in text_of(tmp_path / "a.svg")
