"""Genotypes from a VCF or BCF, one contig at a time.

Memory holds one contig: two bytes a sample for every site that varies among the samples asked for, and as much
again while the contig is handed over (a million sites of 200 diploids: 0.4 GB, twice).

The records are read as text and parsed by compiled code, as fast as by cyvcf2 0.35, which refuses a header whose
QUAL is misspelled, stops at a blank line, and names no line that is wrong.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np

from tfbind.dna.vcf import position, read_lines
from tfbind.errors import TfbindError
from tfbind.files import open_text
from tfbind.genotypes.calls import ABSENT, UNPHASED, WHAT_IS_WRONG, parse_calls
from tfbind.genotypes.contig import MISSING, Account, Genotypes
from tfbind.progress import Progress

logger = logging.getLogger(__name__)

FIRST_SAMPLE = 9
LAST_POSITION = 2**31 - 1  # as in BCF, and in tensors files
MOST_MISSING = 0.5
# of a phased sample's heterozygous genotypes, and of a phased contig's samples
MOST_UNPHASED = 0.01
MOST_SAMPLES_UNPHASED = 0.1
_SITES_A_BLOCK = 4096


def read_genotypes(
    path: str | Path,
    samples: str | Path | None = None,
    *,
    unphased: bool = False,
    most_missing: float = MOST_MISSING,
    keep_filtered: bool = False,
) -> Iterator[Genotypes]:
    """Read the biallelic SNVs of a VCF (plain, gzip or BGZF; any line ends) or BCF, contig by contig.

    A contig is read as haplotypes if its samples are phased (``0|1``, taken to hold along the whole contig) or
    haploid. A sample without a phase in more than 1% of its heterozygous genotypes is left out if nine tenths
    of the samples do have one, else the contig is read as unphased genotypes; among phased samples a single
    heterozygous genotype without a phase is taken for missing. Among unphased genotypes a haploid one counts as
    a homozygous diploid. Of records at one position the first stays if the
    others repeat it; if they differ (a multiallelic site split in two, say) none does.

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

    Raises
    ------
    TfbindError
        If the file is no VCF or has no samples, or two of one name; if a name is none of its samples, or listed twice;
        if a position is none or beyond LAST_POSITION; if a genotype has more than two alleles or cannot be read; if a
        contig's records do not stand together.
    """
    path = Path(path)
    columns, unit, lines = read_lines(path)
    names, rows = _choose_samples(path, columns[FIRST_SAMPLE:], samples)
    logger.info("%s: %d of %d samples are used", path, len(names), len(rows))
    records = ((f"{path}: {unit} {number}", line.split("\t", FIRST_SAMPLE)) for number, line in lines)
    seen: set[str] = set()
    for contig, on_contig in groupby(records, lambda record: record[1][0]):
        sites = _Sites(contig, names, rows, most_missing)
        with Progress(f"reading contig {contig}", unit="records") as progress:
            for where, record in on_contig:
                if contig in seen:
                    raise TfbindError(
                        f"{where}: found contig {contig} again, expected its records together: sort it"
                    )
                sites.add(record, where, keep_filtered)
                progress.update(1)
        seen.add(contig)
        genotypes = sites.genotypes(unphased)
        if genotypes.samples_left_out:
            logger.warning(
                "%s: contig %s: left out %s without phase, unlike the others: %s",
                path,
                contig,
                f"{len(genotypes.samples_left_out)} of {len(names)} samples",
                ", ".join(genotypes.samples_left_out[:5]),
            )
        logger.info("%s: contig %s: %s", path, contig, genotypes.account)
        yield genotypes
        # or memory would hold it while the next one is read
        del genotypes


def read_sample_names(path: str | Path, samples: str | Path | None = None) -> list[str]:
    """Read a VCF's or BCF's header alone, and give the names of the samples that `read_genotypes` would read.

    Raises
    ------
    TfbindError
        If the file is no VCF, or its samples are not as `read_genotypes` expects.
    """
    columns = read_lines(path).columns
    return _choose_samples(Path(path), columns[FIRST_SAMPLE:], samples)[0]


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


class _Sites:
    """The sites of one contig as they are read."""

    def __init__(self, contig: str, names: list[str], rows: np.ndarray, most_missing: float):
        self.contig, self.names, self.rows, self.most_missing = contig, names, rows, most_missing
        self.left_out: Counter[str] = Counter()
        self.positions: list[int] = []
        self.blocks: list[np.ndarray] = []
        self.is_diploid = np.zeros(len(names), bool)
        self.phases = np.zeros((len(names), 2), np.int64)
        self.start, self.end = 2**62, 0

    def add(self, record: list[str], where: str, keep_filtered: bool) -> None:
        """Take one record: parse its genotypes, or count why not."""
        at = _position(record[1], where) - 1
        if at < 0:
            # before the first base, where VCF puts the telomere
            self.left_out["not_snv"] += 1
            return
        self.start, self.end = min(self.start, at), max(self.end, at + 1)
        reason = _reason_to_leave_out(record, keep_filtered) or self._parse(record, where)
        if reason:
            self.left_out[reason] += 1
        else:
            self.positions.append(at)

    def _parse(self, record: list[str], where: str) -> str | None:
        """Read the genotypes into the next row of the last block; the row stays free if they are of no use."""
        row = len(self.positions) % _SITES_A_BLOCK
        if row == 0 and len(self.blocks) * _SITES_A_BLOCK == len(self.positions):
            self.blocks.append(np.empty((_SITES_A_BLOCK, len(self.names), 2), np.int8))
        calls = self.blocks[-1][row]
        text = np.frombuffer(record[FIRST_SAMPLE].encode(), np.uint8)
        gt = record[FIRST_SAMPLE - 1].split(":").index("GT")
        error, sample, called, ones = parse_calls(text, gt, self.rows, calls, self.phases)
        if error:
            found = record[FIRST_SAMPLE].split("\t")[sample]
            name = self.names[self.rows[sample]]
            raise TfbindError(f"{where}: sample {name}: found {found[:30]!r}, {WHAT_IS_WRONG[error]}")
        is_diploid = calls[:, 1] != ABSENT
        self.is_diploid |= is_diploid
        # here, since most sites of a large file may not vary in a few of its samples
        if ones == 0 or ones == called:
            return "monomorphic" if called else "too_few_calls"
        return None

    def genotypes(self, unphased: bool) -> Genotypes:
        """Lay the sites out as haplotypes or genotypes."""
        without_phase = self.phases[:, 0] > MOST_UNPHASED * self.phases.sum(axis=1)
        unphased = bool(self.is_diploid.any()) and (unphased or without_phase.mean() > MOST_SAMPLES_UNPHASED)
        used = np.stack([np.ones(len(self.names), bool), self.is_diploid], axis=1)
        if not unphased:
            used[without_phase] = False
        calls = np.empty((len(self.positions), len(self.names) if unphased else int(used.sum())), np.int8)
        for first in range(0, len(calls), _SITES_A_BLOCK):
            part = calls[first : first + _SITES_A_BLOCK]
            # a block is let go before the next one is laid out
            block = self.blocks.pop(0)[: len(part)]
            part[:] = _dosages(block) if unphased else _haplotypes(block)[:, used]
        genotypes = Genotypes(
            self.contig,
            np.array(self.positions, np.int64),
            calls,
            2 if unphased else 1,
            min(self.start, self.end),
            self.end,
            tuple(name for name, is_used in zip(self.names, used[:, 0], strict=True) if is_used),
            tuple(name for name, is_used in zip(self.names, used[:, 0], strict=True) if not is_used),
            Account(**self.left_out),
            None if unphased else np.unique(np.nonzero(used)[0], return_inverse=True)[1],
        )
        return _without_duplicates(_with_calls(genotypes, self.most_missing))


def _position(text: str, where: str) -> int:
    # what is that long is refused whatever follows, by int() in its own words
    pos = position(text[:20], where)
    if pos > LAST_POSITION:
        raise TfbindError(f"{where}: found the position {text[:30]}, expected at most {LAST_POSITION:,}")
    return pos


def _reason_to_leave_out(record: list[str], keep_filtered: bool) -> str | None:
    """Tell from all but the genotypes why a record is of no use."""
    ref, alt, passed, layout = record[3], record[4], record[6], record[8]
    if not keep_filtered and passed not in ("PASS", "."):
        return "filtered"
    if alt == ".":
        return "monomorphic"
    if "," in alt:
        return "multiallelic"
    if len(ref) != 1 or len(alt) != 1 or alt == "*":
        return "not_snv"
    return None if "GT" in layout.split(":") else "no_genotypes"


def _haplotypes(block: np.ndarray) -> np.ndarray:
    """The allele of each chromosome; unknown where the phase is."""
    without_phase = block[..., :1] >= UNPHASED
    return np.where(without_phase, MISSING, np.maximum(block, MISSING)).astype(np.int8)


def _dosages(block: np.ndarray) -> np.ndarray:
    """How often each sample has allele 1, of two chromosomes; a haploid genotype counts as homozygous."""
    first, second = block[..., 0], block[..., 1]
    first = np.where(first >= UNPHASED, first - UNPHASED, first)
    second = np.where(second == ABSENT, first, second)
    return np.where((first < 0) | (second < 0), MISSING, first + second).astype(np.int8)


def _with_calls(genotypes: Genotypes, most_missing: float) -> Genotypes:
    """Keep the sites that vary and have calls enough in the samples that are used after all."""
    ones, called = genotypes.allele_counts()
    enough = called >= (1 - most_missing) * genotypes.n_chromosomes
    varies = (ones > 0) & (ones < called)
    return genotypes.select(enough, "too_few_calls").select(varies[enough], "monomorphic").recounted()


def _without_duplicates(genotypes: Genotypes) -> Genotypes:
    """Sort the sites; of those at one position keep the first if all are the same, else none."""
    positions, calls = genotypes.positions, genotypes.calls
    if (np.diff(positions) < 0).any():
        order = np.argsort(positions, kind="stable")
        positions, calls = positions[order], calls[order]
        genotypes = replace(genotypes, positions=positions, calls=calls)
    is_first = np.ones(len(positions), bool)
    is_first[1:] = positions[1:] != positions[:-1]
    keep = is_first.copy()
    first_of = np.flatnonzero(is_first)[np.cumsum(is_first) - 1]
    for repeat in np.flatnonzero(~is_first):
        if not np.array_equal(calls[repeat], calls[first_of[repeat]]):
            keep[first_of[repeat]] = False
    return genotypes.select(keep, "duplicate")
