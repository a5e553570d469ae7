"""What is finished of a simulation that may be interrupted: one file that grows by whole records."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np

from tfbind.errors import TfbindError
from tfbind.files import prepare_output

logger = logging.getLogger(__name__)

_HEAD = struct.Struct("<QQI")  # replicate, bytes, CRC-32


class FinishedReplicates:
    """The file ``OUTPUT.partial``: a line that tells whose it is, and a record a replicate, in any order.

    A record that was being written when the process was killed fails its checksum and is cut off. Another
    number of replicates of the same simulation goes on from the same file.
    """

    def __init__(self, output: Path, fingerprint: Mapping[str, Any], resume: bool | Literal["anew"]):
        prepare_output(output)
        self.path = output.with_name(f"{output.name}.partial")
        text = json.dumps(fingerprint, sort_keys=True)
        line = f"tfbind-replicates-1 {hashlib.sha256(text.encode()).hexdigest()}\n".encode()
        self._at: dict[int, tuple[int, int]] = {}
        try:
            self._handle: BinaryIO = open(self.path, "a+b")  # noqa: SIM115
        except PermissionError:
            raise TfbindError(f"{output}: cannot be written (permission denied)") from None
        self._handle.seek(0)
        found = self._handle.readline()
        if found and not resume:
            logger.warning("%s: is begun anew, as --resume is not given", self.path)
        elif found and found != line and resume == "anew":
            logger.warning("%s: was begun with other arguments, and is begun anew", self.path)
        elif found and found != line:
            self._handle.close()
            raise TfbindError(
                f"{self.path}: was begun with other arguments, expected the same, or run without --resume"
            )
        elif found:
            self._read_heads()
        if not self._at:
            self._handle.truncate(0)
            self._handle.write(line)

    def _read_heads(self) -> None:
        end = self._handle.tell()
        while len(head := self._handle.read(_HEAD.size)) == _HEAD.size:
            replicate, size, checksum = _HEAD.unpack(head)
            data = self._handle.read(size)
            if len(data) < size or zlib.crc32(data) != checksum:
                break
            self._at[replicate] = (end + _HEAD.size, size)
            end = self._handle.tell()
        self._handle.truncate(end)

    def __contains__(self, replicate: int) -> bool:
        return replicate in self._at

    def add(self, replicate: int, parts: Mapping[str, Any]) -> None:
        """Keep a replicate: arrays, numbers and texts by name."""
        buffer = io.BytesIO()
        np.savez(buffer, **parts)
        data = buffer.getvalue()
        start = self._handle.seek(0, io.SEEK_END)
        self._handle.write(_HEAD.pack(replicate, len(data), zlib.crc32(data)) + data)
        self._handle.flush()
        self._at[replicate] = (start + _HEAD.size, len(data))

    def read(self, replicate: int) -> dict[str, Any]:
        """Give a replicate as it was added."""
        start, size = self._at[replicate]
        self._handle.seek(start)
        with np.load(io.BytesIO(self._handle.read(size)), allow_pickle=False) as parts:
            return {name: value if value.ndim else value.item() for name, value in parts.items()}

    def close(self, *, discard: bool) -> None:
        """Close the file; remove it where it is needed no more or holds nothing."""
        self._handle.close()
        if discard or not self._at:
            self.path.unlink(missing_ok=True)
