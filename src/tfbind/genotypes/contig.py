"""The genotypes on one contig, and the account of the records that they come from."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numba import njit

from tfbind.genotypes.packed import PackedCalls

MISSING = -1
# what became of the records that are not used, in the order in which they are looked for
LEFT_OUT = {
    "malformed": "that cannot be read",
    "filtered": "with a FILTER other than PASS",
    "multiallelic": "with more than two alleles in these samples",
    "not_snv": "no single-nucleotide variants",
    "no_genotypes": "without GT",
    "too_few_calls": "with too many missing calls",
    "monomorphic": "without variation in these samples",
    "duplicate": "at a position that another one has",
    "masked": "outside the mask's accessible intervals",
}


@dataclass(frozen=True)
class Account:
    """What became of records: each one is `used` or counted under the first reason to leave it out.

    `missing_calls` of the `calls` (chromosomes x sites) in the used ones are unknown.
    """

    used: int = 0
    malformed: int = 0
    filtered: int = 0
    multiallelic: int = 0
    not_snv: int = 0
    no_genotypes: int = 0
    too_few_calls: int = 0
    monomorphic: int = 0
    duplicate: int = 0
    masked: int = 0
    calls: int = 0
    missing_calls: int = 0

    @property
    def records(self) -> int:
        """All the records that were read."""
        return self.used + sum(getattr(self, reason) for reason in LEFT_OUT)

    def main_reason(self) -> str:
        """Give the reason, a name of LEFT_OUT, for which over half of the records are left out; empty if none."""
        return next((reason for reason in LEFT_OUT if 2 * getattr(self, reason) > self.records), "")

    def __add__(self, other: Account) -> Account:
        return Account(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __str__(self) -> str:
        """``11,893 records, 8,124 used (0 of 3,282,096 calls missing), left out: 535 no single-nucleotide ...``."""
        found = [f"{getattr(self, name):,} {why}" for name, why in LEFT_OUT.items() if getattr(self, name)]
        left_out = f", left out: {', '.join(found)}" if found else ""
        calls = f"{self.missing_calls:,} of {self.calls:,} calls missing"
        return f"{self.records:,} records, {self.used:,} used ({calls}){left_out}"


@njit(cache=True, nogil=True)
def _allele_counts(calls, ploidy):  # pragma: no cover - compiled
    ones, called = np.zeros(len(calls), np.int64), np.zeros(len(calls), np.int64)
    for site in range(len(calls)):
        for call in calls[site]:
            if call >= 0:
                ones[site] += call
                called[site] += ploidy
    return ones, called


@dataclass(frozen=True, eq=False)
class Genotypes:
    """The biallelic sites of one contig in a sample of chromosomes.

    contig : str
    positions : (sites,) int64
        0-based, rising, each once.
    calls : (sites, columns) int8, or PackedCalls, which hold the same in less memory
        Which of two alleles, 0 or 1, a haplotype has; or, where the phase is unknown, how many of its two
        chromosomes have allele 1: 0, 1 or 2. -1 is unknown.
    ploidy : int
        Chromosomes a column: 1 for haplotypes, 2 for unphased genotypes.
    start, end : int
        The stretch that was looked at (0-based, half-open): without other knowledge, from the first record to
        the last one, used or not.
    samples : tuple of str
        Names in the order of the columns; one that is diploid and phased has two columns.
    samples_left_out : tuple of str
        Those without a phase among samples that have one.
    account : Account
    sample : (columns,) int64 or None
        Which of the samples, counted from 0, each column belongs to; each to its own where None.
    kept_share : float
        Of the sites that vary, those that are not left out for what they look like: with more than two alleles, with
        too many missing calls, or at one position with others. The diversity is too low by as much.
    inbreeding : float
        The deficit of heterozygous genotypes among the samples written as diploid, F (Wright 1951); NaN if none is.
        Samples that are haploid by what was stated, or on a sex chromosome, do not count.
    region : str
        The stretch, for messages, if it is one of several that the contig was cut into where ploidies change.
    inheritance : str
        Of `tfbind.genotypes.inheritance`; empty for what is inherited as an autosome.
    n_single : int
        Samples that count as one chromosome each, used or not.
    """

    contig: str
    positions: np.ndarray
    calls: np.ndarray | PackedCalls
    ploidy: int
    start: int
    end: int
    samples: tuple[str, ...] = ()
    samples_left_out: tuple[str, ...] = ()
    account: Account = Account()
    sample: np.ndarray | None = None
    kept_share: float = 1.0
    inbreeding: float = float("nan")
    region: str = ""
    inheritance: str = ""
    n_single: int = 0

    @property
    def place(self) -> str:
        """The contig, or which part of it, for messages."""
        return self.region or self.contig

    @property
    def n_chromosomes(self) -> int:
        """How many copies of the contig were sampled."""
        return self.calls.shape[1] * self.ploidy

    def sample_of_column(self) -> np.ndarray:
        """Which sample, counted from 0, each column belongs to: (columns,) int64, never falling."""
        return np.arange(self.calls.shape[1]) if self.sample is None else self.sample

    def allele_counts(self) -> tuple[np.ndarray, np.ndarray]:
        """Count at each site the chromosomes with allele 1 and those that were called: twice (sites,) int64."""
        if isinstance(self.calls, PackedCalls):
            ones, known = self.calls.sums()
            return ones, known * self.ploidy
        return _allele_counts(self.calls, self.ploidy)

    def let_go(self) -> None:
        """Free the memory of packed calls, of which nothing more is asked; see `PackedCalls.let_go`."""
        if isinstance(self.calls, PackedCalls):
            self.calls.let_go()

    def select(self, keep: np.ndarray, reason: str) -> Genotypes:
        """Keep some of the sites; the others are counted under ``reason``, a name of LEFT_OUT."""
        if keep.all():
            return self
        counted = getattr(self.account, reason) + int((~keep).sum())
        kept = replace(self, positions=self.positions[keep], calls=self.calls[keep])
        return replace(kept, account=replace(self.account, **{reason: counted})).recounted()

    def recounted(self) -> Genotypes:
        """Count the used sites and their calls anew."""
        n_calls = self.calls.size * self.ploidy
        missing = n_calls - int(self.allele_counts()[1].sum())
        account = replace(self.account, used=len(self.positions), calls=n_calls, missing_calls=missing)
        return replace(self, account=account)
