"""Samples that are closer than a random sample's are: relatives, and one individual twice.

The coalescent that the network has learnt from is that of a random sample. A pair of relatives shares a whole
chromosome through a generation or two: an allele that only their forebear had is seen twice, so that singletons
turn into doubletons, and the sample is smaller than it looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.packed import SITES_AT_ONCE
from tfbind.recombination.checks.site_matrix import (
    differences,
    expected_differences,
    frequencies_by_sample,
    most_sites,
    thin,
)

MOST_SITES_FOR_DOUBLETONS = 200_000
# under this share of the mismatches that a sample has with others, genotyping errors are the rest
IDENTICAL = 0.05
# of haploid samples; of diploid ones, whose parents, children and siblings have 0.25 on average, half as much
LEAST_KINSHIP = 0.36
# and so many standard deviations above other pairs: on a short contig some are that close by chance
LEAST_Z = 5.0
# of the rare alleles of a pair; parent and child have two thirds, the unrelated hardly any
LEAST_SHARED = 0.3
LEAST_DOUBLETONS = 15
# expected numbers of pairs
MOST_IDENTICAL_BY_CHANCE = 0.02
MOST_CLOSE_BY_CHANCE = 0.06
# with fewer chromosomes an allele that is seen twice is not a rare one
FEWEST_CHROMOSOMES = 8


class Pair(NamedTuple):
    """Two samples, by number, that are related; whether they are one individual; alleles that they alone share."""

    first: int
    second: int
    identical: bool
    doubletons: int


@dataclass(frozen=True, eq=False)
class Closeness:
    """How close samples are to each other on a contig, or on several.

    samples : tuple of str
        Names; empty where there are none.
    chromosomes : float
        Of a sample, on average.
    units : float
        Expected pairwise differences.
    differences, mismatches : (samples, samples) float64
        Sites at which two samples' chromosomes differ on average, and at which their genotypes do.
    doubletons : (samples, samples) int32
        Alleles seen twice, in these two samples.
    singletons : (samples,) float64
        Of a sample's average chromosome.
    """

    samples: tuple[str, ...]
    chromosomes: float
    units: float
    differences: np.ndarray
    mismatches: np.ndarray
    doubletons: np.ndarray
    singletons: np.ndarray

    def __add__(self, other: Closeness) -> Closeness:
        """Join what was found on different contigs in the same samples."""
        units = self.units + other.units
        return Closeness(
            self.samples,
            (self.chromosomes * self.units + other.chromosomes * other.units) / max(units, 1e-9),
            units,
            self.differences + other.differences,
            self.mismatches + other.mismatches,
            self.doubletons + other.doubletons,
            self.singletons + other.singletons,
        )


def closeness(genotypes: Genotypes) -> Closeness:
    """Measure how close the samples are to each other on a contig."""
    n_sites = len(genotypes.positions)
    frequencies = frequencies_by_sample(thin(genotypes, most_sites(genotypes)))
    doubletons, singletons = _rare_alleles(genotypes, frequencies.shape[1])
    return Closeness(
        genotypes.samples,
        genotypes.n_chromosomes / max(frequencies.shape[1], 1),
        expected_differences(genotypes),
        differences(frequencies).astype(float) * n_sites,
        _mismatches(frequencies).astype(float) * n_sites,
        doubletons,
        singletons,
    )


def find_relatives(found: Closeness) -> list[Pair]:
    """Find pairs of samples that are one individual twice or parent and child, full siblings or closer.

    Relatives share far too many doubletons, alleles that were seen in them alone, and have fewer differences than
    others: the first alone would take two samples of a population of their own for relatives, the second alone two
    samples that share a few long haplotypes.

    Kinship is 1 less the ratio of the differences between two samples' chromosomes to the median that either has
    with the others (so that it is 0 for the unrelated, as in Manichaikul 2010, Bioinformatics 26:2867). A pair is
    one individual twice if its genotypes differ at less than IDENTICAL of the sites at which they usually do.

    On short contigs two samples may share all there is without being relatives: two haplotypes are one on the whole
    of it with a probability of about 1 / R (Hudson 1983, Theor Popul Biol 23:183), where the scaled rate of
    recombination R is taken for as many as the expected differences. Where such pairs are expected by chance,
    nothing is said. Fewer than three samples tell nothing.
    """
    n_samples = len(found.singletons)
    if n_samples < 3:
        return []
    upper = np.triu_indices(n_samples, 1)
    units, n_pairs = max(found.units, 1), len(upper[0])
    identical = ratio_to_usual(found.mismatches) < IDENTICAL
    identical &= n_pairs / units ** round(found.chromosomes) < MOST_IDENTICAL_BY_CHANCE
    kinship = 1 - ratio_to_usual(found.differences)
    excess = found.doubletons - np.median(found.doubletons[upper])
    rare = excess + (found.singletons[:, None] + found.singletons) / 2
    close = kinship > _least_kinship(kinship[upper], found.chromosomes)
    close &= (excess >= LEAST_DOUBLETONS) & (excess > LEAST_SHARED * rare)
    close &= n_samples * found.chromosomes >= FEWEST_CHROMOSOMES
    close &= n_pairs * found.chromosomes**2 / units < MOST_CLOSE_BY_CHANCE
    pairs = np.argwhere(np.triu(identical | close, 1)).tolist()
    return [Pair(i, j, bool(identical[i, j]), int(found.doubletons[i, j])) for i, j in pairs]


def fewest_to_leave_out(pairs: Iterable[Sequence]) -> list[int]:
    """Choose samples without which no pair is left: again and again the one that is in most pairs.

    Each pair begins with the numbers of its two samples.
    """
    others: dict[int, set[int]] = {}
    for first, second, *_ in pairs:
        others.setdefault(first, set()).add(second)
        others.setdefault(second, set()).add(first)
    out = []
    while others:
        # of two samples that are alike the one that stands further behind
        worst = max(others, key=lambda sample: (len(others[sample]), sample))
        out.append(worst)
        for other in others.pop(worst):
            others[other].discard(worst)
            if not others[other]:
                del others[other]
    return sorted(out)


def ratio_to_usual(between: np.ndarray) -> np.ndarray:
    """Divide what each two samples have between them by the median of either with the others: (samples, samples)."""
    off_diagonal = between[~np.eye(len(between), dtype=bool)].reshape(len(between), -1)
    usual = np.median(off_diagonal, axis=1)
    usual = np.minimum(usual[:, None], usual)
    return np.divide(between, usual, out=np.ones_like(between), where=usual > 0)


def _least_kinship(of_pairs: np.ndarray, ploidy: float) -> float:
    """The kinship of relatives, and that of no pair by chance; the spread is robust, as relatives are pairs too."""
    median = np.median(of_pairs)
    # 1.48 median absolute deviations are a standard deviation of the normal distribution
    return max(LEAST_KINSHIP / ploidy, median + LEAST_Z * 1.48 * np.median(np.abs(of_pairs - median)))


def _mismatches(frequencies: np.ndarray) -> np.ndarray:
    """Share of the sites, known in both, at which two samples' genotypes differ: (samples, samples)."""
    known = (~np.isnan(frequencies)).astype(np.float32)
    classes = [(frequencies == value).astype(np.float32) for value in (0, 0.5, 1)]
    same = sum(one.T @ one for one in classes)
    return 1 - same / np.maximum(known.T @ known, 1)


def _rare_alleles(genotypes: Genotypes, n_samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Count the doubletons of each two samples, and the singletons of each sample's average chromosome."""
    genotypes = thin(genotypes, MOST_SITES_FOR_DOUBLETONS)
    ones, called = genotypes.allele_counts()
    minor = np.minimum(ones, called - ones)
    of = genotypes.sample_of_column()

    def carriers(times: int) -> tuple[np.ndarray, np.ndarray]:
        """The sites, as numbers, and the samples in which the rarer allele is, for those seen so many times."""
        found = []
        at = np.flatnonzero(minor == times)
        # at least once, so that there is something to join
        for first in range(0, max(len(at), 1), SITES_AT_ONCE):
            some = at[first : first + SITES_AT_ONCE]
            calls = np.asarray(genotypes.calls[some])
            flip = (ones > called - ones)[some, None]
            site, column = np.nonzero((calls >= 0) & np.where(flip, calls < genotypes.ploidy, calls > 0))
            found.append((first + site, of[column]))
        sites, samples = zip(*found, strict=True)
        return np.concatenate(sites), np.concatenate(samples)

    chromosomes = np.bincount(of, minlength=n_samples) * genotypes.ploidy
    own = np.bincount(carriers(1)[1], minlength=n_samples) / chromosomes
    site, sample = carriers(2)
    # a homozygous genotype has both copies: it is the only carrier
    pairs = sample[np.isin(site, np.flatnonzero(np.bincount(site) == 2))].reshape(-1, 2)
    shared = np.zeros((n_samples, n_samples), np.int32)
    np.add.at(shared, (pairs[:, 0], pairs[:, 1]), 1)
    np.fill_diagonal(shared, 0)
    return shared + shared.T, own
