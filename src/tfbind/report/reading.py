"""Reading the files of a results folder: each is checked once, and one that is damaged is noted and left out."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from xml.etree import ElementTree

import numpy as np
import pandas as pd
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from tfbind.errors import TfbindError
from tfbind.files import open_text
from tfbind.tables import MISSING, read_json

MOST_NESTED = 20  # levels of JSON; tfbind writes four
MOST_SHOWN = 200  # characters of what is wrong with a file
LARGEST = 1e12  # of any number that a page shows

# schemas of values in JSON; what is undefined is null
NUMBER = {"type": ["number", "null"], "minimum": -LARGEST, "maximum": LARGEST}
COUNT = {"type": ["integer", "null"], "minimum": 0, "maximum": LARGEST}
INTERVAL = {"type": ["array", "null"], "items": NUMBER | {"type": "number"}, "minItems": 2, "maxItems": 2}
TEXT = {"type": ["string", "null"]}
TEXTS = {"type": "array", "items": {"type": "string"}}


class Numbers(NamedTuple):
    """What a column of numbers may hold; where ``missing``, NA and an empty cell are NaN."""

    lowest: float = -LARGEST
    highest: float = LARGEST
    missing: bool = True


SHARES = Numbers(0, 1)
COUNTS = Numbers(0)
# the first threshold of a curve is above every score, and a training may diverge
UNBOUNDED = Numbers(-math.inf, math.inf)
Columns = Mapping[str, Numbers | None]  # None: text

T = TypeVar("T")


class Picture(NamedTuple):
    """An SVG file: its name without the ending, and its bytes."""

    name: str
    data: bytes


class Reader:
    """Reads the files of one results folder.

    A file that is not there gives None, and one that is damaged gives None and a fault.

    Attributes
    ----------
    results : Path
        The folder.
    unfinished : set of str
        Paths within the folder that are passed over as if they were not there, because the job that writes them did
        not finish: what is there is of an earlier run. With a folder's metrics.json or map.tsv goes the folder.
    faults : dict of str to str
        Paths of damaged files, within the folder, and what is wrong with each.
    """

    def __init__(self, results: Path, unfinished: Iterable[str] = ()):
        self.results = results
        self.unfinished = frozenset(unfinished)
        self.faults: dict[str, str] = {}

    def folders(self, name: str) -> list[Path]:
        """The folders within a folder of the results, by name."""
        paths = sorted(self.results.joinpath(name).glob("*"))
        return [
            path
            for path in paths
            if path.is_dir() and not any(map(self._passed_over, (path / "metrics.json", path / "map.tsv")))
        ]

    def exists(self, path: Path) -> bool:
        """Whether there is something to read; a dangling link is damage."""
        return not self._passed_over(path) and (path.exists() or path.is_symlink())

    def _passed_over(self, path: Path) -> bool:
        return self.inside(path) in self.unfinished

    def inside(self, path: Path) -> str:
        """A path within the results folder."""
        return path.relative_to(self.results).as_posix()

    def read(self, path: Path, read: Callable[[Path], T]) -> T | None:
        """Read a file; None if it is missing or damaged."""
        if not self.exists(path):
            return None
        try:
            return read(path)
        except TfbindError as error:
            problem = str(error).removeprefix(f"{path}: ")
        except OSError as error:
            problem = error.strerror or type(error).__name__
        problem = " ".join(problem.split())
        self.faults[self.inside(path)] = (
            problem if len(problem) <= MOST_SHOWN else f"{problem[:MOST_SHOWN]}..."
        )
        return None

    def json(self, path: Path, schema: dict[str, Any]) -> Any:
        """Read JSON that fits a schema, whose ``type`` is object or array."""
        return self.read(path, lambda path: checked_json(path, schema))

    def table(self, path: Path, columns: Columns, *, header: bool = True) -> pd.DataFrame | None:
        """Read a table that has the given columns; others are text."""
        return self.read(path, lambda path: checked_table(path, columns, header=header))

    def pictures(self, folder: Path, besides: Sequence[str] = ()) -> list[Picture]:
        """Read the SVG files of a folder, by name, other than some."""
        read = [
            self.read(path, read_picture) for path in sorted(folder.glob("*.svg")) if path.name not in besides
        ]
        return [picture for picture in read if picture is not None]

    def faults_of(self, *paths: Path) -> list[str]:
        """Sentences on the damaged ones of some files, and of the files within some folders."""
        starts = tuple(self.inside(path) for path in paths)
        return [
            f"{path}: {problem}"
            for path, problem in self.faults.items()
            if any(path == start or path.startswith(f"{start}/") for start in starts)
        ]


def checked_json(path: Path, schema: dict[str, Any]) -> Any:
    """Read JSON that fits a schema.

    Raises
    ------
    TfbindError
        If the file is not JSON, holds a number that is not finite, is nested too deep, or does not fit.
    """
    content = read_json(path, dict if schema["type"] == "object" else list)
    _check_plain(path, content)
    error = best_match(Draft202012Validator(schema).iter_errors(content))
    if error is not None:
        where = ".".join(map(str, error.absolute_path))
        raise TfbindError(f"{path}: {f'at {where}: ' if where else ''}{error.message}")
    return content


def _check_plain(path: Path, content: Any) -> None:
    """Refuse what JSON written by tfbind never holds, and what a page could not show."""
    level = [content]
    for _ in range(MOST_NESTED):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                inner += [*value, *value.values()]
            elif isinstance(value, list):
                inner += value
            elif isinstance(value, float) and not math.isfinite(value):
                raise TfbindError(f"{path}: found {value}, expected finite numbers, or null")
            elif isinstance(value, int) and abs(value) > LARGEST:
                raise TfbindError(f"{path}: found a whole number beyond {LARGEST:g}")
        level = inner
    if level:
        raise TfbindError(f"{path}: nested more than {MOST_NESTED} levels deep")


def checked_table(path: Path, columns: Columns, *, header: bool = True) -> pd.DataFrame:
    """Read a tab-separated table.

    Parameters
    ----------
    path : Path
    columns : mapping of str to Numbers or None
        Of the table, at least; text where None. Without a header they are all of the table's columns, in this order.
    header : bool
        Whether the first line names the columns.

    Returns
    -------
    DataFrame
        Numbers are float64, NaN where missing; all else is text as it stands, so that a factor may be called NA.

    Raises
    ------
    TfbindError
        If the file is no table, lacks a column, or a cell is not what its column holds.
    """
    first = 2 if header else 1
    with open_text(path) as handle:
        reader = csv.reader(handle, delimiter="\t", strict=True)
        try:
            names = next(reader, []) if header else list(columns)
            rows = [row for row in reader if row]
        except csv.Error as error:
            raise TfbindError(
                f"{path}: line {reader.line_num}: not a table of tab-separated columns ({error})"
            ) from None
    if len(set(names)) < len(names):
        raise TfbindError(f"{path}: two columns have one name")
    for number, row in enumerate(rows, start=first):
        if len(row) != len(names):
            raise TfbindError(f"{path}: line {number}: found {len(row)} cells, expected {len(names)}")
    table = pd.DataFrame(rows, columns=names, dtype=str)
    absent = [column for column in columns if column not in table]
    if absent:
        raise TfbindError(f"{path}: found no column {absent[0]!r}, expected the columns {', '.join(columns)}")
    for column, expected in columns.items():
        if expected is not None:
            table[column] = _numbers(path, table[column], expected, first)
    return table


def _numbers(path: Path, texts: pd.Series, expected: Numbers, first: int) -> pd.Series:
    known = ~texts.isin([MISSING, ""])
    numbers = pd.to_numeric(texts.where(known), errors="coerce").astype(np.float64)
    outside = (numbers < expected.lowest) | (numbers > expected.highest)
    wrong = (numbers.isna() & known) | outside | (~known & (not expected.missing))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        bounds = f"from {expected.lowest:g} to {expected.highest:g}{' or NA' if expected.missing else ''}"
        raise TfbindError(
            f"{path}: line {row + first}: found {texts.name} {texts.iloc[row][:40]!r}, expected a number {bounds}"
        )
    return numbers


def read_picture(path: Path) -> Picture:
    """Read an SVG file.

    Raises
    ------
    TfbindError
        If it is not SVG.
    """
    data = path.read_bytes()
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise TfbindError(f"{path}: not SVG ({error})") from None
    if root.tag.rpartition("}")[2] != "svg":
        raise TfbindError(f"{path}: not SVG (found the element {root.tag[:40]!r})")
    return Picture(path.stem, data)
