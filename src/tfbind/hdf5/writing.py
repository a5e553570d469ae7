"""Writing HDF5 so that a full disk, or an interruption, is an ordinary error.

Where a write fails inside of HDF5, the library cannot close the file any more and crashes the process at its end. So
HDF5 writes to a Python object that never fails: it remembers the first error, which is raised outside.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import h5py

from tfbind.errors import TfbindError
from tfbind.files import DISK_FULL, whole_output

_HANDLED: tuple[int, ...] = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def write_hdf5(path: str | Path) -> Iterator[Hdf5Output]:
    """Write an HDF5 file; under ``path`` stands the whole file or what stood there before.

    Raises
    ------
    TfbindError
        If it cannot be written.
    OSError
        If the disk is full; it names ``path``.
    """
    with whole_output(path) as temporary, open(temporary, "r+b", buffering=0) as handle:
        disk = _Disk(handle.fileno(), path)
        with _signals_deferred():
            file = h5py.File(disk, "w")
        try:
            yield Hdf5Output(file, disk)
        finally:
            with _signals_deferred():
                file.close()
        disk.check()


# gzip is the one filter that every HDF5 build has; its first level is the fastest
COMPRESSION: dict[str, Any] = {"compression": "gzip", "compression_opts": 1}


class Hdf5Output:
    """An HDF5 file that `write_hdf5` has opened.

    Attributes
    ----------
    file : h5py.File
        To be written to within `step` alone.
    """

    def __init__(self, file: h5py.File, disk: _Disk):
        self.file = file
        self._disk = disk

    def create_growing(self, name: str, dtype: object, shape: tuple[int, ...], rows: int) -> h5py.Dataset:
        """Create a data set of no rows yet, in chunks of ``rows`` rows, each of ``shape``; within a step."""
        return self.file.create_dataset(
            name,
            shape=(0, *shape),
            maxshape=(None, *shape),
            chunks=(rows, *shape),
            dtype=dtype,
            **COMPRESSION,
        )

    @contextmanager
    def step(self) -> Iterator[None]:
        """Write within the block; signals wait until its end.

        Raises
        ------
        TfbindError, OSError
            At the end of the block, if something could not be written.
        """
        with _signals_deferred():
            yield
        self._disk.check()


class _Disk:
    """A file as h5py's driver for Python objects asks for it; no method of it raises.

    What cannot be written is kept, as HDF5 may read it again before it closes the file. That is little: the chunks and
    the metadata that it has in its caches.
    """

    def __init__(self, handle: int, path: str | Path):
        self._handle, self._path = handle, path
        self._at = 0
        self._error: OSError | None = None
        self._kept: list[tuple[int, bytes]] = []

    def check(self) -> None:
        """Raise the first error that there was, with the name of the file."""
        error = self._error
        if error is None:
            return
        if error.errno in DISK_FULL:
            raise OSError(error.errno, error.strerror, str(self._path))
        raise TfbindError(f"{self._path}: cannot be written ({error.strerror})")

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, counted from the start or, for its size, from the end."""
        if whence == os.SEEK_END:
            offset += max([os.fstat(self._handle).st_size, *(at + len(data) for at, data in self._kept)])
        self._at = offset
        return offset

    def tell(self) -> int:
        """Say where the next byte is read or written."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer; beyond the end are zeros."""
        view, found = memoryview(buffer).cast("B"), b""
        try:
            found = os.pread(self._handle, len(view), self._at)
        except OSError as error:
            self._error = self._error or error
        view[: len(found)] = found
        view[len(found) :] = bytes(len(view) - len(found))
        for at, data in self._kept:
            low, high = max(at, self._at), min(at + len(data), self._at + len(view))
            if low < high:
                view[low - self._at : high - self._at] = data[low - at : high - at]
        return len(view)

    def read(self, size: int) -> bytes:
        """Read ``size`` bytes."""
        buffer = bytearray(size)
        self.readinto(buffer)
        return bytes(buffer)

    def write(self, data: Any) -> int:
        """Write, or keep what cannot be written."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        at = self._at
        try:
            while rest and self._error is None:
                written = os.pwrite(self._handle, rest, at)
                rest, at = rest[written:], at + written
        except OSError as error:
            self._error = error
        if rest:
            self._kept.append((at, bytes(rest)))
        return size

    def truncate(self, size: int) -> int:
        """Set the size of the file."""
        try:
            if self._error is None:
                os.ftruncate(self._handle, size)
        except OSError as error:
            self._error = error
        return size

    def flush(self) -> None:
        """Nothing waits to be written."""


@contextmanager
def _signals_deferred() -> Iterator[None]:
    """Let signals wait until the end of the block.

    Python handles them between two of its instructions, so also in the methods that HDF5 calls.
    """
    if threading.current_thread() is not threading.main_thread():
        # no handler runs in this thread
        yield
        return
    waiting: list[tuple[int, FrameType | None]] = []

    def defer(number: int, frame: FrameType | None) -> None:
        waiting.append((number, frame))

    handlers = {number: signal.getsignal(number) for number in _HANDLED}
    for number, handler in handlers.items():
        if callable(handler):
            signal.signal(number, defer)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            if callable(handler):
                signal.signal(number, handler)
        for number, frame in waiting:
            interrupt = handlers[number]
            assert callable(interrupt)
            interrupt(number, frame)
