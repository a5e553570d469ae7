"""The records of a VCF or BCF: their lines, where each one lies, and its alleles.

VCF is read as text, so that an error can name the line. htslib's readers name none; cyvcf2 0.35 ends the
whole process at a blank line, and pysam 0.24 reads no plain gzip.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pysam

from tfbind.dna import htslib
from tfbind.errors import TfbindError
from tfbind.files import check_bgzf_end, is_gzip, open_text

BCF_MAGIC = b"BCF\2"
FIXED_COLUMNS = ["#CHROM", "POS", "ID", "REF", "ALT"]
BASES = re.compile("[ACGTURYSWKMBDHVN]+", re.IGNORECASE)
# what pysam raises for a damaged BCF; it asserts that contigs are numbered in order
_DAMAGED = (OSError, ValueError, NotImplementedError, AssertionError)
_CONTIG_LINE = re.compile(r"##contig=<(?:.*,)?ID=([^,>\n]+)")
_MAX_DIGITS = 18  # of a position: no contig is longer than 64-bit integers can count


class Variant(NamedTuple):
    """One record.

    contig : str
    pos : int
        1-based, of REF's first base; 0 is in front of the contig (a telomere).
    id : str
        ``.`` where there is none.
    ref : str
        Bases, which may be ambiguous ones.
    alts : tuple of str
        As they are in the file: letters, ``<DEL>``, ``*``, a breakend, or ``.`` for none.
    """

    contig: str
    pos: int
    id: str
    ref: str
    alts: tuple[str, ...]


class Malformed(NamedTuple):
    """A record that is not one of a VCF; its fields are as they are in the file, ``.`` for those that are missing.

    why : str
        The file, the line, what was found and what was expected.
    """

    contig: str
    pos: str
    id: str
    ref: str
    alts: tuple[str, ...]
    why: str


class VcfLines(NamedTuple):
    """The header and the records of a VCF or BCF, as text.

    columns : list of str
        ``#CHROM POS ID REF ALT ...``, and the samples' names behind FORMAT where there are any.
    unit : str
        What the records are numbered by: ``line`` of a VCF, ``record`` of a BCF.
    lines : iterator of (int, str)
        Number and text of each record, without its line end; with as many columns as the header or more, unless
        the file was read as sites only or not ``whole``.
    """

    columns: list[str]
    unit: str
    lines: Iterator[tuple[int, str]]


def read_lines(path: str | Path, *, sites_only: bool = False, whole: bool = True) -> VcfLines:
    """Open a VCF (plain, gzip or BGZF; any line ends) or BCF, and read its records as lines of a VCF.

    Parameters
    ----------
    sites_only : bool
        True for a reader of the first five columns. A VCF then needs no header if its first line is a record, lines
        with too few columns are passed on, and a BCF's genotypes are not read, which is quicker.
    whole : bool
        False to pass on lines with too few columns.

    Raises
    ------
    TfbindError
        If the file is missing, damaged, cut off, or is not a VCF or BCF; if a line has fewer columns than the
        header. Also while the lines are read.
    """
    path = Path(path)
    is_bcf = path.is_file() and _is_bcf(path)
    lines = _read_bcf(path, sites_only) if is_bcf else _read_text(path, sites_only, whole and not sites_only)
    _, header = next(lines)
    return VcfLines(header.split("\t"), "record" if is_bcf else "line", lines)


def header_contigs(path: str | Path) -> list[str]:
    """Give the contigs that the header of a VCF or BCF names, in its order; none if it names none, or of a pipe.

    Raises
    ------
    TfbindError
        If the file is damaged.
    """
    path = Path(path)
    if not path.is_file():
        # what is read from a pipe is gone
        return []
    if _is_bcf(path):
        htslib.quiet()
        try:
            with pysam.VariantFile(str(path)) as records:
                return [str(name) for name in records.header.contigs]
        except _DAMAGED as error:
            why = str(error) or "its contigs are not numbered in order"
            raise TfbindError(f"{path}: the BCF is damaged or cut off at its beginning ({why})") from None
    found: list[str] = []
    with open_text(path) as lines:
        for line in lines:
            if not line.startswith("##"):
                break
            if match := _CONTIG_LINE.match(line):
                found.append(match[1])
    return found


def read_variants(path: str | Path) -> Iterator[Variant | Malformed]:
    """Read the sites of a VCF or BCF, in their order. The VCF may lack a header; five columns are enough.

    Raises
    ------
    TfbindError
        As `read_lines`.
    """
    columns, unit, lines = read_lines(path, sites_only=True)
    for number, line in lines:
        # the genotypes of thousands of samples may follow
        fields = line.split("\t", len(FIXED_COLUMNS))[: len(FIXED_COLUMNS)]
        n_found = line.count("\t") + 1
        why = _what_is_wrong(fields) if n_found >= len(columns) else too_few_columns(n_found, len(columns))
        contig, pos, name, ref, alts = fields + ["."] * (len(FIXED_COLUMNS) - len(fields))
        if why:
            why = f"{path}: {unit} {number}: {why}"
            yield Malformed(contig, pos, name, ref, tuple(alts.split(",")), why)
        else:
            yield Variant(contig, int(pos), name, ref, tuple(alts.split(",")))


def position(text: str, where: str) -> int:
    """Read the POS of a record; ``where`` names it should it be none."""
    if not _is_number(text):
        raise TfbindError(f"{where}: {_wrong_position(text)}")
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _wrong_position(text: str) -> str:
    return f"found the position {text[:30]!r}, expected a whole number"


def too_few_columns(found: int, expected: int) -> str:
    """Say of a record with too few columns what was found, and what was expected."""
    the_headers = "the header's " if expected > len(FIXED_COLUMNS) else ""
    return f"found {found} columns, expected {the_headers}{expected}"


def _what_is_wrong(fields: list[str]) -> str:
    """Say what was found and expected of a record with the first five columns; empty if it is well-formed."""
    _, pos, _, ref, alts = fields
    if not _is_number(pos) or len(pos) > _MAX_DIGITS:
        return _wrong_position(pos)
    if not BASES.fullmatch(ref):
        return f"found REF {ref[:30]!r}, expected bases"
    if "" in alts.split(","):
        return f"found ALT {alts[:30]!r}, expected an allele, or several with one comma between them"
    return ""


def _what_is_no_record(line: str) -> str:
    """Say what was found where the first line of a file without a header is not a record of a VCF."""
    fields = line.split("\t", len(FIXED_COLUMNS))[: len(FIXED_COLUMNS)]
    if len(fields) < len(FIXED_COLUMNS):
        return f"{line[:40]!r} ({len(fields)} of 5 columns)"
    _, pos, _, ref, alts = fields
    if not _is_number(pos):
        return f"{pos[:30]!r} in column 2, POS"
    if not BASES.fullmatch(ref):
        return f"{ref[:30]!r} in column 4, REF"
    # a score, in BED and its like
    if any(letter.isdigit() for letter in alts[:1]):
        return f"{alts[:30]!r} in column 5, ALT"
    return ""


def _is_bcf(path: Path) -> bool:
    try:
        with gzip.open(path) if is_gzip(path) else open(path, "rb") as handle:
            return handle.read(len(BCF_MAGIC)) == BCF_MAGIC
    except (EOFError, zlib.error, gzip.BadGzipFile, PermissionError):
        return False  # reading it as text says what is wrong


def _read_text(path: Path, sites_only: bool, whole: bool) -> Iterator[tuple[int, str]]:
    """Yield the line of column names, which may be implied, then the records."""
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
                        f"{path}: line {number}: found the line '#CHROM ...' here, expected it once, before the"
                        " records"
                    )
                n_tabs = len(columns) - 1
            elif n_tabs < 0 and sites_only:
                if what := _what_is_no_record(line):
                    raise TfbindError(
                        f"{path}: line {number}: found {what}, expected a VCF: CHROM POS ID REF ALT, with tabs"
                        " between them"
                    )
                n_tabs = len(FIXED_COLUMNS) - 1
                yield 0, "\t".join(FIXED_COLUMNS)
            elif n_tabs < 0:
                raise TfbindError(
                    f"{path}: line {number}: found {line[:40]!r} without a header, expected a VCF or BCF with a"
                    " line '#CHROM POS ID REF ALT ...'"
                )
            elif whole and (found := line.count("\t")) < n_tabs:
                raise TfbindError(f"{path}: line {number}: {too_few_columns(found + 1, n_tabs + 1)}")
            yield number, line
    if n_tabs < 0:
        raise TfbindError(f"{path}: has no line '#CHROM POS ID REF ALT ...', expected a VCF or BCF")


def _read_bcf(path: Path, sites_only: bool) -> Iterator[tuple[int, str]]:
    """Yield the line of column names, then the records."""
    number = 0
    check_bgzf_end(path)
    htslib.quiet()
    try:
        with pysam.VariantFile(str(path), drop_samples=sites_only) as records:
            yield 0, str(records.header).splitlines()[-1]
            for number, record in enumerate(records, 1):
                yield number, str(record).rstrip("\n")
    except _DAMAGED as error:
        after = f"after record {number}" if number else "at its beginning"
        raise TfbindError(f"{path}: the BCF is damaged or cut off {after} ({error})") from None
