"""How the samples of a contig are read: as haplotypes, one or two each, or as genotypes without a phase."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfbind.genotypes.calls import ABSENT, UNPHASED, count_heterozygotes, unpack_pairs
from tfbind.genotypes.contig import MISSING
from tfbind.genotypes.packed import SITES_AT_ONCE, PackedCalls, pack_rows
from tfbind.genotypes.ploidy import HAPLOID, UNSTATED, UNUSED

logger = logging.getLogger(__name__)

# of a phased sample's heterozygous genotypes, and of a phased contig's samples
MOST_UNPHASED = 0.01
MOST_SAMPLES_UNPHASED = 0.1
# A sample with fewer heterozygous genotypes than this share of those expected is homozygous but for errors: an inbred
# line, a haploid written as diploid, a male's X. Simulated diploids of one population have .8 and more
MOST_STRAY = 0.1
# Where half of the samples are below this share, the population selfs: two chromosomes of a sample are one and the same
# for the most part, which reading them as an unphased pair would hide. Lengths of selfed ones (F = .8) were 1.25 as
# genotypes and 1.06 as single chromosomes
MOST_STRAY_OF_SELFED = 0.3
FEW_LINES = 0.05
# below it, chance may make an outbred sample look homozygous
FEWEST_EXPECTED = 20
# of a sample's genotypes, in the ploidy that the others do not have
MOST_OF_OTHER_PLOIDY = 0.01
# Haplotypes that tell as much of the rates as an unphased diploid, which is not two. In 12 simulations of 2 Mb the log
# rates of 25 kb windows were off by .68, .61 and .59 (root mean square) for 10 haplotypes, 10 unphased diploids and 15
# haplotypes, and by .54, .52 and .49 for 20, 20 and 30
WORTH_OF_UNPHASED = 1.25
NAMES_SHOWN = 5


class Seen(NamedTuple):
    """What a contig's genotypes say of each sample.

    Attributes
    ----------
    phases : (samples, 2) int64
        Heterozygous genotypes without and with a phase.
    ploidies : (samples, 2) int64
        Haploid and diploid genotypes.
    in_sets : (samples,) bool
        Whether the phase holds within sets of sites only, of which there are several (PS).
    found, expected : (samples,) float64
        Heterozygous genotypes, and how many are expected under random mating.
    """

    phases: NDArray[np.int64]
    ploidies: NDArray[np.int64]
    in_sets: NDArray[np.bool_]
    found: NDArray[np.float64]
    expected: NDArray[np.float64]

    def inbreeding(self, counted: NDArray[np.bool_]) -> float:
        """Give the deficit of heterozygous genotypes, F, in some samples, (samples,) bool; NaN if none was expected."""
        expected = self.expected[counted].sum()
        return float(1 - self.found[counted].sum() / expected) if expected > 0 else float("nan")


class SampleLayout(NamedTuple):
    """Which chromosomes are used, and how.

    Attributes
    ----------
    used : (samples, 2) bool
        The chromosomes that become columns; the second one of haploid samples does not.
    unphased : bool
        Whether columns are samples with dosages, in place of chromosomes.
    lines : (samples,) bool
        Samples that count as one chromosome though they are written as diploid, as the calls show.
    single : (samples,) bool
        All samples that count as one chromosome.
    """

    used: NDArray[np.bool_]
    unphased: bool
    lines: NDArray[np.bool_]
    single: NDArray[np.bool_]


def heterozygosity(codes: np.ndarray, is_used: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Count each sample's heterozygous genotypes, and how many are expected; see `count_heterozygotes`.

    Samples that are not used, (samples,) bool, have none, and their alleles do not count.
    """
    found, expected = np.zeros((2, len(is_used)))
    of_used = np.zeros((2, int(is_used.sum())))
    for at in range(0, len(codes), SITES_AT_ONCE):
        pairs = unpack_pairs(codes[at : at + SITES_AT_ONCE], len(is_used))
        count_heterozygotes(np.ascontiguousarray(pairs[:, is_used]), of_used[0], of_used[1])
    found[is_used], expected[is_used] = of_used
    return found, expected


def choose_layout(
    seen: Seen,
    names: Sequence[str],
    where: str,
    *,
    unphased: bool,
    stated: NDArray[np.int8] | None = None,
) -> SampleLayout:
    """Decide how the samples of a contig are read, and warn of all that is not plain.

    Samples are of three kinds: of one chromosome (haploid, or homozygous throughout), diploid with a phase, diploid
    without. If most diploid samples have a phase, the others are left out, and chromosomes of all kinds are used
    together. If not, diploid samples are read without phase; genotypes and haplotypes cannot be used together, so that
    the kind with less information is left out (WORTH_OF_UNPHASED).

    Parameters
    ----------
    seen : Seen
    names : sequence of str
        Of the samples.
    where : str
        What a warning begins with.
    unphased : bool
        Do not use the phase, whether it is known or not.
    stated : (samples,) int8 or None
        As `tfbind.genotypes.ploidy.Region.stated`; the calls decide where None.
    """
    if stated is None:
        stated = np.full(len(names), UNSTATED, np.int8)
    is_used = stated != UNUSED
    haploid = seen.ploidies[:, 0] > seen.ploidies[:, 1]
    enough = seen.expected >= FEWEST_EXPECTED
    is_homozygous = enough & (seen.found < MOST_STRAY_OF_SELFED * seen.expected)
    if _share(is_homozygous, is_used) < 0.5:
        is_homozygous = enough & (seen.found < MOST_STRAY * seen.expected)
    lines = is_homozygous & ~haploid & (stated == UNSTATED)
    single = np.where(
        stated == UNSTATED, haploid | lines | (seen.ploidies[:, 1] == 0), stated == HAPLOID
    ).astype(bool)
    diploid = ~single & is_used
    no_phase = diploid & ((seen.phases[:, 0] > MOST_UNPHASED * seen.phases.sum(axis=1)) | seen.in_sets)
    is_unphased = bool(diploid.any()) and (unphased or _share(no_phase, is_used) > MOST_SAMPLES_UNPHASED)
    _warn_of_lines(seen, lines, where)
    _warn_of_ploidy(seen, names, where, stated == UNSTATED)
    if is_unphased and not unphased and (seen.in_sets & diploid).any():
        logger.warning(
            "%s: the phase holds within sets of sites only (PS), so that the samples are read without phase",
            where,
        )
    used = np.stack([is_used, diploid], axis=1)
    left_out = no_phase
    if is_unphased:
        # a sample without a call on the contig, of which nothing is known, is neither
        has_calls = seen.ploidies.sum(axis=1) > 0
        n_single, n_diploid = int((single & has_calls).sum()), int((diploid & has_calls).sum())
        keep_single = n_single > 0 and n_single >= WORTH_OF_UNPHASED * n_diploid
        is_unphased = not keep_single
        left_out = diploid if keep_single else single
        if n_single and n_diploid:
            kept, others = ("haploid", "diploid without phase") if keep_single else ("diploid", "haploid")
            logger.warning(
                "%s: haploid and unphased diploid samples cannot be used together: %d %s samples are used, %d %s are"
                " not; choose others with --samples, or for one contig with ploidy 0 in --ploidy",
                where,
                n_single if keep_single else n_diploid,
                kept,
                n_diploid if keep_single else n_single,
                others,
            )
    elif left_out.any():
        logger.warning(
            "%s: left out %d of %d samples without phase, unlike the others: %s",
            where,
            int(left_out.sum()),
            int(is_used.sum()),
            some(names, left_out),
        )
    used[left_out] = False
    return SampleLayout(used, is_unphased, lines, single)


def _share(which: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    return float(which[among].mean()) if among.any() else 0.0


def some(names: Sequence[str], which: NDArray[np.bool_]) -> str:
    """Name the first few of the chosen samples."""
    chosen = [names[i] for i in np.flatnonzero(which)[: NAMES_SHOWN + 1]]
    return ", ".join(chosen[:NAMES_SHOWN]) + (", ..." if len(chosen) > NAMES_SHOWN else "")


def _warn_of_lines(seen: Seen, lines: NDArray[np.bool_], where: str) -> None:
    if lines.any():
        stray, expected = seen.found[lines].sum(), seen.expected[lines].sum()
        # in a large sample a few have parents that are related
        report = logger.warning if lines.mean() > FEW_LINES else logger.info
        report(
            "%s: %d of %d samples are homozygous (%.2g of the heterozygous genotypes expected), like inbred lines or"
            " haploids written as diploid: each counts as one chromosome, and its heterozygous genotypes as missing. If"
            " the species selfs in nature, see --inbreeding",
            where,
            int(lines.sum()),
            len(lines),
            stray / expected,
        )


def _warn_of_ploidy(seen: Seen, names: Sequence[str], where: str, unstated: NDArray[np.bool_]) -> None:
    """Warn of samples that are haploid on a part of the contig, as males are outside of the pseudoautosomal region."""
    total = seen.ploidies.sum(axis=1)
    mixed = (seen.ploidies.min(axis=1) > MOST_OF_OTHER_PLOIDY * total) & unstated
    if mixed.any():
        logger.warning(
            "%s: %d samples (%s) are haploid at some sites and diploid at others, as on a sex chromosome with a"
            " pseudoautosomal region: what is not as most of a sample's genotypes counts as missing; give the region"
            " with --par or --ploidy",
            where,
            int(mixed.sum()),
            some(names, mixed),
        )


def lay_out(codes: np.ndarray, layout: SampleLayout) -> PackedCalls:
    """Lay sites out as haplotypes or genotypes, in the memory in which they were gathered.

    Parameters
    ----------
    codes : (sites, bytes) uint8
        What `tfbind.genotypes.calls.settle` gives, packed; the calls take its place.
    layout : SampleLayout

    Returns
    -------
    PackedCalls
        (sites, columns), as `tfbind.genotypes.contig.Genotypes.calls`.
    """
    for at in range(0, len(codes), SITES_AT_ONCE):
        part = codes[at : at + SITES_AT_ONCE]
        pairs = unpack_pairs(part, len(layout.used))
        calls = _dosages(pairs)[:, layout.used[:, 0]] if layout.unphased else _haplotypes(pairs, layout)
        pack_rows(np.ascontiguousarray(calls), part)
    return PackedCalls(codes, int(layout.used[:, 0].sum() if layout.unphased else layout.used.sum()))


def _haplotypes(block: np.ndarray, layout: SampleLayout) -> np.ndarray:
    """The allele of each chromosome used; unknown where the phase is, and where a sample's ploidy is another one."""
    without_phase = block[..., :1] >= UNPHASED
    haplotypes = np.where(without_phase, MISSING, np.maximum(block, MISSING))
    single = ~layout.used[:, 1]
    two = (block[..., 1] >= 0) & (block[..., 0] >= 0) & (block[..., 0] != block[..., 1])
    haplotypes[..., 0][np.where(single, two, block[..., 1] == ABSENT)] = MISSING
    return haplotypes.astype(np.int8)[:, layout.used]


def _dosages(block: np.ndarray) -> np.ndarray:
    """How often each sample has allele 1, of two chromosomes; unknown where one of them is absent."""
    first, second = block[..., 0], block[..., 1]
    first = np.where(first >= UNPHASED, first - UNPHASED, first)
    return np.where((first < 0) | (second < 0) | (second == ABSENT), MISSING, first + second).astype(np.int8)
