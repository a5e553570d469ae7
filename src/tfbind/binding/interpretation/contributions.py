"""Files of contributions, in the layout that `modisco motifs --h5py` and `finemo extract-regions-bpnet-h5` read."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tfbind import __version__
from tfbind.binding.interpretation.sequences import Sequences
from tfbind.dna.alphabet import ALPHABET, one_hot
from tfbind.files import whole_output
from tfbind.hdf5.writing import Hdf5Output, write_hdf5
from tfbind.tensor_files import CHUNK_BYTES, TEXT

FORMAT, FORMAT_VERSION = "tfbind-contributions", "1.0"
# a fixed date in the zip, so that the same contributions give the same file
_DATE = (1980, 1, 1, 0, 0, 0)

Append = Callable[[Sequences, np.ndarray, np.ndarray], None]


@contextmanager
def write_contributions(path: Path, length: int, attributes: dict[str, Any]) -> Iterator[Append]:
    """Write a file of contributions batch by batch; under ``path`` is the whole file or what was there before.

    Gives a function that takes some sequences, their hypothetical contributions (n, length, 4) float32 and their
    logits (n,) float64.

    Parameters
    ----------
    path : Path
    length : int
        Bases of a sequence, padding included.
    attributes : dict
        Of the root: ``factor``, ``method`` and whatever else says where they come from.
    """
    rows = max(1, min(4096, CHUNK_BYTES // (16 * length)))
    sets: dict[str, tuple[Any, tuple[int, ...]]] = {
        "hyp_scores": (np.float32, (length, 4)),
        "input_seqs": (np.uint8, (length, 4)),
        "id": (TEXT, ()),
        "contig": (TEXT, ()),
        "start": (np.int64, ()),
        "end": (np.int64, ()),
        "valid_length": (np.int32, ()),
        "logit": (np.float64, ()),
    }
    with write_hdf5(path) as output:
        with output.step():
            output.file.attrs.update(
                {
                    "format": FORMAT,
                    "format_version": FORMAT_VERSION,
                    "created_by": f"tfbind {__version__}",
                    "alphabet": ALPHABET,
                    "length": length,
                    **attributes,
                }
            )
            for name, (dtype, shape) in sets.items():
                output.create_growing(name, dtype, shape, rows)
        yield lambda some, scores, logit: _append(output, some, scores, logit)


def _append(output: Hdf5Output, some: Sequences, scores: np.ndarray, logit: np.ndarray) -> None:
    values = {"hyp_scores": scores, "input_seqs": one_hot(some.codes), "logit": logit}
    values |= {name: getattr(some, name) for name in ("id", "contig", "start", "end", "valid_length")}
    with output.step():
        start = output.file["logit"].shape[0]
        for name, rows in values.items():
            output.file[name].resize(start + len(rows), axis=0)
            output.file[name][start:] = rows


def write_npz(path: Path, values: np.ndarray, *, rows: int = 1024) -> None:
    """Write (n, length, 4) values as the array ``arr_0`` of shape (n, 4, length), which `modisco motifs -s -a` reads.

    It is written ``rows`` at a time, whole or not at all.
    """
    n, length, letters = values.shape
    info = zipfile.ZipInfo("arr_0.npy", _DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    with (
        whole_output(path) as temporary,
        zipfile.ZipFile(temporary, "w") as archive,
        archive.open(info, "w", force_zip64=True) as member,
    ):
        header = {"descr": values.dtype.str, "fortran_order": False, "shape": (n, letters, length)}
        np.lib.format.write_array_header_1_0(member, header)
        for start in range(0, n, rows):
            member.write(np.ascontiguousarray(values[start : start + rows].transpose(0, 2, 1)).tobytes())
