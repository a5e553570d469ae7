"""Tab-separated tables and JSON: the one place that writes them, whole or not at all, and reads them back."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from tfbind.errors import TfbindError
from tfbind.files import BGZF_END, open_text, whole_output, write_text

if TYPE_CHECKING:
    import pandas as pd

MISSING = "NA"


def table_text(table: pd.DataFrame, *, digits: int | None = None, header: bool = True) -> str:
    """Format a table as tab-separated text with NA for what is missing.

    Parameters
    ----------
    table : DataFrame
        Its index is left out.
    digits : int or None
        Significant digits of floating-point numbers; None for as many as tell each number from all others.
    header : bool
        Whether the first line names the columns.
    """
    return table.to_csv(
        sep="\t",
        index=False,
        header=header,
        na_rep=MISSING,
        float_format=None if digits is None else f"%.{digits}g",
        lineterminator="\n",
    )


def write_table(path: Path, table: pd.DataFrame, *, digits: int | None = 9) -> None:
    """Write a table as `table_text` formats it, as BGZF if the name ends in .gz or .bgz."""
    write_text(path, table_text(table, digits=digits))


def read_text_table(path: Path, columns: Sequence[str], made_by: str) -> pd.DataFrame:
    """Read a tab-separated table as text throughout, so that a record called NA keeps its name.

    Parameters
    ----------
    path : Path
    columns : sequence of str
        That must be there.
    made_by : str
        The verb that writes such tables, for messages.

    Raises
    ------
    TfbindError
        If the file is missing, is no table, or lacks one of ``columns``.
    """
    import pandas as pd

    with open_text(path) as handle:
        try:
            table = pd.read_csv(handle, sep="\t", dtype=str, keep_default_na=False).fillna("")
        except ValueError as error:
            raise TfbindError(f"{path}: not a table of tab-separated columns ({error})") from None
    absent = [column for column in columns if column not in table]
    if absent:
        raise TfbindError(
            f"{path}: found no column {absent[0]!r}, expected the columns {', '.join(columns)} of {made_by}"
        )
    return table


def write_json(path: Path, content: Any) -> None:
    """Write JSON; numbers that are not finite become null, which is the only way to be undefined in JSON."""
    write_text(path, json.dumps(_finite(content), indent=2, allow_nan=False) + "\n")


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


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
    except RecursionError:
        raise TfbindError(f"{path}: not JSON that tfbind wrote (nested too deep)") from None
    except ValueError as error:
        raise TfbindError(f"{path}: not JSON ({error})") from None
    if not isinstance(content, kind):
        raise TfbindError(f"{path}: found a JSON {type(content).__name__}, expected a {kind.__name__}")
    return content


class LineWriter:
    """Writes text to an open file, as BGZF or as it is.

    What one call writes is in the file when it returns, in BGZF in blocks of its own: a file that is cut after one
    of them can be continued, and the same calls give the same bytes.

    Parameters
    ----------
    handle : binary file
    packed : bool
        Whether to write BGZF (SAM specification 4.1), which every reader of gzip understands.
    """

    def __init__(self, handle: BinaryIO, packed: bool):
        self._handle = handle
        from Bio.bgzf import BgzfWriter

        # level 6 takes three times as long as 4 for a size that is 3% smaller
        self._blocks = BgzfWriter(fileobj=handle, compresslevel=4) if packed else None

    def write(self, text: str) -> None:
        """Write text."""
        data = text.encode()
        if self._blocks is None:
            self._handle.write(data)
        elif data:
            self._blocks.write(data)
            self._blocks.flush()
        self._handle.flush()

    def writelines(self, lines: Iterable[str]) -> None:
        """Write lines, which end in a newline each."""
        self.write("".join(lines))

    def finish(self) -> None:
        """Write what ends the file."""
        if self._blocks is not None:
            self._handle.write(BGZF_END)
            self._handle.flush()


def is_packed(path: Path) -> bool:
    """Whether a table of this name is BGZF."""
    return path.suffix in (".gz", ".bgz")


@contextmanager
def open_table(path: Path) -> Iterator[LineWriter]:
    """Open a table for writing, BGZF where the name ends in .gz or .bgz; whole or not at all."""
    with whole_output(path) as temporary, open(temporary, "wb") as handle:
        table = LineWriter(handle, is_packed(path))
        yield table
        table.finish()
