"""Pieces of a table of scores, which jobs of their own write, and the table that they make together.

A piece is a stretch of the groups of windows in which the table is written. Windows, the batches that the network
sees and the blocks of the file are thus those of the whole, and to join the pieces is to copy their bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tfbind.binding.scanning.windows import ROWS_AT_ONCE, Portion, gather
from tfbind.errors import TfbindError
from tfbind.files import BGZF_END, whole_output
from tfbind.tables import is_packed

MARK = "#tfbind-piece"


class Piece(NamedTuple):
    """One of the pieces of a table.

    number, of : int
        It is the ``number``-th of so many, counted from 1.
    run : str
        What all pieces of one table share, in hexadecimal.
    first, end : int
        Numbers of its groups of windows, half-open; none where there are fewer groups than pieces.
    """

    number: int
    of: int
    run: str
    first: int
    end: int

    @property
    def mark(self) -> str:
        """The line that a piece begins with; in BGZF it is a block of its own."""
        return f"{MARK} {self.number} {self.of} {self.run}\n"


def choose_piece(which: tuple[int, int], windows: Iterable[Portion], fingerprint: Mapping[str, Any]) -> Piece:
    """Deal the groups of windows to pieces, which differ by one at most, and give one of them.

    Parameters
    ----------
    which : tuple of two int
        Its number, from 1 on, and how many there are.
    windows : iterable of Portion
        All of them; they are counted and not cut.
    fingerprint : mapping of str to what JSON can hold
        What the table depends on.
    """
    number, of = which
    n_groups = sum(1 for _ in gather(windows, ROWS_AT_ONCE))
    run = hashlib.sha256(json.dumps(fingerprint, sort_keys=True).encode()).hexdigest()[:16]
    return Piece(number, of, run, n_groups * (number - 1) // of, n_groups * number // of)


def join_pieces(paths: Sequence[Path], output: Path) -> None:
    """Make the table out of all its pieces, given in any order: byte by byte that of a run without pieces.

    Raises
    ------
    TfbindError
        If one is missing, given twice, cut off, no piece, or one of another table; or if ``output`` is not to be BGZF.
    """
    if not is_packed(output):
        raise TfbindError(f"{output}: pieces are BGZF, expected a name that ends in .gz or .bgz, as theirs")
    found: dict[int, tuple[Path, int]] = {}
    table_of_first = _read_mark(paths[0]).table
    for path in paths:
        mark = _read_mark(path)
        if mark.table != table_of_first:
            raise TfbindError(f"{path}: is a piece of another table than {paths[0]}, expected all of one run")
        if mark.number in found:
            raise TfbindError(f"{path}: is piece {mark.number}, as is {found[mark.number][0]}")
        found[mark.number] = path, mark.n_bytes
    of = int(table_of_first[0])
    missing = [str(number) for number in range(1, of + 1) if number not in found]
    if missing:
        raise TfbindError(f"{output}: is made of {of} pieces, found all but {', '.join(missing)}")
    with whole_output(output) as temporary, open(temporary, "wb") as table:
        for number in sorted(found):
            path, n_bytes = found[number]
            with open(path, "rb") as piece:
                piece.seek(n_bytes)
                shutil.copyfileobj(piece, table, 1 << 20)
            # the next piece begins where the end of this one is marked
            table.seek(-len(BGZF_END), os.SEEK_END)
        table.write(BGZF_END)


class _Mark(NamedTuple):
    """What the line that a piece begins with says, and how long the block is that holds it."""

    table: tuple[str, str]
    number: int
    n_bytes: int


def _read_mark(path: Path) -> _Mark:
    try:
        with open(path, "rb") as handle:
            head = handle.read(18)
            # SAM specification 4.1: the length of a BGZF block, minus 1
            n_bytes = int.from_bytes(head[16:], "little") + 1
            line = gzip.decompress(head + handle.read(n_bytes - len(head))).decode()
            word, number, of, run = line.split()
            handle.seek(-len(BGZF_END), os.SEEK_END)
            is_whole = handle.read() == BGZF_END
    except FileNotFoundError:
        raise TfbindError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise TfbindError(f"{path}: is a folder, expected a file of tfbind predict --piece") from None
    except (ValueError, EOFError, zlib.error, gzip.BadGzipFile):
        word = ""
    if word != MARK:
        raise TfbindError(f"{path}: is no piece of a table, expected a file of tfbind predict --piece")
    if not is_whole:
        raise TfbindError(f"{path}: has no BGZF end block, so it seems to be cut off")
    return _Mark((of, run), int(number), n_bytes)
