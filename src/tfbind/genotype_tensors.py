"""Genotypes in the HDF5 tensors file, ``kind = "genotypes"``, that `docs/format.md` specifies.

Regions differ in their numbers of sites and of samples. So what varies is in flat data sets, one region after the
other, and a set of n+1 offsets says where each region's part begins. Beside `tfbind.tensors`, this is the only module
that writes or reads a tensors file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tfbind.genotypes.contig import MISSING
from tfbind.genotypes.simulation import MOST_LENGTH, Region
from tfbind.hdf5.writing import Hdf5Output, write_hdf5
from tfbind.tensor_files import CHUNK_BYTES, TEXT, TensorsFile, common_attributes, open_tensors_file

KIND = "genotypes"
_ROWS = {
    "id": TEXT,
    "length": np.int64,
    "haplotypes_n": np.int32,
    "ploidy": np.uint8,
    "phased": np.uint8,
    "mutation_rate": np.float64,
    "diversity": np.float64,
    "parameters": TEXT,
}
_FLAT = {  # name -> (dtype on disk, the set of its offsets)
    "position": (np.int32, "site_offset"),
    "haplotypes": (np.uint8, "haplotypes_offset"),
    "missing": (np.uint8, "missing_offset"),
    "rate_start": (np.int64, "rate_offset"),
    "rate": (np.float64, "rate_offset"),
}
# per bp per generation: half of all offspring recombine between unlinked places
MOST_RATE = 0.5
_RANGES: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str]] = {
    "length": (lambda v: (v >= 1) & (v <= MOST_LENGTH), f"1 to {MOST_LENGTH} bp"),
    "haplotypes_n": (lambda v: v >= 2, "2 or more"),
    "ploidy": (lambda v: (v == 1) | (v == 2), "1 or 2"),
    "phased": (lambda v: v <= 1, "0 or 1"),
    "mutation_rate": (lambda v: (v > 0) & (v <= 1), "a number above 0, up to 1"),
    "diversity": (lambda v: (v > 0) & (v < 1), "a number from 0 to 1"),
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
        rows = CHUNK_BYTES // (16 if dtype is TEXT else np.dtype(dtype).itemsize)
        self._sets[name] = self._output.create_growing(name, dtype, (), rows if name in _FLAT else 1024)

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
            output.file.attrs.update(common_attributes(KIND, source) | {"setting": json.dumps(setting)})
            writer = RegionsWriter(output)
        yield writer


class Regions:
    """A tensors file of genotypes open for reading; regions are read on demand.

    Attributes
    ----------
    path : Path
    attributes : dict
        The root attributes that `docs/format.md` lists.
    setting : dict
        What the regions were simulated from.
    rows : dict of str to (n,) array
        What is one value a region: id, length, haplotypes_n, ploidy, phased, mutation_rate, diversity, parameters.
    """

    def __init__(self, file: TensorsFile):
        self.path, self.attributes = file.path, file.attributes
        self._file = file
        self.setting: dict[str, Any] = file.json("setting", dict)
        n = len(file.find("id", TEXT, (None,)))
        rows = {name: file.find(name, dtype, (n,)) for name, dtype in _ROWS.items()}
        self.rows = {name: each.text() if each.is_text else each.read() for name, each in rows.items()}
        self._offsets = {name: file.find(name, np.int64, (n + 1,)).read() for name in _OFFSETS}
        self._flat = {name: file.find(name, dtype, (None,)) for name, (dtype, _) in _FLAT.items()}
        for name, (_, offset) in _FLAT.items():
            at = self._offsets[offset]
            if at[0] != 0 or at[-1] != len(self._flat[name]) or (at[1:] < at[:-1]).any():
                file.fail(f"{offset} that does not end with {name}", "ascending offsets from 0 to its end")
        self._check_rows()
        self._check_sizes()

    def __len__(self) -> int:
        return len(self.rows["id"])

    def region(self, index: int) -> Region:
        """Read one region.

        Raises
        ------
        TfbindError
            If its sites or rates are not what `docs/format.md` says.
        """
        parts = {name: values[index] for name, values in self.rows.items()}
        for name, (_, offset) in _FLAT.items():
            start, end = self._offsets[offset][index : index + 2].tolist()
            parts[name] = self._flat[name].read(start, end)
        self._check_parts(parts)
        region = unpacked(parts)
        ones, called = region.genotypes().allele_counts()
        if ((ones == 0) | (ones == called)).any():
            self._file.fail(f"a site of region {region.id} without variation among its calls", "both alleles")
        return region

    def _check_rows(self) -> None:
        for name, (is_right, expected) in _RANGES.items():
            wrong = ~is_right(self.rows[name])
            if wrong.any():
                at = wrong.argmax()
                self._file.fail(f"{name} {self.rows[name][at]} of region {self.rows['id'][at]}", expected)
        odd = (self.rows["ploidy"] == 2) & (self.rows["haplotypes_n"] % 2 == 1)
        if odd.any():
            at = odd.argmax()
            self._file.fail(
                f"{self.rows['haplotypes_n'][at]} haplotypes of diploids in region {self.rows['id'][at]}",
                "an even number",
            )
        for name, text in zip(self.rows["id"], self.rows["parameters"], strict=True):
            parameters = self._file.parsed(text, f"parameters of region {name}", dict)
            spacing = parameters.get("chip_spacing", 0)
            if (
                isinstance(spacing, bool)
                or not isinstance(spacing, int | float)
                or not math.isfinite(spacing)
            ):
                self._file.fail(f"chip_spacing {spacing!r} of region {name}", "a number")

    def _check_sizes(self) -> None:
        sites = np.diff(self._offsets["site_offset"])
        # of haplotypes without sites there can be any number, but not of bytes: no product exceeds 64 bits
        n_bytes = sites * -(-self.rows["haplotypes_n"].astype(np.int64) // 8)
        missing = np.diff(self._offsets["missing_offset"])
        if (np.diff(self._offsets["haplotypes_offset"]) != n_bytes).any():
            self._file.fail(
                "haplotypes of another size than sites and samples say", "ceil(n / 8) bytes a site"
            )
        if ((missing != n_bytes) & (missing != 0)).any():
            self._file.fail(
                "missing calls of another size than sites and samples say", "ceil(n / 8) bytes a site"
            )

    def _check_parts(self, parts: dict[str, Any]) -> None:
        """Refuse sites and rates that are not in order, or calls that contradict each other."""
        where, length, n = f"region {parts['id']}", parts["length"], int(parts["haplotypes_n"])
        position, start, rate = parts["position"], parts["rate_start"], parts["rate"]
        if len(position) and not (position[0] >= 0 and position[-1] < length and _rises(position)):
            self._file.fail(f"positions of {where}", f"ascending ones from 0 to {length - 1}, each once")
        if not (len(start) and start[0] == 0 and start[-1] < length and _rises(start)):
            self._file.fail(f"rate_start of {where}", f"ascending places from 0 on, below {length}")
        if not ((rate >= 0) & (rate <= MOST_RATE)).all():
            self._file.fail(f"rates of {where}", f"0 to {MOST_RATE} per bp per generation")
        padding = 0xFF >> (n % 8 or 8)
        for name in ("haplotypes", "missing"):
            if len(position) and (parts[name].reshape(-1, -(-n // 8))[:, -1] & padding).any():
                self._file.fail(f"{name} of {where} with more than {n} bits in a site", "zeros after them")
        if len(parts["missing"]) and (parts["missing"] & parts["haplotypes"]).any():
            self._file.fail(f"calls of {where} that are missing and 1", "0 in haplotypes for a missing call")


def _rises(values: np.ndarray) -> bool:
    """Whether each value is greater than the one before it; no difference can overflow."""
    return bool((values[1:] > values[:-1]).all())


@contextmanager
def open_regions(path: str | Path) -> Iterator[Regions]:
    """Open a tensors file of genotypes for reading.

    Raises
    ------
    TfbindError
        If it is missing, no HDF5 file, damaged, of another kind or a version that is not read, or lacks what
        `docs/format.md` demands.
    """
    with open_tensors_file(Path(path), KIND, ("setting",)) as file:
        yield Regions(file)
