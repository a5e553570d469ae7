"""Genotypes in the HDF5 tensors file, ``kind = "genotypes"``, that `docs/format.md` specifies.

Regions differ in their numbers of sites and of samples. So what varies is in flat data sets, one region after the
other, and a set of n+1 offsets says where each region's part begins. Beside `tfbind.tensors`, this is the only module
that writes or reads a tensors file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import h5py
import numpy as np

from tfbind import __version__
from tfbind.errors import TfbindError
from tfbind.genotypes.contig import MISSING
from tfbind.genotypes.simulation import Region
from tfbind.hdf5.writing import Hdf5Output, write_hdf5
from tfbind.tensors import CHUNK_BYTES, FORMAT, FORMAT_VERSION, SPECIFICATION, check_format, open_hdf5

KIND = "genotypes"
_TEXT = h5py.string_dtype("utf-8")
_ROWS = {
    "id": _TEXT,
    "length": np.int64,
    "haplotypes_n": np.int32,
    "ploidy": np.uint8,
    "phased": np.uint8,
    "mutation_rate": np.float64,
    "diversity": np.float64,
    "parameters": _TEXT,
}
_FLAT = {  # name -> (dtype on disk, the set of its offsets)
    "position": (np.int32, "site_offset"),
    "haplotypes": (np.uint8, "haplotypes_offset"),
    "missing": (np.uint8, "missing_offset"),
    "rate_start": (np.int64, "rate_offset"),
    "rate": (np.float64, "rate_offset"),
}
_OFFSETS = tuple(dict.fromkeys(offset for _, offset in _FLAT.values()))


def packed(region: Region) -> dict[str, Any]:
    """Turn a region into the row and the flat parts that the file holds, by name."""
    is_missing = region.haplotypes == MISSING
    return {
        "id": region.id,
        "length": region.length,
        "haplotypes_n": region.haplotypes.shape[1],
        "ploidy": region.ploidy,
        "phased": int(region.phased),
        "mutation_rate": region.mutation_rate,
        "diversity": region.diversity,
        "parameters": json.dumps(region.parameters),
        "position": region.position,
        "haplotypes": np.packbits(region.haplotypes == 1, axis=1).ravel(),
        "missing": np.packbits(is_missing, axis=1).ravel() if is_missing.any() else np.empty(0, np.uint8),
        "rate_start": region.rate_start,
        "rate": region.rate,
    }


def unpacked(parts: dict[str, Any]) -> Region:
    """Turn what `packed` gave back into the region."""
    n, sites = int(parts["haplotypes_n"]), len(parts["position"])
    haplotypes = _bits(parts["haplotypes"], sites, n).astype(np.int8)
    if len(parts["missing"]):
        haplotypes[_bits(parts["missing"], sites, n) == 1] = MISSING
    return Region(
        id=parts["id"],
        length=int(parts["length"]),
        position=parts["position"],
        haplotypes=haplotypes,
        ploidy=int(parts["ploidy"]),
        phased=bool(parts["phased"]),
        mutation_rate=float(parts["mutation_rate"]),
        diversity=float(parts["diversity"]),
        rate_start=parts["rate_start"],
        rate=parts["rate"],
        parameters=json.loads(parts["parameters"]),
    )


def _bits(flat: np.ndarray, sites: int, n: int) -> np.ndarray:
    return np.unpackbits(flat.reshape(sites, -(-n // 8)), axis=1, count=n)


class RegionsWriter:
    """Append regions to a file that `write_regions` has opened."""

    def __init__(self, output: Hdf5Output):
        self._output = output
        # a set that is closed after every region compresses its last chunk every time
        self._sets: dict[str, h5py.Dataset] = {}
        for name, dtype in _ROWS.items():
            self._create(name, dtype)
        for name, (dtype, _) in _FLAT.items():
            self._create(name, dtype)
        for name in _OFFSETS:
            self._create(name, np.int64)
            self._append(name, [0])

    def _create(self, name: str, dtype: Any) -> None:
        rows = CHUNK_BYTES // (16 if dtype is _TEXT else np.dtype(dtype).itemsize)
        self._sets[name] = self._output.file.create_dataset(
            name,
            shape=(0,),
            maxshape=(None,),
            chunks=(rows,) if name in _FLAT else (1024,),
            dtype=dtype,
            compression="gzip",
            compression_opts=1,
        )

    def _append(self, name: str, values: Any) -> int:
        dataset = self._sets[name]
        start = dataset.shape[0]
        dataset.resize(start + len(values), axis=0)
        if len(values):
            dataset[start:] = values
        return start + len(values)

    def append(self, parts: dict[str, Any]) -> None:
        """Add a region, as `packed` gives it."""
        with self._output.step():
            for name in _ROWS:
                self._append(name, [parts[name]])
            ends = {offset: self._append(name, parts[name]) for name, (_, offset) in _FLAT.items()}
            for name, end in ends.items():
                self._append(name, [end])


@contextmanager
def write_regions(
    path: str | Path, *, source: list[dict[str, str | int]], setting: dict[str, Any]
) -> Iterator[RegionsWriter]:
    """Write a tensors file of genotypes; under ``path`` stands the whole file or what stood there before.

    Parameters
    ----------
    path : path
    source : from `tfbind.tensors.describe_sources`
    setting : dict
        What the regions were simulated from, JSON-ready.
    """
    with write_hdf5(path) as output:
        with output.step():
            output.file.attrs.update(
                {
                    "format": FORMAT,
                    "format_version": FORMAT_VERSION,
                    "kind": KIND,
                    "created_by": f"tfbind {__version__}",
                    "source": json.dumps(source),
                    "setting": json.dumps(setting),
                }
            )
            writer = RegionsWriter(output)
        yield writer


class Regions:
    """A tensors file of genotypes open for reading; regions are read on demand.

    Attributes
    ----------
    path : Path
    attributes : dict
        The root attributes.
    rows : dict of str to (n,) array
        What is one value a region: id, length, haplotypes_n, ploidy, phased, mutation_rate, diversity, parameters.
    """

    def __init__(self, path: Path, file: h5py.File):
        self.path = path
        self._file = file
        self.attributes = dict(file.attrs)
        self._check()
        self.rows = {
            name: file[name].asstr()[:] if dtype is _TEXT else file[name][:] for name, dtype in _ROWS.items()
        }
        self._offsets = {name: file[name][:] for name in _OFFSETS}
        # open all the while, so that what regions share of a chunk is read once
        self._flat = {name: file[name] for name in _FLAT}
        for name, (_, offset) in _FLAT.items():
            at = self._offsets[offset]
            if len(at) and (at[0] != 0 or at[-1] != len(file[name]) or (np.diff(at) < 0).any()):
                self._fail(f"{offset} that does not end with {name}", "ascending offsets from 0 to its end")
        self._check_rows()

    def __len__(self) -> int:
        return len(self.rows["id"])

    def region(self, index: int) -> Region:
        """Read one region."""
        parts = {name: values[index] for name, values in self.rows.items()}
        for name, (_, offset) in _FLAT.items():
            start, end = self._offsets[offset][index : index + 2]
            parts[name] = self._flat[name][start:end]
        return unpacked(parts)

    def _fail(self, found: str, expected: str) -> NoReturn:
        raise TfbindError(f"{self.path}: found {found}, expected {expected}")

    def _check(self) -> None:
        check_format(self.path, self.attributes, KIND)
        for name in ("created_by", "source", "setting"):
            if name not in self.attributes:
                self._fail(f"no attribute {name!r}", f"the attributes that {SPECIFICATION} lists")
        dtypes = (
            _ROWS | {name: dtype for name, (dtype, _) in _FLAT.items()} | dict.fromkeys(_OFFSETS, np.int64)
        )
        for name, dtype in dtypes.items():
            found = self._file.get(name)
            if not isinstance(found, h5py.Dataset) or found.ndim != 1:
                self._fail(
                    f"no one-dimensional data set {name!r}", f"the data sets that {SPECIFICATION} lists"
                )
            is_text = h5py.check_string_dtype(found.dtype) is not None
            if is_text != (dtype is _TEXT) or not (is_text or found.dtype == dtype):
                wanted_type = "UTF-8 text" if dtype is _TEXT else str(np.dtype(dtype))
                self._fail(f"{name} of type {found.dtype}", wanted_type)
        n = len(self._file["id"])
        for name, size in dict.fromkeys(_ROWS, n).items() | dict.fromkeys(_OFFSETS, n + 1).items():
            if len(self._file[name]) != size:
                self._fail(f"{name} with {len(self._file[name])} values", f"{size}")

    def _check_rows(self) -> None:
        sites = np.diff(self._offsets["site_offset"])
        n_bytes = sites * -(-self.rows["haplotypes_n"].astype(np.int64) // 8)
        missing = np.diff(self._offsets["missing_offset"])
        if (np.diff(self._offsets["haplotypes_offset"]) != n_bytes).any():
            self._fail("haplotypes of another size than sites and samples say", "ceil(n / 8) bytes a site")
        if ((missing != n_bytes) & (missing != 0)).any():
            self._fail("missing calls of another size than sites and samples say", "ceil(n / 8) bytes a site")


@contextmanager
def open_regions(path: str | Path) -> Iterator[Regions]:
    """Open a tensors file of genotypes for reading.

    Raises
    ------
    TfbindError
        If it is missing, no HDF5 file, of another kind or a version that is not read, or lacks what `docs/format.md`
        demands.
    """
    path = Path(path)
    with open_hdf5(path) as file:
        yield Regions(path, file)
