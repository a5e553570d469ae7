"""Tables of sequences and labels, as benchmarks and spreadsheets come: CSV or TSV with a header line."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfbind.binding.encoding.sources import Source, Stated
from tfbind.binding.encoding.split_column import SplitColumn
from tfbind.binding.encoding.table_lines import read_lines, shown
from tfbind.dna import fasta
from tfbind.dna.alphabet import encode_letters
from tfbind.dna.coordinates import parse_coordinates
from tfbind.dna.fasta import Batch, encode_batch, too_many_invalid
from tfbind.dna.splits import PARTS, TRAIN
from tfbind.errors import TfbindError

logger = logging.getLogger(__name__)

RESERVED = ("sequence", "id", "split", "group")
LABEL = "label"
UNKNOWN = 2
# pandas writes whole numbers as 1.0 in a column with an empty cell
LABEL_OF_CELL = {"1": 1, "0": 0, "1.0": 1, "0.0": 0, "": UNKNOWN}


class Columns(NamedTuple):
    """Where a table has what.

    line : of the header
    delimiter : str
    names : all of them, as the header spells them
    place : column of each of RESERVED that is there
    labels : columns of labels
    """

    line: int
    delimiter: str
    names: list[str]
    place: dict[str, int]
    labels: list[int]


def _read_header(
    path: Path, line: int, names: list[str], delimiter: str, label_columns: Sequence[str]
) -> Columns:
    # pandas writes the numbers of rows under no name, and reads them back under this one
    unnamed = {at for at, name in enumerate(names[:1]) if name in ("", "Unnamed: 0")}
    known = [name for at, name in enumerate(names) if at not in unnamed]
    where = f"{path}: line {line}"
    spelled = [name.lower() if name.lower() in (*RESERVED, LABEL) else name for name in known]
    if "" in known or len(set(spelled)) < len(spelled):
        again = next((name for name in spelled if spelled.count(name) > 1), "")
        found = f"column {again!r} twice" if again else "a column without a name"
        raise TfbindError(f"{where}: found {found}, expected each name once")
    place = {name.lower(): at for at, name in enumerate(names) if name.lower() in RESERVED}
    others = [at for at, name in enumerate(names) if at not in unnamed and at not in place.values()]
    if label_columns:
        if absent := [name for name in label_columns if name not in names or names.index(name) not in others]:
            raise TfbindError(
                f"{where}: has no column of labels {absent[0]!r} (--label-columns), found"
                f" {', '.join(shown(names[at]) for at in others) or 'none'}"
            )
        labels = [names.index(name) for name in label_columns]
    else:
        labels = others
    if not labels:
        raise TfbindError(
            f"{where}: found no column of labels, expected 'label', or a column for each factor, with 1, 0 or nothing"
        )
    if len(labels) > 1 and any(names[at].lower() == LABEL for at in labels):
        beside = ", ".join(shown(names[at]) for at in labels if names[at].lower() != LABEL)
        raise TfbindError(
            f"{where}: found 'label' beside {beside},"
            " expected label alone, or a column for each factor: name the ones that are labels with --label-columns"
        )
    ignored = [names[at] or "(no name)" for at in (*unnamed, *others) if at not in labels]
    if ignored:
        logger.info("%s: columns that are not read: %s", path, ", ".join(ignored))
    return Columns(line, delimiter, names, place, labels)


def _rows(path: Path, label_columns: Sequence[str]) -> Iterator[tuple[int, list[str], Columns]]:
    """Yield line number, cells and columns of each record."""
    lines = read_lines(path)
    number, names, delimiter = next(lines)
    columns = _read_header(path, number, names, delimiter, label_columns)
    n = len(names)
    for number, cells, _ in lines:
        if len(cells) != n:
            if len(cells) < n or any(cells[n:]):
                raise TfbindError(
                    f"{path}: line {number}: found {len(cells)} cells, expected {n} as in the header"
                )
            del cells[n:]
        yield number, cells, columns


def read_table(
    path: Path,
    length: int,
    factor: str,
    *,
    label_columns: Sequence[str] = (),
    skip_invalid: bool = False,
    part: int | None = None,
    factors: Sequence[str] | None = None,
) -> tuple[Source, tuple[str, ...]]:
    """Read what a table says of its records; the sequences are read when they are asked for.

    Parameters
    ----------
    path : Path
        CSV or TSV, plain or gzip, with a header line: ``sequence``; ``label``, or a column for each factor, with 1, 0
        or nothing; optional ``id``, ``split`` and ``group``.
    length : int
        Of the sequences of the batches.
    factor : str
        Name of the factor if the column of labels is ``label``.
    label_columns : sequence of str
        The columns of labels; without any, all columns that have no meaning of their own.
    skip_invalid : bool
        Leave out records with letters that are not bases.
    part : int, optional
        The part that all records are in.
    factors : sequence of str, optional
        The factors that there must be, in the order of the labels.

    Returns
    -------
    source : Source
        Its batches have ``rows``.
    factors : tuple of str

    Raises
    ------
    TfbindError
        Naming the file, line and column of what is not as it must be.
    """
    # a million lists, or names, would take far more memory than a million bytes
    labels, groups = bytearray(), array("q")
    number_of_group: dict[str, int] = {}
    stated = SplitColumn(path)
    columns: Columns | None = None
    n = 0
    for number, cells, columns in _rows(path, label_columns):
        n += 1
        if "split" in columns.place:
            stated.add(cells[columns.place["split"]], number)
        if "group" in columns.place:
            name = cells[columns.place["group"]]
            groups.append(number_of_group.setdefault(name, len(number_of_group)))
        if "id" in columns.place:
            _check_id(path, number, cells[columns.place["id"]])
        try:
            labels.extend([LABEL_OF_CELL[cells[at]] for at in columns.labels])
        except KeyError:
            _refuse_label(path, number, cells, columns)
    if columns is None:
        raise TfbindError(f"{path}: has no records after its header line, expected one at least")
    names = tuple(
        factor if columns.names[at].lower() == LABEL else columns.names[at] for at in columns.labels
    )
    order = _order(path, names, factors)
    y = np.frombuffer(labels, np.uint8).reshape(n, -1)[:, order]
    parts = stated.finish()
    if part is not None:
        if parts is not None and (parts != part).any():
            raise TfbindError(
                f"{path}: column split says {PARTS[parts[parts != part][0]]}, but the file is given as {PARTS[part]}:"
                " give one table with a column split, or tables without one"
            )
        parts = np.full(n, part, np.uint8)
    group_names = list(number_of_group) if any(number_of_group) else []

    def look_up(batch: Batch) -> Stated:
        rows = np.arange(n) if batch.rows is None else batch.rows
        return Stated(
            None if parts is None else parts[rows],
            [group_names[groups[row]] for row in rows] if group_names else None,
        )

    def labels_of(batch: Batch) -> np.ndarray:
        found = y[batch.rows].astype(np.float32)
        found[found == UNKNOWN] = np.nan
        return found

    invalid: dict[int, str] = {}
    prefix = "" if part in (None, TRAIN) else f"{PARTS[part]}_"
    batches = _batches(path, length, label_columns, f"{prefix}row", invalid if skip_invalid else None)
    has_statement = parts is not None or bool(group_names)
    source = Source(path, batches, labels_of, invalid, look_up if has_statement else None)
    return source, names if factors is None else tuple(factors)


def _order(path: Path, names: tuple[str, ...], factors: Sequence[str] | None) -> list[int]:
    """Find the column of each factor that is expected."""
    if factors is None:
        return list(range(len(names)))
    if set(names) != set(factors):
        raise TfbindError(
            f"{path}: found labels of {', '.join(names)}, expected those of {', '.join(factors)} as in the other table"
        )
    return [names.index(name) for name in factors]


def _check_id(path: Path, number: int, name: str) -> None:
    if not name or not name.isprintable():
        found = f"found {shown(name)}, which cannot be printed" if name else "is empty"
        raise TfbindError(f"{path}: line {number}: column 'id': {found}, expected a name for each record")


def _refuse_label(path: Path, number: int, cells: list[str], columns: Columns) -> None:
    at = next(at for at in columns.labels if cells[at] not in LABEL_OF_CELL)
    raise TfbindError(
        f"{path}: line {number}: column {columns.names[at]!r}: found {shown(cells[at])}, expected 1, 0 or nothing; if"
        " the column is not a label, name those that are with --label-columns"
    )


def _batches(
    path: Path,
    length: int,
    label_columns: Sequence[str],
    unnamed: str,
    invalid: dict[int, str] | None,
) -> Callable[[], Iterator[Batch]]:
    """Make the function that reads the records; those that cannot be read go to ``invalid``, or are refused."""

    def batches() -> Iterator[Batch]:
        rows: list[int] = []
        lines: list[int] = []
        names: list[str] = []
        sequences: list[str] = []
        n = n_bases = 0
        has_names = False

        def batch() -> Batch | None:
            _keep_valid(path, rows, lines, names, sequences, invalid)
            if not names:
                return None
            intervals = list(map(parse_coordinates, names)) if has_names else [None] * len(names)
            found = encode_batch(path, names, sequences, length, intervals)
            return found._replace(rows=np.array(rows))

        for line, cells, columns in _rows(path, label_columns):
            has_names = "id" in columns.place
            n += 1
            rows.append(n - 1)
            lines.append(line)
            names.append(cells[columns.place["id"]] if has_names else f"{unnamed}{n}")
            sequences.append(cells[columns.place["sequence"]])
            n_bases += len(sequences[-1])
            if len(names) == fasta.BATCH_RECORDS or n_bases >= fasta.BATCH_BASES:
                if found := batch():
                    yield found
                rows, lines, names, sequences, n_bases = [], [], [], [], 0
        if names and (found := batch()):
            yield found
        if invalid:
            too_many_invalid(path, invalid, n)

    return batches


def _keep_valid(
    path: Path,
    rows: list[int],
    lines: list[int],
    names: list[str],
    sequences: list[str],
    invalid: dict[int, str] | None,
) -> None:
    """Take the records that are not DNA out of these lists, or refuse the first of them if ``invalid`` is None."""
    try:
        encode_letters("".join(sequences))
        if all(sequences):
            return
    except TfbindError:
        pass
    kept = []
    for at, sequence in enumerate(sequences):
        where = f"{path}: line {lines[at]}: column 'sequence' of record {names[at]!r}"
        try:
            if not sequence:
                raise TfbindError("is empty, expected at least one base")
            encode_letters(sequence)
        except TfbindError as error:
            if invalid is None:
                raise TfbindError(f"{where}: {error}") from None
            invalid[rows[at] + 1] = f"{where}: {error}"
        else:
            kept.append(at)
    rows[:], lines[:] = [rows[at] for at in kept], [lines[at] for at in kept]
    names[:], sequences[:] = [names[at] for at in kept], [sequences[at] for at in kept]
