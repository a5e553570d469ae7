"""What sequencing, calling and phasing make of true haplotypes.

Haplotypes are (sites, n) int8: 0 the reference allele, 1 the other, -1 missing; where samples are diploid,
columns 2i and 2i+1 are one sample's. Each function returns a new array and draws from its own generator, so the
same seed errs in the same places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfbind.genotypes.contig import MISSING
from tfbind.genotypes.prior import Prior

UNPHASED_SWITCH_RATE = 0.5


@dataclass(frozen=True, kw_only=True)
class Observation:
    """How a region is observed; the defaults are a perfect observation.

    switch_rate : phase switches per heterozygous site and diploid sample; 0.5 for unphased genotypes
    phased : whether phase is claimed
    error_rate : wrong alleles per allele
    missing_rate : missing calls per call
    dropout_singletons : share of singletons not found; of doubletons half of it, and so on
    dropout_variants : share of all variants not found
    chip_spacing : bp between the variants of an array, 0 where all variants are sought
    chip_panel : haplotypes in which the array's variants had been found
    """

    switch_rate: float = 0.0
    phased: bool = True
    error_rate: float = 0.0
    missing_rate: float = 0.0
    dropout_singletons: float = 0.0
    dropout_variants: float = 0.0
    chip_spacing: float = 0.0
    chip_panel: int = 0


def draw_observation(rng: np.random.Generator, prior: Prior, ploidy: int) -> Observation:
    """Draw how a region is observed; haploid samples have a known phase."""
    phase, has_errors, has_missing, has_dropout, is_chip = rng.random(5)
    unphased = ploidy == 2 and phase < prior.unphased
    switched = ploidy == 2 and not unphased and phase < prior.unphased + prior.switches
    return Observation(
        switch_rate=UNPHASED_SWITCH_RATE if unphased else prior.switch_rate.draw(rng) if switched else 0.0,
        phased=not unphased,
        error_rate=prior.error_rate.draw(rng) if has_errors < prior.errors else 0.0,
        missing_rate=prior.missing_rate.draw(rng) if has_missing < prior.missing else 0.0,
        dropout_singletons=prior.dropout_singletons.draw(rng) if has_dropout < prior.dropout else 0.0,
        dropout_variants=prior.dropout_variants.draw(rng) if has_dropout < prior.dropout else 0.0,
        chip_spacing=prior.chip_spacing.draw(rng) if is_chip < prior.chip else 0.0,
        chip_panel=prior.chip_panel.draw_int(rng) if is_chip < prior.chip else 0,
    )


def observe(
    haplotypes: np.ndarray, position: np.ndarray, ploidy: int, how: Observation, seed: np.random.SeedSequence
) -> tuple[np.ndarray, np.ndarray]:
    """Observe true haplotypes: variants are found, called and phased, and what does not vary is left out.

    Parameters
    ----------
    haplotypes : (sites, n) int8
    position : (sites,) int
    ploidy : 1 or 2
    how : Observation
    seed : numpy.random.SeedSequence

    Returns
    -------
    haplotypes : (found, n) int8
    position : (found,) int
    """
    # a stream for each, so that one kind of noise does not move the others
    found, chip, errors, phase, missing = (np.random.default_rng(s) for s in seed.spawn(5))
    keep = find_variants(found, haplotypes, how.dropout_singletons, how.dropout_variants)
    if how.chip_spacing:
        keep &= chosen_for_chip(chip, haplotypes, position, how.chip_spacing, how.chip_panel)
    haplotypes, position = haplotypes[keep], position[keep]
    haplotypes = flip_alleles(errors, haplotypes, how.error_rate)
    if ploidy == 2:
        haplotypes = switch_phase(phase, haplotypes, how.switch_rate)
    haplotypes = lose_calls(missing, haplotypes, ploidy, how.missing_rate)
    keep = is_segregating(haplotypes)
    return haplotypes[keep], position[keep]


def minor_count(haplotypes: np.ndarray) -> np.ndarray:
    """Count the rarer allele at each site: (sites,) int64; missing calls are neither."""
    derived = (haplotypes == 1).sum(axis=1)
    return np.minimum(derived, (haplotypes == 0).sum(axis=1))


def is_segregating(haplotypes: np.ndarray) -> np.ndarray:
    """Tell sites where both alleles were called: (sites,) bool."""
    return minor_count(haplotypes) > 0


def find_variants(
    rng: np.random.Generator, haplotypes: np.ndarray, singletons: float, variants: float
) -> np.ndarray:
    """Find variants, rare ones less often: (sites,) bool.

    A site of minor count c is missed with ``variants`` or, independently, with ``singletons`` / c.
    """
    missed = 1 - (1 - variants) * (1 - singletons / np.maximum(minor_count(haplotypes), 1))
    return rng.random(len(haplotypes)) >= missed


def chosen_for_chip(
    rng: np.random.Generator, haplotypes: np.ndarray, position: np.ndarray, spacing: float, panel: int
) -> np.ndarray:
    """Choose the sites of an array: those that vary in a small panel, one in every ``spacing`` bp: (sites,) bool."""
    n = haplotypes.shape[1]
    members = rng.permutation(n)[: min(max(panel, 2), n)]
    candidates = rng.permutation(np.flatnonzero(is_segregating(haplotypes[:, members])))
    _, first = np.unique(position[candidates] // spacing, return_index=True)
    chosen = np.zeros(len(position), bool)
    chosen[candidates[first]] = True
    return chosen


def flip_alleles(rng: np.random.Generator, haplotypes: np.ndarray, rate: float) -> np.ndarray:
    """Turn each allele into the other with chance ``rate``."""
    if not rate:
        return haplotypes
    return haplotypes ^ (rng.random(haplotypes.shape) < rate)


def switch_phase(rng: np.random.Generator, haplotypes: np.ndarray, rate: float) -> np.ndarray:
    """Swap a diploid sample's haplotypes from a heterozygous site on, with chance ``rate`` at each."""
    if not rate:
        return haplotypes
    pairs = haplotypes.reshape(len(haplotypes), haplotypes.shape[1] // 2, 2)
    is_switch = (pairs[..., 0] != pairs[..., 1]) & (rng.random(pairs.shape[:2]) < rate)
    is_swapped = np.cumsum(is_switch, axis=0) % 2 == 1
    return np.where(is_swapped[..., None], pairs[..., ::-1], pairs).reshape(haplotypes.shape)


def lose_calls(rng: np.random.Generator, haplotypes: np.ndarray, ploidy: int, rate: float) -> np.ndarray:
    """Lose whole calls with mean chance ``rate``; the chance differs from site to site (beta with alpha = 1)."""
    if not rate:
        return haplotypes
    n_sites, n = haplotypes.shape
    of_site = rng.beta(1, max((1 - rate) / rate, 1e-9), size=(n_sites, 1))
    is_lost = rng.random((n_sites, n // ploidy)) < of_site
    return np.where(np.repeat(is_lost, ploidy, axis=1), np.int8(MISSING), haplotypes)
