"""Windows that overlap, or differ in a few bases: how far one begins after the other, and where they differ."""

from __future__ import annotations

from numba import njit


@njit(cache=True, nogil=True)
def shift_between(before, here, most, guess):  # pragma: no cover - compiled
    """How many bases ``here`` begins behind ``before``, at most ``most``; -1 where it does not.

    It is what the letters say: where they agree, whatever depends on them alone agrees, too, wherever the two
    come from. Of several answers any will do, so ``guess``, the last one, is tried first.

    Parameters
    ----------
    before, here : (length,) uint8
    most, guess : int
    """
    if 0 <= guess <= most and _continues(before, here, guess):
        return guess
    for shift in range(most + 1):
        if _continues(before, here, shift):
            return shift
    return -1


@njit(cache=True, nogil=True)
def _continues(before, here, shift):  # pragma: no cover - compiled
    at = 0
    while at < len(here) - shift and before[at + shift] == here[at]:
        at += 1
    return at == len(here) - shift


@njit(cache=True, nogil=True)
def difference(before, here):  # pragma: no cover - compiled
    """From where to where two sequences differ: outside of it they are equal. Both are 0 if they are equal.

    Parameters
    ----------
    before, here : (length,) uint8
    """
    low, high = 0, len(here)
    while low < high and before[low] == here[low]:
        low += 1
    while high > low and before[high - 1] == here[high - 1]:
        high -= 1
    if low == high:
        return 0, 0
    return low, high
