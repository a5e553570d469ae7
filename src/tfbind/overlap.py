"""Windows that overlap: how far one begins behind the other, told by their bases alone."""

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
