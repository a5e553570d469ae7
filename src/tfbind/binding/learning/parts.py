"""One part of a tensors file in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from tfbind.binding.encoding.inputs import InputEncoder
from tfbind.dna.digests import strand_canonical_digests
from tfbind.dna.minimizers import Sketches, sketch
from tfbind.tensors import Tensors
from tfbind.training.data import Examples


class Part:
    """The sequences of one part of a tensors file, in memory as one byte a base.

    Attributes
    ----------
    codes : (n, length) uint8
    valid_length : (n,) int32
    y : (n, tasks) float32
    rows : (n,) int, of the file
    id, parent : (n,) str, names, and the name of the record that a shuffle was made from, else empty
    tasks : names of the factors
    flanks : (n, 2, width) uint8, the bases before and after each; of width 0 if they are not known
    path : of the file
    """

    def __init__(self, tensors: Tensors, part: int):
        rows = np.flatnonzero(tensors.split == part)
        self.rows, self.tasks, self.path = rows, tensors.tasks, tensors.path
        self.codes = tensors.codes(rows)
        self.valid_length = tensors.valid_length[rows]
        self.y = tensors.y[rows]
        self.flanks = tensors.flanks(rows)
        self.id, self.parent = tensors.text("id")[rows], tensors.text("parent")[rows]

    def __len__(self) -> int:
        return len(self.codes)

    def digests(self) -> np.ndarray:
        """(n,) uint64: strand-canonical digests, by which a sequence is known again."""
        return strand_canonical_digests(self.codes, self.valid_length)

    def sketches(self, of: np.ndarray | slice = slice(None)) -> Sketches:
        """Minimizers of the sequences, or of some of them, by which overlapping ones are found."""
        return sketch(self.codes[of], self.valid_length[of])

    def batches(self, encoder: InputEncoder, size: int) -> Iterator[Examples]:
        """Give the examples in their order."""
        for start in range(0, len(self), size):
            rows = slice(start, start + size)
            yield Examples(encoder(self.codes[rows], self.valid_length[rows]), self.y[rows])


def shifted(codes: np.ndarray, flanks: np.ndarray, valid_length: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Move windows along their contigs.

    Parameters
    ----------
    codes : (n, length) uint8
    flanks : (n, 2, width) uint8
        Bases before and after each window.
    valid_length : (n,) int
        Windows that are padded stay where they are.
    by : (n,) int
        Bases to the right, from ``-width`` to ``width``.

    Returns
    -------
    (n, length) uint8
    """
    length, width = codes.shape[1], flanks.shape[2]
    wide = np.concatenate([flanks[:, 0], codes, flanks[:, 1]], axis=1)
    first = width + np.where(valid_length == length, by, 0)
    return np.take_along_axis(wide, first[:, None] + np.arange(length), axis=1)


def content_digest(*parts: Part) -> str:
    """SHA-256 of the sequences and labels of parts, in their order."""
    content = hashlib.sha256()
    for part in parts:
        content.update(part.codes.tobytes())
        content.update(part.y.tobytes())
        content.update(part.flanks.tobytes())
    return content.hexdigest()


def useful_shuffles(
    made: np.ndarray, parents: np.ndarray, valid_length: np.ndarray, held_out: np.ndarray
) -> np.ndarray:
    """Tell which shuffles may serve as negatives: (n,) bool.

    One that came out as its own parent, or as an example that is held out, may not.

    Parameters
    ----------
    made, parents : (n, length) uint8
    valid_length : (n,) int
    held_out : (k,) uint64
        Strand-canonical digests.
    """
    digests = strand_canonical_digests(made, valid_length)
    return (digests != strand_canonical_digests(parents, valid_length)) & ~np.isin(digests, held_out)
