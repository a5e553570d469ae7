"""The sample columns of a VCF record, parsed by compiled code."""

from __future__ import annotations

import numpy as np
from numba import njit

from tfbind.genotypes.contig import MISSING
from tfbind.genotypes.packed import unpack, unpacking

# the second chromosome of a sample that has one alone
ABSENT = -2
# what is added to the first allele of a heterozygous genotype with a slash
UNPHASED = 2
# what the two bits of a sample's first and second chromosome stand for, once packed
_PAIRS = unpacking((0, 1, UNPHASED, MISSING), (0, 1, ABSENT, MISSING))
# alleles of a record that can be told apart; those beyond share the last one
MOST_ALLELES = 63
TOO_MANY_ALLELES, UNKNOWN_ALLELE, NO_GENOTYPE = -1, -2, -3
NO_SET = -1

_TAB, _COLON, _SLASH, _BAR, _DOT, _ZERO, _NINE = (ord(letter) for letter in "\t:/|.09")


def what_is_wrong(error: int, n_alleles: int) -> str:
    """Say what was expected of a genotype for which `parse_record` gave an error."""
    if error == TOO_MANY_ALLELES:
        return "expected one or two alleles (haploid or diploid)"
    if error == UNKNOWN_ALLELE:
        numbers = "0 or 1" if n_alleles == 2 else f"0 to {n_alleles - 1}"
        return f"expected {numbers}, as the record has {n_alleles} alleles"
    return "expected alleles such as 0/1, 0|1, 1 or ."


@njit(cache=True, nogil=True)
def _parse_genotype(text, at, n_alleles, genotype):  # pragma: no cover - compiled
    """Parse one genotype from ``at`` on: (error, where it ends, whether it has a slash)."""
    end = len(text)
    genotype[0], genotype[1] = MISSING, ABSENT
    slash = False
    # VCF 4.4 allows a phase in front of the first allele
    at += at < end and (text[at] == _BAR or text[at] == _SLASH)
    for allele in range(3):
        if at == end or not (text[at] == _DOT or _ZERO <= text[at] <= _NINE):
            return NO_GENOTYPE, at, slash
        if allele == 2:
            return TOO_MANY_ALLELES, at, slash
        if text[at] == _DOT:
            at += 1
        else:
            number = 0
            while at < end and _ZERO <= text[at] <= _NINE:
                number = 10 * number + text[at] - _ZERO
                at += 1
                if number >= n_alleles:
                    return UNKNOWN_ALLELE, at, slash
            genotype[allele] = min(number, MOST_ALLELES - 1)
        if allele == 1 and genotype[1] == ABSENT:
            genotype[1] = MISSING
        if at == end or text[at] == _TAB or text[at] == _COLON:
            return 0, at, slash
        if text[at] != _SLASH and text[at] != _BAR:
            return NO_GENOTYPE, at, slash
        slash |= text[at] == _SLASH
        at += 1
    return NO_GENOTYPE, at, slash


@njit(cache=True, nogil=True)
def _skip_fields(text, at, fields):  # pragma: no cover - compiled
    """Go on by some fields of a sample's column: to the field's first letter, or to the column's end."""
    end = len(text)
    for _ in range(fields):
        while at < end and text[at] != _COLON and text[at] != _TAB:
            at += 1
        at += at < end and text[at] == _COLON
    return at


@njit(cache=True, nogil=True)
def _phase_set(text, at):  # pragma: no cover - compiled
    """Turn the name of a phase set into a number, NO_SET for none (FNV-1a, cut to 62 bits)."""
    end, value, letters = len(text), 1469598103934665603, 0
    while at < end and text[at] != _COLON and text[at] != _TAB:
        if text[at] != _DOT:
            letters += 1
        value = ((value ^ text[at]) * 1099511628211) & 0x3FFFFFFFFFFFFFFF
        at += 1
    return value if letters else NO_SET


@njit(cache=True, nogil=True)
def parse_record(
    text, field, set_field, rows, n_alleles, alleles, slashes, sets
):  # pragma: no cover - compiled
    """Parse the genotypes of one record.

    Parameters
    ----------
    text : (characters,) uint8
        The line from the first sample on.
    field, set_field : int
        Places of GT and PS among the fields between colons, from 0; -1 if there is no PS.
    rows : (samples of the file,) int
        The row of the arrays below that takes a sample's genotype; -1 passes it over.
    n_alleles : int
        Of the record, REF included.
    alleles : (samples asked for, 2) int8
        Takes the number of each allele, MISSING or ABSENT.
    slashes : (samples asked for,) bool
        Takes whether a genotype has a slash.
    sets : (samples asked for,) int64
        Takes a number for each phase set, or NO_SET.

    Returns
    -------
    error : int
        0, or what `what_is_wrong` explains.
    sample : int
        Which one of the file's was read last.
    n_called : int
        Chromosomes called.
    carried : int
        Bit i is set if a chromosome has allele i.
    """
    at, end = 0, len(text)
    called, carried = 0, 0
    for sample in range(len(rows)):
        if rows[sample] >= 0:
            genotype = alleles[rows[sample]]
            slashes[rows[sample]], sets[rows[sample]] = False, NO_SET
            start = at
            at = _skip_fields(text, start, field)
            if field > 0 and (at == end or text[at] == _TAB):
                # fields may be left off at the end of a column
                genotype[0], genotype[1] = MISSING, ABSENT
            else:
                error, at, slash = _parse_genotype(text, at, n_alleles, genotype)
                if error != 0:
                    return error, sample, called, carried
                slashes[rows[sample]] = slash
                for chromosome in range(2):
                    if genotype[chromosome] >= 0:
                        called += 1
                        carried |= 1 << genotype[chromosome]
                if set_field >= 0 and genotype[0] != genotype[1]:
                    sets[rows[sample]] = _phase_set(text, _skip_fields(text, start, set_field))
        while at < end and text[at] != _TAB:
            at += 1
        at += 1
    return 0, len(rows) - 1, called, carried


@njit(cache=True, nogil=True)
def settle(
    alleles, slashes, sets, low, high, calls, phases, ploidies, first_sets, in_sets
):  # pragma: no cover - compiled
    """Turn a record's alleles, of which two at most are carried, into calls, and count what it says of each sample.

    Parameters
    ----------
    alleles, slashes, sets
        From `parse_record`.
    low, high : int
        The numbers of the alleles that become 0 and 1.
    calls : (samples, 2) int8
        Takes 0 or 1, MISSING or ABSENT; UNPHASED and 1 where one is heterozygous without a phase.
    phases : (samples, 2) int64
        Heterozygous genotypes so far, without and with a phase.
    ploidies : (samples, 2) int64
        Haploid and diploid genotypes so far.
    first_sets : (samples,) int64
        The phase set that each sample had first, or NO_SET.
    in_sets : (samples,) bool
        Whether a sample had another one since.
    """
    for sample in range(len(alleles)):
        for chromosome in range(2):
            allele = alleles[sample, chromosome]
            calls[sample, chromosome] = allele if allele < 0 else allele == high
        first, second = calls[sample, 0], calls[sample, 1]
        if first >= 0:
            ploidies[sample, 0 if second == ABSENT else 1] += 1
        if first >= 0 and second >= 0 and first != second:
            phases[sample, 0 if slashes[sample] else 1] += 1
            if slashes[sample]:
                calls[sample, 0], calls[sample, 1] = UNPHASED, 1
            elif sets[sample] != NO_SET:
                if first_sets[sample] == NO_SET:
                    first_sets[sample] = sets[sample]
                elif first_sets[sample] != sets[sample]:
                    in_sets[sample] = True


def unpack_pairs(codes: np.ndarray, n_samples: int) -> np.ndarray:
    """Unpack what `settle` gave and `tfbind.genotypes.packed.pack_rows` packed: (sites, samples, 2) int8."""
    return unpack(codes, 2 * n_samples, _PAIRS).reshape(len(codes), n_samples, 2)


@njit(cache=True, nogil=True)
def count_heterozygotes(calls, found, expected):  # pragma: no cover - compiled
    """Add to each sample's heterozygous genotypes, and to how many are expected at its sites under random mating.

    Parameters
    ----------
    calls : (sites, samples, 2) int8
        As `settle` gives them.
    found, expected : (samples,) float64
        The expectation at a site is 2 p (1 - p) n / (n - 1) among n chromosomes (Nei 1978, Genetics 89:583).
    """
    for site in range(len(calls)):
        ones, called = 0, 0
        for sample in range(calls.shape[1]):
            for chromosome in range(2):
                allele = calls[site, sample, chromosome]
                if allele >= 0:
                    called += 1
                    ones += allele - UNPHASED if allele >= UNPHASED else allele
        if called < 2:
            continue
        share = ones / called
        at_random = 2 * share * (1 - share) * called / (called - 1)
        for sample in range(calls.shape[1]):
            first, second = calls[site, sample, 0], calls[site, sample, 1]
            if first >= 0 and second >= 0:
                expected[sample] += at_random
                found[sample] += first >= UNPHASED or first != second
