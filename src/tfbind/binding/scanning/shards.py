"""Pieces of a table of scores, which jobs of their own write, and the table that they make together.

A piece is a stretch of the groups of windows in which the table is written. Windows, the batches that the network
sees and the blocks of the file are thus those of the whole, and to join the pieces is to copy their bytes.

Of a table of best windows, a record may begin in one piece and end in another. A piece ends with what it found of such
records (`tfbind.binding.scanning.best.Ends`); their lines, which have a block of their own, are written when pieces are
joined.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from tfbind.binding.scanning.best import Best, Ends
from tfbind.binding.scanning.windows import ROWS_AT_ONCE, Portion, gather
from tfbind.errors import TfbindError
from tfbind.files import BGZF_END, whole_output
from tfbind.tables import LineWriter, is_packed

MARK, MARK_OF_ENDS = "#tfbind-piece", "#tfbind-piece-ends"
# a word of the mark of pieces that end with `Ends`
_BEST = "best"


class Piece(NamedTuple):
    """One of the pieces of a table.

    number, of : int
        It is the ``number``-th of so many, counted from 1.
    run : str
        What all pieces of one table share, in hexadecimal.
    first, end : int
        Numbers of its groups of windows, half-open; none where there are fewer groups than pieces.
    best : bool
        Whether the table has the best window of each record.
    """

    number: int
    of: int
    run: str
    first: int
    end: int
    best: bool = False

    @property
    def mark(self) -> str:
        """The line that a piece begins with; in BGZF it is a block of its own."""
        return " ".join([MARK, str(self.number), str(self.of), self.run, *[_BEST] * self.best]) + "\n"


def choose_piece(
    which: tuple[int, int], windows: Iterable[Portion], fingerprint: Mapping[str, Any], *, best: bool = False
) -> Piece:
    """Deal the groups of windows to pieces, which differ by one at most, and give one of them.

    Parameters
    ----------
    which : tuple of two int
        Its number, from 1 on, and how many there are.
    windows : iterable of Portion
        All of them; they are counted and not cut.
    fingerprint : mapping of str to what JSON can hold
        What the table depends on.
    best : bool
        Whether the table has the best window of each record.
    """
    number, of = which
    n_groups = sum(1 for _ in gather(windows, ROWS_AT_ONCE))
    run = hashlib.sha256(json.dumps(fingerprint, sort_keys=True).encode()).hexdigest()[:16]
    return Piece(number, of, run, n_groups * (number - 1) // of, n_groups * number // of, best)


def ends_line(ends: Ends) -> str:
    """Give the line that a piece of a table of best windows ends with."""
    return f"{MARK_OF_ENDS} {ends.text()}\n"


def join_pieces(paths: Sequence[Path], output: Path) -> None:
    """Make the table out of all its pieces, given in any order: byte by byte that of a run without pieces.

    Raises
    ------
    TfbindError
        If one is missing, given twice, cut off, no piece, or one of another table; or if ``output`` is not to be BGZF.
    """
    if not is_packed(output):
        raise TfbindError(f"{output}: pieces are BGZF, expected a name that ends in .gz or .bgz, as theirs")
    found: dict[int, tuple[Path, _Mark]] = {}
    table_of_first = _read_mark(paths[0]).table
    for path in paths:
        mark = _read_mark(path)
        if mark.table != table_of_first:
            raise TfbindError(f"{path}: is a piece of another table than {paths[0]}, expected all of one run")
        if mark.number in found:
            raise TfbindError(f"{path}: is piece {mark.number}, as is {found[mark.number][0]}")
        found[mark.number] = path, mark
    of = int(table_of_first[0])
    missing = [str(number) for number in range(1, of + 1) if number not in found]
    if missing:
        raise TfbindError(f"{output}: is made of {of} pieces, found all but {', '.join(missing)}")
    with whole_output(output) as temporary, open(temporary, "wb") as table:
        lines = LineWriter(table, packed=True)
        # the best window of the record that the pieces so far have left open
        best: Best | None = None
        for number in sorted(found):
            path, mark = found[number]
            if mark.best:
                ends, end = _read_ends(path)
                if ends.continues:
                    seen = ends.first or ends.last
                    best = seen if best is None else best.or_better(seen)
                if ends.last is not None and not (ends.continues and ends.first is None):
                    lines.writelines([] if best is None else [best.line])
                    best = ends.last
            else:
                end = path.stat().st_size - len(BGZF_END)
            _copy(path, mark.n_bytes, end, table)
        lines.writelines([] if best is None else [best.line])
        lines.finish()


def _copy(path: Path, start: int, end: int, table: BinaryIO) -> None:
    """Append some bytes of a file to a table."""
    with open(path, "rb") as piece:
        piece.seek(start)
        while start < end and (some := piece.read(min(1 << 20, end - start))):
            table.write(some)
            start += len(some)


class _Mark(NamedTuple):
    """What the line that a piece begins with says, and how long the block is that holds it."""

    table: tuple[str, str]
    number: int
    n_bytes: int
    best: bool


# SAM specification 4.1: the length of a BGZF block, minus 1, ends the first bytes of the block
_HEAD = 18


def _block_size(head: bytes) -> int:
    if len(head) < _HEAD:
        raise ValueError
    return int.from_bytes(head[_HEAD - 2 :], "little") + 1


def _read_mark(path: Path) -> _Mark:
    try:
        with open(path, "rb") as handle:
            head = handle.read(_HEAD)
            n_bytes = _block_size(head)
            line = gzip.decompress(head + handle.read(n_bytes - len(head))).decode()
            word, number, of, run, *best = line.split()
            if best not in ([], [_BEST]):
                raise ValueError
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
    return _Mark((of, run), int(number), n_bytes, bool(best))


def _read_ends(path: Path) -> tuple[Ends, int]:
    """Read the line that a piece of a table of best windows ends with, and where in the file it begins."""
    starts, size = [0], path.stat().st_size
    try:
        with open(path, "rb") as handle:
            while (at := starts[-1]) < size - len(BGZF_END):
                handle.seek(at)
                starts.append(at + _block_size(handle.read(_HEAD)))
            text = ""
            # in several blocks if names are very long
            for at, end in reversed(list(pairwise(starts))):
                handle.seek(at)
                text = gzip.decompress(handle.read(end - at)).decode() + text
                if text.startswith(f"{MARK_OF_ENDS} "):
                    return Ends.read(text.removeprefix(f"{MARK_OF_ENDS} ")), at
    except (ValueError, EOFError, zlib.error, gzip.BadGzipFile):
        pass
    raise TfbindError(f"{path}: is damaged, expected a piece of a table of best windows as it was written")
