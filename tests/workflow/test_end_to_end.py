"""The whole workflow on small data: what it writes, and what it does again after a change."""

import copy
import gzip
import json
import re
import shutil

import pytest

from tfbind.resume.journal import Journal

NAMES = ("CTCF.small", "MAX.small")


class TestOutputs:
    @pytest.mark.parametrize("name", NAMES)
    def test_every_promised_file_is_there(self, finished, name):
        results = finished.folder / "results"
        promised = [f"models/{name}.keras", f"models/{name}.history.tsv", "report.html"]
        promised += [f"tensors/{name.split('.')[0]}.h5", f"tensors/{name.split('.')[0]}.summary.json"]
        promised += [f"evaluation/{name}/{file}" for file in ("metrics.json", "roc.tsv", "pr.tsv", "roc.svg")]
        promised += [f"logs/train/{name}.log", f"benchmarks/train/{name}.tsv"]
        assert [path for path in promised if not (results / path).is_file()] == []

    def test_metrics_are_of_the_test_part(self, finished):
        folder = finished.folder / "results" / "evaluation" / "CTCF.small"
        metrics = json.loads((folder / "metrics.json").read_text())["CTCF"]
        header, *rows = (line.split("\t") for line in (folder / "predictions.tsv").read_text().splitlines())
        assert {row[header.index("split")] for row in rows} == {"test"}
        assert metrics["n_positive"] + metrics["n_negative"] == len(rows)
        assert 0 <= metrics["auroc"] <= 1

    def test_every_record_is_scored_where_the_sheet_asks_for_it(self, finished):
        predictions = finished.folder / "results" / "predictions"
        assert [path.name for path in predictions.iterdir()] == ["CTCF.small.tsv.gz"]
        with gzip.open(predictions / "CTCF.small.tsv.gz", "rt") as handle:
            lines = handle.read().splitlines()
        assert lines[0].split("\t") == ["id", "start", "end", "CTCF", "note"]
        assert len(lines) == 1 + 80

    def test_training_leaves_no_checkpoint(self, finished):
        assert list((finished.folder / "results" / "models").glob("*checkpoint*")) == []

    def test_history_has_a_row_an_epoch(self, finished):
        history = (finished.folder / "results/models/MAX.small.history.tsv").read_text().splitlines()
        assert [line.split("\t")[0] for line in history] == ["epoch", "1", "2"]


class TestRunningAgain:
    def test_nothing_is_done_twice(self, finished):
        assert "Nothing to be done" in finished.dry_run()

    def test_a_changed_file_concerns_its_own_data_set_only(self, finished):
        changed = finished.folder / "MAX" / "negatives.fa"
        before = changed.read_text()
        changed.write_text(before + ">one_more\n" + "ACGGT" * 12 + "\n")
        try:
            commands = re.findall(r"^Shell command: tfbind .*", finished.dry_run(), flags=re.MULTILINE)
        finally:
            changed.write_text(before)
        about = [re.search("CTCF|MAX|report", command)[0] for command in commands]
        assert sorted(about) == ["MAX", "MAX", "MAX", "report"]

    def test_a_changed_model_leaves_the_tensors_alone(self, finished):
        before = finished.config
        finished.config = {
            **before,
            "models": {**before["models"], "small": {**before["models"]["small"], "epochs": 3}},
        }
        try:
            output = finished.dry_run()
        finally:
            finished.config = before
        assert "tfbind encode" not in output
        assert output.count("Shell command: tfbind train") == 2

    def test_what_a_killed_prediction_left_of_another_model_is_started_over(self, finished):
        scores = finished.folder / "results/predictions/CTCF.small.tsv.gz"
        before = scores.read_bytes()
        scores.unlink()
        scores.with_name(f"{scores.name}.partial").write_text("half a table")
        journal = Journal(
            scores.with_name(f"{scores.name}.partial.journal"), {"model": "another"}, resume=False
        )
        journal.add({"bytes": 4, "complete": False, "state": {"groups": 1}})
        journal.close()
        done = finished.run("--cores", "2", "results/predictions/CTCF.small.tsv.gz")
        assert done.returncode == 0, done.stdout
        # the page is younger than its parts again
        assert finished.run("--cores", "2").returncode == 0
        assert (
            "was started with version None"
            in (finished.folder / "results/logs/predict/CTCF.small.log").read_text()
        )
        assert gzip.decompress(scores.read_bytes()) == gzip.decompress(before)
        assert [path.name for path in scores.parent.iterdir()] == [scores.name]


class TestFailure:
    def test_the_command_to_repeat_and_its_error_are_shown(self, workflow):
        workflow.folder.joinpath("reads.fa").write_text(">a\nACGT!\n")
        done = workflow.run("--cores", "1")
        assert done.returncode != 0
        assert "tfbind encode --positives reads.fa" in done.stdout
        assert re.search(r"tfbind: error: .*reads\.fa.*'!'", done.stdout), done.stdout

    def test_no_page_where_none_was_asked_for(self, workflow):
        workflow.folder.joinpath("reads.fa").write_text(">a\nACGT!\n")
        done = workflow.run("--cores", "1", "results/tensors/one.h5")
        assert done.returncode != 0
        assert not (workflow.folder / "results/report.html").exists()
        assert "Writing what has finished" not in done.stdout

    def test_a_failed_data_set_costs_the_page_its_own_part_only(self, finished, tmp_path):
        # a copy, in which what an earlier run left of the failed data set is still there
        broken = copy.copy(finished)
        broken.folder = tmp_path / "copy"
        shutil.copytree(finished.folder, broken.folder)
        with open(broken.folder / "MAX" / "negatives.fa", "a") as handle:
            handle.write(">bad\nACGT!\n")
        done = broken.run("--cores", "1")
        assert done.returncode != 0
        results = broken.folder / "results"
        assert (results / "evaluation/MAX.small/metrics.json").exists()
        left = ["evaluation/MAX.small/metrics.json", "models/MAX.small.history.tsv"]
        assert sorted((results / "logs/unfinished.txt").read_text().split()) == left
        page = (results / "report.html").read_text()
        assert [f"{path}: its job did not finish" in page for path in left] == [True, True]
        assert re.findall("<h2>(.*?)</h2>", page) == ["CTCF"]
        assert "results/report.html: written without 2 files, named at its top" in done.stdout


def test_snakemake_report_needs_no_network(finished):
    done = finished.run("--report", "provenance.html")
    assert done.returncode == 0, done.stdout
    page = (finished.folder / "provenance.html").read_text()
    assert "Receiver operating characteristic of small" in page
