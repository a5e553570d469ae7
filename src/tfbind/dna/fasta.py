"""FASTA in: records one by one, and batches of padded codes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from Bio.SeqIO.FastaIO import SimpleFastaParser

from tfbind.dna.alphabet import encode_letters
from tfbind.dna.coordinates import Interval, parse_coordinates
from tfbind.dna.packing import pack
from tfbind.errors import TfbindError
from tfbind.files import open_text

BATCH_RECORDS = 16384
BATCH_BASES = 1 << 24


class Batch(NamedTuple):
    """Records of one length.

    names : list of str, n of them
    codes : (n, length) uint8, padded on the right
    valid_length : (n,) int32, bases before the padding
    intervals : list of n (contig, start, end) or None, where each record comes from; None if that is unknown
    rows : (n,) int, which records of their file these are, from 0; None where nothing is looked up by that
    """

    names: list[str]
    codes: np.ndarray
    valid_length: np.ndarray
    intervals: list[Interval | None]
    rows: np.ndarray | None = None


def read_fasta(path: str | Path) -> Iterator[tuple[str, str]]:
    """Read a FASTA file record by record.

    Parameters
    ----------
    path : path
        Plain, gzip or BGZF; wrapped or not; any line ends.

    Yields
    ------
    name : str
        The first word of the header.
    sequence : str
        The letters as they stand in the file, unchecked, possibly empty.

    Raises
    ------
    TfbindError
        If the file is missing, damaged, empty or no FASTA, or a record has no name.
    """
    return ((header.split(maxsplit=1)[0], sequence) for header, sequence in read_records(path))


def read_records(path: str | Path) -> Iterator[tuple[str, str]]:
    """Read a FASTA file as `read_fasta` does, but yield the whole header in place of its first word."""
    with open_text(path) as handle:
        line_number, first = 0, ""
        for line_number, first in enumerate(handle, start=1):  # noqa: B007
            if first.strip():
                break
        if not first.strip():
            raise TfbindError(f"{path}: the file is empty, expected FASTA records")
        if not first.startswith(">"):
            raise TfbindError(
                f"{path}: line {line_number}: found {first.strip()[:30]!r}, expected a FASTA header starting with '>'"
            )
        for number, (title, sequence) in enumerate(SimpleFastaParser(chain([first], handle)), start=1):
            if not title or title[0].isspace():
                raise TfbindError(f"{path}: record {number} has no name, expected '>NAME'")
            yield title, sequence


def encode_record(source: str | Path, name: str, sequence: str, offset: int = 0) -> np.ndarray:
    """Turn a record's letters into codes; an error names the file, the record and the position.

    The letters may be a stretch of the record, with ``offset`` others in front of them.

    Returns
    -------
    (len(sequence),) uint8
    """
    try:
        return encode_letters(sequence, offset)
    except TfbindError as error:
        raise TfbindError(f"{source}: record {name!r}: {error}") from None


def encode_batch(
    source: str | Path,
    names: list[str],
    sequences: list[str],
    length: int,
    intervals: Sequence[Interval | None] | None = None,
) -> Batch:
    """Turn records into one batch: longer ones cropped round the centre, shorter ones padded on the right.

    Without ``intervals`` the names are searched for coordinates.

    Raises
    ------
    TfbindError
        Where a record is empty or holds a character that is no base.
    """
    lengths = np.array([len(sequence) for sequence in sequences])
    if not lengths.all():
        raise TfbindError(
            f"{source}: record {names[int(lengths.argmin())]!r} has no sequence, expected at least one base"
        )
    try:
        flat = encode_letters("".join(sequences))
    except TfbindError:
        # one pass over all letters is fast; only now is it worth asking which record holds the culprit
        for name, sequence in zip(names, sequences, strict=True):
            encode_record(source, name, sequence)
        raise
    codes, valid_length = pack(flat, lengths, length)
    return Batch(
        names, codes, valid_length, list(map(parse_coordinates, names) if intervals is None else intervals)
    )


def without_invalid(
    path: str | Path, records: Iterable[tuple[str, str]], invalid: dict[int, str]
) -> Iterator[tuple[str, str]]:
    """Leave out the records that are empty or hold a character that is not a base.

    Parameters
    ----------
    path : str or Path
        Where they come from, for messages.
    records : iterable of header and sequence
    invalid : dict
        Gets what is wrong with the records that are left out, by their number from 1. The same again if they are
        read again.

    Raises
    ------
    TfbindError
        In the end, if these are more than half of them.
    """
    number = 0
    for number, (header, sequence) in enumerate(records, start=1):
        name = header.split(maxsplit=1)[0]
        try:
            if not sequence:
                raise TfbindError(f"{path}: record {name!r} has no sequence")
            encode_record(path, name, sequence)
        except TfbindError as error:
            invalid[number] = str(error)
        else:
            yield header, sequence
    too_many_invalid(path, invalid, number)


def too_many_invalid(path: str | Path, invalid: dict[int, str], n: int) -> None:
    """Refuse a file of which more than half of ``n`` records are left out.

    Raises
    ------
    TfbindError
    """
    if 2 * len(invalid) > n:
        first = next(iter(invalid.values()))
        raise TfbindError(
            f"{path}: {len(invalid):,} of {n:,} records are not DNA, expected at most half ({first})"
        )


def read_batches(
    path: str | Path, length: int, size: int | None = None, *, invalid: dict[int, str] | None = None
) -> Iterator[Batch]:
    """Read a FASTA file in batches of at most ``size`` records, each cropped or padded to ``length``.

    ``size`` is BATCH_RECORDS by default. A batch of long records has fewer of them, so that memory stays flat. With
    ``invalid`` the records that cannot be read are left out, see `without_invalid`.

    Raises
    ------
    TfbindError
        As `read_fasta` and `encode_batch`.
    """
    size = BATCH_RECORDS if size is None else size
    headers: list[str] = []
    sequences: list[str] = []
    n_bases = 0

    def batch() -> Batch:
        names = [header.split(maxsplit=1)[0] for header in headers]
        return encode_batch(path, names, sequences, length, [parse_coordinates(header) for header in headers])

    records = read_records(path)
    for header, sequence in records if invalid is None else without_invalid(path, records, invalid):
        headers.append(header)
        sequences.append(sequence)
        n_bases += len(sequence)
        if len(headers) == size or n_bases >= BATCH_BASES:
            yield batch()
            headers, sequences, n_bases = [], [], 0
    if headers:
        yield batch()
