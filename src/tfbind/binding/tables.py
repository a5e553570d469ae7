"""Reading the tables that evaluations leave."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tfbind.errors import TfbindError
from tfbind.files import open_text


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
