"""Lines of BED and of other tables of intervals, with or without a header line."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from tfbind.errors import TfbindError
from tfbind.files import open_text

logger = logging.getLogger(__name__)

NOT_DATA = ("#", "track ", "track\t", "browser ")
# whole numbers up to here are exact in float64, and fit in int64 with room for what is added to them
MAX_POSITION = 2**53
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?(?:[eE]\+?[0-9]{1,3})?")
_NAME = re.compile(r'"?[A-Za-z_]')
_NO_VALUE = {"na", "nan", "none", "null", "inf", "infinity"}
_SHOWN = 30


def split_columns(line: str) -> list[str]:
    """Split a line at tabs, or at spaces if it has no tab."""
    return line.split("\t") if "\t" in line else line.split()


def data_lines(
    path: str | Path,
    comments: list[tuple[int, str]] | None = None,
    not_data: tuple[str, ...] = NOT_DATA,
) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and columns of every line that is not empty, a comment, or for a genome browser.

    Parameters
    ----------
    path : str or Path
    comments : list, optional
        Gets line number and text of the comments before the first line of data.
    not_data : tuple of str
        How other lines begin.
    """
    with open_text(path) as lines:
        for number, line in enumerate(lines, 1):
            line = line.rstrip()
            if not line:
                continue
            if line.startswith(not_data):
                if comments is not None and line.startswith("#"):
                    comments.append((number, line))
                continue
            comments = None
            yield number, split_columns(line)


def is_header(columns: Sequence[str]) -> bool:
    """Say whether a first line is a header: names in place of numbers in columns 2 and 3."""
    return len(columns) >= 3 and all(
        _NAME.match(cell) is not None and cell.strip('"').lower() not in _NO_VALUE for cell in columns[1:3]
    )


def read_position(what: str, text: str) -> int:
    """Read a position: a whole number, which may be written as R does (``1e+05``, ``1030.0``).

    Parameters
    ----------
    what : str
        What it is, for the message.
    text : str

    Raises
    ------
    TfbindError
        If it is not a whole number from 0 to 2^53. The message has no file and no line.
    """
    if text.isascii() and text.isdecimal() and len(text) < len(str(MAX_POSITION)):
        return int(text)
    shown = repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
    value = Decimal(text) if _NUMBER.fullmatch(text) else None
    if value is None or (value <= MAX_POSITION and value != value.to_integral_value()):
        raise TfbindError(f"found {what} {shown}, expected a whole number of at least 0")
    if value > MAX_POSITION:
        raise TfbindError(f"found {what} {shown}, which is too large for a position (at most {MAX_POSITION})")
    return int(value)


def read_interval(columns: Sequence[str]) -> tuple[int, int]:
    """Read start and end from columns 2 and 3 of a line of BED.

    Raises
    ------
    TfbindError
        If they are not an interval. The message has no file and no line.
    """
    if len(columns) < 3:
        hint = "; is this a CSV file?" if any("," in cell for cell in columns) else ""
        raise TfbindError(
            f"found {len(columns)} column(s), expected at least 3 (contig, start, end; separated by tabs){hint}"
        )
    start, end = read_position("start", columns[1]), read_position("end", columns[2])
    if end <= start:
        raise TfbindError(f"end ({end}) must be greater than start ({start})")
    return start, end


def bed_lines(path: str | Path) -> Iterator[tuple[int, list[str], int, int]]:
    """Yield line number, columns, start and end of every interval of a file of the BED family.

    A header line is skipped and logged.

    Raises
    ------
    TfbindError
        If a line has fewer than three columns or is not an interval.
    """
    for n_before, (number, columns) in enumerate(data_lines(path)):
        if n_before == 0 and is_header(columns):
            logger.info("%s: line %d is a header line", path, number)
            continue
        try:
            start, end = read_interval(columns)
        except TfbindError as error:
            raise TfbindError(f"{path}: line {number}: {error}") from None
        yield number, columns, start, end
