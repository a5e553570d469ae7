"""Linkage disequilibrium between pairs of sites, summed over the bins that the pairs span.

Of a pair of sites with allele frequencies p and q, D = P(11) - p q:

- r2 = D^2 / (p (1-p) q (1-q)) (Hill & Robertson 1968, Theor Appl Genet 38:226), less 1 / n, which n unlinked
  haplotypes give by chance (Hill & Weir 1988, Theor Popul Biol 33:54);
- |D'| = |D| over the largest value that p and q allow (Lewontin 1964, Genetics 49:49);
- four gametes: 1 if 00, 01, 10 and 11 all occur, which takes a recombination or a recurrent mutation
  (Hudson & Kaplan 1985, Genetics 111:147);
- D^2 and p (1-p) q (1-q), whose ratio of sums is sigma_d^2 (Ohta & Kimura 1971, Genetics 68:571).

Of unphased genotypes, dosages g and h of n samples, the composite disequilibrium D = cov(g, h) / 2 (Weir 1979,
Biometrics 35:235) takes the place of D; r2 is the squared correlation of the dosages, less 1 / n; |D'| is cut at 1;
a gamete occurs if a sample that is not heterozygous at both sites shows it, since those that are leave it open.

Calls that are missing at either site are left out of the pair, and a pair whose sites do not both vary in what is
left is no pair.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from tfbind.genotypes.bits import pack, popcount
from tfbind.genotypes.packed import PackedCalls

# what is summed over pairs
STATISTICS = ("pairs", "r2", "four_gametes", "d_prime", "d_squared", "heterozygosity")


@njit(inline="always", error_model="numpy")
def _haplotype_pair(planes, i, j, complete, n, p, q, variance_i, variance_j):  # pragma: no cover - compiled
    """Compare two sites in haplotypes: (joint calls, p, q, two variances, covariance, four gametes)."""
    # no slices: a view of an array costs more than the comparison
    both = 0
    for word in range(planes.shape[2]):
        both += popcount(planes[1, i, word] & planes[1, j, word])
    if not complete:
        n = a = b = 0
        for word in range(planes.shape[2]):
            n += popcount(planes[0, i, word] & planes[0, j, word])
            a += popcount(planes[1, i, word] & planes[0, j, word])
            b += popcount(planes[0, i, word] & planes[1, j, word])
        p, q = a / n, b / n
        variance_i, variance_j = p * (1 - p), q * (1 - q)
    share = both / n
    # exact but for rounding, so half a haplotype tells some from none
    half = 0.5 / n
    four = share > half and p - share > half and q - share > half and 1 + share - p - q > half
    return n, p, q, variance_i, variance_j, share - p * q, four


@njit(inline="always", error_model="numpy")
def _genotype_pair(planes, i, j, complete, n, p, q, variance_i, variance_j):  # pragma: no cover - compiled
    """Compare two sites in unphased genotypes: as `_haplotype_pair`, but with the variances of dosages."""
    products = gametes = 0
    for word in range(planes.shape[2]):
        some_i, some_j = planes[1, i, word], planes[1, j, word]
        all_i, all_j = planes[2, i, word], planes[2, j, word]
        # dosages 1 and 2 are one and two of the planes: their product is a sum over pairs of planes
        products += popcount(some_i & some_j) + popcount(some_i & all_j)
        products += popcount(all_i & some_j) + popcount(all_i & all_j)
        # all but those that are heterozygous at both sites
        certain = planes[0, i, word] & planes[0, j, word] & ((~some_i | all_i) | (~some_j | all_j))
        gametes |= (certain & ~all_i & ~all_j) != 0
        gametes |= ((certain & ~all_i & some_j) != 0) << 1
        gametes |= ((certain & some_i & ~all_j) != 0) << 2
        gametes |= ((certain & some_i & some_j) != 0) << 3
    if not complete:
        n = one_i = two_i = one_j = two_j = 0
        for word in range(planes.shape[2]):
            known_i, known_j = planes[0, i, word], planes[0, j, word]
            n += popcount(known_i & known_j)
            one_i += popcount(planes[1, i, word] & known_j)
            two_i += popcount(planes[2, i, word] & known_j)
            one_j += popcount(planes[1, j, word] & known_i)
            two_j += popcount(planes[2, j, word] & known_i)
        p, q = (one_i + two_i) / (2 * n), (one_j + two_j) / (2 * n)
        # a dosage of 2 counts four in the sum of squares
        variance_i = (one_i + 3 * two_i) / n - 4 * p * p
        variance_j = (one_j + 3 * two_j) / n - 4 * q * q
    return n, p, q, variance_i, variance_j, products / n - 4 * p * q, gametes == 15


@njit(inline="always", error_model="numpy")
def _pair(planes, ploidy, frequency, variance, complete, n, i, j):  # pragma: no cover - compiled
    """Give a pair's statistics, in the order of STATISTICS."""
    both_complete = complete[i] and complete[j]
    p, q, variance_i, variance_j = frequency[i], frequency[j], variance[i], variance[j]
    if ploidy == 1:
        m, p, q, variance_i, variance_j, covariance, four = _haplotype_pair(
            planes, i, j, both_complete, n, p, q, variance_i, variance_j
        )
    else:
        m, p, q, variance_i, variance_j, covariance, four = _genotype_pair(
            planes, i, j, both_complete, n, p, q, variance_i, variance_j
        )
    # not so where m is 0 and all else undefined
    if variance_i > 1e-9 and variance_j > 1e-9:
        d = covariance / ploidy
        largest = min(p * (1 - q), (1 - p) * q) if d > 0 else min(p * q, (1 - p) * (1 - q))
        r2 = covariance * covariance / (variance_i * variance_j)
        return (
            1.0,
            r2 - 1 / m,
            1.0 if four else 0.0,
            min(abs(d) / largest, 1.0),
            d * d,
            p * (1 - p) * q * (1 - q),
        )
    return 0.0, 0.0, 0.0, 0.0, 0.0, 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _sum_spanning(packed, bins, reach, most, by_bin, in_all):  # pragma: no cover - compiled
    """Add each pair where it enters a bin and take it off behind the last one that it touches."""
    planes, ploidy, frequency, variance, complete, n, positions = packed
    n_sites = len(positions)
    after = np.zeros(len(reach), np.int64)
    for i in range(n_sites):
        j = i + 1
        for band in range(len(reach)):
            while after[band] < n_sites and positions[after[band]] <= positions[i] + reach[band]:
                after[band] += 1
            end = after[band]
            stride = max(1, -(-(end - j) // most))
            t0 = t1 = t2 = t3 = t4 = t5 = 0.0
            while j < end:
                # partners in one bin are summed before they are taken off together
                last = bins[j]
                k0 = k1 = k2 = k3 = k4 = k5 = 0.0
                while j < end and bins[j] == last:
                    s0, s1, s2, s3, s4, s5 = _pair(planes, ploidy, frequency, variance, complete, n, i, j)
                    k0 += s0
                    k1 += s1
                    k2 += s2
                    k3 += s3
                    k4 += s4
                    k5 += s5
                    j += stride
                t0 += k0
                t1 += k1
                t2 += k2
                t3 += k3
                t4 += k4
                t5 += k5
                by_bin[band, last + 1, 0] -= stride * k0
                by_bin[band, last + 1, 1] -= stride * k1
                by_bin[band, last + 1, 2] -= stride * k2
                by_bin[band, last + 1, 3] -= stride * k3
                by_bin[band, last + 1, 4] -= stride * k4
                by_bin[band, last + 1, 5] -= stride * k5
            j = max(i + 1, end)
            for sums in (by_bin[band, bins[i]], in_all[band]):
                sums[0] += stride * t0
                sums[1] += stride * t1
                sums[2] += stride * t2
                sums[3] += stride * t3
                sums[4] += stride * t4
                sums[5] += stride * t5


@njit(cache=True, nogil=True, error_model="numpy")
def _sum_far(packed, nearest, furthest, most, sums):  # pragma: no cover - compiled
    planes, ploidy, frequency, variance, complete, n, positions = packed
    first = after = 0
    for i in range(len(positions)):
        while first < len(positions) and positions[first] <= positions[i] + nearest:
            first += 1
        while after < len(positions) and positions[after] <= positions[i] + furthest:
            after += 1
        for j in range(first, after, max(1, -(-(after - first) // most))):
            pairs, r2, _, _, _, _ = _pair(planes, ploidy, frequency, variance, complete, n, i, j)
            sums[0] += pairs
            sums[1] += r2


class PairSums(NamedTuple):
    """Sums over pairs of sites, the last axis in the order of STATISTICS.

    by_bin : (bands, bins, 6) float64
        Over the pairs that touch a bin, from the bin of one site to that of the other.
    in_all : (bands, 6) float64
        Over all the pairs, each once.
    far : (2,) float64
        Number and r2 of pairs beyond the last band.
    """

    by_bin: np.ndarray
    in_all: np.ndarray
    far: np.ndarray


# a site with more partners in a band meets every second, third, ... of them, and each counts for as many
MOST_PARTNERS = 96
# beyond the last band, up to this many times its end
FAR_REACH = 3
FAR_PARTNERS = 16


def sum_over_pairs(
    calls: np.ndarray | PackedCalls,
    ploidy: int,
    positions: np.ndarray,
    bins: np.ndarray,
    n_bins: int,
    reach: np.ndarray,
    most_partners: int = MOST_PARTNERS,
) -> PairSums:
    """Sum statistics of linkage disequilibrium over pairs of sites, by the distance between them.

    The cost is that of the pairs, however many bins a pair spans.

    Parameters
    ----------
    calls : (sites, columns) int8 or PackedCalls
        Alleles (ploidy 1) or dosages (ploidy 2); -1 is unknown. Each site varies.
    ploidy : 1 or 2
    positions : (sites,) int64
        Rising, each once.
    bins : (sites,) int64
        The bin of each site, never falling.
    n_bins : int
    reach : (bands,) float64
        The largest distance in each band, rising; a pair belongs to the first band that takes it.
    most_partners : int
        Of a site, in one band, among those behind it.
    """
    planes = pack(calls)
    known, some, two = np.bitwise_count(planes).sum(axis=2, dtype=np.float64)
    frequency = (some + two) / (ploidy * known)
    variance = (some + 3 * two) / known - (ploidy * frequency) ** 2
    columns = calls.shape[1]
    packed = (planes, ploidy, frequency, variance, known == columns, columns, positions)
    by_bin = np.zeros((len(reach), n_bins + 1, len(STATISTICS)))
    in_all, far = np.zeros((len(reach), len(STATISTICS))), np.zeros(2)
    _sum_spanning(packed, bins, reach, most_partners, by_bin, in_all)
    _sum_far(packed, reach[-1], FAR_REACH * reach[-1], FAR_PARTNERS, far)
    # in place: of a whole chromosome there are hundreds of thousands of bins
    return PairSums(np.cumsum(by_bin, axis=1, out=by_bin)[:, :-1], in_all, far)
