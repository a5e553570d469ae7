import xml.etree.ElementTree as ET

import numpy as np
import pytest

from tfbind.report.fold_figures import fold_pr_figure, fold_roc_figure


def text_of(path):
    return "\n".join(ET.parse(path).getroot().itertext())


class TestFoldFigures:
    FOLDS = (np.array([[0, 0, 2], [0, 0.5, 1], [1, 1, 0]]), np.array([[0, 0, 2], [0.5, 1, 1], [1, 1, 0]]))
    MEAN = np.array([[0, 0.25, 0.3], [0.5, 0.9, 0.1], [1, 1, 0]])

    @pytest.mark.parametrize("draw", [fold_roc_figure, fold_pr_figure])
    def test_draws_each_fold_their_mean_and_spread(self, draw, tmp_path):
        draw(tmp_path / "one.svg", {"a": (self.FOLDS, self.MEAN, 0.875, 0.0123)})
        draw(tmp_path / "two.svg", dict.fromkeys("ab", (self.FOLDS, self.MEAN, 0.875, 0.0123)))
        one, two = ((tmp_path / f"{name}.svg").read_text() for name in ("one", "two"))
        assert "0.875 ± 0.012" in text_of(tmp_path / "one.svg")
        # thin and pale are the folds', paler the band
        assert (one.count("stroke-opacity: 0.5"), two.count("stroke-opacity: 0.5")) == (2, 4)
        assert (one.count("fill-opacity: 0.15"), two.count("fill-opacity: 0.15")) == (1, 2)

    def test_an_undefined_area_is_named(self, tmp_path):
        fold_roc_figure(tmp_path / "a.svg", {"a": (self.FOLDS, self.MEAN, None, None)})
        assert "undefined" in text_of(tmp_path / "a.svg")

    def test_of_nothing(self, tmp_path):
        fold_pr_figure(tmp_path / "a.svg", {})
        assert "Precision" in text_of(tmp_path / "a.svg")
