"""The records of a VCF or BCF: their lines, where each one lies, and its alleles.

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

from tfbind.dna import htslib
from tfbind.errors import TfbindError
from tfbind.files import is_gzip, open_text

BCF_MAGIC = b"BCF\2"
FIXED_COLUMNS = ["#CHROM", "POS", "ID", "REF", "ALT"]


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


class VcfLines(NamedTuple):
    """The header and the records of a VCF or BCF, as text.

    columns : list of str
        ``#CHROM POS ID REF ALT ...``, and the samples' names behind FORMAT where there are any.
    unit : str
        What the records are numbered by: ``line`` of a VCF, ``record`` of a BCF.
    lines : iterator of (int, str)
        Number and text of each record, without its line end, with as many columns as the header or more.
    """

    columns: list[str]
    unit: str
    lines: Iterator[tuple[int, str]]


def read_lines(path: str | Path, *, samples: bool = True) -> VcfLines:
    """Open a VCF (plain, gzip or BGZF; any line ends) or BCF, and read its records as lines of a VCF.

    Parameters
    ----------
    samples : bool
        False leaves a BCF's genotypes unread, which is quicker.

    Raises
    ------
    TfbindError
        If the file is missing, damaged, cut off, or has no VCF header; if a line has fewer columns than the
        header. Also while the lines are read.
    """
    path = Path(path)
    is_bcf = path.is_file() and _is_bcf(path)
    lines = _read_bcf(path, samples) if is_bcf else _read_text(path)
    _, header = next(lines)
    return VcfLines(header.split("\t"), "record" if is_bcf else "line", lines)


def read_variants(path: str | Path) -> Iterator[Variant]:
    """Read the sites of a VCF or BCF, in their order.

    Raises
    ------
    TfbindError
        As `read_lines`; if a position is no number.
    """
    _, unit, lines = read_lines(path, samples=False)
    for number, line in lines:
        # the genotypes of thousands of samples may follow
        contig, pos, name, ref, alts = line.split("\t", 5)[:5]
        yield Variant(contig, position(pos, f"{path}: {unit} {number}"), name, ref, tuple(alts.split(",")))


def position(text: str, where: str) -> int:
    """Read the POS of a record; ``where`` names it should it be none."""
    if not (text.isascii() and text.isdigit()):
        raise TfbindError(f"{where}: found the position {text[:30]!r}, expected a whole number")
    return int(text)


def _is_bcf(path: Path) -> bool:
    try:
        with gzip.open(path) if is_gzip(path) else open(path, "rb") as handle:
            return handle.read(len(BCF_MAGIC)) == BCF_MAGIC
    except (EOFError, zlib.error, gzip.BadGzipFile, PermissionError):
        return False  # reading it as text says what is wrong


def _read_text(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line of column names, then the records."""
    n_tabs = -1
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
                if n_tabs >= 0:
                    raise TfbindError(
                        f"{path}: line {number}: found a second line '#CHROM ...', expected one"
                    )
                n_tabs = len(columns) - 1
            elif n_tabs < 0:
                raise TfbindError(
                    f"{path}: line {number}: found {line[:40]!r} without a header, expected a VCF or BCF with a"
                    " line '#CHROM POS ID REF ALT ...'"
                )
            elif (found := line.count("\t")) < n_tabs:
                raise TfbindError(
                    f"{path}: line {number}: found {found + 1} columns, expected the header's {n_tabs + 1}"
                )
            yield number, line
    if n_tabs < 0:
        raise TfbindError(f"{path}: has no line '#CHROM POS ID REF ALT ...', expected a VCF or BCF")


def _read_bcf(path: Path, samples: bool) -> Iterator[tuple[int, str]]:
    """Yield the line of column names, then the records."""
    number = 0
    htslib.quiet()
    try:
        with pysam.VariantFile(str(path), drop_samples=not samples) as records:
            yield 0, str(records.header).splitlines()[-1]
            for number, record in enumerate(records, 1):
                yield number, str(record).rstrip("\n")
    except (OSError, ValueError, NotImplementedError) as error:
        after = f"behind record {number}" if number else "at its beginning"
        raise TfbindError(f"{path}: the BCF is damaged or cut off {after} ({error})") from None
