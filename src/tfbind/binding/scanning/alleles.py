"""The alleles of a variant in their surroundings, cut into windows of a model's length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tfbind.binding.options import MAX_ALLELE
from tfbind.binding.scanning.windows import ALL_AMBIGUOUS, MIN_BASES, PADDED, TOO_SHORT
from tfbind.dna.alphabet import AMBIGUOUS, encode_letters
from tfbind.dna.fasta import encode_record
from tfbind.dna.genome import Genome
from tfbind.dna.vcf import BASES, Malformed, Variant

REF_MISMATCH, NOT_A_SEQUENCE, NO_CONTIG = "ref_mismatch", "not_a_sequence", "no_contig"
TOO_LONG, MALFORMED = "too_long", "malformed"


@dataclass
class Haplotype:
    """The windows of one allele that hold a changed base, or the point where bases are missing.

    codes : (k, length) uint8
    valid_length : (k,) int32
    start : (k,) int64, ascending
        First base of each window, counted from the first changed base.
    usable : (k,) bool
        False for a window with fewer than MIN_BASES bases, or without an unambiguous base.
    n_changed : int
        Changed bases of this allele; 0 for what a deletion leaves.
    """

    codes: np.ndarray
    valid_length: np.ndarray
    start: np.ndarray
    usable: np.ndarray
    n_changed: int


@dataclass
class Allele:
    """One ALT allele on its way to the table.

    fields : tuple of str
        Contig, position, id, REF and ALT as they are in the VCF.
    note : str
        Empty, PADDED, or why there are no windows.
    ref, alt : Haplotype, or None
        Windows of the genome, and of the genome with the allele in its place.
    """

    fields: tuple[str, ...]
    note: str
    ref: Haplotype | None = None
    alt: Haplotype | None = None

    @property
    def n_windows(self) -> int:
        """The number of windows of both haplotypes."""
        return sum(len(one.start) for one in (self.ref, self.alt) if one is not None)


@dataclass(frozen=True)
class Site:
    """A record's place in the genome, with enough sequence around it for every window.

    genome : (n,) uint8
        The genome's bases.
    codes : (n,) uint8
        The same, with REF's base where the genome's is ambiguous.
    start : int
        First base of both, counted from the start of the contig.
    ref : slice
        Where REF is in them.
    contig_length : int
    """

    genome: np.ndarray
    codes: np.ndarray
    start: int
    ref: slice
    contig_length: int


@dataclass(frozen=True)
class Change:
    """What an allele changes at a site.

    at : int
        First changed base, as an index of `Site.codes` and of ``haplotype``.
    n_ref, n_alt : int
        Changed bases of the reference and of the allele.
    haplotype : (m,) uint8
        `Site.codes` with the allele in REF's place.
    """

    at: int
    n_ref: int
    n_alt: int
    haplotype: np.ndarray


def find_site(variant: Variant, genome: Genome, length: int) -> Site | str:
    """Read the genome around a record, or give the note that says why none of its alleles has a score."""
    contig = genome.find_contig(variant.contig)
    if contig is None:
        return NO_CONTIG
    contig_length = genome.contigs[contig]
    begin, end = variant.pos - 1, variant.pos - 1 + len(variant.ref)
    if begin < 0 or end > contig_length:
        return REF_MISMATCH
    # an insertion or deletion may be moved within a repeat by up to a window, see `describe_change`
    flank = length if all(len(alt) == len(variant.ref) for alt in variant.alts) else 2 * length
    start = max(begin - flank, 0)
    letters = genome.fetch(contig, start, min(end + flank, contig_length))
    found = encode_record(genome.path, contig, letters)
    here = slice(begin - start, end - start)
    known, ref = found[here] != AMBIGUOUS, encode_letters(variant.ref)
    if ((ref != found[here]) & (ref != AMBIGUOUS) & known).any():
        return REF_MISMATCH
    if known.all():
        return Site(found, found, start, here, contig_length)
    codes = found.copy()
    codes[here][~known] = ref[~known]
    return Site(found, codes, start, here, contig_length)


def trim(ref: np.ndarray, alt: np.ndarray) -> tuple[int, np.ndarray, np.ndarray]:
    """Remove the bases that two alleles share at their ends, first on the right, then on the left.

    A variant so gives the same result whether it is written alone or with others (Tan, Abecasis & Kang 2015).

    Parameters
    ----------
    ref, alt : (n,), (m,) uint8

    Returns
    -------
    int
        The number of bases removed on the left.
    ref, alt : uint8
        What is left of both; either may be empty.
    """
    on_right = _n_shared(ref[::-1], alt[::-1])
    ref, alt = ref[: len(ref) - on_right], alt[: len(alt) - on_right]
    on_left = _n_shared(ref, alt)
    return on_left, ref[on_left:], alt[on_left:]


def _n_shared(one: np.ndarray, other: np.ndarray) -> int:
    shorter = min(len(one), len(other))
    differs = np.flatnonzero(one[:shorter] != other[:shorter])
    return int(differs[0]) if len(differs) else shorter


def describe_change(site: Site, at: int, ref: np.ndarray, alt: np.ndarray, length: int) -> Change:
    """Find the bases that an allele changes: ``ref``, which starts at ``at`` in `Site.codes`, becomes ``alt``.

    In a repeat, an insertion or deletion gives the same sequence at several places. All of them count as changed (up
    to a window's length to either side), so that the result depends neither on where the VCF puts the variant nor on
    the strand.
    """
    haplotype = np.concatenate([site.codes[:at], alt, site.codes[at + len(ref) :]])
    n_ref, n_alt = len(ref), len(alt)
    if (n_ref == 0) != (n_alt == 0):
        longer, end = (site.codes, at + n_ref) if n_ref else (haplotype, at + n_alt)
        to_right = _n_shared(longer[end : end + length], longer[at:])
        left = longer[max(at - length, 0) : at]
        to_left = _n_shared(left[::-1], longer[:end][::-1])
        at -= to_left
        n_ref, n_alt = n_ref + to_left + to_right, n_alt + to_left + to_right
    return Change(at, n_ref, n_alt, haplotype)


@lru_cache(maxsize=4096)
def window_offsets(length: int, stride: int, n_changed: int) -> np.ndarray:
    """First bases of the windows that hold a change, counted from its first base.

    A single base is in the middle of one window, and the others follow every ``stride`` bases to both sides. In a
    longer change, the windows up to the middle one keep their distance from its first base, and the windows after it
    their distance from its last base. The windows between them are evenly spaced: at most 1.5 strides apart by
    default, so an allele shorter than half a stride takes no more windows than a single base.

    Parameters
    ----------
    length : int
        Of a window.
    stride : int
        1 gives every window; one that is longer than half a window leaves no part of a long change out.
    n_changed : int
        0 if the bases are missing in this allele: the windows hold the bases on both sides.

    Returns
    -------
    (k,) int64, ascending, not to be written to
    """
    stride = min(stride, length)
    before = length // 2
    of_base = np.arange(-((length - 1 - before) // stride), before // stride + 1) * stride - before
    n_left = -(-len(of_base) // 2)
    more, step = n_changed - 1, min(stride, max(length // 2, 1))
    n_between = max(-((step - 2 * more) // (2 * step)), 0)
    between = of_base[n_left - 1] + np.arange(1, n_between + 1) * (stride + more) // (n_between + 1)
    # with stride 1, the middle windows of a deletion coincide
    return np.unique(np.concatenate([of_base[:n_left], between, of_base[n_left:] + more]))


def cut_windows(
    codes: np.ndarray,
    known: np.ndarray,
    start: int,
    at: int,
    n_changed: int,
    total: int,
    length: int,
    stride: int,
) -> Haplotype:
    """Cut the windows of one haplotype; one that would extend past an end of the haplotype is moved inside.

    Parameters
    ----------
    codes : (n,) uint8
        Part of the haplotype.
    known : (n,) uint8
        Ambiguous where there is no evidence for a base; a window without another base is not usable.
    start : int
        Where that part starts in the haplotype.
    at : int
        First changed base, as an index of ``codes``.
    n_changed, length, stride : int
        See `window_offsets`.
    total : int
        Length of the whole haplotype.
    """
    first = window_offsets(length, stride, n_changed) + at
    lowest, highest = -start, max(total - length, 0) - start
    if first[0] < lowest or first[-1] > highest:
        first = np.unique(np.clip(first, lowest, highest))
    lacking = int(first[-1]) + length - len(codes)
    if lacking > 0:
        codes, known = (np.pad(one, (0, lacking), constant_values=AMBIGUOUS) for one in (codes, known))
    index = first[:, None] + np.arange(length)
    valid_length = np.minimum(total - start - first, length).astype(np.int32)
    usable = (valid_length >= min(MIN_BASES, length)) & (known[index] != AMBIGUOUS).any(axis=1)
    return Haplotype(codes[index], valid_length, first - at, usable, n_changed)


def windows_of_allele(
    fields: tuple[str, ...], site: Site, length: int, stride: int, max_allele: int = MAX_ALLELE
) -> Allele:
    """Cut the windows of the reference and of the allele, or give the note that says why there is no score."""
    on_left, ref_bases, alt_bases = trim(site.codes[site.ref], encode_letters(fields[4]))
    if max(len(ref_bases), len(alt_bases)) > max_allele:
        return Allele(fields, TOO_LONG)
    change = describe_change(site, site.ref.start + on_left, ref_bases, alt_bases, length)
    longer_by = len(change.haplotype) - len(site.codes)
    ref = cut_windows(
        site.codes, site.genome, site.start, change.at, change.n_ref, site.contig_length, length, stride
    )
    alt = cut_windows(
        change.haplotype,
        change.haplotype,
        site.start,
        change.at,
        change.n_alt,
        site.contig_length + longer_by,
        length,
        stride,
    )
    if not (ref.usable.any() and alt.usable.any()):
        long_enough = min(ref.valid_length.max(), alt.valid_length.max()) >= min(MIN_BASES, length)
        return Allele(fields, ALL_AMBIGUOUS if long_enough else TOO_SHORT)
    shortest = min(one.valid_length[one.usable].min() for one in (ref, alt))
    return Allele(fields, PADDED if shortest < length else "", ref, alt)


def alleles_of(
    variant: Variant | Malformed, genome: Genome, length: int, stride: int, max_allele: int = MAX_ALLELE
) -> Iterator[Allele]:
    """Give every ALT allele of a record, with its windows or with the note that says why it has none."""
    if isinstance(variant, Malformed):
        contig, pos, name, ref, alts, _ = variant
        yield from (Allele((contig, pos, name, ref, alt), MALFORMED) for alt in alts)
        return
    site = find_site(variant, genome, length)
    for alt in variant.alts:
        fields = (variant.contig, str(variant.pos), variant.id, variant.ref, alt)
        if not BASES.fullmatch(alt):
            yield Allele(fields, NOT_A_SEQUENCE)
        elif isinstance(site, str):
            yield Allele(fields, site)
        else:
            yield windows_of_allele(fields, site, length, stride, max_allele)
