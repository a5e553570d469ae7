"""Calls packed into bits, so that 64 chromosomes are compared in one instruction."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from tfbind.genotypes.packed import SITES_AT_ONCE, PackedCalls


def _popcount(_context, _word):
    def generate(_codegen, builder, _signature, arguments):
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


# counts the bits of a uint64 that are set: one instruction of compiled code
popcount: Any = intrinsic(_popcount)


@njit(cache=True, nogil=True)
def _pack(calls, planes, first):  # pragma: no cover - compiled
    one = np.uint64(1)
    for site in range(len(calls)):
        for column in range(calls.shape[1]):
            call = calls[site, column]
            bit = one << np.uint64(column & 63)
            if call >= 0:
                planes[0, first + site, column >> 6] |= bit
            if call >= 1:
                planes[1, first + site, column >> 6] |= bit
            if call >= 2:
                planes[2, first + site, column >> 6] |= bit


def pack(calls: np.ndarray | PackedCalls) -> np.ndarray:
    """Pack calls into bits.

    Parameters
    ----------
    calls : (sites, columns) int8 or PackedCalls
        Alleles 0 and 1 or dosages 0, 1 and 2; -1 is unknown.

    Returns
    -------
    (3, sites, words) uint64
        Bit c % 64 of word c // 64: is the call of column c known, is it at least 1, is it 2.
    """
    planes = np.zeros((3, len(calls), -(-calls.shape[1] // 64)), np.uint64)
    for first in range(0, len(calls), SITES_AT_ONCE):
        _pack(np.ascontiguousarray(calls[first : first + SITES_AT_ONCE]), planes, first)
    return planes
