"""The global heaps of an HDF5 file, which hold its texts: HDF5 1.14 reads damaged ones for ever."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import BinaryIO

# the signature of a collection with its version (HDF5 file format specification, III.E)
_COLLECTION = b"GCOL\x01\0\0\0"
_HEADER = 16
_OBJECT = struct.Struct("<HHIQ")


def heaps_are_whole(source: Path | BinaryIO) -> bool:
    """Whether the objects of every collection follow each other up to its end.

    Collections are found by their signature, so an unused one counts too. Sizes and addresses must have 8 bytes.
    """
    if not isinstance(source, Path):
        source.seek(0)
        return _are_whole(source.read())
    with open(source, "rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _are_whole(data)


def _are_whole(data: bytes | mmap.mmap) -> bool:
    start = data.find(_COLLECTION)
    while start >= 0:
        if not _is_whole(data, start):
            return False
        start = data.find(_COLLECTION, start + len(_COLLECTION))
    return True


def _is_whole(data: bytes | mmap.mmap, start: int) -> bool:
    if start + _HEADER > len(data):
        return False
    (size,) = struct.unpack_from("<Q", data, start + 8)
    at, end = start + _HEADER, start + size
    if not at <= end <= len(data):
        return False
    while end - at >= _OBJECT.size:
        index, _, _, length = _OBJECT.unpack_from(data, at)
        # object 0 is the free space, with its header
        at += length if index == 0 else _OBJECT.size + -(-length // 8) * 8
        if at > end or (index == 0 and length < _OBJECT.size):
            return False
    return True
