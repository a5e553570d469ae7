import json

import numpy as np
import pandas as pd
import pytest

from tfbind.binding.evaluation.measure import Evaluation
from tfbind.binding.evaluation.metrics import curves, score_metrics
from tfbind.report.evaluation import write_evaluation

FILES = [
    "calibration.svg",
    "calibration.tsv",
    "metrics.json",
    "notes.json",
    "pr.svg",
    "pr.tsv",
    "predictions.tsv",
    "roc.svg",
    "roc.tsv",
]
LABEL = np.array([1, 1, 0, 1, 0, np.nan])
SCORE = np.array([0.9, 0.8, 0.7, 0.6, 0.1, 0.5])


def evaluation_of(**labels) -> Evaluation:
    metrics = {factor: score_metrics(label, SCORE, threshold=0.65) for factor, label in labels.items()}
    both = {factor: curves(label, SCORE) for factor, label in labels.items()}
    tables = [
        pd.DataFrame(
            {
                "id": list("abcdef"),
                "factor": factor,
                "label": pd.array(label, "Int8"),
                "score": SCORE,
                "split": "test",
            }
        )
        for factor, label in labels.items()
    ]
    return Evaluation(
        metrics,
        {factor: roc for factor, (roc, _) in both.items()},
        {factor: pr for factor, (_, pr) in both.items()},
        pd.concat(tables, ignore_index=True),
        ["A note."],
    )


@pytest.fixture
def written(tmp_path):
    folder = tmp_path / "new" / "folder"
    write_evaluation(folder, evaluation_of(X=LABEL, Y=LABEL[::-1].copy()))
    return folder


class TestWriteEvaluation:
    def test_makes_the_folder_with_every_file(self, written):
        assert sorted(path.name for path in written.iterdir()) == FILES

    def test_metrics_are_keyed_by_factor(self, written):
        metrics = json.loads((written / "metrics.json").read_text())
        assert list(metrics) == ["X", "Y"]
        assert metrics["X"]["auroc"] == pytest.approx(5 / 6)
        assert len(metrics["X"]["auroc_ci95"]) == 2
        assert json.loads((written / "notes.json").read_text()) == ["A note."]

    def test_tables_have_the_contracts_columns(self, written):
        tables = {
            name: pd.read_csv(written / f"{name}.tsv", sep="\t")
            for name in ("roc", "pr", "predictions", "calibration")
        }
        assert list(tables["roc"]) == ["factor", "fpr", "tpr", "threshold"]
        assert list(tables["pr"]) == ["factor", "recall", "precision", "threshold"]
        assert list(tables["predictions"]) == ["id", "factor", "label", "score", "split"]
        assert list(tables["calibration"]) == [
            *("factor", "bin", "n", "mean_score", "observed", "ci95_low", "ci95_high")
        ]
        assert set(tables["roc"]["factor"]) == set(tables["calibration"]["factor"]) == {"X", "Y"}

    def test_calibration(self, written):
        # five scores of known label in ten bins; Wilson's interval of 0 of 1
        lines = (written / "calibration.tsv").read_text().splitlines()
        assert lines[1] == "X\t2\t1\t0.1\t0\t0\t0.793450686"
        assert [line.split("\t")[:5] for line in lines[2:6]] == [
            ["X", "4", "1", "0.6", "1"],
            ["X", "6", "1", "0.7", "0"],
            ["X", "8", "1", "0.8", "1"],
            ["X", "10", "1", "0.9", "1"],
        ]

    @pytest.mark.filterwarnings("error")
    def test_scores_that_are_no_probabilities_have_no_calibration(self, tmp_path):
        evaluation = evaluation_of(X=LABEL)
        evaluation.predictions["score"] *= 3
        write_evaluation(tmp_path, evaluation)
        head = "factor\tbin\tn\tmean_score\tobserved\tci95_low\tci95_high\n"
        assert (tmp_path / "calibration.tsv").read_text() == head

    def test_predictions(self, written):
        lines = (written / "predictions.tsv").read_text().splitlines()
        assert (lines[1], lines[6]) == ("a\tX\t1\t0.9\ttest", "f\tX\tNA\t0.5\ttest")

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize("label", [1.0, 0.0, np.nan])
    def test_a_factor_with_one_class_has_null_and_no_curve(self, tmp_path, label):
        write_evaluation(tmp_path, evaluation_of(X=LABEL, Z=np.full(6, label)))
        text = (tmp_path / "metrics.json").read_text()
        assert "NaN" not in text
        assert json.loads(text)["Z"]["auroc"] is None
        assert set(pd.read_csv(tmp_path / "roc.tsv", sep="\t")["factor"]) == {"X"}

    @pytest.mark.filterwarnings("error")
    def test_one_class_alone(self, tmp_path):
        write_evaluation(tmp_path, evaluation_of(Z=np.ones(6)))
        assert (tmp_path / "roc.tsv").read_text() == "factor\tfpr\ttpr\tthreshold\n"
        assert sorted(path.name for path in tmp_path.iterdir()) == FILES
