"""The best window of each record, also of one that begins in one piece of a table and ends in another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from tfbind.binding.scanning.score_table import stretches_of_records, table_rows
from tfbind.binding.scanning.windows import Windows


class Best(NamedTuple):
    """The best window so far of a record.

    score : float
        Its highest score; -1 if it has none.
    line : str
        Its row of the table.
    """

    score: float
    line: str

    def or_better(self, other: Best | None) -> Best:
        """Give the better of two, and this one if they are equal: it comes first in the record."""
        return other if other is not None and other.score > self.score else self


class Ends(NamedTuple):
    """What a piece of a table of best windows does not write, as these records have windows in other pieces, too.

    continues : bool
        Whether the piece begins within a record.
    first : Best or None
        Of that record, if it ends in the piece.
    last : Best or None
        Of the record that is still open where the piece ends; None if the piece has no windows.
    """

    continues: bool
    first: Best | None
    last: Best | None

    def text(self) -> str:
        """Write as JSON; the scores are read back to the last bit."""
        return json.dumps(self._asdict())

    @classmethod
    def read(cls, text: str) -> Ends:
        """Read what `text` has written; ValueError if it is something else."""
        found = json.loads(text)
        if not isinstance(found, dict) or not is_ends(found):
            raise ValueError("not written by Ends.text")
        return cls.of(found)

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Ends:
        """Take what `is_ends` has checked."""
        first, last = (None if found[name] is None else Best(*found[name]) for name in ("first", "last"))
        return cls(found["continues"], first, last)


def is_ends(state: Mapping[str, Any]) -> bool:
    """Tell whether JSON is of `Ends`."""
    return isinstance(state.get("continues"), bool) and all(
        _is_best(state.get(name)) for name in ("first", "last")
    )


def _is_best(found: Any) -> bool:
    match found:
        case None | [int() | float(), str()]:
            return True
    return False


class BestOfRecord:
    """Keep each record's highest window (of the highest factor); a record's first window starts at base 0.

    Parameters
    ----------
    n_factors : int
        Columns of scores after these are kept and not compared.
    ends : Ends or None
        Where another one stopped.

    Attributes
    ----------
    ends : Ends
        Of all windows so far.
    """

    def __init__(self, n_factors: int, ends: Ends | None = None):
        self._n_factors = n_factors
        self.ends = ends or Ends(False, None, None)

    def keep(self, windows: Windows, scores: np.ndarray) -> tuple[list[str], list[str]]:
        """Take windows in.

        Returns
        -------
        before : list of str
            The line of the record that was open before these windows, if it has ended and all of it was seen.
        others : list of str
            The lines of the other records that have ended.
        """
        continues, first, last = self.ends
        compared = scores[:, : self._n_factors]
        highest = np.where(np.isnan(compared), -1.0, compared).max(axis=1)
        if last is None:
            continues = bool(windows.start[0] != 0)
        before: list[str] = []
        others: list[str] = []
        ended = before
        for start, end in stretches_of_records(windows.start):
            if windows.start[start] == 0 and last is not None:
                if continues and first is None:
                    first = last
                else:
                    ended.append(last.line)
                last = None
            at = start + int(highest[start:end].argmax())
            if last is None or highest[at] > last.score:
                row = table_rows(windows.rows(slice(at, at + 1)), scores[at : at + 1])[0]
                last = Best(float(highest[at]), row)
            if windows.start[start] == 0:
                ended = others
        self.ends = Ends(continues, first, last)
        return before, others

    def finish(self) -> list[str]:
        """Give the line of the record that is open."""
        return [] if self.ends.last is None else [self.ends.last.line]
