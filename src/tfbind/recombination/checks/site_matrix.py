"""Sites thinned to as many as a check needs, and how far apart the samples are on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tfbind.genotypes.contig import MISSING, Genotypes

# what the products of matrices below take well under a second for
MOST_CALLS = 2_000_000
POWERS = 40


def most_sites(genotypes: Genotypes) -> int:
    """Give the number of sites that hold MOST_CALLS."""
    return MOST_CALLS // max(genotypes.calls.shape[1], 1) + 1


def thin(genotypes: Genotypes, most: int, least_minor: int = 1) -> Genotypes:
    """Keep every second, third, ... site whose rarer allele was seen often enough, so that ``most`` are left at most.

    The account stays that of all.
    """
    ones, called = genotypes.allele_counts()
    at = np.flatnonzero(np.minimum(ones, called - ones) >= least_minor)
    at = at[:: max(1, -(-len(at) // most))]
    return replace(genotypes, positions=genotypes.positions[at], calls=genotypes.calls[at])


def expected_differences(genotypes: Genotypes) -> float:
    """Count the sites at which two chromosomes differ on average: the contig's length in the features' units."""
    ones, called = genotypes.allele_counts()
    return float((2 * ones * (called - ones) / np.maximum(called * (called - 1.0), 1)).sum())


def frequencies_by_sample(genotypes: Genotypes) -> np.ndarray:
    """Give the share of a sample's chromosomes that have allele 1: (sites, samples) float32.

    NaN unless the calls of all of them are known.
    """
    known = np.asarray(genotypes.calls)
    calls = known.astype(np.float32) / genotypes.ploidy
    calls[known == MISSING] = np.nan
    first = np.flatnonzero(np.diff(genotypes.sample_of_column(), prepend=-1))
    if len(first) == calls.shape[1]:
        return calls
    columns = np.diff(first, append=calls.shape[1]).astype(np.float32)
    return np.add.reduceat(calls, first, axis=1) / columns


def differences(frequencies: np.ndarray) -> np.ndarray:
    """Mean number of differences a site between a chromosome of one sample and one of the other.

    Parameters
    ----------
    frequencies : (sites, samples) float32
        From `frequencies_by_sample`. Sites that are unknown in either sample are left out.

    Returns
    -------
    (samples, samples) float32
    """
    is_known = ~np.isnan(frequencies)
    if is_known.all():
        differ = frequencies.T @ (1 - frequencies)
        return (differ + differ.T) / len(frequencies)
    known, ones = is_known.astype(np.float32), np.nan_to_num(frequencies)
    differ = ones.T @ (known - ones)
    return (differ + differ.T) / np.maximum(known.T @ known, 1)


def first_axis(matrix: np.ndarray) -> np.ndarray:
    """Find about the first eigenvector of a symmetric matrix (n, n): (n,) of length 1.

    By powers of the matrix: near enough to tell signs, and far quicker than all the eigenvectors.
    """
    axis = matrix[np.argmax(np.diag(matrix))]
    for _ in range(POWERS):
        axis = matrix @ axis
        axis /= np.linalg.norm(axis) or 1
    return axis
