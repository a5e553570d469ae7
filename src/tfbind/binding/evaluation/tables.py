"""Reading what evaluations leave: tables and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tfbind.errors import TfbindError
from tfbind.files import open_text

PREDICTION_COLUMNS = ("id", "factor", "label", "score", "split", "cluster")
CURVE_COLUMNS = {
    "roc": ("factor", "fpr", "tpr", "threshold"),
    "pr": ("factor", "recall", "precision", "threshold"),
}
# of a cross-validation
MEAN_CURVE_COLUMNS = {kind: (*columns[:3], "sd") for kind, columns in CURVE_COLUMNS.items()}


def read_text_table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read a tab-separated table as text throughout, so that an id or a factor called NA keeps its name.

    Raises
    ------
    TfbindError
        If the file is missing, is no table, or lacks one of ``columns``.
    """
    with open_text(path) as handle:
        try:
            table = pd.read_csv(handle, sep="\t", dtype=str, keep_default_na=False).fillna("")
        except ValueError as error:
            raise TfbindError(f"{path}: not a table of tab-separated columns ({error})") from None
    absent = [column for column in columns if column not in table]
    if absent:
        raise TfbindError(
            f"{path}: found no column {absent[0]!r}, expected the columns {', '.join(columns)} of tfbind evaluate"
        )
    return table


def read_json(path: Path, kind: type) -> Any:
    """Read a JSON file whose outermost value is a dict or a list, as ``kind`` says.

    Raises
    ------
    TfbindError
        If the file is missing, is no JSON, or holds another kind of value.
    """
    if not path.is_file():
        raise TfbindError(f"{path}: no such file")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise TfbindError(f"{path}: not JSON ({error})") from None
    if not isinstance(content, kind):
        raise TfbindError(f"{path}: found a JSON {type(content).__name__}, expected a {kind.__name__}")
    return content
