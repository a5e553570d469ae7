import json

import pandas as pd
import pytest

from tfbind.cli import main
from tfbind.tensors import open_tensors


def tfbind(*arguments) -> int:
    return main([*map(str, arguments)])


@pytest.fixture(scope="module")
def folders(fold_tensors, train_small, tmp_path_factory):
    """The three folds of ``fold_tensors``, each evaluated by the model that has not seen it."""
    root = tmp_path_factory.mktemp("folds")
    for fold in (1, 2, 3):
        model = root / f"{fold}.keras"
        train_small(fold_tensors, model, architecture="gkm-linear", network={}, fold=fold)
        arguments = ("--model", model, "--tensors", fold_tensors, "--threads", 1, "-o", root / f"ev{fold}")
        assert tfbind("evaluate", *arguments) == 0
    return [root / f"ev{fold}" for fold in (1, 2, 3)]


def test_every_sequence_is_scored_once_by_a_model_that_has_not_seen_it(folders, fold_tensors, tmp_path):
    output = tmp_path / "new" / "cv"
    assert tfbind("gather", *folders, "-o", output) == 0
    names = [
        "mean_pr.tsv",
        "mean_roc.tsv",
        "metrics.json",
        "notes.json",
        "pr.svg",
        "pr.tsv",
        "predictions.tsv",
    ]
    assert sorted(path.name for path in output.iterdir()) == [*names, "roc.svg", "roc.tsv"]
    found = pd.read_csv(output / "predictions.tsv", sep="\t")
    with open_tensors(fold_tensors) as tensors:
        assert sorted(found["id"]) == sorted(tensors.text("id"))
    for fold in (1, 2, 3):
        with open_tensors(fold_tensors, fold) as tensors:
            assert set(found["id"][found["fold"] == fold]) == set(tensors.text("id")[tensors.split == 2])
    metrics = json.loads((output / "metrics.json").read_text())["CREB"]
    each = [json.loads((folder / "metrics.json").read_text())["CREB"]["auroc"] for folder in folders]
    assert metrics["auroc_mean"] == pytest.approx(sum(each) / 3)
    assert f"{metrics['auroc_mean']:.3f} ± {metrics['auroc_sd']:.3f}" in (output / "roc.svg").read_text()


def test_folds_cannot_be_compared_as_if_they_were_one(folders, tmp_path, capsys):
    output = tmp_path / "cv"
    assert tfbind("gather", *folders, "-o", output) == 0
    capsys.readouterr()
    assert tfbind("compare", output, output, "-o", tmp_path / "t.tsv") == 2
    assert (
        "found 3 splits (fold1, fold2, fold3), expected one: folds are not pooled" in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("ev1", "is the file of --parts, choose another name"),
        ("1.keras", "is a file, expected a folder"),
    ],
)
def test_nothing_is_overwritten(folders, output, message, capsys):
    root = folders[0].parent
    before = (root / "ev1" / "metrics.json").read_bytes()
    assert tfbind("gather", *folders, "-o", root / output) == 2
    assert message in capsys.readouterr().err
    assert (root / "ev1" / "metrics.json").read_bytes() == before


def test_folders_and_files_do_not_mix(folders, tmp_path, capsys):
    assert tfbind("gather", *folders, folders[0] / "metrics.json", "-o", tmp_path / "t.tsv.gz") == 2
    assert "ev1: is a folder, expected a file of tfbind predict --piece" in capsys.readouterr().err
