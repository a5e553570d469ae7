"""Maps that cannot be right, and others that can: how many windows of each are noted.

    python tests/benchmarks/map_limits.py [--replicates 8] [--seed 5000] [--scale BP] [--only "NAME;..."] [-o TABLE.tsv]

For each scenario: predicted over true genetic length, coverage of the 95% interval, the share of windows whose rate is
off by more than twofold, and the shares of these and of the other windows that have a note. 40 haplotypes, Ne 10,000
and mu 1e-8 unless said; r 1e-8 with hotspots, or flat where the name says r/mu. The thresholds of
`tfbind.recombination.checks.local_structure` were chosen on seeds from 1000 to 1100.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msprime
import numpy as np
import pandas as pd
from real_genotypes import landscape

import recombination
from tfbind.genotypes.contig import Genotypes
from tfbind.recombination.mapping.prediction import map_contig
from tfbind.recombination.mapping.rate_model import load_rate_model

MU, NE = 1e-8, 1e4


class Simulated(NamedTuple):
    """Genotypes, the true rates and the mutation rate per bp."""

    genotypes: Genotypes
    truth: msprime.RateMap
    mutation_rate: float = MU


def genotypes_of(positions: np.ndarray, haplotypes: np.ndarray, length: int) -> Genotypes:
    varies = (haplotypes.max(axis=1) == 1) & (haplotypes.min(axis=1) == 0)
    varies &= np.append(True, np.diff(positions) > 0)
    return Genotypes("1", positions[varies], np.ascontiguousarray(haplotypes[varies]), 1, 0, length)


def haplotypes_of(
    truth: msprime.RateMap, seed: int, mu: float = MU, **ancestry
) -> tuple[np.ndarray, np.ndarray]:
    trees = msprime.sim_ancestry(recombination_rate=truth, ploidy=1, random_seed=seed, **ancestry)
    trees = msprime.sim_mutations(trees, rate=mu, model=msprime.BinaryMutationModel(), random_seed=seed)
    return trees.tables.sites.position.astype(np.int64), trees.genotype_matrix().astype(np.int8)


def panmictic(
    seed: int, *, n=40, ne=NE, length=2_000_000, flat=0.0, times=1.0, conversion=0.0, tract=400
) -> Simulated:
    """One population; ``flat`` is r/mu without hotspots, ``conversion`` over the mean crossover rate."""
    truth = landscape(np.random.default_rng(seed)).slice(0, length, trim=True)
    truth = msprime.RateMap(position=truth.position, rate=truth.rate * times)
    if flat:
        truth = msprime.RateMap(position=[0, length], rate=[flat * MU])
    more = {}
    if conversion:
        mean = flat * MU if flat else 1e-8 * times
        more = {"gene_conversion_rate": conversion * mean, "gene_conversion_tract_length": tract}
    found = haplotypes_of(truth, seed, samples=n, population_size=2 * ne, **more)
    return Simulated(genotypes_of(*found, length), truth)


def admixed(seed: int, *, n=40, split=40_000, time=100, share=0.5, sizes=(NE, NE)) -> Simulated:
    """Chromosomes of two ancestries."""
    history = msprime.Demography()
    for name, size in zip("ABMR", (*sizes, NE, NE), strict=True):
        history.add_population(name=name, initial_size=2 * size)
    history.add_admixture(time=time, derived="M", ancestral=["A", "B"], proportions=[share, 1 - share])
    history.add_population_split(time=split, derived=["A", "B"], ancestral="R")
    truth = landscape(np.random.default_rng(seed))
    found = haplotypes_of(truth, seed, samples=[msprime.SampleSet(n, "M")], demography=history)
    return Simulated(genotypes_of(*found, int(truth.sequence_length)), truth)


def inversion(seed: int, *, n=40, age=80_000, frequency=0.3) -> Simulated:
    """The middle 1 Mb of 3 in two arrangements that do not recombine; truth is that within an arrangement."""
    k = max(2, round(frequency * n))
    arrangements = msprime.Demography()
    for name, size in zip("ISR", (frequency, 1 - frequency, 1), strict=True):
        arrangements.add_population(name=name, initial_size=2 * NE * size)
    arrangements.add_population_split(time=age, derived=["I", "S"], ancestral="R")
    inside = {
        "samples": [msprime.SampleSet(k, "I"), msprime.SampleSet(n - k, "S")],
        "demography": arrangements,
    }
    outside = {"samples": n, "population_size": 2 * NE}
    maps = [landscape(np.random.default_rng([seed, i])).slice(0, 1_000_000, trim=True) for i in range(3)]
    parts = [
        haplotypes_of(rates, seed + i, **(inside if i == 1 else outside)) for i, rates in enumerate(maps)
    ]
    positions = np.concatenate([at + 1_000_000 * i for i, (at, _) in enumerate(parts)])
    edges = np.concatenate([[0], *(rates.position[1:] + 1e6 * i for i, rates in enumerate(maps))])
    truth = msprime.RateMap(position=edges, rate=np.concatenate([rates.rate for rates in maps]))
    return Simulated(genotypes_of(positions, np.concatenate([h for _, h in parts]), 3_000_000), truth)


def out_of_africa(seed: int, *, n=40, population="CEU") -> Simulated:
    truth = landscape(np.random.default_rng(seed))
    history = msprime.Demography._ooa_model()
    trees = msprime.sim_ancestry(
        [msprime.SampleSet(n // 2, population)],
        demography=history,
        recombination_rate=truth,
        random_seed=seed,
    )
    trees = msprime.sim_mutations(trees, rate=MU, model=msprime.BinaryMutationModel(), random_seed=seed)
    found = trees.tables.sites.position.astype(np.int64), trees.genotype_matrix().astype(np.int8)
    return Simulated(genotypes_of(*found, int(truth.sequence_length)), truth)


def of_benchmark(name: str) -> Callable[[int], Simulated]:
    def simulate(seed: int) -> Simulated:
        # seeds of that benchmark's regions follow each other
        (region,) = recombination.simulate(name, 1, 2_000_000, seed=seed, threads=1)
        return Simulated(region.genotypes(), region.rate_map(), region.mutation_rate)

    return simulate


# first those whose maps are wrong
SCENARIOS: dict[str, Callable[[int], Simulated]] = {
    "r/mu 10": lambda seed: panmictic(seed, flat=10, length=1_000_000),
    "r/mu 20": lambda seed: panmictic(seed, flat=20, length=1_000_000),
    "r/mu 40": lambda seed: panmictic(seed, flat=40, length=500_000),
    "r/mu 65, as honeybees": lambda seed: panmictic(seed, flat=65, length=400_000),
    "r/mu 100": lambda seed: panmictic(seed, flat=100, length=300_000),
    "conversion 1, human diversity": lambda seed: panmictic(seed, conversion=1),
    "conversion 1, pi 0.004": lambda seed: panmictic(seed, ne=1e5, conversion=1, length=400_000),
    "conversion 3, pi 0.004": lambda seed: panmictic(seed, ne=1e5, conversion=3, length=400_000),
    "conversion 1, pi 0.004, flat": lambda seed: panmictic(
        seed, ne=1e5, conversion=1, length=400_000, flat=1
    ),
    "conversion 3, pi 0.004, flat": lambda seed: panmictic(
        seed, ne=1e5, conversion=3, length=400_000, flat=1
    ),
    "admixed": admixed,
    "admixed, a fifth": lambda seed: admixed(seed, share=0.2),
    "admixed, 20 haplotypes": lambda seed: admixed(seed, n=20),
    "admixed 300 generations ago": lambda seed: admixed(seed, time=300),
    "inversion, 1 Mb of 3": inversion,
    "inversion, 20 haplotypes": lambda seed: inversion(seed, n=20),
    "Ne 500": lambda seed: panmictic(seed, ne=500),
    # and those whose maps are right
    "20 haplotypes": lambda seed: panmictic(seed, n=20),
    "40 haplotypes": panmictic,
    "100 haplotypes": lambda seed: panmictic(seed, n=100),
    "pi 0.004": lambda seed: panmictic(seed, ne=1e5, length=400_000),
    "r/mu 0.1": lambda seed: panmictic(seed, times=0.1),
    "r/mu 3": lambda seed: panmictic(seed, times=3),
    "out of Africa, CEU": out_of_africa,
    "out of Africa, YRI": lambda seed: out_of_africa(seed, population="YRI"),
    **{f"benchmark: {name}": of_benchmark(name) for name in recombination.SCENARIOS},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=8)
    parser.add_argument("--seed", type=int, default=5000)
    parser.add_argument("--scale", type=int, default=100_000)
    parser.add_argument("--only")
    parser.add_argument("-o", "--output", type=Path)
    args = parser.parse_args()
    logging.getLogger("tfbind").setLevel(logging.ERROR)
    model = load_rate_model()
    rows = []
    for name in args.only.split(";") if args.only else SCENARIOS:
        windows = []
        for replicate in range(args.replicates):
            found = SCENARIOS[name](args.seed + 20 * replicate)
            table = map_contig(found.genotypes, model, name).table(args.scale).dropna()
            mass = found.truth.get_cumulative_mass
            start, end = table["start"].to_numpy(float), table["end"].to_numpy(float)
            table["truth"] = (mass(end) - mass(start)) / (end - start) / found.mutation_rate
            windows.append(table)
        all_windows = pd.concat(windows)
        width = all_windows["end"] - all_windows["start"]
        off = np.abs(np.log(all_windows["rate"] / all_windows["truth"])) > np.log(2)
        noted = all_windows["note"] != ""
        inside = all_windows["truth"].between(all_windows["rate_lower"], all_windows["rate_upper"])
        names = sorted({each for note in all_windows["note"] for each in note.split(",") if each})
        rows.append(
            {
                "scenario": name,
                "length": (all_windows["rate"] * width).sum() / (all_windows["truth"] * width).sum(),
                "coverage": inside.mean(),
                "off": off.mean(),
                "off_noted": noted[off].mean(),
                "right_noted": noted[~off].mean(),
                "notes": ",".join(names),
            }
        )
        print(
            "\t".join(f"{v:.2f}" if isinstance(v, float) else str(v) for v in rows[-1].values()), flush=True
        )
    if args.output:
        pd.DataFrame(rows).to_csv(args.output, sep="\t", index=False)


if __name__ == "__main__":
    main()
