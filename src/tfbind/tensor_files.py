"""What the two kinds of tensors file have in common: the attributes, and data sets as `docs/format.md` lists them."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import h5py
import numpy as np

from tfbind import __version__
from tfbind.errors import TfbindError
from tfbind.hdf5.reading import StoredFile, StoredSet, open_hdf5
from tfbind.versions import check_version

FORMAT = "tfbind-tensors"
FORMAT_VERSION = "1.0"
SPECIFICATION = "docs/format.md"
# from the kinds of tensors file to the verbs that make them
MADE_BY = {"dna": "tfbind encode", "genotypes": "tfbind recombination simulate"}
EVERY_KIND = ("format", "format_version", "kind", "created_by", "source")
CHUNK_BYTES = 1 << 19
# digits of a whole number in JSON: those of 64 bits
LONGEST_NUMBER = 20
TEXT = h5py.string_dtype("utf-8")


def common_attributes(kind: str, source: Any) -> dict[str, str]:
    """Give the root attributes EVERY_KIND of a file that is written; ``source`` is JSON-ready."""
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "created_by": f"tfbind {__version__}",
        "source": json.dumps(source),
    }


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError("the number is not finite")
    return number


def _short(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError("the number has too many digits")
    return int(text)


class TensorsFile:
    """A tensors file of one kind, open for reading.

    Attributes
    ----------
    path : Path
    attributes : dict
        Root attributes, those that are there.
    """

    def __init__(
        self, path: Path, stored: StoredFile, kind: str, needed: Collection[str], more: Collection[str]
    ):
        self.path = path
        self._stored = stored
        found = {name: stored.attribute(name) for name in (*EVERY_KIND, *needed, *more)}
        self.attributes = {name: value for name, value in found.items() if value is not None}
        check_format(path, self.attributes, kind)
        for name in (*EVERY_KIND, *needed):
            if name not in self.attributes:
                self.fail(f"no attribute {name!r}", f"the attributes that {SPECIFICATION} lists")
        self.json("source", list)

    def fail(self, found: str, expected: str) -> NoReturn:
        """Refuse the file."""
        raise TfbindError(f"{self.path}: found {found}, expected {expected}")

    def json(self, name: str, kind: type) -> Any:
        """Give an attribute that is JSON: an object (dict) or a list of objects."""
        return self.parsed(self.attributes[name], f"attribute {name}", kind)

    def parsed(self, text: Any, what: str, kind: type) -> Any:
        """Parse JSON: an object (dict) or a list of objects, of finite numbers."""
        try:
            value = json.loads(text, parse_constant=_finite, parse_float=_finite, parse_int=_short)
        except (ValueError, TypeError, RecursionError):
            self.fail(f"{what} that is not JSON of finite numbers", "JSON")
        objects = value if kind is list and isinstance(value, list) else [value]
        if not all(isinstance(each, dict) for each in objects):
            self.fail(
                f"{what} {str(text)[:60]!r}", "a JSON object" if kind is dict else "a JSON list of objects"
            )
        return value

    def whole_number(self, name: str, most: int) -> int:
        """Give an attribute that is a whole number from 1 to ``most``."""
        found = self.attributes.get(name)
        if not isinstance(found, (int, np.integer)) or isinstance(found, bool) or not 1 <= found <= most:
            self.fail(f"{name} {found!r}", f"a whole number from 1 to {most}")
        return int(found)

    def __contains__(self, name: str) -> bool:
        return self._stored.find(name) is not None

    def find(self, name: str, dtype: Any, shape: tuple[int | None, ...]) -> StoredSet:
        """Give a data set.

        Parameters
        ----------
        name : str
        dtype : NumPy type, or TEXT
        shape : tuple
            None for a number that is free.

        Raises
        ------
        TfbindError
            If there is none, or it is of another type or shape.
        """
        found = self._stored.find(name)
        if found is None:
            self.fail(f"no data set {name!r}", f"the data sets that {SPECIFICATION} lists")
        is_right = found.is_text if dtype is TEXT else found.dtype == dtype
        fits = found.shape is not None and len(found.shape) == len(shape)
        if (
            not is_right
            or not fits
            or any(n not in (None, m) for n, m in zip(shape, found.shape, strict=True))
        ):
            sizes = ", ".join("n" if size is None else str(size) for size in shape)
            self.fail(
                f"{name} of shape {found.shape} and type {found.dtype}",
                f"({sizes}{',' if len(shape) == 1 else ''}) {'UTF-8 text' if dtype is TEXT else np.dtype(dtype)}",
            )
        return found


@contextmanager
def open_tensors_file(
    path: Path, kind: str, needed: Collection[str], more: Collection[str] = ()
) -> Iterator[TensorsFile]:
    """Open a tensors file for reading.

    Parameters
    ----------
    path : Path
    kind : str
        Of MADE_BY.
    needed, more : names of attributes
        That must and may be there, beside EVERY_KIND.

    Raises
    ------
    TfbindError
        If it is missing, no HDF5 file, damaged, not a tensors file, of another kind, of a version that is not read, or
        lacks an attribute.
    """
    if not path.is_file():
        raise TfbindError(f"{path}: {'is a folder, expected a file' if path.is_dir() else 'no such file'}")
    with open_hdf5(path, path, "a tensors file") as stored:
        yield TensorsFile(path, stored, kind, needed, more)


def check_format(path: Path, attributes: Mapping[str, Any], kind: str) -> None:
    """Refuse a file that is not a tensors file, of a version that this tfbind does not read, or of another kind.

    Raises
    ------
    TfbindError
    """
    named = {name: attributes.get(name) for name in ("format", "format_version", "kind", "created_by")}
    # HDF5 allows attributes of any type
    found = {
        name: value if value is None or isinstance(value, str) else repr(value)
        for name, value in named.items()
    }
    if found["format"] != FORMAT:
        raise TfbindError(
            f"{path}: found format {found['format']!r}, expected a tensors file (format {FORMAT!r})"
        )
    version, made_by = found["format_version"], found["created_by"]
    again = MADE_BY.get(found["kind"] or kind, MADE_BY[kind])
    check_version(path, "tensors format", version, FORMAT_VERSION, made_by=made_by, again=again)
    if found["kind"] != kind:
        raise TfbindError(
            f"{path}: found kind {found['kind']!r}, expected kind {kind!r}, as {MADE_BY[kind]} writes it"
        )
