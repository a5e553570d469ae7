"""Random access to a genome in FASTA, plain, gzip or BGZF, whether or not somebody has indexed it."""

from __future__ import annotations

import gzip
import hashlib
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import pysam

from tfbind.contigs import Contigs
from tfbind.dna import htslib
from tfbind.errors import TfbindError
from tfbind.files import check_bgzf_end, is_bgzf, is_gzip, open_text, whole_output

log = logging.getLogger(__name__)

_NAME = re.compile(r"[^ \t\v\f]*")  # where htslib ends it; a blank after '>' leaves none


class Genome:
    """A genome opened for reading; use it in a ``with`` block.

    An index that is missing, or older than the FASTA, is made: beside the FASTA if that folder can be
    written, else in the cache (``$XDG_CACHE_HOME/tfbind``, by default ``~/.cache/tfbind``). A genome in
    plain gzip, which has no random access, is unpacked once to the cache. Both appear under their names
    whole, so jobs that run side by side can share them.

    Parameters
    ----------
    path : str or Path
        The FASTA.

    Attributes
    ----------
    contigs : dict of str to int
        Length in bases of every contig, in the order of the file.

    Raises
    ------
    TfbindError
        If the file is no FASTA, has lines of different lengths inside a contig, an empty contig or one
        that comes twice, is cut off, or if an index is needed and can be written nowhere.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        if not self.path.exists():
            raise TfbindError(f"{path}: no such file")
        if not self.path.is_file():
            raise TfbindError(f"{path}: is a folder or a pipe, expected a FASTA file")
        htslib.quiet()
        try:
            # also where an index is there, so that nothing is read through
            check_bgzf_end(self.path)
            plain = _unpacked(self.path) if is_gzip(self.path) and not is_bgzf(self.path) else self.path
            indexes = _indexes(plain, self.path)
            self._fasta = _open(plain, indexes)
        except PermissionError:
            raise TfbindError(f"{path}: permission denied") from None
        self.contigs: dict[str, int] = dict(zip(self._fasta.references, self._fasta.lengths, strict=True))
        self._names = Contigs(self.contigs, self.path)

    def __enter__(self) -> Genome:
        return self

    def __exit__(self, *exception: object) -> None:
        self._fasta.close()

    def fetch(self, contig: str, start: int, end: int) -> str:
        """Return the bases ``start`` to ``end`` (0-based, half-open), in the letters of the file.

        Raises
        ------
        TfbindError
            If the interval is not wholly inside a contig of the genome.
        """
        length = self.contigs.get(contig, 0)
        if not 0 <= start <= end <= length:
            raise TfbindError(f"{self.path}: no {contig}:{start}-{end}, the contig has {length} bases")
        try:
            sequence = self._fasta.fetch(contig, start, end)
        except (OSError, ValueError):
            sequence = ""
        if len(sequence) != end - start:
            raise TfbindError(
                f"{self.path}: {contig}:{start}-{end} gave {len(sequence)} bases, expected {end - start}:"
                " the index does not fit the file, delete it to have it made again"
            )
        return sequence

    def match_contigs(
        self, names: Iterable[str], source: str | Path, *, need_all: bool = True, among: Iterable[str] = ()
    ) -> dict[str, str]:
        """Find contigs that another file names; see `tfbind.contigs.Contigs.match`."""
        return self._names.match(names, source, need_all=need_all, among=among)

    def expect_contigs(self, names: Iterable[str]) -> None:
        """Say which names `find_contig` will be asked for; see `tfbind.contigs.Contigs.expect`."""
        self._names.expect(names)

    def find_contig(self, name: str) -> str | None:
        """Give this genome's spelling of a contig, ``1`` for ``chr1``; None if it is not here."""
        return self._names.find(name)


def _can_write(folder: Path) -> bool:
    """Try it: permissions alone do not tell on network and read-only file systems."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _cached(path: Path, suffix: str, advice: str) -> Path:
    """Name in the cache for what is made from this very state of a file."""
    root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = Path(root) / "tfbind"
    if not _can_write(folder):
        raise TfbindError(
            f"{path}: {advice}, and the cache {folder} cannot be written: do that yourself,"
            " or set XDG_CACHE_HOME to a folder that can be written"
        )
    state = path.stat()
    key = hashlib.sha256(f"{path.resolve()}|{state.st_size}|{state.st_mtime_ns}".encode()).hexdigest()
    return folder / f"{path.name}.{key[:16]}{suffix}"


def _unpacked(path: Path) -> Path:
    """Unpack a plain gzip to the cache, unless that has been done."""
    plain = _cached(path, ".fa", "is plain gzip and must be compressed with bgzip instead, or unpacked")
    if not plain.exists():
        _check_layout(path)
        log.info("%s is plain gzip: unpacking it once to %s (bgzip would save that)", path, plain)
        with whole_output(plain) as temporary, gzip.open(path) as packed, open(temporary, "wb") as unpacked:
            shutil.copyfileobj(packed, unpacked, 1 << 20)
    return plain


def _indexes(plain: Path, source: Path) -> list[Path]:
    """Return the index files of a FASTA (.fai, and .gzi for BGZF), made where none is up to date."""
    suffixes = (".fai", ".gzi") if is_bgzf(plain) else (".fai",)
    beside = [plain.with_name(plain.name + suffix) for suffix in suffixes]
    changed = plain.stat().st_mtime
    if all(index.exists() and index.stat().st_mtime >= changed for index in beside):
        return beside
    if _can_write(plain.parent):
        indexes = beside
    else:
        indexes = [_cached(plain, suffix, "must be indexed (samtools faidx)") for suffix in suffixes]
        if all(index.exists() for index in indexes):
            return indexes
    if plain == source:  # else checked before it was unpacked
        _check_layout(source)
    log.info("indexing %s", source)
    with ExitStack() as stack:
        temporary = [str(stack.enter_context(whole_output(index))) for index in indexes]
        options = [word for pair in zip(("--fai-idx", "--gzi-idx"), temporary, strict=False) for word in pair]
        try:
            pysam.faidx(str(plain), *options, catch_stdout=False)
        except pysam.SamtoolsError:
            raise TfbindError(
                f"{source}: cannot be indexed, expected FASTA whose lines all end alike (LF or CRLF)"
            ) from None
    return indexes


def _open(plain: Path, indexes: list[Path]) -> pysam.FastaFile:
    gzi = str(indexes[1]) if len(indexes) > 1 else None
    try:
        fasta = pysam.FastaFile(str(plain), filepath_index=str(indexes[0]), filepath_index_compressed=gzi)
    except (OSError, ValueError):
        fasta = None
    if fasta is None or not fasta.references:
        raise TfbindError(f"{indexes[0]}: is no FASTA index, delete it to have it made again")
    return fasta


def _check_layout(path: Path) -> None:
    """Refuse what has no index: htslib would say no line number, and drop doubles and empty contigs."""
    first_line: dict[str, int] = {}
    name, bases, width, ended = "", 1, 0, False
    # htslib takes no CR for a line end
    with open_text(path, newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            line = line.removesuffix("\n").removesuffix("\r")
            if "\r" in line:
                raise TfbindError(
                    f"{path}: line {number}: found a CR in the line, expected LF or CRLF as line ends"
                )
            if line.startswith(">"):
                if not bases:
                    raise TfbindError(f"{path}: line {number - 1}: contig {name!r} has no sequence")
                name = _NAME.match(line, 1)[0]  # type: ignore[index]
                if not name:
                    raise TfbindError(f"{path}: line {number}: found '>' without a name behind it")
                if not name.isprintable():
                    raise TfbindError(
                        f"{path}: line {number}: the contig's name {name[:30]!r} cannot be printed"
                    )
                if name in first_line:
                    raise TfbindError(
                        f"{path}: line {number}: contig {name!r} comes twice,"
                        f" first in line {first_line[name]}"
                    )
                first_line[name] = number
                bases, width, ended = 0, 0, False
                continue
            length = len(line)
            if not first_line and not length:
                continue
            if not first_line:
                raise TfbindError(f"{path}: line {number}: found {line[:30].strip()!r}, expected '>' (FASTA)")
            letters = line.rstrip()
            if not (letters.isascii() and letters.isprintable()) or " " in letters:
                # htslib counts neither as a base, and would place what follows elsewhere
                found = next(c for c in letters if not ("!" <= c <= "~"))
                raise TfbindError(
                    f"{path}: line {number}: found {found!r} in the sequence of contig {name!r}, expected bases"
                )
            width = width or length
            if length and (ended or length > width):
                raise TfbindError(
                    f"{path}: line {number}: different line length: found {length} bases in contig {name!r},"
                    f" expected {width} in each of its lines but the last"
                )
            ended = length < width or not length
            bases += len(letters)
    if not first_line:
        raise TfbindError(f"{path}: is empty, expected a genome in FASTA")
    if not bases:
        raise TfbindError(f"{path}: contig {name!r} has no sequence")
