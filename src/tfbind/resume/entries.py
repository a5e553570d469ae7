"""Entries of a journal as bytes: a line of JSON with a checksum, and data."""

from __future__ import annotations

import json
import zlib
from typing import Any, BinaryIO, NamedTuple

LONGEST_SIZE = 18  # digits, of 64 bits


class Entry(NamedTuple):
    """What an entry says, and where in the journal its data are."""

    state: dict[str, Any]
    start: int
    size: int


def checksum(data: bytes, more: bytes = b"") -> bytes:
    """Give the CRC-32 of data, and of more after it, as eight hexadecimal digits."""
    return b"%08x" % zlib.crc32(more, zlib.crc32(data))


def entry_line(state: dict[str, Any], data: bytes) -> bytes:
    """Give the line of an entry, which its data are to follow: checksum, size of the data and state."""
    text = b"%d %s\n" % (len(data), json.dumps(state).encode())
    return b"%s %s" % (checksum(text, data), text)


def read_entry(reader: BinaryIO, end: int) -> Entry | None:
    """Read an entry of a file of ``end`` bytes; None if there is none or it is incomplete or damaged."""
    line = reader.readline()
    stated, _, text = line.partition(b" ")
    size, _, state = text.partition(b" ")
    start = reader.tell()
    if not line.endswith(b"\n") or not size.isdigit() or len(size) > LONGEST_SIZE or int(size) > end - start:
        return None
    data = reader.read(int(size))
    if stated != checksum(text, data):
        return None
    found = read_object(state)
    return None if found is None else Entry(found, start, int(size))


def read_object(text: bytes) -> dict[str, Any] | None:
    """Read a JSON object; None if the text is anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def is_count(value: object) -> bool:
    """Tell whether a value read from JSON is a whole number from 0 to 2**63 - 1."""
    return type(value) is int and 0 <= value < 2**63


def write_all(handle: BinaryIO, *parts: bytes) -> None:
    """Write all of the parts to an unbuffered file, whose writes may be short."""
    for part in parts:
        rest = memoryview(part)
        while rest:
            rest = rest[handle.write(rest) :]
