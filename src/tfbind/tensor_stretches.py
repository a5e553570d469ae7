"""Stretches of a genome in a tensors file: what was held out for validation, to be scanned whole.

Windows alone do not say how well a model does in a genome, which has thousands of windows for each bound one. So the
file of peaks holds stretches of the validation contigs, with the peaks on them: see `docs/format.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import h5py
import numpy as np

from tfbind.dna.alphabet import AMBIGUOUS
from tfbind.hdf5.writing import COMPRESSION
from tfbind.tensor_files import CHUNK_BYTES, TEXT, TensorsFile

_LETTERS = np.frombuffer(b"ACGTN", np.uint8)


class Stretches(NamedTuple):
    """Stretches of contigs, one after the other.

    contig : (k,) str, of each stretch
    start : (k,) int64, where it begins on its contig
    size : (k,) int64, bases
    codes : (sum of sizes,) uint8, as `tfbind.dna.alphabet` has them
    peaks : (p,) int64, ascending, the position of each peak among all of the codes
    peaks_per_mb : on all contigs but those of the test part
    """

    contig: np.ndarray
    start: np.ndarray
    size: np.ndarray
    codes: np.ndarray
    peaks: np.ndarray
    peaks_per_mb: float

    @property
    def contigs(self) -> list[str]:
        """Name of each stretch."""
        return [
            f"{contig}:{start}-{start + size}"
            for contig, start, size in zip(self.contig, self.start.tolist(), self.size.tolist(), strict=True)
        ]

    @property
    def first(self) -> np.ndarray:
        """(k,) int64: where each stretch begins among the codes."""
        return np.cumsum(self.size) - self.size

    def peaks_by_stretch(self) -> list[np.ndarray]:
        """Positions of the peaks on each stretch, counted from its start."""
        ends = np.searchsorted(self.peaks, self.first)
        return [
            of_stretch - first
            for of_stretch, first in zip(np.split(self.peaks, ends[1:]), self.first.tolist(), strict=True)
        ]

    def __call__(self) -> Iterator[tuple[str, str]]:
        """Read them one by one, as name and letters."""
        for name, first, size in zip(self.contigs, self.first.tolist(), self.size.tolist(), strict=True):
            yield name, _LETTERS[self.codes[first : first + size]].tobytes().decode()


def write_stretches(file: h5py.File, stretches: Stretches) -> None:
    """Write the sets; within a step of the output."""
    sets = {
        "scan_contig": (stretches.contig.astype(object), TEXT),
        "scan_start": (stretches.start, np.int64),
        "scan_size": (stretches.size, np.int64),
        "scan_bases": (stretches.codes, np.uint8),
        "scan_peaks": (stretches.peaks, np.int64),
        "scan_peaks_per_mb": (np.array([stretches.peaks_per_mb]), np.float64),
    }
    for name, (values, dtype) in sets.items():
        file.create_dataset(
            name,
            data=values,
            dtype=dtype,
            chunks=(min(len(values), CHUNK_BYTES),),
            **COMPRESSION,
        )


def read_stretches(file: TensorsFile) -> Stretches | None:
    """Read the sets; None if the file has none.

    Raises
    ------
    TfbindError
        If they contradict one another.
    """
    if "scan_bases" not in file:
        return None
    contig = np.array(file.find("scan_contig", TEXT, (None,)).text(), dtype=object)
    start, size = (file.find(f"scan_{name}", np.int64, contig.shape).read() for name in ("start", "size"))
    codes = file.find("scan_bases", np.uint8, (None,)).read()
    peaks = file.find("scan_peaks", np.int64, (None,)).read()
    density = float(file.find("scan_peaks_per_mb", np.float64, (1,)).read()[0])
    if not all(name and name.isprintable() for name in contig):
        file.fail("scan_contig that is empty or not printable", "names of contigs")
    if not len(size) or (size < 1).any() or (start < 0).any() or sum(size.tolist()) != len(codes):
        file.fail("stretches whose sizes do not add up to scan_bases", "sizes from 1 that do")
    if (codes > AMBIGUOUS).any():
        file.fail(f"scan_bases with the value {codes.max()}", f"0 to {AMBIGUOUS}")
    if len(peaks) and not (peaks[0] >= 0 and peaks[-1] < len(codes) and (np.diff(peaks) >= 0).all()):
        file.fail("scan_peaks outside scan_bases or not ascending", "places in it, ascending")
    if not 0 < density < 1e6:
        file.fail(f"scan_peaks_per_mb {density}", "a number above 0")
    return Stretches(contig, start, size, codes, peaks, density)
