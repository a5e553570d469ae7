"""Ploidies that a user states, by sample and region, and pseudoautosomal regions.

The table is what bcftools takes for ``call --ploidy-file`` and its file of sexes, both in one file if need be. Lines
have columns between tabs, or blanks where a line has no tab; ``#`` begins a comment:

    X  1        60000      M    1     CHROM FROM TO SEX PLOIDY, from 1, both ends included
    X  2699521  154931043  M    1
    Y  1        59373566   F    0     ploidy 0: the sample is not used there
    ann  F                            SAMPLE SEX
    bob  M

A sample's name, or ``*`` for all, may take the place of SEX, and ``*`` that of CHROM, FROM and TO. Lines that name a
contig go before those with ``*``, and those of a sample before those of a sex before those of all. On a contig that a
line is for, other samples and regions are diploid; other contigs are read as without the table.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfbind.contigs import Contigs, some_names
from tfbind.dna.bed import data_lines
from tfbind.errors import TfbindError
from tfbind.genotypes.mask import Mask

logger = logging.getLogger(__name__)

# of a sample of which nothing is stated: the calls decide
UNSTATED = -1
UNUSED, HAPLOID, DIPLOID = 0, 1, 2
ALL = "*"
LAST_POSITION = 2**31 - 1  # as in BCF
# sexes that bcftools knows without a file of them
USUAL_SEXES = ("M", "F")


class Rule(NamedTuple):
    """A line of the table: 0-based, half-open; ``who`` is a sample, a sex or ALL."""

    line: int
    start: int
    end: int
    who: str
    ploidy: int


class Region(NamedTuple):
    """A stretch of a contig along which each sample keeps its ploidy.

    start, end : int
        0-based, half-open.
    stated : (samples,) int8
        UNUSED, HAPLOID, DIPLOID, or UNSTATED.
    is_par : bool
    source : str
        The file that says so, for messages.
    """

    start: int
    end: int
    stated: NDArray[np.int8]
    is_par: bool
    source: str


@dataclass(frozen=True)
class PloidyTable:
    """What `read_ploidies` has read.

    path : Path
    rules : dict of str to list of Rule
        By contig, or ALL.
    sexes : dict of str to str
        By sample.
    lines : dict of str to int
        Where the sex of a sample stands.
    """

    path: Path
    rules: dict[str, list[Rule]] = field(default_factory=dict)
    sexes: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    @cached_property
    def names(self) -> Contigs:
        """The names of the contigs that have rules of their own."""
        return Contigs((contig for contig in self.rules if contig != ALL), self.path)

    def check(self, samples: Sequence[str], vcf: str | Path) -> None:
        """Refuse a sample that is not among ``samples``, all of those of ``vcf``."""
        known = set(samples)
        some = f"{', '.join(samples[:3])}{', ...' if len(samples) > 3 else ''}"
        for name, line in self.lines.items():
            if name not in known:
                raise TfbindError(
                    f"{self.path}: line {line}: found the sample {name!r}, expected one of the {len(samples)} samples"
                    f" of {vcf} ({some})"
                )
        sexes = {*self.sexes.values(), *(USUAL_SEXES if self.sexes else ())}
        for rule in (rule for rules in self.rules.values() for rule in rules):
            if rule.who not in known and rule.who not in sexes and rule.who != ALL:
                raise TfbindError(
                    f"{self.path}: line {rule.line}: found {rule.who!r}, expected a sample of {vcf} ({some}), * for"
                    " all, or a sex that lines 'SAMPLE SEX' name"
                )

    def stated(self, contig: str | None, names: Sequence[str], start: int, end: int) -> NDArray[np.int8]:
        """Give the ploidy of each sample along a stretch in which no rule begins or ends."""
        own, general = self.rules.get(contig, []) if contig else [], self.rules.get(ALL, [])
        found = np.full(len(names), DIPLOID if own or general else UNSTATED, np.int8)
        for rules in (general, own):
            here = [rule for rule in rules if rule.start <= start and end <= rule.end]
            for who in (lambda _: ALL, self.sexes.get, lambda name: name):
                self._apply(here, [who(name) for name in names], names, found)
        return found

    def _apply(
        self, rules: list[Rule], who: list[str | None], names: Sequence[str], found: NDArray[np.int8]
    ) -> None:
        """Set the ploidies that rules of one rank give; two that differ are refused."""
        by_who: dict[str, Rule] = {}
        for rule in rules:
            before = by_who.setdefault(rule.who, rule)
            if before.ploidy != rule.ploidy and rule.who in who:
                raise TfbindError(
                    f"{self.path}: line {rule.line}: found a ploidy of {rule.ploidy} where line {before.line} says"
                    f" {before.ploidy}, expected one ploidy of {rule.who!r} at each place"
                )
        for sample in range(len(names)):
            name = who[sample]
            if name is not None and name in by_who:
                found[sample] = by_who[name].ploidy


@dataclass(frozen=True)
class Ploidies:
    """What is stated of ploidies: a table, pseudoautosomal regions (PAR), both, or neither."""

    table: PloidyTable | None = None
    par: Mask | None = None

    def check_contigs(self, names: Contigs) -> None:
        """Refuse files of which no contig is among ``names``, all of those of the VCF, and log those that are not."""
        for known in (self.table, self.par):
            if known is not None:
                known.names.expect(names.names)
        sources = [] if self.table is None else [(self.table.path, [c for c in self.table.rules if c != ALL])]
        sources += [] if self.par is None else [(self.par.path, list(self.par.contigs))]
        for path, contigs in sources:
            names.expect(contigs)
            unknown = [contig for contig in contigs if names.find(contig) is None]
            if unknown and len(unknown) == len(contigs):
                raise TfbindError(
                    f"{path}: found the contig {unknown[0]!r}, which is not in {names.source}"
                    f" (its contigs: {some_names(names.names) or 'none'})"
                )
            if unknown:
                logger.warning("%s: %s: not in %s", path, some_names(unknown), names.source)

    def regions(self, contig: str, names: Sequence[str]) -> list[Region]:
        """Cut a contig where the ploidy of a sample changes; the regions tile it.

        Parameters
        ----------
        contig : str
            As the VCF spells it.
        names : sequence of str
            The samples that are used.
        """
        table = self.table
        own = None if table is None else table.names.find(contig)
        rules = [] if table is None else [*table.rules.get(ALL, []), *(table.rules[own] if own else [])]
        par = None if self.par is None else self.par.on(contig)
        cuts = {0, LAST_POSITION, *(rule.start for rule in rules), *(rule.end for rule in rules)}
        if par is not None:
            cuts |= {*par.starts.tolist(), *par.ends.tolist()}
        edges = sorted(cut for cut in cuts if cut <= LAST_POSITION)
        found: list[Region] = []
        for start, end in pairwise(edges):
            is_par = par is not None and bool(par.contains(np.array([start]))[0])
            stated = np.full(len(names), UNSTATED, np.int8)
            if table is not None:
                stated = table.stated(own, names, start, end)
            source = "" if table is None or not rules else str(table.path)
            if is_par and self.par is not None:
                stated, source = np.where(stated == UNUSED, stated, np.int8(DIPLOID)), str(self.par.path)
            if found and found[-1].is_par == is_par and np.array_equal(found[-1].stated, stated):
                found[-1] = found[-1]._replace(end=end)
            else:
                found.append(Region(start, end, stated, is_par, source))
        return found


def read_ploidies(path: str | Path) -> PloidyTable:
    """Read a table of ploidies, which the module describes.

    Raises
    ------
    TfbindError
        If the file cannot be read, has no line of a ploidy, a line has neither two nor five columns, a position or a
        ploidy is none, a ploidy is above 2, or a sample has two sexes.
    """
    table = PloidyTable(Path(path))
    # "track" and "browser" may be samples: no genome browser reads this table
    for number, columns in data_lines(path, not_data=("#",)):
        where = f"{path}: line {number}"
        if len(columns) == 2:
            name, sex = columns
            if table.sexes.setdefault(name, sex) != sex:
                raise TfbindError(
                    f"{where}: found the sex {sex!r} of {name!r}, which is {table.sexes[name]!r} on line"
                    f" {table.lines[name]}"
                )
            table.lines.setdefault(name, number)
        elif len(columns) == 5:
            contig, first, last, who, ploidy = columns
            start = 0 if first == ALL else _position(where, "FROM", first) - 1
            end = LAST_POSITION if last == ALL else _position(where, "TO", last)
            if end <= start:
                raise TfbindError(f"{where}: TO ({end}) must be at least FROM ({start + 1})")
            rule = Rule(number, start, min(end, LAST_POSITION), who, _ploidy(where, ploidy))
            table.rules.setdefault(contig, []).append(rule)
        else:
            raise TfbindError(
                f"{where}: found {len(columns)} columns, expected five (CHROM FROM TO SEX PLOIDY, with a sample's name"
                " or * in place of SEX if need be) or two (SAMPLE SEX)"
            )
    if not table.rules:
        raise TfbindError(f"{path}: has no ploidies, expected lines of CHROM FROM TO SEX PLOIDY")
    return table


def _position(where: str, what: str, text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) < 16 and int(text) >= 1:
        return int(text)
    raise TfbindError(f"{where}: found {what} {text[:30]!r}, expected a position of at least 1, or *")


def _ploidy(where: str, text: str) -> int:
    if text in ("0", "1", "2"):
        return int(text)
    if text.isascii() and text.isdecimal():
        raise TfbindError(
            f"{where}: found a ploidy of {text[:30]}, expected 0, 1 or 2; maps of polyploids cannot be made"
        )
    raise TfbindError(f"{where}: found the ploidy {text[:30]!r}, expected 0, 1 or 2")
