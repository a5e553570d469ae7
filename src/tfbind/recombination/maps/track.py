"""Rates that are constant by pieces, and their means over windows by prefix sums."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tfbind.errors import TfbindError

COVERED = 0.9  # of a window's bases at least, for its mean to count


class Pieces(NamedTuple):
    """The rates of one contig; pieces ascend and do not overlap, and may leave gaps.

    Attributes
    ----------
    start, end : (n,) int64
        0-based, half-open.
    rate : (n,) float64
        NaN where unknown.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    rate: NDArray[np.float64]


def window_means(pieces: Pieces, start: ArrayLike, end: ArrayLike) -> NDArray[np.float64]:
    """Mean rate per base of each window.

    Parameters
    ----------
    pieces : Pieces
    start, end : (windows,) int

    Returns
    -------
    (windows,) float64
        The mean over the bases whose rate is known; NaN where those are less than the share COVERED of the window.
    """
    start, end = np.asarray(start, dtype=np.int64), np.asarray(end, dtype=np.int64)
    if not len(pieces.start):
        return np.full(len(start), np.nan)
    known = ~np.isnan(pieces.rate)
    length = np.where(known, pieces.end - pieces.start, 0)
    at = np.stack([pieces.start, pieces.end], axis=1).ravel()

    def sums(per_piece: NDArray) -> NDArray[np.float64]:
        total = np.cumsum(per_piece, dtype=np.float64)
        until = np.stack([np.append(0, total[:-1]), total], axis=1).ravel()
        return np.interp(end, at, until) - np.interp(start, at, until)

    covered = sums(length)
    enough = covered >= COVERED * (end - start)
    mass = sums(length * np.where(known, pieces.rate, 0))
    mean = np.divide(mass, covered, out=np.full(len(start), np.nan), where=enough)
    # the difference of two sums may fall below 0 by rounding
    return np.maximum(mean, 0)


def matching_contigs(names: Iterable[str], others: Mapping[str, object]) -> dict[str, str]:
    """Match contigs by name, or but for a ``chr`` before it.

    Parameters
    ----------
    names : iterable of str
    others : mapping by contig
        Where both sides have one contig and this one's name is empty, as in HapMap files without a first column,
        they match.

    Returns
    -------
    dict of str to str
        The name among ``others`` of those that match.

    Raises
    ------
    TfbindError
        If none does.
    """
    names = list(dict.fromkeys(names))
    if len(names) == 1 and list(others) == [""]:
        return {names[0]: ""}
    bare = {other.removeprefix("chr"): other for other in others}
    found = {
        name: name if name in others else bare[name.removeprefix("chr")]
        for name in names
        if name in others or name.removeprefix("chr") in bare
    }
    if not found:
        raise TfbindError(f"no contig in common: found {_some(names)} and {_some(others)}")
    return found


def _some(names: Iterable[str]) -> str:
    names = [repr(name) for name in names]
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
