"""The sites of a VCF or BCF: where each record lies, and its alleles.

VCF is read as text, so that an error can name the line. htslib's readers name none; cyvcf2 0.35 ends the
whole process at a blank line, and pysam 0.24 reads no plain gzip.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pysam

from tfbind.errors import TfbindError
from tfbind.files import is_gzip, open_text

BCF_MAGIC = b"BCF\2"
FIXED_COLUMNS = ["#CHROM", "POS", "ID", "REF", "ALT"]

# htslib writes to stderr by itself, beside the one line that the user gets from us
pysam.set_verbosity(0)


class Variant(NamedTuple):
    """One record.

    contig : str
    pos : int
        1-based, of REF's first base; 0 is in front of the contig (a telomere).
    id : str
        ``.`` where there is none.
    ref : str
    alts : tuple of str
        As they stand in the file: letters, ``<DEL>``, ``*``, a breakend, or ``.`` for none.
    """

    contig: str
    pos: int
    id: str
    ref: str
    alts: tuple[str, ...]


def read_variants(path: str | Path) -> Iterator[Variant]:
    """Read the records of a VCF (plain, gzip or BGZF; any line ends) or BCF, in their order.

    Raises
    ------
    TfbindError
        If the file is missing, damaged, cut off, or has no VCF header; if a line has fewer columns than the
        header, or a position that is no number.
    """
    path = Path(path)
    return _read_bcf(path) if path.is_file() and _is_bcf(path) else _read_text(path)


def _is_bcf(path: Path) -> bool:
    try:
        with gzip.open(path) if is_gzip(path) else open(path, "rb") as handle:
            return handle.read(len(BCF_MAGIC)) == BCF_MAGIC
    except (EOFError, zlib.error, gzip.BadGzipFile, PermissionError):
        return False  # reading it as text says what is wrong


def _read_text(path: Path) -> Iterator[Variant]:
    n_columns = 0
    with open_text(path) as lines:
        for number, line in enumerate(lines, 1):
            line = line.rstrip("\n")
            if line.startswith("##") or not line:
                continue
            if line.startswith("#"):
                columns = line.split("\t")
                if columns[: len(FIXED_COLUMNS)] != FIXED_COLUMNS:
                    raise TfbindError(
                        f"{path}: line {number}: found {line[:40]!r}, expected the columns"
                        f" {' '.join(FIXED_COLUMNS)} ... with tabs between them"
                    )
                n_columns = len(columns)
                continue
            if not n_columns:
                raise TfbindError(
                    f"{path}: line {number}: found {line[:40]!r} without a header, expected a VCF or BCF with a"
                    " line '#CHROM POS ID REF ALT ...'"
                )
            yield _parse(path, number, line, n_columns)
    if not n_columns:
        raise TfbindError(f"{path}: has no line '#CHROM POS ID REF ALT ...', expected a VCF or BCF")


def _parse(path: Path, number: int, line: str, n_columns: int) -> Variant:
    found = line.count("\t") + 1
    if found < n_columns:
        raise TfbindError(f"{path}: line {number}: found {found} columns, expected the header's {n_columns}")
    # the genotypes of thousands of samples may follow
    contig, pos, name, ref, alts = line.split("\t", 5)[:5]
    if not (pos.isascii() and pos.isdigit()):
        raise TfbindError(f"{path}: line {number}: found the position {pos[:30]!r}, expected a whole number")
    return Variant(contig, int(pos), name, ref, tuple(alts.split(",")))


def _read_bcf(path: Path) -> Iterator[Variant]:
    number = 0
    try:
        with pysam.VariantFile(str(path), drop_samples=True) as records:
            for number, record in enumerate(records, 1):  # noqa: B007
                yield Variant(
                    record.chrom, record.pos, record.id or ".", record.ref or ".", record.alts or (".",)
                )
    except (OSError, ValueError, NotImplementedError) as error:
        after = f"behind record {number}" if number else "at its beginning"
        raise TfbindError(f"{path}: the BCF is damaged or cut off {after} ({error})") from None
