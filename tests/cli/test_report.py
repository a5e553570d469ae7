import argparse
import json

import pytest

from tfbind.cli import report
from tfbind.errors import TfbindError


def run(*argv):
    parser = argparse.ArgumentParser()
    report.register_parser(parser.add_subparsers())
    args = parser.parse_args(["report", *map(str, argv)])
    args.run(args)


def test_writes_the_page(tmp_path):
    folder = tmp_path / "results" / "evaluation" / "CTCF.bigru"
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps({"CTCF": {"auroc": 0.91, "auroc_ci95": [0.9, 0.92]}}))
    run(tmp_path / "results", "-o", tmp_path / "report.html")
    assert "0.910" in (tmp_path / "report.html").read_text()


def test_what_is_left_out_is_named_and_the_page_is_written(tmp_path, caplog):
    folder = tmp_path / "results" / "evaluation" / "CTCF.bigru"
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps({"CTCF": {"auroc": 0.91, "auroc_ci95": [0.9, 0.92]}}))
    (folder / "roc.tsv").write_text("fpr\n")
    (tmp_path / "unfinished.txt").write_text("\nevaluation/MAX.bigru/metrics.json\n")
    output = tmp_path / "report.html"
    with pytest.raises(TfbindError, match=r"report\.html: written without 2 files, named at its top"):
        run(tmp_path / "results", "--unfinished", tmp_path / "unfinished.txt", "--threads", 1, "-o", output)
    assert "0.910" in output.read_text()
    first, second = (record.getMessage() for record in caplog.records if record.levelname == "ERROR")
    assert first.startswith(f"error: {folder / 'roc.tsv'}: found no column 'factor'")
    assert second.endswith("evaluation/MAX.bigru/metrics.json: its job did not finish")


def test_no_such_results(tmp_path):
    with pytest.raises(TfbindError, match="nowhere: holds no evaluation"):
        run(tmp_path / "nowhere", "-o", tmp_path / "report.html")
