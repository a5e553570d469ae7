"""The sample columns of a VCF record, parsed by compiled code."""

from __future__ import annotations

from numba import njit

from tfbind.genotypes.contig import MISSING

# the second chromosome of a sample that has one alone
ABSENT = -2
# what is added to the first allele of a heterozygous genotype with a slash
UNPHASED = 2
TOO_MANY_ALLELES, UNKNOWN_ALLELE, NO_GENOTYPE = -1, -2, -3
WHAT_IS_WRONG = {
    TOO_MANY_ALLELES: "expected one or two alleles (haploid or diploid)",
    UNKNOWN_ALLELE: "expected 0 or 1, as the record has two alleles",
    NO_GENOTYPE: "expected alleles such as 0/1, 0|1, 1 or .",
}

_TAB, _COLON, _SLASH, _BAR, _DOT, _ZERO, _NINE = (ord(letter) for letter in "\t:/|.09")


@njit(cache=True, nogil=True)
def _parse_genotype(text, at, genotype):  # pragma: no cover - compiled
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
        genotype[allele] = MISSING if text[at] == _DOT else text[at] - _ZERO
        at += 1
        if genotype[allele] > 1 or (at < end and _ZERO <= text[at] <= _NINE):
            return UNKNOWN_ALLELE, at, slash
        if at == end or text[at] == _TAB or text[at] == _COLON:
            return 0, at, slash
        if text[at] != _SLASH and text[at] != _BAR:
            return NO_GENOTYPE, at, slash
        slash |= text[at] == _SLASH
        at += 1
    return NO_GENOTYPE, at, slash


@njit(cache=True, nogil=True)
def parse_calls(text, field, rows, calls, phases):  # pragma: no cover - compiled
    """Parse the genotypes of one biallelic record.

    Parameters
    ----------
    text : (characters,) uint8
        The line from the first sample on.
    field : int
        Which of the fields between colons is GT, counted from 0.
    rows : (samples of the file,) int
        The row of ``calls`` that takes a sample's genotype; -1 passes it over.
    calls : (samples asked for, 2) int8
        Takes 0 or 1, MISSING or ABSENT; UNPHASED more where one is heterozygous without a phase.
    phases : (samples asked for, 2) int64
        Heterozygous genotypes so far, without and with a phase.

    Returns
    -------
    error : int
        0, or a key of WHAT_IS_WRONG.
    sample : int
        Which one of the file's was read last.
    n_called, n_ones : int
        Chromosomes called, and those with allele 1.
    """
    at, end = 0, len(text)
    called, ones = 0, 0
    for sample in range(len(rows)):
        if rows[sample] >= 0:
            genotype = calls[rows[sample]]
            for _ in range(field):
                while at < end and text[at] != _COLON and text[at] != _TAB:
                    at += 1
                at += at < end and text[at] == _COLON
            if field > 0 and (at == end or text[at] == _TAB):
                # fields may be left off at the end of a column
                genotype[0], genotype[1] = MISSING, ABSENT
            else:
                error, at, slash = _parse_genotype(text, at, genotype)
                if error != 0:
                    return error, sample, called, ones
                called += (genotype[0] >= 0) + (genotype[1] >= 0)
                ones += (genotype[0] == 1) + (genotype[1] == 1)
                if genotype[0] >= 0 and genotype[1] >= 0 and genotype[0] != genotype[1]:
                    phases[rows[sample], 0 if slash else 1] += 1
                    if slash:
                        genotype[0] += UNPHASED
        while at < end and text[at] != _TAB:
            at += 1
        at += 1
    return 0, len(rows) - 1, called, ones
