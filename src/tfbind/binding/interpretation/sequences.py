"""The sequences that a model is asked about: a sample of what is in a file, in its order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfbind.binding.evaluation.measure import examples_from_tensors
from tfbind.binding.model.model import BindingModel
from tfbind.binding.scanning.calls import contig_of
from tfbind.binding.scanning.windows import (
    ALL_AMBIGUOUS,
    MIN_BASES,
    PADDED,
    TOO_SHORT,
    Portion,
    Windows,
    windows_of_fasta,
    windows_of_peaks,
)
from tfbind.dna.alphabet import AMBIGUOUS
from tfbind.errors import TfbindError

MAX_SEQUENCES = 2000
NOT_SAMPLED = "not_sampled"


class Sequences(NamedTuple):
    """Sequences of a model's length.

    id : (n,) object array of str
    contig : (n,) object array of str
        What ``start`` and ``end`` count in: a contig of the genome, or the record.
    start, end : (n,) int64, 0-based, half-open
    codes : (n, length) uint8
    valid_length : (n,) int32
    """

    id: np.ndarray
    contig: np.ndarray
    start: np.ndarray
    end: np.ndarray
    codes: np.ndarray
    valid_length: np.ndarray

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.codes)

    def rows(self, some: slice | np.ndarray) -> Sequences:
        """Give some of them."""
        return Sequences(*(values[some] for values in self))


class Chosen(NamedTuple):
    """What is to be explained.

    bound : Sequences
    unbound : Sequences or None
        To compare with; None if the input names none.
    n_found : int
        Sequences in the input that were asked for.
    left_out : dict of str to int
        How many of these are not in ``bound``, by reason.
    """

    bound: Sequences
    unbound: Sequences | None
    n_found: int
    left_out: dict[str, int]


def from_fasta(path: Path, model: BindingModel, most: int = MAX_SEQUENCES, seed: int = 0) -> Chosen:
    """Sample the records of a FASTA file; a record longer than the model's length gives windows side by side."""
    length = model.card.encoding.length
    return _sampled(windows_of_fasta(path, length, length), path, length, most, seed, genomic=False)


def from_peaks(
    peaks: Path,
    genome: Path,
    model: BindingModel,
    most: int = MAX_SEQUENCES,
    seed: int = 0,
    *,
    peak_format: str = "auto",
) -> Chosen:
    """Sample the windows around the summits of peaks."""
    length = model.card.encoding.length
    found = windows_of_peaks(peaks, genome, length, peak_format=peak_format)
    return _sampled(found, peaks, length, most, seed, genomic=True)


def from_tensors(
    path: Path, split: str, factor: int, model: BindingModel, most: int = MAX_SEQUENCES, seed: int = 0
) -> Chosen:
    """Sample the sequences of a split that the factor binds, and as many that it does not bind."""
    examples = examples_from_tensors(path, split, model)
    short = examples.valid_length < min(MIN_BASES, model.card.encoding.length)
    ambiguous = (examples.codes == AMBIGUOUS).all(axis=1)
    rng = np.random.default_rng(seed)
    chosen = []
    for label in (1, 0):
        rows = np.flatnonzero((examples.y[:, factor] == label) & ~short & ~ambiguous)
        rows = np.sort(rng.permutation(rows)[:most])
        start = np.zeros(len(rows), np.int64)
        n = examples.valid_length[rows]
        id = examples.id[rows]
        chosen.append(Sequences(id, id, start, n.astype(np.int64), examples.codes[rows], n))
    bound, unbound = chosen
    asked = examples.y[:, factor] == 1
    left_out = Counter({TOO_SHORT: int((asked & short).sum())})
    left_out[ALL_AMBIGUOUS] = int((asked & ambiguous & ~short).sum())
    left_out[NOT_SAMPLED] = int(asked.sum()) - left_out.total() - bound.n
    _refuse_none(bound, f"{path}: its {split} split", int(asked.sum()), left_out)
    return Chosen(bound, unbound if unbound.n else None, int(asked.sum()), dict(+left_out))


def _sampled(
    portions: Iterable[Portion], path: Path, length: int, most: int, seed: int, *, genomic: bool
) -> Chosen:
    """Keep ``most`` windows of a stream, each set of them equally likely (algorithm R of Vitter 1985)."""
    rng = np.random.default_rng(seed)
    kept: list[tuple[int, Windows]] = []
    left_out: Counter[str] = Counter()
    n_found = n_usable = 0
    for portion in portions:
        windows = portion.cut()
        for row, note in enumerate(windows.note):
            n_found += 1
            if note not in ("", PADDED):
                left_out[note] += 1
                continue
            n_usable += 1
            place = n_usable - 1 if n_usable <= most else int(rng.integers(n_usable))
            if place >= most:
                continue
            one = windows.rows(slice(row, row + 1))
            # a copy, so that a window holds no more than itself
            one.codes = one.codes.copy()
            kept[place : place + 1] = [(n_found, one)]
    left_out[NOT_SAMPLED] = n_usable - len(kept)
    kept.sort(key=lambda numbered: numbered[0])
    windows_kept = [one for _, one in kept]
    if windows_kept:
        id = np.array([one.id[0] for one in windows_kept], dtype=object)
        contig = np.array([contig_of(name) for name in id], dtype=object) if genomic else id
        start = np.concatenate([one.start for one in windows_kept]).astype(np.int64)
        end = np.concatenate([one.end for one in windows_kept]).astype(np.int64)
        codes = np.concatenate([one.codes for one in windows_kept])
        valid_length = np.minimum(end - start, length).astype(np.int32)
        bound = Sequences(id, contig, start, end, codes, valid_length)
    else:
        none = np.zeros(0, np.int64)
        bound = Sequences(none, none, none, none, np.zeros((0, length), np.uint8), none)
    _refuse_none(bound, str(path), n_found, left_out)
    return Chosen(bound, None, n_found, dict(+left_out))


def _refuse_none(bound: Sequences, source: str, n_found: int, left_out: Counter[str]) -> None:
    if not bound.n:
        why = ", ".join(f"{n:,} {note}" for note, n in left_out.items() if n)
        raise TfbindError(
            f"{source}: found {n_found:,} bound sequences{f' ({why})' if why else ''}, expected one that can be scored"
        )
