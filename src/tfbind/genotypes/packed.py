"""Calls at two bits each, which is all that they hold: thousands of samples on a whole chromosome fit into memory."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np
from numba import njit

# what is unpacked at once
SITES_AT_ONCE = 1024
# of which the memory is given back at once
SITES_DEALT_AT_ONCE = 16 * SITES_AT_ONCE
MISSING_CODE = 3
# what the codes 0 to 3 of a column stand for
CALLS = (0, 1, 2, -1)


def packed_bytes(n_columns: int) -> int:
    """How many bytes the calls of a site take."""
    return -(-n_columns // 4)


@njit(cache=True, nogil=True)
def pack_rows(calls, codes):  # pragma: no cover - compiled
    """Pack calls, of which the two lowest bits count, into ``codes`` (sites, bytes) uint8; the rest becomes missing.

    Column c takes bits 2 (c % 4) and the next one of byte c // 4. -1 becomes MISSING_CODE.
    """
    columns = calls.shape[1]
    for site in range(len(calls)):
        for byte in range((columns + 3) // 4):
            value = 0
            for place in range(4):
                column = 4 * byte + place
                code = calls[site, column] & 3 if column < columns else MISSING_CODE
                value |= code << (2 * place)
            codes[site, byte] = value


def unpacking(even: tuple[int, ...] = CALLS, odd: tuple[int, ...] = CALLS) -> np.ndarray:
    """Table from a byte to its four calls, by what the codes stand for in columns 0, 2, ... and 1, 3, ...: (256,)."""
    byte = np.arange(256)
    table = np.empty((256, 4), np.int8)
    for place in range(4):
        table[:, place] = np.array(odd if place % 2 else even, np.int8)[byte >> 2 * place & 3]
    return table.view(np.uint32)[:, 0]


def unpack(codes: np.ndarray, n_columns: int, table: np.ndarray) -> np.ndarray:
    """Unpack (sites, bytes) uint8 by a table of `unpacking`: (sites, columns) int8."""
    return table[codes[:, : packed_bytes(n_columns)]].view(np.int8)[:, :n_columns]


_TABLE = unpacking()
_ONES = np.maximum(_TABLE[:, None].view(np.int8), 0).sum(axis=1)
_KNOWN = (_TABLE[:, None].view(np.int8) >= 0).sum(axis=1)


@njit(cache=True, nogil=True)
def _sums(codes, rows, n_bytes, ones_in, known_in):  # pragma: no cover - compiled
    ones, known = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    for site in range(len(rows)):
        row = rows[site]
        for byte in range(n_bytes):
            code = codes[row, byte]
            ones[site] += ones_in[code]
            known[site] += known_in[code]
    return ones, known


@njit(cache=True, nogil=True)
def _choose_columns(codes, rows, columns, chosen):  # pragma: no cover - compiled
    for site in range(len(rows)):
        row = rows[site]
        for byte in range(chosen.shape[1]):
            value = 0
            for place in range(4):
                at = 4 * byte + place
                code = MISSING_CODE
                if at < len(columns):
                    column = columns[at]
                    code = codes[row, column >> 2] >> (2 * (column & 3)) & 3
                value |= code << (2 * place)
            chosen[site, byte] = value


class PackedCalls:
    """Calls of sites in columns, 0, 1, 2 or -1 for unknown, at two bits each.

    It is indexed by site as an array is, and what comes out shares the memory. `numpy.asarray` unpacks it to
    (sites, columns) int8, so choose the sites first.

    Parameters
    ----------
    codes : (rows, bytes) uint8
        From `pack_rows`; bytes beyond those of the columns mean nothing. `deal` shrinks it, so nobody may keep a view.
    n_columns : int
    """

    def __init__(self, codes: np.ndarray, n_columns: int):
        # in a list that is shared, so that all let it go together
        self._memory = [codes]
        self._rows = np.arange(len(codes))
        self.shape = (len(self._rows), n_columns)

    @classmethod
    def of(cls, calls: np.ndarray) -> PackedCalls:
        """Pack (sites, columns) int8."""
        codes = np.empty((len(calls), packed_bytes(calls.shape[1])), np.uint8)
        pack_rows(calls, codes)
        return cls(codes, calls.shape[1])

    @property
    def size(self) -> int:
        """How many calls there are."""
        return self.shape[0] * self.shape[1]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, sites: Any) -> PackedCalls:
        """Choose sites: a slice, numbers or (sites,) bool."""
        chosen = copy(self)
        chosen._rows = self._rows[sites]
        chosen.shape = (len(chosen._rows), self.shape[1])
        return chosen

    def columns(self, which: np.ndarray) -> PackedCalls:
        """Copy some of the columns, by number."""
        chosen = np.empty((len(self), packed_bytes(len(which))), np.uint8)
        _choose_columns(self._codes, self._rows, which, chosen)
        return PackedCalls(chosen, len(which))

    def deal(self, groups: Sequence[np.ndarray]) -> list[PackedCalls]:
        """Move columns, by number, into calls of their own, which no group shares memory with, and let these go.

        Memory holds hardly more than before: what is moved is freed, from the last row on.
        """
        dealt = [np.empty((len(self), packed_bytes(len(group))), np.uint8) for group in groups]
        codes = self._codes
        # rows that sites still to be moved are in; rows need not rise along the sites
        needed = np.maximum.accumulate(np.append(-1, self._rows)) + 1
        can_shrink = codes.flags.owndata and codes.flags.c_contiguous
        for end in range(len(self), 0, -SITES_DEALT_AT_ONCE):
            sites = slice(max(end - SITES_DEALT_AT_ONCE, 0), end)
            for group, chosen in zip(groups, dealt, strict=True):
                _choose_columns(codes, self._rows[sites], group, chosen[sites])
            if can_shrink:
                codes.resize((int(needed[sites.start]), codes.shape[1]), refcheck=False)
        self.let_go()
        return [PackedCalls(chosen, len(group)) for group, chosen in zip(groups, dealt, strict=True)]

    def sums(self) -> tuple[np.ndarray, np.ndarray]:
        """Sum the calls that are known, and count them, at each site: twice (sites,) int64."""
        return _sums(self._codes, self._rows, packed_bytes(self.shape[1]), _ONES, _KNOWN)

    def let_go(self) -> None:
        """Free the memory, which all that was chosen of these calls shares: none of them can be read any more."""
        self._memory.clear()

    @property
    def _codes(self) -> np.ndarray:
        if not self._memory:
            raise RuntimeError("the calls were let go")
        return self._memory[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("packed calls cannot be read without a copy")
        return np.asarray(unpack(self._codes[self._rows], self.shape[1], _TABLE), dtype)
