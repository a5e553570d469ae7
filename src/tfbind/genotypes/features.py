"""What a recombination network reads of a contig: tokens along it, and 59 features of each.

Distance is measured in units of one expected pairwise difference: bp times the nucleotide diversity pi per
accessible bp. A population's size drops out of it, and so does its mutation rate: what the features tell of is
r / mu. Alleles are folded: which one is ancestral is never asked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfbind.errors import TfbindError
from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.gaps import accessible_stretches
from tfbind.genotypes.linkage import PairSums, sum_over_pairs
from tfbind.genotypes.mask import Accessible

# the longest distance in each band, in units
BANDS = (1, 3, 8, 20, 60, 180)
# sites a token, on average, of those whose rarer allele was seen COMMON times or more
SITES_A_TOKEN = 4
COMMON = 2
# tokens on either side that count as around
AROUND = 8
# upper ends of the frequencies of the rarer allele, beyond singletons and doubletons
SPECTRUM = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)

LINKAGE_FEATURES = tuple(
    f"{statistic}_{band}"
    for band in BANDS
    for statistic in ("r2", "four_gametes", "d_prime", "sigma_d", "log_pairs")
)
LOCAL_FEATURES = (
    "log_width",
    "accessible",
    "log_common",
    "log_singletons",
    "minor_frequency",
    "diversity",
    "density",
    "diversity_around",
)
REGION_FEATURES = (
    "region_log_n",
    "region_phased",
    "region_log_pi_over_theta",
    "region_missing",
    "region_log_common_per_unit",
    "region_singletons",
    "region_doubletons",
    *(f"region_to_{frequency}" for frequency in SPECTRUM),
    *(f"region_r2_{band}" for band in BANDS),
    "region_r2_far",
    "region_sigma_d_20",
)
FEATURES = LINKAGE_FEATURES + LOCAL_FEATURES + REGION_FEATURES
# Raise it with any change, here or in `linkage`, `gaps` and `bits`, that changes the value of a feature: networks that
# were trained on the old values are refused from then on. tests/test_golden.py notices such a change
FEATURES_VERSION = 1


@dataclass(frozen=True, eq=False)
class Features:
    """Tokens along a contig, each with as many bases outside of gaps as the others but for the first and the last
    one of a shifted grid; all 0-based, half-open.

    A network that predicts y for each token gives rates r = exp(y) share mu per bp and generation; the
    population-scaled length of a token is exp(y) units_per_bp accessible.

    contig : str
    x : (tokens, 59) float32
        In the order of FEATURES.
    start, end : (tokens,) int64
        Each one's end is the next one's start.
    n_sites : (tokens,) int32
        Sites used, singletons as well.
    accessible : (tokens,) int64
        Bases outside of gaps (`tfbind.genotypes.gaps`).
    share : float
        Of these, those that the mask leaves, times the share of sites that were kept (`Genotypes.kept_share`); 1 where
        the diversity is given.
    units_per_bp : float
        Expected pairwise differences per such bp: pi, measured or given.
    n_chromosomes : int
    phased : bool
    """

    contig: str
    x: np.ndarray
    start: np.ndarray
    end: np.ndarray
    n_sites: np.ndarray
    accessible: np.ndarray
    share: float
    units_per_bp: float
    n_chromosomes: int
    phased: bool


def compute_features(
    genotypes: Genotypes,
    mask: Accessible | None = None,
    diversity: float | None = None,
    shift: float = 0.0,
) -> Features:
    """Compute the tokens of a contig and their features.

    Linkage disequilibrium is summed over pairs of common sites (their rarer allele seen twice or more), at each
    token over those that span or touch it, in six bands of distance; `linkage` defines it, for haplotypes and for
    unphased genotypes. A band without pairs is 0. Diversity pi (Nei & Li 1979, PNAS 76:5269) and Watterson's
    theta (1975, Theor Popul Biol 7:256) take the calls that there are at each site.

    Parameters
    ----------
    genotypes : Genotypes
        With the sites on masked bases left out.
    mask : Accessible or None
        The contig's accessible intervals; everything from its first record to its last one where None. Gaps
        (`tfbind.genotypes.gaps`), long masked stretches among them, are left out in any case.
    diversity : float or None
        pi per bp known from elsewhere, for data whose sites were chosen (a chip's); measured where None.
    shift : float
        Where the second token begins, from 0 to 1, in tokens: the first one is so wide, where that is above 0, and the
        last one is what is left.

    Raises
    ------
    TfbindError
        If fewer than two sites are common, or ``diversity`` is not above 0.
    """
    ones, called = genotypes.allele_counts()
    minor = np.minimum(ones, called - ones)
    is_common = minor >= COMMON
    n_common = int(is_common.sum())
    if n_common < 2:
        raise TfbindError(
            f"contig {genotypes.contig}: found {n_common} sites whose rarer allele was seen {COMMON} times or more,"
            " expected at least 2"
        )
    if diversity is not None and not 0 < diversity < 1:
        raise TfbindError(
            f"found a diversity of {diversity}, expected pairwise differences per bp, from 0 to 1"
        )
    stretches = accessible_stretches(genotypes)
    share = share_of_sites(genotypes, mask) if diversity is None else 1.0
    edges = _token_edges(genotypes.start, genotypes.end, stretches, n_common, shift)
    accessible = np.diff(stretches.bases_before(edges))
    total = int(max(accessible.sum(), 1))
    differences = 2 * ones * (called - ones) / (called * (called - 1))
    pi = differences.sum() / total
    units_per_bp = pi if diversity is None else diversity

    token = np.searchsorted(edges, genotypes.positions, side="right") - 1
    n_tokens = len(edges) - 1
    pairs = sum_over_pairs(
        genotypes.calls[is_common],
        genotypes.ploidy,
        genotypes.positions[is_common],
        token[is_common],
        n_tokens,
        np.array(BANDS) / units_per_bp,
    )

    def count(of: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        return np.bincount(token[of], None if weights is None else weights[of], minlength=n_tokens)

    every = np.ones(len(token), bool)
    n_sites, common = count(every), count(is_common)
    frequency = minor / called
    expected = accessible * pi
    found = count(every, differences)
    around, expected_around = _sum_around(found), _sum_around(expected)
    local = [
        np.log(np.maximum(accessible, 1) * units_per_bp),
        accessible / np.diff(edges),
        np.log1p(common),
        np.log1p(count(minor == 1)),
        count(is_common, frequency) / np.maximum(common, 1),
        _root_of_ratio(found, expected),
        _root_of_ratio(n_sites, accessible * (len(token) / total)),
        _root_of_ratio(around, expected_around),
    ]
    region = _region(genotypes, minor, called, differences, pairs, n_common / (total * units_per_bp))
    x = np.empty((n_tokens, len(FEATURES)), np.float32)
    n_linkage = len(LINKAGE_FEATURES)
    # band by band, as a large contig has hundreds of thousands of tokens
    for sums, columns in zip(pairs.by_bin, np.split(np.arange(n_linkage), len(BANDS)), strict=True):
        x[:, columns] = _linkage(sums)
    x[:, n_linkage : n_linkage + len(local)] = np.stack(local, axis=1)
    x[:, n_linkage + len(local) :] = region
    return Features(
        genotypes.contig,
        x,
        edges[:-1],
        edges[1:],
        n_sites.astype(np.int32),
        accessible,
        share,
        float(units_per_bp),
        genotypes.n_chromosomes,
        genotypes.ploidy == 1,
    )


def share_of_sites(genotypes: Genotypes, mask: Accessible | None) -> float:
    """Tell which share of a contig's variable sites can be among those used.

    Masked bases hide sites as a lower mutation rate would, which the network knows: what it says of r over that rate is
    r/mu times the share that is left. Sites that were left out for what they look like lower the diversity as well.
    Gaps alone are no sequence at all.
    """
    share = genotypes.kept_share
    if mask is not None:
        stretches = accessible_stretches(genotypes)
        left = mask.bases_before(stretches.ends) - mask.bases_before(stretches.starts)
        share *= float(left.sum()) / max(stretches.n_bases, 1)
    return share


def _token_edges(start: int, end: int, stretches: Accessible, n_common: int, shift: float) -> np.ndarray:
    """Cut a contig into tokens whose numbers of accessible bases differ by one at most: (tokens + 1,) int64."""
    total = stretches.n_bases
    n_tokens = max(1, min(round(n_common / SITES_A_TOKEN), total))
    before = (total * np.arange(n_tokens) + round(shift * total)) // n_tokens
    inner = stretches.position_of(before[before > 0])
    return np.concatenate([[start], inner, [end]]).astype(np.int64)


def _sum_around(values: np.ndarray) -> np.ndarray:
    """Sum over each token and AROUND more on either side, as far as there are any."""
    summed = np.concatenate([[0], np.cumsum(values)])
    at = np.arange(len(values))
    return summed[np.minimum(at + AROUND + 1, len(values))] - summed[np.maximum(at - AROUND, 0)]


def _root_of_ratio(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Square root of found over expected, drawn towards 1 where little is expected."""
    weight = 0.25
    return np.sqrt((found + weight) / (expected + weight))


def _linkage(sums: np.ndarray) -> np.ndarray:
    """Turn sums over pairs (..., 6) into the five linkage features (..., 5)."""
    n_pairs, r2, four_gametes, d_prime, d_squared, heterozygosity = np.moveaxis(sums, -1, 0)
    # sums of differences keep a trace of what was added and taken off: the number of pairs is exact
    some = n_pairs > 0.5
    n = np.where(some, n_pairs, 1)
    sigma_d = np.sqrt(np.maximum(d_squared, 0) / np.where(some, heterozygosity, 1))
    means = [r2 / n, four_gametes / n, d_prime / n, sigma_d, np.log1p(n_pairs)]
    return np.stack([np.where(some, mean, 0) for mean in means], axis=-1)


def _region(
    genotypes: Genotypes,
    minor: np.ndarray,
    called: np.ndarray,
    differences: np.ndarray,
    pairs: PairSums,
    common_per_unit: float,
) -> list[float]:
    """What holds for the contig as a whole, in the order of REGION_FEATURES."""
    harmonic = np.concatenate([[0, 0], np.cumsum(1 / np.arange(1, genotypes.n_chromosomes))])
    theta = (1 / harmonic[called]).sum()
    # 0 singletons, 1 doubletons, then by frequency
    spectrum_class = 2 + np.searchsorted(SPECTRUM[:-1], minor / called)
    spectrum_class = np.where(minor <= 2, minor - 1, spectrum_class)
    spectrum = np.bincount(spectrum_class, minlength=2 + len(SPECTRUM)) / len(minor)
    decay = _linkage(pairs.in_all)
    return [
        np.log(genotypes.n_chromosomes),
        float(genotypes.ploidy == 1),
        np.log(differences.sum() / theta),
        1 - called.mean() / genotypes.n_chromosomes,
        np.log(common_per_unit),
        *spectrum,
        *decay[:, 0],
        pairs.far[1] / max(pairs.far[0], 1),
        decay[BANDS.index(20), 3],
    ]
