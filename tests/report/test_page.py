import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from tfbind.errors import TfbindError
from tfbind.report.page import write_report

METRICS = {
    "auroc": 0.9321,
    "auroc_ci95": [0.91, 0.95],
    "auprc": 0.8765,
    "auprc_ci95": [0.85, 0.9],
    "brier": 0.1234,
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
    (folder / "roc.svg").write_text("<svg>drawn anew</svg>")
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
        # two data sets with a ROC and a PR figure each, three trainings
        assert page_of(results).count("<svg") == 2 * 2 + 3

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


class TestMissingPieces:
    def test_names_what_is_not_there(self, results):
        for path in (
            "evaluation/CTCF.bigru/roc.tsv",
            "models/CTCF.bigru.history.tsv",
            "evaluation/two.bigru/pr.tsv",
        ):
            (results / path).unlink()
        page = page_of(results)
        assert "Not there: evaluation/CTCF.bigru/roc.tsv, models/CTCF.bigru.history.tsv." in page
        assert "Not there: evaluation/two.bigru/pr.tsv." in page

    def test_an_empty_evaluation(self, tmp_path):
        (tmp_path / "evaluation" / "a.b").mkdir(parents=True)
        assert "evaluation/a.b/metrics.json" in page_of(tmp_path)

    def test_no_evaluation_at_all(self, tmp_path):
        with pytest.raises(TfbindError, match=r"holds no evaluation/NAME\.MODEL folder"):
            write_report(tmp_path, tmp_path / "report.html")
        assert not (tmp_path / "report.html").exists()

    def test_damaged_metrics(self, results):
        (results / "evaluation/CTCF.bigru/metrics.json").write_text('{"CTCF": ')
        with pytest.raises(TfbindError, match=r"metrics\.json: not JSON"):
            page_of(results)

    def test_a_table_without_its_columns(self, results):
        (results / "evaluation/CTCF.bigru/roc.tsv").write_text("fpr\ttpr\n0\t0\n")
        with pytest.raises(TfbindError, match=r"roc\.tsv: found no column 'factor'"):
            page_of(results)
