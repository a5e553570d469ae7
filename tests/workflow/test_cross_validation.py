"""Folds and candidates, run together on small data: what is written, and that nothing is judged that was seen."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from tfbind.binding.model.card import read_card
from tfbind.cli import main
from tfbind.tensors import open_tensors


@pytest.fixture
def results(crossed):
    return crossed.folder / "results"


def test_every_sequence_is_scored_once_by_the_model_that_has_not_seen_it(results):
    found = pd.read_csv(results / "cross_validation/CTCF.tuned/predictions.tsv", sep="\t")
    with open_tensors(results / "tensors/CTCF.h5") as tensors:
        assert sorted(found["id"]) == sorted(tensors.text("id"))
    digests = {}
    for fold in (1, 2):
        with open_tensors(results / "tensors/CTCF.h5", fold) as tensors:
            assert set(found["id"][found["fold"] == fold]) == set(tensors.text("id")[tensors.split == 2])
        card = read_card(results / f"models/CTCF.tuned.fold{fold}.keras")
        assert (card.training["fold"], card.training["folds"]) == (fold, 2)
        digests[fold] = card.digests
    # what one model was trained or validated on is the other one's fold
    assert not np.isin(digests[1], digests[2]).any()
    assert len(digests[1]) + len(digests[2]) == len(found)


def test_metrics_are_of_folds(results):
    folder = results / "cross_validation/CTCF.tuned"
    found = json.loads((folder / "metrics.json").read_text())["CTCF"]
    each = [json.loads((folder / f"fold{fold}/metrics.json").read_text())["CTCF"]["auroc"] for fold in (1, 2)]
    assert found["auroc_mean"] == pytest.approx(np.mean(each))
    assert found["auroc_sd"] == pytest.approx(np.std(each, ddof=1))


@pytest.mark.parametrize("holdout", ["", ".fold1", ".fold2"])
def test_the_candidate_with_the_lowest_validation_loss_is_the_model(results, holdout):
    table = pd.read_csv(results / f"models/CTCF.tuned{holdout}.grid.tsv", sep="\t", index_col="candidate")
    assert sorted(table.index) == ["learning_rate-0p02", "learning_rate-1e-06"]
    folder = results / f"candidates/CTCF.tuned{holdout}"
    histories = {name: pd.read_csv(folder / f"{name}.history.tsv", sep="\t") for name in table.index}
    assert all(table.loc[name, "val_loss"] == one["val_loss"].min() for name, one in histories.items())
    (chosen,) = table.index[table["chosen"] == "yes"]
    assert chosen == table["val_loss"].idxmin()
    for suffix in ("keras", "history.tsv", "learning.svg"):
        of_model = results / f"models/CTCF.tuned{holdout}.{suffix}"
        assert of_model.read_bytes() == (folder / f"{chosen}.{suffix}").read_bytes()


def test_there_is_no_test_part_to_evaluate_and_the_page_shows_the_folds(results):
    assert not (results / "evaluation").exists()
    page = (results / "report.html").read_text()
    assert "1 data set, 0 evaluations, 1 cross-validation." in page
    assert "AUROC, mean \N{PLUS-MINUS SIGN} SD of folds" in page
    assert "<h3>Selection of tuned</h3>" in page


def test_pieces_are_gathered_to_the_table_of_one_run(results, tmp_path):
    model, fasta = results / "models/CTCF.tuned.keras", results.parent / "to_score.fa"
    given = ["--model", str(model), "--fasta", str(fasta), "--threads", "2"]
    assert main(["predict", *given, "-o", str(tmp_path / "whole.tsv.gz")]) == 0
    found = results / "predictions/CTCF.tuned.tsv.gz"
    assert found.read_bytes() == (tmp_path / "whole.tsv.gz").read_bytes()
    logs = [(results / f"logs/predict_piece/CTCF.tuned/{number}of3.log").read_text() for number in (1, 2, 3)]
    counts = [re.search(r"([\d,]+) windows", log)[1] for log in logs]
    assert counts == ["0", "11,192", "1,808"]
    assert not (results / "pieces").exists()


def test_nothing_is_done_twice(crossed):
    assert "Nothing to be done" in crossed.dry_run()


def test_a_value_more_trains_what_is_new(crossed):
    before = crossed.config
    tuned = before["models"]["tuned"] | {"learning_rate": [1e-6, 0.01, 0.02]}
    crossed.config = before | {"models": before["models"] | {"tuned": tuned}}
    try:
        output = crossed.dry_run()
    finally:
        crossed.config = before
    commands = [
        line.split() for line in output.splitlines() if line.startswith("Shell command: tfbind train")
    ]
    outputs = [command[command.index("-o") + 1] for command in commands]
    new = [
        f"results/candidates/CTCF.tuned{holdout}/learning_rate-0p01.keras"
        for holdout in ("", ".fold1", ".fold2")
    ]
    assert sorted(set(outputs)) == sorted(new)
