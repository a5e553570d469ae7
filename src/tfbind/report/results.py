"""What a results folder holds of models of binding, read as far as it is there and whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from tfbind.binding.evaluation.tables import CURVE_COLUMNS, MEAN_CURVE_COLUMNS
from tfbind.report.reading import (
    COUNT,
    COUNTS,
    INTERVAL,
    NUMBER,
    SHARES,
    TEXT,
    TEXTS,
    UNBOUNDED,
    Columns,
    Numbers,
    Picture,
    Reader,
)
from tfbind.report.site_section import SiteFolder, read_sites

# drawn anew in the page, all models of a data set together
DRAWN_ANEW = ("roc.svg", "pr.svg", "calibration.svg", "learning_curves.svg")

CURVES: dict[str, Columns] = {
    kind: {
        column: None if column == "factor" else UNBOUNDED if column == "threshold" else SHARES
        for column in columns
    }
    for kind, columns in CURVE_COLUMNS.items()
}
MEAN_CURVES: dict[str, Columns] = {
    kind: {column: None if column == "factor" else SHARES for column in columns}
    for kind, columns in MEAN_CURVE_COLUMNS.items()
}
PREDICTIONS: Columns = {"factor": None, "label": SHARES, "score": Numbers()}
HISTORY: Columns = {"epoch": Numbers(0, missing=False)}
DRAWN_OF_HISTORY: Columns = {"loss": UNBOUNDED, "val_loss": UNBOUNDED, "val_auroc": SHARES}
COMPARISON: Columns = {
    **dict.fromkeys(("factor", "a", "b"), None),
    **dict.fromkeys(("n_positive", "n_negative"), COUNTS),
    **dict.fromkeys(("auroc_a", "auroc_b"), SHARES),
    **dict.fromkeys(("difference", "ci95_low", "ci95_high"), Numbers()),
    "p": SHARES,
    "method": None,
}
GRID: Columns = {"candidate": None, "chosen": None, "val_loss": Numbers(), "val_auroc": SHARES}


def _by_factor(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": {"type": "object", "properties": properties}}


METRICS = _by_factor(
    {
        **dict.fromkeys(("auroc", "auprc", "brier", "ece", "ece_perfect", "threshold"), NUMBER),
        **dict.fromkeys(("auroc_ci95", "auprc_ci95"), INTERVAL),
        **dict.fromkeys(("precision_at_threshold", "recall_at_threshold"), NUMBER),
        **dict.fromkeys(("recall_at_fpr01", "recall_at_fdr10", "recall_at_fdr50"), NUMBER),
        **dict.fromkeys(("n_positive", "n_negative", "n_not_scored"), COUNT),
        "ci_method": TEXT,
    }
)
MEANS = _by_factor(
    {
        **{f"{name}_{of}": NUMBER for name in ("auroc", "auprc", "brier") for of in ("mean", "sd")},
        **dict.fromkeys(("n_folds", "n_undefined", "n_positive", "n_negative", "n_not_scored"), COUNT),
        "folds": _by_factor({"auroc": NUMBER}),
    }
)
SUMMARY = {"type": "object"}


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
        ``roc.tsv``, ``pr.tsv``, ``predictions.tsv`` and ``models/NAME.MODEL.history.tsv``; None where missing or
        damaged.
    notes : list of str
        Sentences of ``notes.json``.
    pictures : list of Picture
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
    pictures: list[Picture] = field(default_factory=list)
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
        The tables of these names; None where missing or damaged.
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


@dataclass(frozen=True)
class Dataset:
    """All that the results hold of one data set.

    Attributes
    ----------
    name : str
    evaluations, crossed : list
        By model.
    comparison : DataFrame or None
        ``comparison/NAME.tsv``, what ``compare`` found of its models.
    grids : dict of str to DataFrame
        By model: ``models/NAME.MODEL.grid.tsv``, what ``select`` chose from.
    summary : dict or None
        ``tensors/NAME.summary.json``, what ``encode`` reported.
    sites : SiteFolder or None
        ``sites/NAME/``, what its models find on whole contigs.
    faults : list of str
        Sentences, each on a file of the data set that is damaged and left out.
    """

    name: str
    evaluations: list[EvaluationFolder]
    crossed: list[CrossValidationFolder]
    comparison: pd.DataFrame | None = None
    grids: dict[str, pd.DataFrame] = field(default_factory=dict)
    summary: dict[str, Any] | None = None
    sites: SiteFolder | None = None
    faults: list[str] = field(default_factory=list)

    @property
    def both(self) -> list[EvaluationFolder | CrossValidationFolder]:
        """Evaluations, then cross-validations."""
        return [*self.evaluations, *self.crossed]


def read_datasets(reader: Reader) -> list[Dataset]:
    """Read every data set of a results folder that has an evaluation or a cross-validation, by name."""
    evaluations = [_read_evaluation(reader, folder) for folder in reader.folders("evaluation")]
    crossed = [_read_cross_validation(reader, folder) for folder in reader.folders("cross_validation")]
    return [
        _read_dataset(
            reader,
            name,
            [one for one in evaluations if one.dataset == name],
            [one for one in crossed if one.dataset == name],
        )
        for name in sorted({one.dataset for one in evaluations} | {one.dataset for one in crossed})
    ]


def _read_dataset(
    reader: Reader, name: str, evaluations: list[EvaluationFolder], crossed: list[CrossValidationFolder]
) -> Dataset:
    results = reader.results
    comparison = results / "comparison" / f"{name}.tsv"
    summary = results / "tensors" / f"{name}.summary.json"
    of_sites = results / "sites" / name
    files, grids = [comparison, summary, of_sites], {}
    both: list[EvaluationFolder | CrossValidationFolder] = [*evaluations, *crossed]
    for model in dict.fromkeys(one.model for one in both):
        full = f"{name}.{model}" if model else name
        grid = results / "models" / f"{full}.grid.tsv"
        files += [results / "evaluation" / full, results / "cross_validation" / full]
        files += [results / "models" / f"{full}.history.tsv", grid]
        table = reader.table(grid, GRID)
        if table is not None:
            grids[model] = table
    return Dataset(
        name=name,
        evaluations=evaluations,
        crossed=crossed,
        comparison=reader.table(comparison, COMPARISON),
        grids=grids,
        summary=reader.json(summary, SUMMARY),
        sites=read_sites(reader, of_sites, name),
        faults=reader.faults_of(*files),
    )


def _names(folder: Path) -> tuple[str, str]:
    dataset, _, model = folder.name.rpartition(".")
    return (dataset, model) if dataset else (folder.name, "")


def _read_cross_validation(reader: Reader, folder: Path) -> CrossValidationFolder:
    dataset, model = _names(folder)
    metrics = folder / "metrics.json"
    tables = {
        "roc": reader.table(folder / "roc.tsv", {"fold": None, **CURVES["roc"]}),
        "pr": reader.table(folder / "pr.tsv", {"fold": None, **CURVES["pr"]}),
        "mean_roc": reader.table(folder / "mean_roc.tsv", MEAN_CURVES["roc"]),
        "mean_pr": reader.table(folder / "mean_pr.tsv", MEAN_CURVES["pr"]),
    }
    return CrossValidationFolder(
        dataset=dataset,
        model=model,
        metrics=reader.json(metrics, MEANS) or {},
        history=_read_history(reader, folder),
        notes=reader.json(folder / "notes.json", TEXTS) or [],
        missing=_missing(reader, [*(folder / f"{name}.tsv" for name in tables), metrics]),
        **tables,
    )


def _read_evaluation(reader: Reader, folder: Path) -> EvaluationFolder:
    dataset, model = _names(folder)
    names = ("metrics.json", "roc.tsv", "pr.tsv", "predictions.tsv")
    metrics, roc, pr, predictions = files = [folder / name for name in names]
    return EvaluationFolder(
        dataset=dataset,
        model=model,
        metrics=reader.json(metrics, METRICS) or {},
        roc=reader.table(roc, CURVES["roc"]),
        pr=reader.table(pr, CURVES["pr"]),
        predictions=reader.table(predictions, PREDICTIONS),
        history=_read_history(reader, folder),
        notes=reader.json(folder / "notes.json", TEXTS) or [],
        pictures=reader.pictures(folder, besides=DRAWN_ANEW),
        missing=_missing(reader, [*files, _history_file(reader, folder)]),
    )


def _history_file(reader: Reader, folder: Path) -> Path:
    return reader.results / "models" / f"{folder.name}.history.tsv"


def _read_history(reader: Reader, folder: Path) -> pd.DataFrame | None:
    path = _history_file(reader, folder)
    history = reader.table(path, HISTORY)
    if history is None:
        return None
    # what a training did not watch has no column
    watched = {name: numbers for name, numbers in DRAWN_OF_HISTORY.items() if name in history}
    return reader.table(path, {**HISTORY, **watched})


def _missing(reader: Reader, files: list[Path]) -> list[str]:
    return [reader.inside(path) for path in files if not reader.exists(path)]
