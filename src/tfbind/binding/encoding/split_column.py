"""The column ``split`` of a table: the part of each record, in the words that people use for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tfbind.binding.encoding.table_lines import part_name
from tfbind.dna.splits import PARTS
from tfbind.errors import TfbindError

GROUP = "group"


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
            self.parts.append(PARTS.index(part_name(cell, f"{self._path}: line {line}")))
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
