"""Genotypes from a VCF or BCF, one contig at a time.

Memory holds one contig: four bits a sample for every site that varies among the samples asked for (a million sites of
3,000 diploids: 1.5 GB). They are laid out as haplotypes or genotypes in the same memory.

The records are read as text and parsed by compiled code, as fast as by cyvcf2 0.35, which refuses a header whose
QUAL is misspelled, stops at a blank line, and names no line that is wrong.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np

from tfbind.contigs import Contigs
from tfbind.dna.vcf import header_contigs, read_lines, too_few_columns
from tfbind.errors import TfbindError
from tfbind.files import open_text
from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.inheritance import inheritance
from tfbind.genotypes.ploidy import Ploidies
from tfbind.genotypes.sites import FIRST_SAMPLE, MalformedRecord, Sites
from tfbind.progress import Progress

logger = logging.getLogger(__name__)

MOST_MISSING = 0.5


def read_genotypes(
    path: str | Path,
    samples: str | Path | None = None,
    *,
    unphased: bool = False,
    most_missing: float = MOST_MISSING,
    keep_filtered: bool = False,
    strict: bool = False,
    ploidies: Ploidies | None = None,
) -> Iterator[Genotypes]:
    """Read the SNVs of a VCF (plain, gzip or BGZF; any line ends) or BCF, contig by contig.

    A contig along which the ploidy that is stated of a sample changes, as where a pseudoautosomal region begins, is
    given region by region.

    A record is used if the samples asked for carry two alleles, each of one base; alleles that none of them carries do
    not count. A record that cannot be read is left out, counted, and warned about after the last one.

    A contig is read as haplotypes if its samples are phased (``0|1``, taken to hold along the whole contig) or
    of one chromosome (`tfbind.genotypes.layout`). A sample without a phase in more than 1% of its heterozygous
    genotypes is left out if nine tenths of the samples do have one, else the contig is read as unphased genotypes;
    among phased samples a single heterozygous genotype without a phase counts as missing. Of records at one position
    the first stays if the others repeat it; if they differ (a multiallelic site split in two, say) none does.

    Parameters
    ----------
    samples : path or None
        A file with a sample's name on each line; all of the VCF's where None.
    unphased : bool
        Do not use the phase, whether it is known or not.
    most_missing : float
        Sites with a larger share of missing calls are left out.
    keep_filtered : bool
        Use records with a FILTER other than ``PASS`` and ``.`` as well.
    strict : bool
        Refuse the file if a record cannot be read.
    ploidies : Ploidies or None
        What is stated of them; all else is found from the calls.

    Raises
    ------
    TfbindError
        If the file is no VCF or has no samples, or two of one name; if a name is none of its samples, or listed twice;
        if none of its records can be read, or one cannot and ``strict``; if the samples are polyploid; if a contig's
        records do not stand together; if ``ploidies`` name a sample or a contig that is not there, or the calls
        contradict them.
    """
    path = Path(path)
    ploidies = Ploidies() if ploidies is None else ploidies
    columns, unit, lines = read_lines(path, whole=False)
    names, rows = _choose_samples(path, columns[FIRST_SAMPLE:], samples)
    in_header = header_contigs(path)
    if ploidies.table is not None:
        ploidies.table.check(columns[FIRST_SAMPLE:], path)
    if in_header:
        ploidies.check_contigs(Contigs(in_header, path))
    logger.info("%s: %d of %d samples are used", path, len(names), len(rows))
    unread = _Unread(path, strict)
    records = unread.without_short(lines, unit, len(columns))
    seen: set[str] = set()
    for contig, on_contig in groupby(records, lambda record: record[1][0]):
        parts = [Sites(contig, names, rows, most_missing, r) for r in ploidies.regions(contig, names)]
        with Progress(f"reading contig {contig}", unit="records") as progress:
            for where, record in on_contig:
                if contig in seen:
                    raise TfbindError(
                        f"{where}: found contig {contig} again, expected its records together: sort it"
                    )
                try:
                    _part_of(parts, record[1]).add(record, where, keep_filtered)
                except MalformedRecord as error:
                    unread.add(error)
                progress.update(1)
        seen.add(contig)
        parts = _joined(parts)
        kind = inheritance(contig, {*in_header, *seen})
        while parts:
            sites = parts.pop(0)
            place = contig
            if sites.region.start > 0 or parts:
                place = f"{contig}:{sites.start + 1:,}-{sites.end:,}"
            genotypes = sites.genotypes(unphased, f"{path}: contig {place}", place, kind)
            logger.info("%s: contig %s: %s", path, place, genotypes.account)
            yield genotypes
            # or memory would hold it while the next one is read
            del genotypes, sites
    unread.report()
    if not in_header and seen:
        ploidies.check_contigs(Contigs(seen, path))


def _part_of(parts: list[Sites], pos: str) -> Sites:
    """Give the part of a contig that a record is in; the first one where its position cannot be read."""
    if len(parts) == 1 or not (pos.isascii() and pos.isdecimal()):
        return parts[0]
    # Python refuses to convert thousands of digits
    at = int(pos[:18]) - 1
    return next((part for part in parts if at < part.region.end), parts[-1])


def _joined(parts: list[Sites]) -> list[Sites]:
    """Leave parts without records out, and let each other one end where the next one begins."""
    kept = [part for part in parts if part.end > 0] or parts[:1]
    for part in parts:
        # records whose position cannot be read
        if part not in kept:
            kept[0].left_out.update(part.left_out)
    for before, after in pairwise(kept):
        before.end = after.start = after.region.start
    return kept


class _Unread:
    """The records of a file that could not be read."""

    def __init__(self, path: Path, strict: bool):
        self.path, self.strict = path, strict
        self.n, self.n_records, self.first = 0, 0, ""

    def add(self, why: MalformedRecord) -> None:
        """Count one; raise if none is allowed."""
        if self.strict:
            raise TfbindError(f"{why} (without --strict it is left out)")
        self.n += 1
        self.first = self.first or str(why)

    def without_short(
        self, lines: Iterator[tuple[int, str]], unit: str, n_columns: int
    ) -> Iterator[tuple[str, list[str]]]:
        """Give where each record is, and its columns, the samples as one; records with too few columns are counted."""
        for number, line in lines:
            self.n_records += 1
            where = f"{self.path}: {unit} {number}"
            found = line.count("\t") + 1
            if found < n_columns:
                self.add(MalformedRecord(f"{where}: {too_few_columns(found, n_columns)}"))
            else:
                yield where, line.split("\t", FIRST_SAMPLE)

    def report(self) -> None:
        """Warn of what was left out; raise if that is all there is."""
        if self.n and self.n == self.n_records:
            raise TfbindError(f"{self.first}; no other record can be read either")
        if self.n:
            logger.warning(
                "left out %s of %s records, which cannot be read; the first: %s",
                f"{self.n:,}",
                f"{self.n_records:,}",
                self.first,
            )


def _choose_samples(path: Path, found: list[str], listed: str | Path | None) -> tuple[list[str], np.ndarray]:
    """Give the names of the samples to use and, for each of the file's samples, its row among them or -1."""
    if not found:
        raise TfbindError(f"{path}: found no samples, expected a VCF or BCF with genotypes")
    columns = {name: column for column, name in enumerate(found)}
    if len(columns) < len(found):
        twice = next(name for column, name in enumerate(found) if columns[name] != column)
        raise TfbindError(f"{path}: found the sample {twice!r} twice, expected each name once")
    if listed is None:
        return found, np.arange(len(found))
    chosen: dict[str, None] = {}
    with open_text(listed) as lines:
        for number, line in enumerate(lines, 1):
            name = line.strip()
            if name and name not in columns:
                some = f"{', '.join(found[:3])}{', ...' if len(found) > 3 else ''}"
                raise TfbindError(
                    f"{listed}: line {number}: found {name!r}, expected one of the {len(found)} samples of"
                    f" {path} ({some})"
                )
            if name in chosen:
                raise TfbindError(f"{listed}: line {number}: found {name!r} again, expected each name once")
            if name:
                chosen[name] = None
    if not chosen:
        raise TfbindError(f"{listed}: found no names, expected the name of a sample of {path} on each line")
    # in the file's order, so that the order of a list does not matter
    names = [name for name in found if name in chosen]
    rows = np.full(len(found), -1)
    rows[[columns[name] for name in names]] = np.arange(len(names))
    return names, rows
