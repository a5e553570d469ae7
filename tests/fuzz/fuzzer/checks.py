"""What any value that a reader gives must satisfy, whatever the file holds."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

MOST = 2**53
_EXACT = re.compile(rb"[0-9]+")


def digits_in(data: bytes) -> set[int] | None:
    """Give the whole numbers that a file holds; None if it is compressed or writes some in another way."""
    if not data.isascii() or re.search(rb"[0-9][.eE]|\x00", data):
        return None
    return {int(text) for text in _EXACT.findall(data) if len(text) < 25}


def interval(start: int, end: int) -> None:
    """An interval is not empty and its numbers are exact in float64."""
    assert type(start) is int, (start, type(start))
    assert type(end) is int, (end, type(end))
    assert 0 <= start < end <= MOST, (start, end)


def from_the_file(numbers: Iterable[int], data: bytes, *, off_by: tuple[int, ...] = (0,)) -> None:
    """Each number is one that the file holds, or next to it if its positions start at 1."""
    found = digits_in(data)
    if found is not None:
        for number in numbers:
            assert any(number + by in found for by in off_by), f"{number} is not in the file"


def steps(edges: Any, rates: Any) -> None:
    """Positions ascend, rates are at least 0 or unknown, none is infinite."""
    edges, rates = np.asarray(edges), np.asarray(rates, float)
    assert (np.diff(edges) > 0).all(), edges
    assert len(edges) == 0 or 0 <= edges[0] < edges[-1] + 1 <= MOST + 1, edges
    assert not np.isinf(rates).any(), rates
    assert not (rates < 0).any(), rates


def share(value: float) -> None:
    """A number from 0 to 1."""
    assert math.isfinite(value), value
    assert 0 <= value <= 1, value
