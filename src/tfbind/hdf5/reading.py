"""HDF5 from a stranger: whatever is wrong with a file is one line that names it.

The HDF5 library follows links and storage into other files, allocates whatever a file declares, and raises errors of
many kinds on a damaged file. It also assumes that a compressed chunk inflates to its full size: where one is shorter,
HDF5 1.14 reads on in the memory of the process. So files are checked before they are read, and chunks inflated here.
"""

from __future__ import annotations

import itertools
import math
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import h5py
import numpy as np

# the lock of h5py, as HDF5 answers one thread at a time: h5py takes it in every call but that for a chunk as it is
from h5py._objects import phil

from tfbind.errors import TfbindError
from tfbind.hdf5.heaps import heaps_are_whole

# what h5py raises on a damaged file: on what HDF5 finds, on text that is not UTF-8, on types that NumPy does not have
DAMAGED = (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, OverflowError)
# one byte of deflate gives 1032 at most
MOST_EXPANSION = 1040
# chunks of a data set that are kept, as readers come back to the same ones
CHUNKS_KEPT = 4


@contextmanager
def damage_named(name: str | Path) -> Iterator[None]:
    """Turn what h5py raises in the block into one line that names the file. The block only reads.

    Raises
    ------
    TfbindError
    """
    try:
        yield
    except (*DAMAGED, zlib.error) as error:
        why = str(error).split("\n", 1)[0] or type(error).__name__
        raise TfbindError(f"{name}: damaged HDF5 file ({why}), expected a whole one") from None


@contextmanager
def open_hdf5(
    source: Path | BinaryIO, name: str | Path, expected: str, *, chunked: bool = True
) -> Iterator[StoredFile]:
    """Open HDF5 for reading, whole and without links to other places.

    Parameters
    ----------
    source : Path or binary file
    name : str or Path
        Of the file, for messages.
    expected : str
        What it is expected to be, for the message if it is not HDF5.
    chunked : bool
        Whether data sets may be in chunks. A library that reads the file by itself is only safe without them.

    Raises
    ------
    TfbindError
        If it is not HDF5 or damaged, has links to other places, or takes values from other files.
    """
    try:
        file = h5py.File(source, "r")
    except DAMAGED:
        raise TfbindError(f"{name}: is not a readable HDF5 file, expected {expected}") from None
    size = source.stat().st_size if isinstance(source, Path) else source.seek(0, os.SEEK_END)
    with file:
        if file.id.get_create_plist().get_sizes() != (8, 8) or not heaps_are_whole(source):
            raise TfbindError(f"{name}: damaged HDF5 file (its heaps of text), expected a whole one")
        yield StoredFile(file, name, size, chunked)


class StoredFile:
    """An HDF5 file that `open_hdf5` has opened.

    Attributes
    ----------
    places : dict of str to h5py.Dataset
        Every data set, by its place in the file, such as ``x`` or ``layers/dense/vars/0``. They are read with `find`.
    """

    def __init__(self, file: h5py.File, name: str | Path, size: int, chunked: bool):
        self._file, self._name = file, name
        self._size, self._chunked = size, chunked
        with damage_named(name):
            self.places = dict(self._data_sets())

    def _data_sets(self) -> Iterator[tuple[str, h5py.Dataset]]:
        """Find every data set; refuse any link but to an object in the file."""
        seen = {h5py.h5o.get_info(self._file.id).addr}
        groups: list[tuple[str, h5py.Group]] = [("", self._file["/"])]
        while groups:
            folder, group = groups.pop()
            for child in group:
                place = f"{folder}/{child}".lstrip("/")
                if group.id.links.get_info(os.fsencode(child)).type != h5py.h5l.TYPE_HARD:
                    raise TfbindError(
                        f"{self._name}: {place!r} is a link to another place, expected all data in the file itself"
                    )
                item = group[child]
                if isinstance(item, h5py.Dataset):
                    layout = item.id.get_create_plist()
                    if layout.get_layout() == h5py.h5d.VIRTUAL or layout.get_external_count():
                        raise TfbindError(
                            f"{self._name}: data set {place!r} takes its values from another file, expected all data"
                            " in the file itself"
                        )
                    yield place, item
                elif isinstance(item, h5py.Group):
                    address = h5py.h5o.get_info(item.id).addr
                    # a group can hold itself
                    if address not in seen:
                        seen.add(address)
                        groups.append((place, item))

    def find(self, place: str) -> StoredSet | None:
        """Give a data set, checked, or None if there is none at this place.

        Raises
        ------
        TfbindError
            If the file is damaged, or the data set declares more values than are stored.
        """
        if place not in self.places:
            return None
        with damage_named(self._name):
            found = StoredSet(self.places[place], self._name, place)
            found.check_storage(self._size, chunked=self._chunked)
        return found

    def attribute(self, name: str) -> Any:
        """Read a root attribute: a text or a number, or None if there is none.

        Raises
        ------
        TfbindError
            If it is damaged, or not a single value.
        """
        with damage_named(self._name):
            if name not in self._file.attrs:
                return None
            shape = self._file.attrs.get_id(name).shape
            value = self._file.attrs[name] if shape == () else None
            if isinstance(value, str):
                value.encode()
        if shape != ():
            raise TfbindError(
                f"{self._name}: found attribute {name!r} of shape {shape}, expected a single value"
            )
        return value


class StoredSet:
    """A data set of a file that is open.

    Attributes
    ----------
    shape : tuple of int, or None
        None if it has no data space.
    dtype : NumPy dtype
        That of the values in memory: object for text of variable length.
    is_text : bool
    chunk_rows : int
        Rows that are best read together.
    """

    def __init__(self, dataset: h5py.Dataset, name: str | Path, place: str):
        self._dataset = dataset
        self._name, self._place = name, place
        self.shape, self.dtype = dataset.shape, dataset.dtype
        self.is_text = h5py.check_string_dtype(dataset.dtype) is not None
        self._chunks = dataset.chunks
        self.chunk_rows = self._chunks[0] if self._chunks else 4096
        self._layout = dataset.id.get_create_plist()
        self._filters = [self._layout.get_filter(i)[0] for i in range(self._layout.get_nfilters())]
        self._item_size = dataset.dtype.itemsize
        if dataset.dtype.kind == "O":
            # on disk a length, an address and an index
            address_size, _ = dataset.file.id.get_create_plist().get_sizes()
            self._item_size = 8 + address_size
        self._chunk = lru_cache(CHUNKS_KEPT)(self._inflated_chunk)

    def __len__(self) -> int:
        return self.shape[0] if self.shape else 0

    def _fail(self, found: str) -> NoReturn:
        raise TfbindError(f"{self._name}: data set {self._place!r} {found}")

    def check_storage(self, file_size: int, *, chunked: bool) -> None:
        """Refuse a data set that declares more values than are stored, or is stored in a way that is not read."""
        if self.shape is None:
            return
        stored = self._dataset.id.get_storage_size()
        if stored > file_size:
            self._fail(f"has {stored:,} bytes in a file of {file_size:,}: damaged or cut off")
        declared = math.prod(self.shape) * self._item_size
        if self._chunks is not None:
            if not chunked:
                self._fail("is stored in chunks, expected one piece")
            self._check_filters()
            found = self._dataset.id.get_num_chunks() if declared else 0
            expected = math.prod(-(-n // m) for n, m in zip(self.shape, self._chunks, strict=True))
            if found != expected:
                self._fail(
                    f"of shape {self.shape} has {found:,} of its {expected:,} chunks: incomplete or damaged"
                )
            declared = found * math.prod(self._chunks) * self._item_size
            stored *= MOST_EXPANSION if self._filters else 1
        if declared > stored:
            self._fail(f"of shape {self.shape} has more values than are stored: incomplete or damaged")

    def _check_filters(self) -> None:
        known = {h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE}
        if set(self._filters) - known or len(self._filters) != len(set(self._filters)):
            self._fail(f"is compressed with filter {self._filters}, expected gzip, with or without shuffle")

    def read(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Read rows, those of a set of numbers: all of them, or from ``start`` to ``stop``.

        Raises
        ------
        TfbindError
            If the file is damaged.
        """
        with damage_named(self._name):
            if self._chunks is None:
                return self._dataset[() if self.shape == () else slice(start, stop)]
            return self._read_chunks(*slice(start, stop).indices(len(self._dataset))[:2])

    def _read_chunks(self, start: int, stop: int) -> np.ndarray:
        assert self._chunks is not None
        assert self.shape is not None
        values = np.empty((max(0, stop - start), *self.shape[1:]), self.dtype)
        rows = self._chunks[0]
        spans = [
            range(start - start % rows, stop, rows),
            *(range(0, n, m) for n, m in zip(self.shape[1:], self._chunks[1:], strict=True)),
        ]
        for first, *rest in itertools.product(*spans):
            chunk = self._chunk((first, *rest))
            low, high = max(start, first), min(stop, first + rows)
            place = tuple(
                slice(at, min(at + m, n))
                for at, m, n in zip(rest, self._chunks[1:], self.shape[1:], strict=True)
            )
            inside = tuple(slice(each.stop - each.start) for each in place)
            values[(slice(low - start, high - start), *place)] = chunk[
                (slice(low - first, high - first), *inside)
            ]
        return values

    def _inflated_chunk(self, at: tuple[int, ...]) -> np.ndarray:
        """Read and inflate a chunk of numbers: an array of the shape of a chunk."""
        data = self._inflated(at)
        assert self._chunks is not None
        return np.frombuffer(data, self.dtype).reshape(self._chunks)

    def _inflated(self, at: tuple[int, ...]) -> bytes:
        assert self._chunks is not None
        size = math.prod(self._chunks) * self._item_size
        with phil:
            mask, data = self._dataset.id.read_direct_chunk(at)
        for number, each in reversed(list(enumerate(self._filters))):
            # HDF5 leaves out a filter that would make the chunk longer
            if mask >> number & 1:
                continue
            if each == h5py.h5z.FILTER_DEFLATE:
                inflate = zlib.decompressobj()
                data = inflate.decompress(data, size + 1)
                if not inflate.eof:
                    self._fail(f"has a chunk at {at} that is cut off or too long: damaged")
            elif len(data) == size:
                data = np.frombuffer(data, np.uint8).reshape(self._item_size, -1).T.tobytes()
        if len(data) != size:
            self._fail(f"has {len(data):,} bytes in the chunk at {at}, expected {size:,}: damaged")
        return data

    def text(self) -> np.ndarray:
        """Read a data set of UTF-8 text: an object array of str.

        Raises
        ------
        TfbindError
            If the file is damaged.
        """
        with damage_named(self._name):
            if self._chunks is not None and self.shape is not None:
                # HDF5 inflates these itself, as only it finds the texts
                spans = (range(0, n, m) for n, m in zip(self.shape, self._chunks, strict=True))
                for at in itertools.product(*spans):
                    self._inflated(at)
            return self._dataset.asstr()[:]
