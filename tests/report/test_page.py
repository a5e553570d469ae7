import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from tfbind.errors import TfbindError
from tfbind.report.page import write_report
from tfbind.report.reading import Reader
from tfbind.report.results import read_datasets

METRICS = {
    "auroc": 0.9321,
    "auroc_ci95": [0.91, 0.95],
    "auprc": 0.8765,
    "auprc_ci95": [0.85, 0.9],
    "brier": 0.1234,
    "ece": 0.0312,
    "ece_perfect": 0.0194,
    "recall_at_fpr01": 0.5,
    "threshold": 0.4321,
    "n_not_scored": 7,
    "n_positive": 1200,
    "n_negative": 1300,
    "ci_method": "percentile bootstrap of 1200 clusters",
}
UNDEFINED = dict.fromkeys(METRICS) | {"n_positive": 3, "n_negative": 0}


def add_evaluation(results, name, metrics, notes=None):
    folder = results / "evaluation" / name
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps(metrics))
    rows = {"factor": [*metrics] * 2, "threshold": 0.5}
    half = [0.0] * len(metrics) + [1.0] * len(metrics)
    pd.DataFrame(rows | {"fpr": half, "tpr": half}).to_csv(folder / "roc.tsv", sep="\t", index=False)
    pd.DataFrame(rows | {"recall": half, "precision": 0.5}).to_csv(folder / "pr.tsv", sep="\t", index=False)
    predictions = {"factor": [*metrics] * 2, "label": [1.0] * len(metrics) + [0.0] * len(metrics)}
    pd.DataFrame(predictions | {"score": 0.5}).to_csv(folder / "predictions.tsv", sep="\t", index=False)
    for drawn in ("roc", "pr", "calibration"):
        (folder / f"{drawn}.svg").write_text("<svg>drawn anew</svg>")
    if notes is not None:
        (folder / "notes.json").write_text(json.dumps(notes))
    history = pd.DataFrame(
        {"epoch": [1, 2], "loss": [0.7, 0.6], "val_loss": [0.7, np.nan], "val_auroc": [0.5, 0.6]}
    )
    (results / "models").mkdir(exist_ok=True)
    history.to_csv(results / "models" / f"{name}.history.tsv", sep="\t", index=False)


def page_of(results):
    output = results / "sub" / "report.html"
    write_report(results, output)
    return output.read_text(encoding="utf-8")


class Ids(HTMLParser):
    def __init__(self):
        super().__init__()
        self.ids, self.used, self.tags = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            self.used += re.findall(r"url\(#(.*?)\)", value or "")
            if name.endswith("href") and (value or "").startswith("#"):
                self.used.append(value[1:])


@pytest.fixture
def results(tmp_path):
    for model in ("bigru", "conv-bilstm"):
        add_evaluation(tmp_path, f"CTCF.{model}", {"CTCF": METRICS}, ["Trained on shuffles."])
    add_evaluation(tmp_path, "two.bigru", {"GABPA": METRICS, "NA": UNDEFINED})
    (tmp_path / "tensors").mkdir()
    summary = {"splits": {"train": 16000, "test": 2000}, "encoding": "onehot"}
    (tmp_path / "tensors" / "CTCF.summary.json").write_text(json.dumps(summary))
    return tmp_path


class TestPage:
    def test_shows_every_evaluation(self, results):
        page = page_of(results)
        assert page.count('0.932 <span class="interval">[0.910, 0.950]</span>') == 3
        assert page.count('<td class="number">1,200</td>') == 3
        assert page.count('<td class="number">7</td>') == 3
        assert page.count('<td class="number">0.432</td>') == 3
        assert "conv-bilstm" in page
        assert "percentile bootstrap of 1200 clusters" in page
        assert "splits, train" in page
        assert "16,000" in page
        assert page.count("<h2>") == 2

    def test_says_a_note_once(self, results):
        assert page_of(results).count("Trained on shuffles.") == 1

    def test_undefined_is_na(self, results):
        row = next(
            line for line in page_of(results).splitlines() if "<td>two</td>" in line and "<td>NA</td>" in line
        )
        assert "<td>NA</td><td>NA</td><td>NA</td>" in row

    def test_overlays_the_models_of_a_data_set(self, results):
        # two data sets with a ROC, a PR and a reliability figure each, three trainings
        page = page_of(results)
        assert page.count("<svg") == 2 * 3 + 3
        assert "data:image" not in page

    def test_a_factor_called_na_has_its_curves(self, tmp_path):
        add_evaluation(tmp_path, "one.bigru", {"NA": METRICS})
        (dataset,) = read_datasets(Reader(tmp_path))
        (one,) = dataset.evaluations
        assert one.roc["factor"].tolist() == one.predictions["factor"].tolist() == ["NA", "NA"]
        assert one.history["val_loss"].isna().tolist() == [False, True]

    def test_sets_the_calibration_error_beside_a_perfect_models(self, results):
        page = page_of(results)
        assert page.count('0.031 <span class="interval">[0.019]</span>') == 3
        assert "Predicted probability" in page

    def test_ids_are_unique_and_those_used_exist(self, results):
        parser = Ids()
        parser.feed(page_of(results))
        assert len(parser.ids) == len(set(parser.ids)) > 0
        assert parser.used
        assert set(parser.used) <= set(parser.ids)

    def test_reaches_for_nothing_outside_and_runs_nothing(self, results):
        page = page_of(results)
        parser = Ids()
        parser.feed(page)
        assert not {"script", "link", "iframe"} & set(parser.tags)
        assert not re.search(r'(?:src|href)="(?!#|data:)', page)
        assert "@import" not in page

    def test_same_results_same_bytes(self, results):
        assert page_of(results) == page_of(results)

    def test_markup_of_the_user_is_text(self, tmp_path):
        add_evaluation(
            tmp_path, "a.b", {"<script>alert(1)</script>": METRICS}, ["<img src=x onerror=alert(1)>"]
        )
        (tmp_path / "evaluation" / "a.b" / "extra.svg").write_text("<svg><script>alert(1)</script></svg>")
        page = page_of(tmp_path)
        assert "<script" not in page
        assert "<img src=x" not in page
        assert '<img src="data:image/svg+xml;base64,' in page


class TestComparison:
    ROWS = pd.DataFrame(
        {
            "factor": ["CTCF", "NA"],
            "a": "CTCF.bigru",
            "b": ["CTCF.<b>", "NA"],
            "n_positive": [1234, 3],
            "n_negative": [1235, 0],
            "auroc_a": [0.9, np.nan],
            "auroc_b": [0.95, np.nan],
            "difference": [-0.05, np.nan],
            "ci95_low": [-0.06, np.nan],
            "ci95_high": [-0.04, np.nan],
            "p": [1e-9, np.nan],
            "method": ["DeLong", "none: needs positives and negatives"],
            "n_not_scored": 0,
        }
    )

    @pytest.fixture
    def compared(self, results):
        (results / "comparison").mkdir()
        self.ROWS.to_csv(results / "comparison" / "CTCF.tsv", sep="\t", index=False, na_rep="NA")
        return results

    def test_is_shown_in_its_data_set(self, compared):
        page = page_of(compared)
        assert page.count("Comparison of models") == 1
        row, undefined = page.split("Comparison of models")[1].split("<tbody>\n")[1].splitlines()[:2]
        assert "<tr><td>CTCF</td><td>bigru</td><td>&lt;b&gt;</td>" in row
        assert '&minus;0.050 <span class="interval">[&minus;0.060, &minus;0.040]</span>' in row
        assert row.endswith(
            '<td class="number">&lt; 0.001</td><td class="number">1,234</td><td class="number">1,235</td></tr>'
        )
        assert "<tr><td>NA</td><td>bigru</td><td>NA</td>" in undefined
        assert undefined.count('<td class="number">NA</td>') == 4
        assert "Method: DeLong; none: needs positives and negatives." in page

    def test_without_its_columns_is_left_out(self, compared):
        (compared / "comparison" / "CTCF.tsv").write_text("factor\ta\n")
        assert "<li>comparison/CTCF.tsv: found no column &#x27;b&#x27;" in page_of(compared)


def add_cross_validation(results, name, factor="CTCF"):
    folder = results / "cross_validation" / name
    folder.mkdir(parents=True)
    folds = {"1": {"auroc": 0.8111}, "2": {"auroc": None}, "3": {"auroc": 0.8333}}
    metrics = {"auroc_mean": 0.8222, "auroc_sd": 0.0157, "auprc_mean": 0.7, "auprc_sd": None, "n_folds": 3}
    (folder / "metrics.json").write_text(json.dumps({factor: metrics | {"n_undefined": 1, "folds": folds}}))
    (folder / "notes.json").write_text('["No fold is pooled."]')
    for kind, x, y in (("roc", "fpr", "tpr"), ("pr", "recall", "precision")):
        rows = {"factor": factor, x: [0.0, 1.0] * 2, y: [0.5, 1.0] * 2}
        curves = pd.DataFrame({"fold": [1, 1, 3, 3], **rows, "threshold": 0.5})
        curves.to_csv(folder / f"{kind}.tsv", sep="\t", index=False)
        mean = pd.DataFrame(rows | {"sd": 0.1})[:2]
        mean.to_csv(folder / f"mean_{kind}.tsv", sep="\t", index=False)


class TestCrossValidation:
    def test_stands_beside_the_evaluations(self, results):
        before = page_of(results).count("<svg")
        for model in ("bigru", "<b>"):
            add_cross_validation(results, f"CTCF.{model}")
        page = page_of(results)
        assert page.count("<svg") == before + 2
        assert "2 data sets, 3 evaluations, 2 cross-validations." in page
        assert page.count('<td class="number">0.822 &plusmn; 0.016</td><td class="number">0.700</td>') == 2
        row = '<td class="number">0.811</td><td class="number">NA</td><td class="number">0.833</td>'
        assert f"<tr><td>&lt;b&gt;</td><td>CTCF</td>{row}</tr>" in page
        assert page.count("No fold is pooled.") == 1

    def test_stands_alone(self, tmp_path):
        add_cross_validation(tmp_path, "NA.bigru", factor="NA")
        page = page_of(tmp_path)
        assert "1 data set, 0 evaluations, 1 cross-validation." in page
        assert page.count("<svg") == 2
        assert "<h3>Calls</h3>" not in page

    def test_what_is_not_there_is_named(self, results):
        add_cross_validation(results, "CTCF.bigru")
        (results / "cross_validation/CTCF.bigru/mean_roc.tsv").unlink()
        assert "Not there: cross_validation/CTCF.bigru/mean_roc.tsv." in page_of(results)


class TestSelection:
    def test_every_candidate_is_shown(self, results):
        table = "candidate\tchosen\tarchitecture\tunits\tlearning_rate\tbest_epoch\tval_loss\tval_auroc\n"
        rows = "a\tno\tbigru\t8\t0.005\t3\t0.51234\t0.8\n<b>\tyes\tbigru\t16\t0.02\t4\t0.41234\t0.9\n"
        (results / "models/CTCF.bigru.grid.tsv").write_text(table + rows)
        page = page_of(results)
        assert page.count("Selection of ") == 1
        numbers = "".join(
            f'<td class="number">{value}</td>' for value in ("16", "0.02", "4", "0.4123", "0.9000")
        )
        assert f"<tr><td>&lt;b&gt;</td><td>yes</td><td>bigru</td>{numbers}</tr>" in page


class TestMissingPieces:
    def test_names_what_is_not_there(self, results):
        for path in (
            "evaluation/CTCF.bigru/roc.tsv",
            "evaluation/CTCF.bigru/predictions.tsv",
            "models/CTCF.bigru.history.tsv",
            "evaluation/two.bigru/pr.tsv",
        ):
            (results / path).unlink()
        page = page_of(results)
        assert (
            "Not there: evaluation/CTCF.bigru/roc.tsv, evaluation/CTCF.bigru/predictions.tsv,"
            " models/CTCF.bigru.history.tsv."
        ) in page
        assert "Not there: evaluation/two.bigru/pr.tsv." in page

    def test_an_empty_evaluation(self, tmp_path):
        (tmp_path / "evaluation" / "a.b").mkdir(parents=True)
        assert "evaluation/a.b/metrics.json" in page_of(tmp_path)

    def test_no_evaluation_at_all(self, tmp_path):
        with pytest.raises(TfbindError, match=r"holds no evaluation/NAME\.MODEL folder"):
            write_report(tmp_path, tmp_path / "report.html")
        assert not (tmp_path / "report.html").exists()


class TestDamage:
    """One bad file costs what it would have shown, and is named at the top, in its section and to the caller."""

    def test_costs_one_file(self, results):
        path = "evaluation/CTCF.bigru/metrics.json"
        (results / path).write_text('{"CTCF": {"auroc": "high"}}')
        (fault,) = write_report(results, results / "report.html")
        assert fault.startswith(f"{results / path}: at CTCF.auroc: 'high' is not of type")
        page = (results / "report.html").read_text()
        assert "This page is incomplete" in page
        assert page.count(f"<li>{path}: ") == 2
        # the other model's numbers are still there
        assert page.count('0.932 <span class="interval">[0.910, 0.950]</span>') == 2

    def test_a_page_without_damage_does_not_speak_of_it(self, results):
        assert "incomplete" not in page_of(results)

    def test_a_folder_or_a_dangling_link_in_place_of_a_file(self, results):
        for name in ("roc.tsv", "metrics.json"):
            (results / "evaluation/CTCF.bigru" / name).unlink()
        (results / "evaluation/CTCF.bigru/roc.tsv").mkdir()
        (results / "evaluation/CTCF.bigru/metrics.json").symlink_to("metrics.json")
        faults = write_report(results, results / "report.html")
        assert [fault.rpartition("/")[2] for fault in faults] == [
            "metrics.json: no such file",
            "roc.tsv: is a folder, expected a file",
        ]

    def test_half_a_character(self, results):
        (results / "evaluation/CTCF.bigru/notes.json").write_text(r'["a \ud800 b"]')
        assert "a ? b" in page_of(results)


class TestUnfinished:
    def test_what_an_earlier_run_left_is_not_shown(self, results):
        add_cross_validation(results, "CTCF.bigru")
        left = [
            "evaluation/CTCF.bigru/metrics.json",
            "tensors/CTCF.summary.json",
            "evaluation/<b>.x/metrics.json",
        ]
        faults = write_report(results, results / "page.html", left)
        assert faults == [f"{results}/{path}: its job did not finish" for path in left]
        page = (results / "page.html").read_text()
        assert "<li>evaluation/&lt;b&gt;.x/metrics.json: its job did not finish</li>" in page
        assert "2 data sets, 2 evaluations, 1 cross-validation." in page
        assert page.count('0.932 <span class="interval">[0.910, 0.950]</span>') == 2
        assert "<h3>Sequences</h3>" not in page

    def test_a_page_of_nothing_else(self, tmp_path):
        write_report(tmp_path, tmp_path / "page.html", ["evaluation/a.b/metrics.json"])
        assert "evaluation/a.b/metrics.json: its job did not finish" in (tmp_path / "page.html").read_text()
