"""What a results folder holds, read as far as it is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from tfbind.binding.evaluation.tables import CURVE_COLUMNS, MEAN_CURVE_COLUMNS
from tfbind.errors import TfbindError
from tfbind.tables import read_json

PREDICTION_COLUMNS = ("factor", "label", "score")
COMPARISON_COLUMNS = (
    *("factor", "a", "b", "n_positive", "n_negative", "auroc_a", "auroc_b", "difference"),
    *("ci95_low", "ci95_high", "p", "method"),
)
GRID_COLUMNS = ("candidate", "chosen", "val_loss", "val_auroc")
TEXT_COLUMNS = (
    *("id", "factor", "split", "cluster", "a", "b", "method"),
    *("candidate", "chosen", "architecture", "cell"),
)
# drawn anew in the page, all models of a data set together
DRAWN_ANEW = ("roc.svg", "pr.svg", "calibration.svg", "learning_curves.svg")


@dataclass(frozen=True)
class EvaluationFolder:
    """One model on one data set: the content of ``evaluation/NAME.MODEL/`` and what belongs to it.

    Attributes
    ----------
    dataset, model : str
        NAME and MODEL; the model is empty where the folder's name has no dot.
    metrics : dict
        Factor to its metrics, as `tfbind.binding.evaluation.metrics.score_metrics` gives them.
    roc, pr, predictions, history : DataFrame or None
        ``roc.tsv``, ``pr.tsv``, ``predictions.tsv`` and ``models/NAME.MODEL.history.tsv``; None where missing.
    notes : list of str
        Sentences of ``notes.json``.
    figures : list of Path
        Other SVG files of the folder.
    missing : list of str
        Paths within the results that are not there.
    """

    dataset: str
    model: str
    metrics: dict[str, dict[str, Any]]
    roc: pd.DataFrame | None = None
    pr: pd.DataFrame | None = None
    predictions: pd.DataFrame | None = None
    history: pd.DataFrame | None = None
    notes: list[str] = field(default_factory=list)
    figures: list[Path] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class CrossValidationFolder:
    """One model on the folds of one data set: the content of ``cross_validation/NAME.MODEL/``.

    Attributes
    ----------
    dataset, model, history, notes, missing
        As in `EvaluationFolder`.
    metrics : dict
        Factor to its metrics, as `tfbind.binding.evaluation.cross_validation.gather` gives them.
    roc, pr, mean_roc, mean_pr : DataFrame or None
        The tables of these names; None where missing.
    """

    dataset: str
    model: str
    metrics: dict[str, dict[str, Any]]
    roc: pd.DataFrame | None = None
    pr: pd.DataFrame | None = None
    mean_roc: pd.DataFrame | None = None
    mean_pr: pd.DataFrame | None = None
    history: pd.DataFrame | None = None
    notes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def read_evaluations(results: Path) -> list[EvaluationFolder]:
    """Read every evaluation of a results folder, by data set and model.

    Raises
    ------
    TfbindError
        If a file that is there is damaged.
    """
    return [_read_evaluation(results, folder) for folder in _folders(results / "evaluation")]


def read_cross_validations(results: Path) -> list[CrossValidationFolder]:
    """Read every cross-validation of a results folder, by data set and model; raises as `read_evaluations`."""
    return [_read_cross_validation(results, folder) for folder in _folders(results / "cross_validation")]


def read_grid(results: Path, dataset: str, model: str) -> pd.DataFrame | None:
    """What ``select`` chose a model from, ``models/NAME.MODEL.grid.tsv``; None where missing."""
    return _read_table(results / "models" / f"{dataset}.{model}.grid.tsv", GRID_COLUMNS)


def read_summary(results: Path, dataset: str) -> dict[str, Any] | None:
    """What ``encode`` reported of a data set, ``tensors/NAME.summary.json``; None where missing."""
    return _read_json(results / "tensors" / f"{dataset}.summary.json", dict)


def read_comparison(results: Path, dataset: str) -> pd.DataFrame | None:
    """What ``compare`` found of a data set's models, ``comparison/NAME.tsv``; None where missing."""
    return _read_table(results / "comparison" / f"{dataset}.tsv", COMPARISON_COLUMNS)


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.glob("*") if path.is_dir())


def _names(folder: Path) -> tuple[str, str]:
    dataset, _, model = folder.name.rpartition(".")
    return (dataset, model) if dataset else (folder.name, "")


def _read_cross_validation(results: Path, folder: Path) -> CrossValidationFolder:
    dataset, model = _names(folder)
    metrics = _read_json(folder / "metrics.json", dict)
    tables = {
        "roc": _read_table(folder / "roc.tsv", ("fold", *CURVE_COLUMNS["roc"])),
        "pr": _read_table(folder / "pr.tsv", ("fold", *CURVE_COLUMNS["pr"])),
        "mean_roc": _read_table(folder / "mean_roc.tsv", MEAN_CURVE_COLUMNS["roc"]),
        "mean_pr": _read_table(folder / "mean_pr.tsv", MEAN_CURVE_COLUMNS["pr"]),
    }
    missing = [folder / f"{name}.tsv" for name, table in tables.items() if table is None]
    missing += [folder / "metrics.json"] if metrics is None else []
    return CrossValidationFolder(
        dataset=dataset,
        model=model,
        metrics={factor: value for factor, value in (metrics or {}).items() if isinstance(value, dict)},
        history=_read_table(results / "models" / f"{folder.name}.history.tsv", ("epoch",)),
        notes=[str(note) for note in _read_json(folder / "notes.json", list) or []],
        missing=[path.relative_to(results).as_posix() for path in missing],
        **tables,
    )


def _read_evaluation(results: Path, folder: Path) -> EvaluationFolder:
    dataset, model = _names(folder)
    history = results / "models" / f"{folder.name}.history.tsv"
    metrics = _read_json(folder / "metrics.json", dict)
    read = {
        folder / "metrics.json": metrics,
        folder / "roc.tsv": _read_table(folder / "roc.tsv", CURVE_COLUMNS["roc"]),
        folder / "pr.tsv": _read_table(folder / "pr.tsv", CURVE_COLUMNS["pr"]),
        folder / "predictions.tsv": _read_table(folder / "predictions.tsv", PREDICTION_COLUMNS),
        history: _read_table(history, ("epoch",)),
    }
    return EvaluationFolder(
        dataset=dataset,
        model=model,
        metrics={factor: value for factor, value in (metrics or {}).items() if isinstance(value, dict)},
        roc=read[folder / "roc.tsv"],
        pr=read[folder / "pr.tsv"],
        predictions=read[folder / "predictions.tsv"],
        history=read[history],
        notes=[str(note) for note in _read_json(folder / "notes.json", list) or []],
        figures=sorted(path for path in folder.glob("*.svg") if path.name not in DRAWN_ANEW),
        missing=[path.relative_to(results).as_posix() for path, content in read.items() if content is None],
    )


def _read_json(path: Path, kind: type) -> Any:
    return read_json(path, kind) if path.exists() else None


def _read_table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame | None:
    if not path.exists():
        return None
    try:
        # NA is a missing number, but a name among names: a factor or a model may be called so
        numbers = pd.read_csv(path, sep="\t", nrows=0).columns.difference(TEXT_COLUMNS)
        table = pd.read_csv(
            path,
            sep="\t",
            dtype=dict.fromkeys(TEXT_COLUMNS, str),
            keep_default_na=False,
            na_values={column: ["NA", ""] for column in numbers},
        )
    except ValueError as error:
        raise TfbindError(f"{path}: not a table of tab-separated columns ({error})") from None
    absent = [column for column in columns if column not in table]
    if absent:
        raise TfbindError(f"{path}: found no column {absent[0]!r}, expected the columns {', '.join(columns)}")
    return table
