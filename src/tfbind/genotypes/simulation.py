"""Regions simulated under the coalescent with recombination, with the true rates and observed as data are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import msprime
import numpy as np

from tfbind.errors import TfbindError
from tfbind.genotypes.contig import MISSING, Genotypes
from tfbind.genotypes.demographies import SAMPLED, SampledDemography, draw_history
from tfbind.genotypes.landscapes import draw_landscape, draw_mutation
from tfbind.genotypes.observation import Observation, draw_observation, observe
from tfbind.genotypes.prior import Prior
from tfbind.steps import StepFunction

MOST_LENGTH = 2**31 - 1  # positions are int32
NO_CONVERSION = {"conversion_ratio": 0.0, "conversion_tract": 1.0}


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is given; what is None comes from the prior, region by region.

    prior : Prior
    length : int
        Of a region, bp.
    demography : SampledDemography or None
    stretches : tuple of (str, int, msprime.RateMap), or None
        From `known_stretches`: each region lies at a random place of one of them.
    mutation_rate : float or None
        Per bp per generation.
    samples : int or None
        How many.
    ploidy : 1, 2 or None
        Of a sample; None with ``samples`` means 2.
    perfect : bool
        No noise of observation, and mutation rates that are even.
    """

    prior: Prior = field(default_factory=Prior)
    length: int = 1_000_000
    demography: SampledDemography | None = None
    stretches: tuple[tuple[str, int, msprime.RateMap], ...] | None = None
    mutation_rate: float | None = None
    samples: int | None = None
    ploidy: int | None = None
    perfect: bool = False


@dataclass(frozen=True, kw_only=True)
class Region:
    """A simulated region, as it is observed, and the truth about it.

    id : str
    length : int
        bp.
    position : (sites,) int32
        0-based, ascending, each once.
    haplotypes : (sites, n) int8
        0 ancestral, 1 derived, -1 missing; of diploid samples, columns 2i and 2i+1 are sample i.
    ploidy : 1 or 2
    phased : bool
        If not, which of a sample's two columns an allele stands in means nothing.
    mutation_rate : float
        Per bp per generation.
    diversity : float
        Expected pairwise differences per bp, by the demography, before any loss in observation.
    rate_start : (pieces,) int64
        Where each piece of constant recombination rate begins, bp from the region's start; the first is 0.
    rate : (pieces,) float64
        True rates per bp per generation.
    parameters : dict
        What was drawn for the region: numbers and texts.
    """

    id: str
    length: int
    position: np.ndarray
    haplotypes: np.ndarray
    ploidy: int
    phased: bool
    mutation_rate: float
    diversity: float
    rate_start: np.ndarray
    rate: np.ndarray
    parameters: dict[str, Any]

    def rate_map(self) -> msprime.RateMap:
        """Give the true rates as a map."""
        return msprime.RateMap(position=np.append(self.rate_start, self.length), rate=self.rate)

    def genotypes(self) -> Genotypes:
        """Give the region as reading its VCF would: of unphased samples, how many alleles 1 each has."""
        calls, ploidy = self.haplotypes, 1
        if self.ploidy == 2 and not self.phased:
            pairs = calls.reshape(len(calls), calls.shape[1] // 2, 2)
            is_missing = (pairs == MISSING).any(axis=2)
            calls, ploidy = np.where(is_missing, MISSING, pairs.sum(axis=2)).astype(np.int8), 2
        found = Genotypes(self.id, self.position.astype(np.int64), calls, ploidy, 0, self.length)
        return found.recounted()


def known_stretches(
    maps: Mapping[str, StepFunction], length: int, name: str
) -> tuple[tuple[str, int, msprime.RateMap], ...]:
    """Find the stretches of maps without a gap that can hold a region.

    Parameters
    ----------
    maps : mapping of str to StepFunction
        By contig; rates per bp and generation, NaN where unknown.
    length : int
        Of a region, bp.
    name : str
        Of the file, for the error.

    Returns
    -------
    tuple of (contig, start in bp, rates from there on)

    Raises
    ------
    TfbindError
        If none is that long.
    """
    stretches, longest = [], 0
    for contig, steps in maps.items():
        for first, last in steps.runs(steps.is_known).tolist():
            edges = steps.edges[first : last + 1]
            start, end = int(edges[0]), int(edges[-1])
            longest = max(longest, end - start)
            if end - start >= length:
                rate_map = msprime.RateMap(position=edges - start, rate=steps.values[first:last])
                stretches.append((contig, start, rate_map))
    if not stretches:
        raise TfbindError(
            f"{name}: found {longest:,} bp without a gap, expected at least --length, {length:,}"
        )
    return tuple(stretches)


def simulate_region(setting: Setting, seed: int, replicate: int) -> Region:
    """Simulate one region: a pure function of the setting, the seed and the replicate's number.

    The coalescent with recombination and, in a share of the regions, gene conversion (Baumdicker 2022, Genetics
    220:iyab229); two-state mutations at whole positions; then observation.
    """
    streams = np.random.SeedSequence(seed, spawn_key=(replicate,)).spawn(4)
    rng = np.random.default_rng(streams[0])
    prior = setting.prior
    ploidy, n = _draw_sample(rng, setting)
    mutation_rate = prior.mutation_rate if setting.mutation_rate is None else setting.mutation_rate
    parameters: dict[str, Any] = {"seed": seed, "replicate": replicate}

    # drawn in any case, so that what is given does not move what is not
    name, history = draw_history(rng, prior)
    diversity = prior.diversity.draw(rng)
    landscape, rate_map = draw_landscape(rng, prior, setting.length, mutation_rate)
    conversion = _draw_conversion(rng, prior)
    how = draw_observation(rng, prior, ploidy)
    mutation_map = draw_mutation(rng, prior, setting.length, mutation_rate)
    if setting.stretches is not None:
        contig, start, rate_map = _draw_place(rng, setting.stretches, setting.length)
        # the given rates are all the recombination there is
        landscape, conversion = "given", NO_CONVERSION
        parameters |= {"contig": contig, "start": start}
    if setting.demography is not None:
        model, deme, coalescence_time = setting.demography
        name = "given"
        diversity = 2 * mutation_rate * coalescence_time
    else:
        scaled = history.in_generations(diversity, mutation_rate)
        affordable = prior.largest_events / max(rate_map.total_mass * scaled.mean_tree_length(n), 1e-9)
        # gene conversion is the first to give way
        conversion_ratio = min(conversion["conversion_ratio"], max(affordable - 1, 0.0))
        conversion = conversion | {"conversion_ratio": conversion_ratio}
        if affordable < 1:
            diversity *= affordable
            scaled = history.in_generations(diversity, mutation_rate)
        # its mean coalescence time follows from the diversity, and need not be integrated once more
        model, deme = scaled.to_model(), SAMPLED
        parameters |= {"times": scaled.times, "sizes": scaled.sizes}
        if scaled.structure is not None:
            parameters |= {f"structure_{key}": value for key, value in asdict(scaled.structure).items()}
    if setting.perfect:
        how = Observation()
        mutation_map = msprime.RateMap.uniform(setting.length, mutation_rate)
    parameters |= {"demography": name, "landscape": landscape, "mean_rate": rate_map.mean_rate}
    parameters |= conversion | asdict(how)

    ancestry = msprime.sim_ancestry(
        samples=[msprime.SampleSet(n, population=deme, ploidy=1)],
        demography=model,
        recombination_rate=rate_map,
        gene_conversion_rate=conversion["conversion_ratio"] * rate_map.mean_rate,
        gene_conversion_tract_length=conversion["conversion_tract"],
        random_seed=_msprime_seed(streams[1]),
        record_provenance=False,
    )
    mutated = msprime.sim_mutations(
        ancestry,
        rate=mutation_map,
        model=msprime.BinaryMutationModel(),
        random_seed=_msprime_seed(streams[2]),
        record_provenance=False,
    )
    haplotypes, position = observe(
        mutated.genotype_matrix().astype(np.int8),
        mutated.tables.sites.position.astype(np.int32),
        ploidy,
        how,
        streams[3],
    )
    return Region(
        id=f"sim{replicate + 1}",
        length=setting.length,
        position=position,
        haplotypes=haplotypes,
        ploidy=ploidy,
        phased=how.phased,
        mutation_rate=mutation_rate,
        diversity=diversity,
        rate_start=rate_map.left.astype(np.int64),
        rate=np.array(rate_map.rate),
        parameters=parameters,
    )


def _msprime_seed(stream: np.random.SeedSequence) -> int:
    return max(1, int(stream.generate_state(1)[0]))  # msprime's seeds begin at 1


def _draw_sample(rng: np.random.Generator, setting: Setting) -> tuple[int, int]:
    """Draw ploidy and number of haplotypes, whole samples of them."""
    is_haploid, drawn = rng.random() < setting.prior.haploid, setting.prior.haplotypes.draw_int(rng)
    if setting.samples is not None:
        ploidy = setting.ploidy or 2
        return ploidy, setting.samples * ploidy
    ploidy = setting.ploidy or (1 if is_haploid else 2)
    return ploidy, max(drawn, 2) // ploidy * ploidy


def _draw_conversion(rng: np.random.Generator, prior: Prior) -> dict[str, float]:
    has_any = rng.random() < prior.gene_conversion
    ratio, tract = prior.conversion_ratio.draw(rng), prior.conversion_tract.draw(rng)
    return {"conversion_ratio": ratio, "conversion_tract": tract} if has_any else NO_CONVERSION


def _draw_place(
    rng: np.random.Generator, stretches: tuple[tuple[str, int, msprime.RateMap], ...], length: int
) -> tuple[str, int, msprime.RateMap]:
    """Draw a contig, a start on it and the rates from there, every place alike."""
    places = np.array([int(rates.sequence_length) - length + 1 for _, _, rates in stretches])
    place = int(rng.integers(places.sum()))
    index = int(np.searchsorted(np.cumsum(places), place, side="right"))
    contig, start, rates = stretches[index]
    offset = place - int(places[:index].sum())
    return contig, start + offset, rates.slice(offset, offset + length, trim=True)
