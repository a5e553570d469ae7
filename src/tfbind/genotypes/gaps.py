"""Stretches without any site that are too long for chance: centromeres, gaps of an assembly, a stray record far off."""

from __future__ import annotations

import numpy as np

from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.mask import Accessible

# A stretch without a site is a gap if it is longer than so many mean spacings. Trees differ in height along a contig,
# so that spacings vary more than those of independent sites: the longest of 1 Mb was 9 mean spacings in the median of
# 31,996 regions simulated from the prior, 69 in one of 1,000, above 200 in one alone.
LONGEST = 200
# The mean is taken from this quantile of the spacings, as of an exponential distribution: gaps do not move it, and in
# samples with a deep bottleneck, whose sites lie in clusters, it strays less than the median (above 200: 8 regions)
QUANTILE = 0.9
# of fewer sites, spacings tell nothing
FEWEST_SITES = 20


def accessible_stretches(genotypes: Genotypes, mask: Accessible | None = None) -> Accessible:
    """Find where on a contig sites could have been found: what the mask says, less the gaps.

    Parameters
    ----------
    genotypes : Genotypes
        With the sites on masked bases left out.
    mask : Accessible or None
        Everything from ``start`` to ``end`` where None.

    Returns
    -------
    Accessible
        Within ``start`` and ``end`` of the genotypes.
    """
    return _given(genotypes, mask).without(*find_gaps(genotypes, mask))


def find_gaps(genotypes: Genotypes, mask: Accessible | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Find stretches without a site that are too long for chance: starts and ends, (gaps,) int64 each.

    A mean spacing from the next site on either side is no part of them, as of a sequence that ends there.
    """
    given = _given(genotypes, mask)
    none = np.zeros(0, np.int64)
    if len(genotypes.positions) < FEWEST_SITES or not given.n_bases:
        return none, none
    # masked bases are no part of a spacing
    at = given.bases_before(genotypes.positions)
    spacing = max(float(np.quantile(np.diff(at), QUANTILE)) / -np.log(1 - QUANTILE), 1.0)
    start, end = np.append(0, at + 1), np.append(at, given.n_bases)
    is_gap = end - start > LONGEST * spacing
    margin = int(np.ceil(spacing))
    # at the ends of the contig no site is next
    start[1:] += margin
    end[:-1] -= margin
    return given.position_of(start[is_gap]), given.position_of(end[is_gap] - 1) + 1


def _given(genotypes: Genotypes, mask: Accessible | None) -> Accessible:
    whole = Accessible(np.array([genotypes.start]), np.array([genotypes.end]))
    return whole if mask is None else mask.within(genotypes.start, genotypes.end)
