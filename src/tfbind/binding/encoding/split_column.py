"""The column ``split`` of a table: the part of each record, in the words that people use for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tfbind.dna.splits import TEST, TRAIN, VALIDATION
from tfbind.errors import TfbindError

SPLIT, GROUP = "split", "group"
PART_OF_WORD = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("validation", "valid", "val", "dev"), VALIDATION),
    **dict.fromkeys(("test", "testing"), TEST),
}
SHOWN = 30


def shown(text: str) -> str:
    """Quote a cell for a message, shortened."""
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "...")


def read_part(cell: str, where: str) -> int:
    """Read the cell of a column ``split``: the number of a part.

    Raises
    ------
    TfbindError
    """
    part = PART_OF_WORD.get(cell.lower())
    if part is None:
        raise TfbindError(
            f"{where}: column 'split': found {shown(cell)}, expected train, validation (or valid, val, dev) or test"
        )
    return part


class SplitColumn:
    """Collects the cells of a column ``split``, which all have a part or none has.

    parts : bytearray
    """

    def __init__(self, path: Path):
        self._path = path
        self._filled = self._empty = 0
        self.parts = bytearray()

    def add(self, cell: str, line: int) -> None:
        """Add a cell; a line without a part is remembered."""
        if cell:
            self._filled = self._filled or line
            self.parts.append(read_part(cell, f"{self._path}: line {line}"))
        else:
            self._empty = self._empty or line

    def finish(self) -> np.ndarray | None:
        """Give the parts, (n,) uint8, or None if no cell has one.

        Raises
        ------
        TfbindError
            If some have one and others do not.
        """
        if self._filled and self._empty:
            raise TfbindError(
                f"{self._path}: line {self._empty}: split is empty, but line {self._filled} has one: expected a split"
                " for each record, or for none"
            )
        return np.frombuffer(self.parts, np.uint8) if self._filled else None
