"""What a results folder holds, read as far as it is there."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfbind.errors import TfbindError

if TYPE_CHECKING:
    import pandas as pd

ROC_COLUMNS = ("factor", "fpr", "tpr", "threshold")
PR_COLUMNS = ("factor", "recall", "precision", "threshold")
PREDICTION_COLUMNS = ("factor", "label", "score")
COMPARISON_COLUMNS = (
    *("factor", "a", "b", "n_positive", "n_negative", "auroc_a", "auroc_b", "difference"),
    *("ci95_low", "ci95_high", "p", "method"),
)
TEXT_COLUMNS = ("id", "factor", "split", "cluster", "a", "b", "method")
# drawn anew in the page, all models of a data set together
DRAWN_ANEW = ("roc.svg", "pr.svg", "calibration.svg", "learning_curves.svg")


@dataclass(frozen=True)
class Evaluation:
    """One model on one data set: the content of ``evaluation/NAME.MODEL/`` and what belongs to it.

    Attributes
    ----------
    dataset, model : str
        NAME and MODEL; the model is empty where the folder's name has no dot.
    metrics : dict
        Factor to its metrics, as `tfbind.binding.metrics.score_metrics` gives them.
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


def read_evaluations(results: Path) -> list[Evaluation]:
    """Read every evaluation of a results folder, by data set and model.

    Raises
    ------
    TfbindError
        If there is no folder ``evaluation`` with a folder in it, or a file that is there is damaged.
    """
    folders = sorted(path for path in (results / "evaluation").glob("*") if path.is_dir())
    if not folders:
        raise TfbindError(
            f"{results}: holds no evaluation/NAME.MODEL folder, expected what `tfbind evaluate` wrote"
        )
    return [_read_evaluation(results, folder) for folder in folders]


def read_summary(results: Path, dataset: str) -> dict[str, Any] | None:
    """What ``encode`` reported of a data set, ``tensors/NAME.summary.json``; None where missing."""
    return _read_json(results / "tensors" / f"{dataset}.summary.json", dict)


def read_comparison(results: Path, dataset: str) -> pd.DataFrame | None:
    """What ``compare`` found of a data set's models, ``comparison/NAME.tsv``; None where missing."""
    return _read_table(results / "comparison" / f"{dataset}.tsv", COMPARISON_COLUMNS)


def _read_evaluation(results: Path, folder: Path) -> Evaluation:
    dataset, _, model = folder.name.rpartition(".")
    history = results / "models" / f"{folder.name}.history.tsv"
    metrics = _read_json(folder / "metrics.json", dict)
    read = {
        folder / "metrics.json": metrics,
        folder / "roc.tsv": _read_table(folder / "roc.tsv", ROC_COLUMNS),
        folder / "pr.tsv": _read_table(folder / "pr.tsv", PR_COLUMNS),
        folder / "predictions.tsv": _read_table(folder / "predictions.tsv", PREDICTION_COLUMNS),
        history: _read_table(history, ("epoch",)),
    }
    return Evaluation(
        dataset=dataset or folder.name,
        model=model if dataset else "",
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
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise TfbindError(f"{path}: not JSON ({error})") from None
    if not isinstance(content, kind):
        raise TfbindError(f"{path}: found a JSON {type(content).__name__}, expected a {kind.__name__}")
    return content


def _read_table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame | None:
    import pandas as pd

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
