"""The sites of one contig, as they are gathered record by record."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from tfbind.dna.vcf import position
from tfbind.errors import TfbindError
from tfbind.genotypes.calls import MOST_ALLELES, NO_SET, TOO_MANY_ALLELES, parse_record, settle, what_is_wrong
from tfbind.genotypes.contig import Account, Genotypes
from tfbind.genotypes.inheritance import PSEUDOAUTOSOMAL, SEX_LINKED
from tfbind.genotypes.layout import Seen, choose_layout, heterozygosity, lay_out
from tfbind.genotypes.packed import pack_rows, packed_bytes
from tfbind.genotypes.par_signs import warn_of_par
from tfbind.genotypes.ploidy import LAST_POSITION, UNSTATED, UNUSED, Region
from tfbind.genotypes.stated_calls import check_stated

FIRST_SAMPLE = 9
# a contig is of polyploids if this many records have a genotype of three alleles or more, and fewer are usable
FEWEST_POLYPLOID = 10
# of the memory for calls, where more sites come than it holds
_GROWTH = 1.125
_FIRST_SITES = 1024


class MalformedRecord(TfbindError):
    """A record that cannot be read; the others of its file can."""


class Sites:
    """The sites of one contig, or of a region of it, as they are read.

    Parameters
    ----------
    contig : str
    names : list of str
        The samples that are used.
    rows : (samples of the file,) int
        The place of each among ``names``, or -1.
    most_missing : float
        Sites with a larger share of missing calls are left out.
    region : Region
        Where on the contig, and what is stated of the samples there.
    """

    def __init__(self, contig: str, names: list[str], rows: np.ndarray, most_missing: float, region: Region):
        self.contig, self.names, self.rows, self.most_missing = contig, names, rows, most_missing
        self.region = region
        self.left_out: Counter[str] = Counter()
        self.positions: list[int] = []
        # of each sample's two chromosomes, packed; the rows beyond the positions are free
        self.codes = np.empty((_FIRST_SITES, packed_bytes(2 * len(names))), np.uint8)
        self.phases = np.zeros((len(names), 2), np.int64)
        self.ploidies = np.zeros((len(names), 2), np.int64)
        self.first_sets = np.full(len(names), NO_SET, np.int64)
        self.in_sets = np.zeros(len(names), bool)
        self.start, self.end = 2**62, 0
        self.n_polyploid = 0
        self._calls = np.empty((len(names), 2), np.int8)
        self._alleles = np.empty((len(names), 2), np.int8)
        self._slashes = np.empty(len(names), bool)
        self._sets = np.empty(len(names), np.int64)

    def add(self, record: list[str], where: str, keep_filtered: bool) -> None:
        """Take one record: parse its genotypes, or count why not.

        Raises
        ------
        MalformedRecord
            If its position or a genotype cannot be read; it is counted, and the next one can be taken.
        TfbindError
            If the samples are polyploid.
        """
        try:
            at = _position(record[1], where) - 1
            if at < 0:
                # before the first base, where VCF puts the telomere
                self.left_out["not_snv"] += 1
                return
            reason = _reason_to_leave_out(record, keep_filtered) or self._parse(record, where)
        except MalformedRecord:
            self.left_out["malformed"] += 1
            raise
        self.start, self.end = min(self.start, at), max(self.end, at + 1)
        if reason:
            self.left_out[reason] += 1
        else:
            self.positions.append(at)

    def _parse(self, record: list[str], where: str) -> str | None:
        """Read the genotypes into the next free row, which stays free if they are of no use."""
        text = np.frombuffer(record[FIRST_SAMPLE].encode(), np.uint8)
        fields = record[FIRST_SAMPLE - 1].split(":")
        bases = [record[3], *record[4].split(",")]
        error, sample, called, carried = parse_record(
            text,
            fields.index("GT"),
            fields.index("PS") if "PS" in fields else -1,
            self.rows,
            len(bases),
            self._alleles,
            self._slashes,
            self._sets,
        )
        if error:
            self._refuse(error, record, sample, len(bases), where)
        numbers = [i for i in range(min(len(bases), MOST_ALLELES)) if carried >> i & 1]
        # here, since most sites of a large file may not vary in a few of its samples
        if len(numbers) < 2:
            return "monomorphic" if called else "too_few_calls"
        if not all(map(_is_base, (bases[i] for i in numbers))):
            return "not_snv"
        if len(numbers) > 2:
            return "multiallelic"
        settle(
            self._alleles,
            self._slashes,
            self._sets,
            numbers[0],
            numbers[1],
            self._calls,
            self.phases,
            self.ploidies,
            self.first_sets,
            self.in_sets,
        )
        row = len(self.positions)
        if row == len(self.codes):
            # in place where the system can move its pages, as Linux does
            self.codes.resize((int(row * _GROWTH), self.codes.shape[1]), refcheck=False)
        pack_rows(self._calls.reshape(1, -1), self.codes[row : row + 1])
        return None

    def _refuse(self, error: int, record: list[str], sample: int, n_alleles: int, where: str) -> None:
        found = record[FIRST_SAMPLE].split("\t")[sample].split(":")[0]
        name = self.names[self.rows[sample]]
        self.n_polyploid += error == TOO_MANY_ALLELES
        if self.n_polyploid >= max(FEWEST_POLYPLOID, len(self.positions)):
            ploidy = found.replace("|", "/").count("/") + 1
            raise TfbindError(
                f"{where}: sample {name}: found {found[:30]!r}, a ploidy of {ploidy}, expected haploids or diploids;"
                " maps of polyploids cannot be made"
            )
        raise MalformedRecord(
            f"{where}: sample {name}: found {found[:30]!r}, {what_is_wrong(error, n_alleles)}"
        )

    def genotypes(self, unphased: bool, where: str, place: str = "", inheritance: str = "") -> Genotypes:
        """Lay the sites out as haplotypes or genotypes.

        Parameters
        ----------
        unphased : bool
            Do not use the phase.
        where : str
            What a warning begins with.
        place, inheritance : str
            As ``region`` and ``inheritance`` of `Genotypes`.
        """
        self.codes.resize((len(self.positions), self.codes.shape[1]), refcheck=False)
        stated = self.region.stated
        counts = heterozygosity(self.codes, stated != UNUSED)
        seen = Seen(self.phases, self.ploidies, self.in_sets, *counts)
        check_stated(seen, self.names, self.region, where)
        if inheritance == SEX_LINKED and (stated == UNSTATED).all():
            warn_of_par(self.codes, len(self.names), np.array(self.positions, np.int64), where)
        # nothing but the calls is to hold the memory, so that they can let it go
        codes, self.codes = self.codes, np.empty((0, self.codes.shape[1]), np.uint8)
        layout = choose_layout(seen, self.names, where, unphased=unphased, stated=stated)
        is_used = layout.used[:, 0]
        if self.region.is_par:
            inheritance = PSEUDOAUTOSOMAL
        of_diploids = inheritance == SEX_LINKED or bool((stated != UNSTATED).any())
        counted = ~layout.single if of_diploids else np.ones(len(self.names), bool)
        genotypes = Genotypes(
            self.contig,
            np.array(self.positions, np.int64),
            lay_out(codes, layout),
            2 if layout.unphased else 1,
            min(self.start, self.end),
            self.end,
            tuple(name for name, is_in in zip(self.names, is_used, strict=True) if is_in),
            tuple(name for name, is_in in zip(self.names, is_used, strict=True) if not is_in),
            Account(**self.left_out),
            None if layout.unphased else np.unique(np.nonzero(layout.used)[0], return_inverse=True)[1],
            inbreeding=seen.inbreeding(counted),
            region=place,
            inheritance=inheritance,
            n_single=int(layout.single.sum()),
        )
        varying, n_lost = _with_calls(genotypes, self.most_missing)
        found = _without_duplicates(varying)
        # of several records at one position that differ none is kept
        n_lost += len(np.unique(varying.positions)) - len(found.positions)
        n_lost += self.left_out["multiallelic"] + self.left_out["malformed"]
        n_kept = len(found.positions)
        return replace(found, kept_share=n_kept / (n_kept + n_lost) if n_kept else 1.0)


def _position(text: str, where: str) -> int:
    try:
        # what is that long is refused whatever follows, by int() in its own words
        pos = position(text[:20], where)
    except TfbindError as error:
        raise MalformedRecord(str(error)) from None
    if pos > LAST_POSITION:
        raise MalformedRecord(f"{where}: found the position {text[:30]}, expected at most {LAST_POSITION:,}")
    return pos


def _is_base(allele: str) -> bool:
    return len(allele) == 1 and allele not in "*."


def _reason_to_leave_out(record: list[str], keep_filtered: bool) -> str | None:
    """Tell from all but the genotypes why a record is of no use."""
    ref, alt, passed, layout = record[3], record[4], record[6], record[8]
    if not keep_filtered and passed not in ("PASS", "."):
        return "filtered"
    if alt == ".":
        return "monomorphic"
    # one of several alleles may be the one that the samples have
    if "," not in alt and not (_is_base(ref) and _is_base(alt)):
        return "not_snv"
    return None if "GT" in layout.split(":") else "no_genotypes"


def _with_calls(genotypes: Genotypes, most_missing: float) -> tuple[Genotypes, int]:
    """Keep the sites that vary and have calls enough in the samples that are used after all; and count what varies of
    the others."""
    ones, called = genotypes.allele_counts()
    enough = called >= (1 - most_missing) * genotypes.n_chromosomes
    varies = (ones > 0) & (ones < called)
    kept = genotypes.select(enough, "too_few_calls").select(varies[enough], "monomorphic").recounted()
    return kept, int((varies & ~enough).sum())


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
        one, other = np.asarray(calls[[repeat, first_of[repeat]]])
        if not np.array_equal(one, other):
            keep[first_of[repeat]] = False
    return genotypes.select(keep, "duplicate")
