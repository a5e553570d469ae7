"""The HDF5 tensors file that `docs/format.md` specifies: the only module that writes or reads it for DNA."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import h5py
import numpy as np

from tfbind.dna.alphabet import ALPHABET, AMBIGUOUS, MAX_K
from tfbind.dna.coordinates import Interval, parse_coordinates
from tfbind.dna.encoding import DnaEncoding
from tfbind.dna.splits import LEFT_OUT, TEST
from tfbind.errors import TfbindError
from tfbind.files import sha256
from tfbind.hdf5.writing import Hdf5Output, write_hdf5
from tfbind.tensor_files import CHUNK_BYTES, TEXT, TensorsFile, common_attributes, open_tensors_file
from tfbind.tensor_stretches import Stretches, read_stretches, write_stretches

KIND = "dna"
_OPTIONAL = ("k", "stride", "negative_method", "folds")
# bases in a record; it keeps sizes that follow from it within 64 bits
LONGEST = 2**31 - 1
_ROW_SETS = {  # name -> (dtype on disk, number of dimensions)
    "valid_length": (np.int32, 1),
    "y": (np.float32, 2),
    "split": (np.uint8, 1),
    "id": (TEXT, 1),
    "group": (TEXT, 1),
    "parent": (TEXT, 1),
}
_INTERVAL_SETS = {"contig": TEXT, "start": np.int64, "end": np.int64}
_UNKNOWN = ("", -1, -1)


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
        self._sets[name] = self._output.create_growing(name, dtype, shape, rows)

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
        flanks: np.ndarray | None = None,
    ) -> None:
        """Add n records: ``codes`` is (n, length) uint8, the others are as in the specification.

        ``intervals`` are n tuples of contig, start and end, or None for a record from an unknown place; give them in
        every batch or in none; so are ``flanks``, (n, 2, width) uint8 codes of the bases before and after each record,
        on its strand. ``fold`` is (n,) uint8, where the file has folds and only there: from 1, or 0 for none.
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
        # bases beside records too short for any are not known
        flanks = flanks if flanks is None or flanks.shape[2] else None
        columns |= {} if flanks is None else {"flanks": flanks}
        for name, values in columns.items():
            if len(values) != len(codes):
                raise ValueError(f"{name} has {len(values)} rows, codes have {len(codes)}")
        start = self._sets["x"].shape[0]
        with self._output.step():
            if start == 0 and intervals is not None and "contig" not in self._sets:
                for name, dtype in _INTERVAL_SETS.items():
                    self._create(name, dtype, (), 4096)
            if start == 0 and flanks is not None and "flanks" not in self._sets:
                self._create("flanks", np.uint8, flanks.shape[1:], 4096)
            if ("flanks" in self._sets) != (flanks is not None):
                raise ValueError("flanks belong to every record of a file or to none")
            if ("contig" in self._sets) != (intervals is not None):
                raise ValueError("intervals belong to every record of a file or to none")
            for name, values in columns.items():
                self._sets[name].resize(start + len(values), axis=0)
                self._sets[name][start:] = values

    def add_stretches(self, stretches: Stretches) -> None:
        """Add the stretches of the genome that the file is to hold."""
        with self._output.step():
            write_stretches(self._output.file, stretches)


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
                    **common_attributes(KIND, source),
                    "alphabet": ALPHABET,
                    **{name: value for name, value in asdict(encoding).items() if value is not None},
                    **(extra or {}),
                    **({} if folds is None else {"folds": folds}),
                }
            )
            output.file.create_dataset("tasks", data=list(tasks), dtype=TEXT)
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
        The root attributes that `docs/format.md` lists.
    y : (n, tasks) float32, 1 bound, 0 unbound, NaN unknown
    split : (n,) uint8, 0 train, 1 validation, 2 test; with a fold, 255 for what is in none
    valid_length : (n,) int32
    fold, folds : int or None
        The fold whose parts are given, and how many there are; None without a fold.
    """

    def __init__(self, file: TensorsFile, fold: int | None = None):
        self.path = file.path
        self._file = file
        self.attributes = file.attributes
        self.encoding = self._read_encoding()
        self.tasks = self._read_tasks()
        self._x = file.find("x", self.encoding.dtype, (None, *self.encoding.shape))
        n = len(self._x)
        self._sets = {
            name: file.find(name, dtype, (n,) if dimensions == 1 else (n, len(self.tasks)))
            for name, (dtype, dimensions) in _ROW_SETS.items()
        }
        self.y, self.split, self.valid_length = (
            self._sets[name].read() for name in ("y", "split", "valid_length")
        )
        self._check_values()
        self.fold = fold
        self.folds: int | None = None
        if fold is not None:
            self._hold_out(fold)

    def _hold_out(self, fold: int) -> None:
        """Make a fold the test part; the other folds keep their training and validation parts."""
        file = self._file
        if "folds" not in self.attributes or "fold" not in file:
            file.fail("no folds", "a file of tfbind encode --folds")
        self.folds = file.whole_number("folds", np.iinfo(np.uint8).max)
        if not 1 <= fold <= self.folds:
            raise TfbindError(f"{self.path}: asked for fold {fold}, expected one from 1 to {self.folds}")
        of_row = file.find("fold", np.uint8, self.split.shape).read()
        if (of_row > self.folds).any():
            file.fail(f"fold with the value {of_row.max()}", f"0 to {self.folds}")
        self.split[of_row == 0] = LEFT_OUT
        self.split[of_row == fold] = TEST

    def __len__(self) -> int:
        return len(self.split)

    def text(self, name: str) -> np.ndarray:
        """Read ``id``, ``group`` or ``parent``: (n,) object array of str."""
        return self._sets[name].text()

    def intervals(self) -> list[Interval | None]:
        """Read contig, start and end of each of the n records, None where that is unknown."""
        file = self._file
        if not all(name in file for name in _INTERVAL_SETS):
            return [parse_coordinates(name) for name in self.text("id")]
        contig, start, end = (
            file.find(name, dtype, self.split.shape) for name, dtype in _INTERVAL_SETS.items()
        )
        intervals: list[Interval | None] = []
        for name, first, last in zip(contig.text(), start.read().tolist(), end.read().tolist(), strict=True):
            if name and not 0 <= first < last:
                file.fail(
                    f"start {first} and end {last} in record {len(intervals) + 1}",
                    "a start from 0 and a later end",
                )
            intervals.append((name, first, last) if name else None)
        return intervals

    def stretches(self) -> Stretches | None:
        """Read the stretches of the genome that are held out for validation; None if there are none."""
        return read_stretches(self._file)

    def flanks(self, rows: np.ndarray) -> np.ndarray:
        """Read the bases beside records: (m, 2, width) uint8 codes, before and after; of width 0 if unknown."""
        if "flanks" not in self._file:
            return np.empty((len(rows), 2, 0), np.uint8)
        flanks = self._file.find("flanks", np.uint8, (len(self), 2, None)).read()
        if len(flanks) and flanks.shape[2] and flanks.max() > AMBIGUOUS:
            self._file.fail(f"flanks with the value {flanks.max()}", f"0 to {AMBIGUOUS}")
        return flanks[rows]

    def codes(self, rows: np.ndarray) -> np.ndarray:
        """Read sequences as codes, chunk by chunk, so that memory holds one byte a base.

        Parameters
        ----------
        rows : (m,) int, ascending

        Returns
        -------
        (m, length) uint8

        Raises
        ------
        TfbindError
            If a record of these is not an encoded sequence: compiled code uses what is read as places in memory.
        """
        codes = np.full((len(rows), self.encoding.length), AMBIGUOUS, np.uint8)
        step = self._x.chunk_rows
        for start in range(0, len(self), step):
            low, high = np.searchsorted(rows, [start, start + step])
            if low < high:
                x = self._x.read(start, start + step)[rows[low:high] - start]
                codes[low:high] = self.encoding.decode(x)
                self._check_codes(x, codes[low:high], rows[low:high])
        return codes

    def _check_codes(self, x: np.ndarray, codes: np.ndarray, rows: np.ndarray) -> None:
        """Refuse what is not an encoded sequence, and bases in the padding."""
        wrong = self.encoding.wrong(x, codes)
        if wrong.any():
            expected = "a single 1, or none, for each base"
            if self.encoding.k is not None:
                expected = f"k-mers up to {4**self.encoding.k} that agree where they overlap"
            self._file.fail(f"other values in x in record {rows[wrong][0] + 1}", expected)
        padded = np.flatnonzero(self.valid_length[rows] < self.encoding.length)
        if len(padded):
            beyond = np.arange(self.encoding.length) >= self.valid_length[rows[padded], None]
            wrong = (beyond & (codes[padded] != AMBIGUOUS)).any(axis=1)
            if wrong.any():
                row = rows[padded[wrong][0]]
                self._file.fail(
                    f"bases after the {self.valid_length[row]} valid ones in record {row + 1}",
                    "padding there",
                )

    def _read_encoding(self) -> DnaEncoding:
        file, found = self._file, self.attributes
        if found["alphabet"] != ALPHABET:
            file.fail(f"alphabet {found['alphabet']!r}", f"{ALPHABET!r}")
        length = file.whole_number("length", LONGEST)
        if found["encoding"] == "onehot":
            return DnaEncoding(encoding="onehot", length=length)
        if found["encoding"] != "kmer":
            file.fail(f"encoding {found['encoding']!r}", "'onehot' or 'kmer'")
        k = file.whole_number("k", min(MAX_K, length))
        return DnaEncoding(encoding="kmer", length=length, k=k, stride=file.whole_number("stride", k))

    def _read_tasks(self) -> tuple[str, ...]:
        tasks = tuple(self._file.find("tasks", TEXT, (None,)).text())
        if (
            not tasks
            or len(set(tasks)) < len(tasks)
            or not all(name.isprintable() and name for name in tasks)
        ):
            self._file.fail(
                f"tasks {', '.join(map(repr, tasks[:5])) or 'of number 0'}", "printable names, each once"
            )
        return tasks

    def _check_values(self) -> None:
        file = self._file
        wrong = ~((self.y == 0) | (self.y == 1) | np.isnan(self.y))
        if wrong.any():
            file.fail(f"y with the value {self.y[wrong][0]}", "0, 1 or NaN")
        if len(self) and self.split.max() > TEST:
            file.fail(f"split with the value {self.split.max()}", "0, 1 or 2")
        if len(self) and not 0 <= self.valid_length.min() <= self.valid_length.max() <= self.encoding.length:
            file.fail("valid_length outside the record", f"0 to {self.encoding.length}")


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
    with open_tensors_file(Path(path), KIND, ("encoding", "alphabet", "length"), _OPTIONAL) as file:
        yield Tensors(file, fold)
