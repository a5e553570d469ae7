"""What a table of sequences says without a look at its sequences.

The workflow reads this before any job, beside a Snakemake without tfbind's dependencies: nothing but the standard
library is imported here.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from tfbind.errors import TfbindError
from tfbind.files import open_text

DELIMITERS = ("\t", ",", ";")
SPLIT = "split"
# the names of parts by the words that people use for them
PART_OF_WORD = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
SHOWN = 30


def shown(text: str) -> str:
    """Quote a cell for a message, shortened."""
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "...")


def part_name(cell: str, where: str) -> str:
    """Read the cell of a column ``split``: train, validation or test.

    Raises
    ------
    TfbindError
    """
    name = PART_OF_WORD.get(cell.lower())
    if name is None:
        raise TfbindError(
            f"{where}: column 'split': found {shown(cell)}, expected train, validation (or valid, val, dev) or test"
        )
    return name


def states_test(path: Path) -> bool | None:
    """Tell whether the column ``split`` of a table has a record of the test part; None if it states no part.

    Lines are read up to the first such record; without the column, only the header is read.

    Raises
    ------
    TfbindError
        As `read_lines` and `part_name`.
    """
    lines = read_lines(path)
    _, names, _ = next(lines)
    spelled = [name.lower() for name in names]
    if SPLIT not in spelled:
        return None
    at, found = spelled.index(SPLIT), None
    for number, cells, _ in lines:
        if at < len(cells) and cells[at]:
            found = part_name(cells[at], f"{path}: line {number}") == "test"
            if found:
                break
    return found


def read_lines(path: Path) -> Iterator[tuple[int, list[str], str]]:
    """Yield line number, cells and delimiter of each line that is not blank, the header first.

    Raises
    ------
    TfbindError
        If the first one is not a header with a column ``sequence``, or a quotation mark is not closed.
    """
    with open_text(path, newline="") as handle:
        before, first = 0, ""
        for first in handle:
            if first.strip():
                break
            before += 1
        delimiter = _delimiter(path, first, before + 1)
        reader = csv.reader(chain([first], handle), delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                cells = [cell.strip() for cell in cells]
                if any(cells):
                    yield before + reader.line_num, cells, delimiter
        except csv.Error as error:
            raise TfbindError(
                f"{path}: line {before + reader.line_num}: is not a line of a table ({error});"
                " is a quotation mark not closed?"
            ) from None


def _delimiter(path: Path, header: str, line: int) -> str:
    found: list[str] = []
    for delimiter in DELIMITERS:
        try:
            columns = [cell.strip() for cell in next(csv.reader([header], delimiter=delimiter), [])]
        except csv.Error:
            continue
        if "sequence" in map(str.lower, columns):
            return delimiter
        found = max(found, columns, key=len)
    some = ", ".join(map(shown, found[:8])) + (", ..." if len(found) > 8 else "")
    raise TfbindError(
        f"{path}: line {line}: found {f'the columns {some}' if some else 'nothing'}, expected a header line with a"
        " column 'sequence' (and 'label', or a column for each factor), separated by commas, tabs or semicolons"
    )
