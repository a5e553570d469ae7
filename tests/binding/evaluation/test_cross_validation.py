import json

import numpy as np
import pandas as pd
import pytest

from tfbind.binding.evaluation.cross_validation import NOTE, gather, mean_curve
from tfbind.errors import TfbindError

AREAS = {1: (0.9, 0.8), 2: (0.7, 0.6), 3: (0.8, 0.7)}


def metrics(auroc, auprc, n_folds=3):
    counts = {"n_positive": 2, "n_negative": 2, "n_not_scored": 1, "n_folds": n_folds}
    return {"auroc": auroc, "auprc": auprc, "brier": 0.25, **counts}


def write_fold(folder, fold, factor="NA", split=None, ids=None, areas=None, cluster="", n_folds=3):
    folder.mkdir(parents=True)
    table = pd.DataFrame(
        {
            "id": ids or [f"{fold}_{i}" for i in range(4)],
            "factor": factor,
            "label": ["1", "1", "0", "NA"],
            "score": ["0.123456789", "0.5", "0.4", "NA"],
            "split": split or f"fold{fold}",
            "cluster": cluster,
        }
    )
    table.to_csv(folder / "predictions.tsv", sep="\t", index=False)
    roc = pd.DataFrame(
        {"factor": factor, "fpr": [0.0, 0.0, 1.0], "tpr": [0.0, 0.5, 1.0], "threshold": [2, 1, 0]}
    )
    roc.to_csv(folder / "roc.tsv", sep="\t", index=False)
    pr = pd.DataFrame(
        {"factor": factor, "recall": [0.5, 1.0], "precision": [1.0, 0.1 * fold], "threshold": [1, 0]}
    )
    pr.to_csv(folder / "pr.tsv", sep="\t", index=False)
    (folder / "notes.json").write_text('["Trained on shuffles."]')
    (folder / "metrics.json").write_text(json.dumps({factor: metrics(*(areas or AREAS[fold]), n_folds)}))
    return folder


@pytest.fixture
def folders(tmp_path):
    return [write_fold(tmp_path / f"any_name_{fold}", fold, cluster="7") for fold in (3, 1, 2)]


class TestGather:
    def test_mean_and_standard_deviation_over_folds(self, folders):
        found = gather(folders).metrics["NA"]
        assert found["n_folds"] == 3
        assert found["auroc_mean"] == pytest.approx(0.8)
        assert found["auroc_sd"] == pytest.approx(0.1)
        assert found["auprc_mean"] == pytest.approx(0.7)
        assert (found["brier_mean"], found["brier_sd"]) == (0.25, 0)
        assert (found["n_positive"], found["n_negative"], found["n_not_scored"]) == (6, 6, 3)
        assert list(found["folds"]) == ["1", "2", "3"]
        assert found["folds"]["2"] == metrics(0.7, 0.6)

    def test_predictions_of_each_fold_stay_as_they_are(self, folders):
        found = gather(folders).predictions
        assert list(found) == ["id", "factor", "label", "score", "split", "cluster", "fold"]
        assert found["fold"].tolist() == [*"111122223333"]
        assert found["split"].tolist() == [f"fold{fold}" for fold in found["fold"]]
        assert found["id"].tolist() == [f"{fold}_{i}" for fold in (1, 2, 3) for i in range(4)]
        assert found["score"].tolist() == ["0.123456789", "0.5", "0.4", "NA"] * 3
        # cluster 7 of one fold is not that of another
        assert found["cluster"].tolist() == [f"{fold}.7" for fold in found["fold"]]

    def test_a_curve_a_fold_and_their_mean(self, folders):
        found = gather(folders)
        assert found.roc["fold"].tolist() == [1, 1, 1, 2, 2, 2, 3, 3, 3]
        assert list(found.mean_pr) == ["factor", "recall", "precision", "sd"]
        at = found.mean_pr.set_index("recall")
        assert at.loc[0.5, ["precision", "sd"]].tolist() == [1, 0]
        assert at.loc[1.0, ["precision", "sd"]].tolist() == pytest.approx([0.2, 0.1])

    def test_says_each_note_once(self, folders):
        assert gather(folders).notes == [NOTE, "Trained on shuffles."]

    def test_a_fold_that_lacks_a_class_is_counted_and_left_out_of_the_mean(self, tmp_path):
        areas = {1: (0.9, 0.8), 2: (None, None), 3: (0.7, 0.6)}
        folders = [write_fold(tmp_path / str(fold), fold, areas=areas[fold]) for fold in areas]
        found = gather(folders).metrics["NA"]
        assert found["n_undefined"] == 1
        assert found["auroc_mean"] == pytest.approx(0.8)
        assert found["auroc_sd"] == pytest.approx(np.std([0.9, 0.7], ddof=1))

    def test_areas_that_no_fold_has(self, tmp_path):
        folders = [write_fold(tmp_path / str(fold), fold, areas=(None, None)) for fold in (1, 2, 3)]
        for folder in folders:
            for name in ("roc", "pr"):
                table = folder / f"{name}.tsv"
                table.write_text(table.read_text().splitlines()[0] + "\n")
        found = gather(folders)
        assert (found.metrics["NA"]["auroc_mean"], found.metrics["NA"]["auroc_sd"]) == (None, None)
        assert len(found.mean_roc) == 0


class TestRefused:
    @pytest.mark.parametrize(
        ("changed", "match"),
        [
            ({"split": "test"}, r"new: found the split test, expected one fold: what tfbind evaluate writes"),
            ({"split": ["fold3", "fold3", "fold3", "fold5"]}, "found the split fold3 and fold5, expected one"),
            ({"fold": 2}, r"new: is of fold 2, as .*any_name_2 is, expected each fold once"),
            ({"fold": 5}, "found the folds 1, 2, 5, expected each from 1 to 3"),
            ({"n_folds": 4}, "any_name_1: is one of 3 folds, another folder one of 4, expected one cross-validation"),
            ({"ids": ["a", "b", "c", "1_0"]}, r"new: '1_0' is in another fold, too"),
            ({"factor": "B"}, r"new: found factors B, expected NA as in fold 1"),
        ],
    )  # fmt: skip
    def test_folders_that_do_not_match(self, folders, tmp_path, changed, match):
        write_fold(tmp_path / "new", **{"fold": 3, **changed, "areas": (0.5, 0.5)})
        with pytest.raises(TfbindError, match=match):
            gather([*folders[1:], tmp_path / "new"])

    @pytest.mark.parametrize("n_folds", [0, 10**18])
    def test_a_number_of_folds_that_cannot_be(self, tmp_path, n_folds):
        write_fold(tmp_path / "new", 1, n_folds=n_folds)
        with pytest.raises(
            TfbindError, match=f"found the folds 1, expected each from 1 to {n_folds}, as .*new says"
        ):
            gather([tmp_path / "new"])

    @pytest.mark.parametrize(("given", "said"), [((1, 2), "1, 2"), ((0, 1), "1, 3"), ((1,), "1")])
    def test_folds_that_are_missing(self, folders, given, said):
        with pytest.raises(TfbindError, match=f"found the folds {said}, expected each from 1 to 3"):
            gather([folders[number] for number in given])

    @pytest.mark.parametrize("key", ["auroc", "brier", "n_positive", "n_folds"])
    @pytest.mark.parametrize("value", ["missing", "0.5"])
    def test_metrics_that_are_not_what_evaluations_write(self, folders, key, value):
        path = folders[0] / "metrics.json"
        content = json.loads(path.read_text())
        content["NA"] |= {key: value}
        if value == "missing":
            del content["NA"][key]
        path.write_text(json.dumps(content))
        said = f"found no {key} of factor NA" if value == "missing" else f"found {key} '0.5' of factor NA"
        with pytest.raises(TfbindError, match=rf"any_name_3.metrics\.json: {said}, expected"):
            gather(folders)

    @pytest.mark.parametrize(
        ("name", "text", "match"),
        [
            ("metrics.json", '{"NA"', r"metrics\.json: not JSON"),
            ("metrics.json", "{}", r"metrics\.json: found no factor, expected the metrics of one at least"),
            (
                "metrics.json",
                '{"NA": null}',
                r"metrics\.json: found None for factor NA, expected its metrics",
            ),
            ("metrics.json", "[]", r"metrics\.json: found a JSON list, expected a dict"),
            ("notes.json", None, r"notes\.json: no such file"),
            ("predictions.tsv", "id\tfactor\n", r"predictions\.tsv: found no column 'label'"),
            ("roc.tsv", "factor\tfpr\ttpr\tthreshold\nNA\tx\t0\t0\n", r"roc\.tsv: .*'x'.*, expected numbers"),
        ],
    )
    def test_damaged_files(self, folders, name, text, match):
        path = folders[0] / name
        path.unlink() if text is None else path.write_text(text)
        with pytest.raises(TfbindError, match=match):
            gather(folders)


class TestMeanCurve:
    def test_of_roc_runs_straight_between_points(self):
        one = np.array([[0, 0], [0, 0.6], [1, 1]])
        other = np.array([[0, 0], [0.5, 0.6], [1, 1.0]])
        found = mean_curve([one, other], steps=False)
        assert found.shape == (101, 3)
        assert found[0].tolist() == pytest.approx([0, 0.3, np.sqrt(0.18)])
        assert found[50].tolist() == pytest.approx([0.5, 0.7, np.std([0.8, 0.6], ddof=1)])
        assert found[-1].tolist() == [1, 1, 0]

    def test_of_precision_goes_in_steps(self):
        curve = np.array([[0.25, 1.0], [0.5, 0.4], [1.0, 0.5]])
        found = mean_curve([curve], steps=True)
        assert found[[0, 25, 26, 50, 51, 100], 1].tolist() == [1.0, 1.0, 0.4, 0.4, 0.5, 0.5]
        assert np.isnan(found[:, 2]).all()

    def test_the_area_under_the_mean_is_the_mean_area(self):
        rng = np.random.default_rng(0)
        curves = [np.sort(np.vstack([[[0, 0], [1, 1]], rng.random((200, 2))]), axis=0) for _ in range(5)]
        mean = mean_curve(curves, steps=False)
        areas = [np.trapezoid(curve[:, 1], curve[:, 0]) for curve in curves]
        assert np.trapezoid(mean[:, 1], mean[:, 0]) == pytest.approx(np.mean(areas), abs=0.005)
