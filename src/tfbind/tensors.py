"""The HDF5 tensors file that `docs/format.md` specifies: the only module that writes or reads it for DNA."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

import h5py
import numpy as np

from tfbind import __version__
from tfbind.dna.alphabet import (
    ALPHABET,
    AMBIGUOUS,
    MAX_K,
    codes_from_kmers,
    codes_from_one_hot,
    kmer_tokens,
    n_tokens,
    one_hot,
)
from tfbind.dna.coordinates import Interval, parse_coordinates
from tfbind.dna.splits import LEFT_OUT, TEST
from tfbind.errors import TfbindError
from tfbind.files import sha256
from tfbind.hdf5.writing import Hdf5Output, write_hdf5
from tfbind.versions import check_version

FORMAT = "tfbind-tensors"
FORMAT_VERSION = "1.0"
SPECIFICATION = "docs/format.md"
# from the kinds of tensors file to the verbs that make them
MADE_BY = {"dna": "tfbind encode", "genotypes": "tfbind recombination simulate"}
CHUNK_BYTES = 1 << 19
_TEXT = h5py.string_dtype("utf-8")
_ROW_SETS = {  # name -> (dtype on disk, number of dimensions)
    "valid_length": (np.int32, 1),
    "y": (np.float32, 2),
    "split": (np.uint8, 1),
    "id": (_TEXT, 1),
    "group": (_TEXT, 1),
    "parent": (_TEXT, 1),
}
_INTERVAL_SETS = {"contig": _TEXT, "start": np.int64, "end": np.int64}
_UNKNOWN = ("", -1, -1)


@dataclass(frozen=True, kw_only=True)
class DnaEncoding:
    """How sequences stand in a tensors file, and so what a network reads.

    encoding : "onehot" or "kmer"
    length : bases a record, padding included
    k, stride : of the k-mers; None for one-hot
    """

    encoding: str
    length: int
    k: int | None = None
    stride: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one record's ``x``: (length, 4) or (tokens,)."""
        if self.k is not None and self.stride is not None:
            return (n_tokens(self.length, self.k, self.stride),)
        return (self.length, 4)

    @property
    def dtype(self) -> type:
        """Data type of ``x``: uint8 for one-hot, uint16 for k-mers."""
        return np.uint8 if self.k is None else np.uint16

    def encode(self, codes: np.ndarray) -> np.ndarray:
        """Turn (n, length) codes into (n, *shape) ``x``."""
        if self.k is not None and self.stride is not None:
            return kmer_tokens(codes, self.k, self.stride)
        return one_hot(codes)

    def decode(self, x: np.ndarray) -> np.ndarray:
        """Turn (n, *shape) ``x`` back into (n, length) codes; what k-mers do not tell comes out ambiguous."""
        if self.k is not None and self.stride is not None:
            return codes_from_kmers(x, self.k, self.stride, self.length)
        return codes_from_one_hot(x)


def describe_sources(paths: Sequence[str | Path]) -> list[dict[str, str | int]]:
    """Name, size in bytes and SHA-256 of each input file, for the ``source`` attribute."""
    return [
        {"name": Path(path).name, "size": Path(path).stat().st_size, "sha256": sha256(path)} for path in paths
    ]


class TensorsWriter:
    """Append batches to a tensors file that `write_tensors` has opened."""

    def __init__(self, output: Hdf5Output, encoding: DnaEncoding, n_tasks: int, has_folds: bool):
        self._output = output
        # a set that is closed after every batch compresses its last chunk every time
        self._sets: dict[str, h5py.Dataset] = {}
        self._encoding = encoding
        self._has_folds = has_folds
        record_bytes = int(np.prod(encoding.shape)) * np.dtype(encoding.dtype).itemsize
        rows = max(1, min(4096, CHUNK_BYTES // record_bytes))
        self._create("x", encoding.dtype, encoding.shape, rows)
        for name, (dtype, dimensions) in _ROW_SETS.items():
            self._create(name, dtype, (n_tasks,) if dimensions == 2 else (), 4096)
        if has_folds:
            self._create("fold", np.uint8, (), 4096)

    def _create(self, name: str, dtype: object, shape: tuple[int, ...], rows: int) -> None:
        # gzip is the one filter that every HDF5 build has; its first level is the fastest
        self._sets[name] = self._output.file.create_dataset(
            name,
            shape=(0, *shape),
            maxshape=(None, *shape),
            chunks=(rows, *shape),
            dtype=dtype,
            compression="gzip",
            compression_opts=1,
        )

    def append(
        self,
        *,
        codes: np.ndarray,
        valid_length: np.ndarray,
        y: np.ndarray,
        split: np.ndarray,
        id: Sequence[str],
        group: Sequence[str],
        parent: Sequence[str],
        fold: np.ndarray | None = None,
        intervals: Sequence[Interval | None] | None = None,
    ) -> None:
        """Add n records: ``codes`` is (n, length) uint8, the others are as in the specification.

        ``intervals`` are n tuples of contig, start and end, or None for a record from an unknown place; give them in
        every batch or in none. ``fold`` is (n,) uint8, where the file has folds and only there: from 1, or 0 for none.
        """
        if (fold is not None) != self._has_folds:
            raise ValueError("a fold belongs to every record of a file with folds, and to no other")
        columns = {"x": self._encoding.encode(codes), "valid_length": valid_length, "y": y, "split": split}
        texts = {"id": id, "group": group, "parent": parent}
        columns |= {name: np.asarray(text, dtype=object) for name, text in texts.items()}
        if intervals is not None:
            places = np.array([interval or _UNKNOWN for interval in intervals], dtype=object).reshape(-1, 3)
            columns |= {"contig": places[:, 0], "start": places[:, 1].astype(np.int64)}
            columns["end"] = places[:, 2].astype(np.int64)
        columns |= {} if fold is None else {"fold": fold}
        for name, values in columns.items():
            if len(values) != len(codes):
                raise ValueError(f"{name} has {len(values)} rows, codes have {len(codes)}")
        start = self._sets["x"].shape[0]
        with self._output.step():
            if start == 0 and intervals is not None and "contig" not in self._sets:
                for name, dtype in _INTERVAL_SETS.items():
                    self._create(name, dtype, (), 4096)
            if ("contig" in self._sets) != (intervals is not None):
                raise ValueError("intervals belong to every record of a file or to none")
            for name, values in columns.items():
                self._sets[name].resize(start + len(values), axis=0)
                self._sets[name][start:] = values


@contextmanager
def write_tensors(
    path: str | Path,
    encoding: DnaEncoding,
    *,
    tasks: Sequence[str],
    source: list[dict[str, str | int]],
    extra: dict[str, str] | None = None,
    folds: int | None = None,
) -> Iterator[TensorsWriter]:
    """Write a tensors file; under ``path`` stands the whole file or what stood there before.

    Parameters
    ----------
    path : path
    encoding : DnaEncoding
    tasks : names of the factors, in the order of ``y``'s columns
    source : from `describe_sources`
    extra : more root attributes
    folds : how many folds the records are dealt into, if any: the attribute ``folds`` and the set ``fold``,
        which readers that do not ask for a fold ignore
    """
    with write_hdf5(path) as output:
        with output.step():
            output.file.attrs.update(
                {
                    "format": FORMAT,
                    "format_version": FORMAT_VERSION,
                    "kind": "dna",
                    "created_by": f"tfbind {__version__}",
                    "source": json.dumps(source),
                    "alphabet": ALPHABET,
                    **{name: value for name, value in asdict(encoding).items() if value is not None},
                    **(extra or {}),
                    **({} if folds is None else {"folds": folds}),
                }
            )
            output.file.create_dataset("tasks", data=list(tasks), dtype=_TEXT)
            writer = TensorsWriter(output, encoding, len(tasks), folds is not None)
        yield writer


class Tensors:
    """A tensors file open for reading; what is small is read at once, ``x`` on demand.

    Attributes
    ----------
    path : Path
    encoding : DnaEncoding
    tasks : tuple of str
    attributes : dict
        The root attributes.
    y : (n, tasks) float32, 1 bound, 0 unbound, NaN unknown
    split : (n,) uint8, 0 train, 1 validation, 2 test; with a fold, 255 for what is in none
    valid_length : (n,) int32
    fold, folds : int or None
        The fold whose parts are given, and how many there are; None without a fold.
    """

    def __init__(self, path: Path, file: h5py.File, fold: int | None = None):
        self.path = path
        self._file = file
        self.attributes = dict(file.attrs)
        self.encoding = self._check_attributes()
        self._check_sets()
        self.tasks = tuple(file["tasks"].asstr()[:])
        self.y = file["y"][:]
        self.split = file["split"][:]
        self.valid_length = file["valid_length"][:]
        self._check_values()
        self.fold = fold
        self.folds: int | None = None
        if fold is not None:
            self._hold_out(fold)

    def _hold_out(self, fold: int) -> None:
        """Make a fold the test part; the other folds keep their training and validation parts."""
        if "folds" not in self.attributes or "fold" not in self._file:
            self._fail("no folds", "a file of tfbind encode --folds")
        self.folds = self._whole_number("folds", np.iinfo(np.uint8).max)
        if not 1 <= fold <= self.folds:
            raise TfbindError(f"{self.path}: asked for fold {fold}, expected one from 1 to {self.folds}")
        fold_of = self._file["fold"]
        if fold_of.shape != self.split.shape or fold_of.dtype != np.uint8:
            self._fail(f"fold of shape {fold_of.shape} and type {fold_of.dtype}", f"{self.split.shape} uint8")
        of_row = fold_of[:]
        self.split[of_row == 0] = LEFT_OUT
        self.split[of_row == fold] = TEST

    def __len__(self) -> int:
        return len(self.split)

    def text(self, name: str) -> np.ndarray:
        """Read ``id``, ``group`` or ``parent``: (n,) object array of str."""
        return self._file[name].asstr()[:]

    def intervals(self) -> list[Interval | None]:
        """Read contig, start and end of each of the n records, None where that is unknown."""
        if not all(name in self._file for name in _INTERVAL_SETS):
            return [parse_coordinates(name) for name in self.text("id")]
        for name, dtype in _INTERVAL_SETS.items():
            found = self._file[name]
            is_text = h5py.check_string_dtype(found.dtype) is not None
            if (
                found.shape != self.split.shape
                or is_text != (dtype is _TEXT)
                or not (is_text or found.dtype == dtype)
            ):
                wanted = "UTF-8 text" if dtype is _TEXT else "int64"
                self._fail(
                    f"{name} of shape {found.shape} and type {found.dtype}", f"{self.split.shape} {wanted}"
                )
        contig, start, end = self.text("contig"), self._file["start"][:], self._file["end"][:]
        return [
            (name, first, last) if name else None
            for name, first, last in zip(contig, start.tolist(), end.tolist(), strict=True)
        ]

    def codes(self, rows: np.ndarray) -> np.ndarray:
        """Read sequences as codes, chunk by chunk, so that memory holds one byte a base.

        Parameters
        ----------
        rows : (m,) int, ascending

        Returns
        -------
        (m, length) uint8
        """
        codes = np.full((len(rows), self.encoding.length), AMBIGUOUS, np.uint8)
        x = self._file["x"]
        step = x.chunks[0] if x.chunks else 4096
        for start in range(0, len(self), step):
            low, high = np.searchsorted(rows, [start, start + step])
            if low < high:
                codes[low:high] = self.encoding.decode(x[start : start + step][rows[low:high] - start])
        return codes

    def _fail(self, found: str, expected: str) -> NoReturn:
        raise TfbindError(f"{self.path}: found {found}, expected {expected}")

    def _check_attributes(self) -> DnaEncoding:
        found = self.attributes
        check_format(self.path, found, "dna")
        for name in ("created_by", "source", "encoding", "alphabet", "length"):
            if name not in found:
                self._fail(f"no attribute {name!r}", f"the attributes that {SPECIFICATION} lists")
        if found["alphabet"] != ALPHABET:
            self._fail(f"alphabet {found['alphabet']!r}", f"{ALPHABET!r}")
        length = self._whole_number("length", sys.maxsize)
        if found["encoding"] == "onehot":
            return DnaEncoding(encoding="onehot", length=length)
        if found["encoding"] != "kmer":
            self._fail(f"encoding {found['encoding']!r}", "'onehot' or 'kmer'")
        k = self._whole_number("k", min(MAX_K, length))
        return DnaEncoding(encoding="kmer", length=length, k=k, stride=self._whole_number("stride", k))

    def _whole_number(self, name: str, most: int) -> int:
        found = self.attributes.get(name)
        if not isinstance(found, (int, np.integer)) or not 1 <= found <= most:
            self._fail(f"{name} {found!r}", f"a whole number from 1 to {most}")
        return int(found)

    def _check_sets(self) -> None:
        for name in ("tasks", "x", *_ROW_SETS):
            if not isinstance(self._file.get(name), h5py.Dataset):
                self._fail(f"no data set {name!r}", f"the data sets that {SPECIFICATION} lists")
        tasks, x = self._file["tasks"], self._file["x"]
        if tasks.ndim != 1 or h5py.check_string_dtype(tasks.dtype) is None:
            self._fail(f"tasks of shape {tasks.shape} and type {tasks.dtype}", "(tasks,) UTF-8 text")
        if x.shape[1:] != self.encoding.shape or x.dtype != self.encoding.dtype:
            wanted = f"(n, {', '.join(map(str, self.encoding.shape))}) {np.dtype(self.encoding.dtype)}"
            self._fail(f"x of shape {x.shape} and type {x.dtype}", wanted)
        for name, (dtype, dimensions) in _ROW_SETS.items():
            dataset = self._file[name]
            shape = (len(x),) if dimensions == 1 else (len(x), len(tasks))
            if dataset.shape != shape:
                self._fail(f"{name} of shape {dataset.shape}", f"{shape}")
            is_text = h5py.check_string_dtype(dataset.dtype) is not None
            if is_text != (dtype is _TEXT) or not (is_text or dataset.dtype == dtype):
                self._fail(
                    f"{name} of type {dataset.dtype}",
                    "UTF-8 text" if dtype is _TEXT else f"{np.dtype(dtype)}",
                )

    def _check_values(self) -> None:
        labels = self.y[~np.isnan(self.y)]
        if not np.isin(labels, (0, 1)).all():
            self._fail(f"y with the value {labels[~np.isin(labels, (0, 1))][0]}", "0, 1 or NaN")
        if len(self) and self.split.max() > 2:
            self._fail(f"split with the value {self.split.max()}", "0, 1 or 2")
        if len(self) and not 0 <= self.valid_length.min() <= self.valid_length.max() <= self.encoding.length:
            self._fail("valid_length outside the record", f"0 to {self.encoding.length}")


@contextmanager
def open_tensors(path: str | Path, fold: int | None = None) -> Iterator[Tensors]:
    """Open a tensors file for reading.

    Parameters
    ----------
    path : path
    fold : int, optional
        Give the parts of this fold of a cross-validation, counted from 1: its records are the test part, the
        training and the validation part are those of the file without them.

    Raises
    ------
    TfbindError
        If it is missing, no HDF5 file, of a version that is not read, or lacks what `docs/format.md` demands;
        if it has no such fold.
    """
    path = Path(path)
    with open_hdf5(path) as file:
        yield Tensors(path, file, fold)


def open_hdf5(path: Path) -> h5py.File:
    """Open a tensors file's HDF5 for reading, whatever its kind; raise `TfbindError` where there is none."""
    if not path.is_file():
        raise TfbindError(f"{path}: no such file")
    try:
        return h5py.File(path, "r")
    except OSError:
        raise TfbindError(f"{path}: is not a readable HDF5 file, expected a tensors file") from None


def check_format(path: Path, attributes: Mapping[str, Any], kind: str) -> None:
    """Refuse a file that is not a tensors file, of a version that this tfbind does not read, or of another kind.

    Raises
    ------
    TfbindError
    """
    named = {name: attributes.get(name) for name in ("format", "format_version", "kind", "created_by")}
    # HDF5 allows attributes of any type, arrays among them
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
