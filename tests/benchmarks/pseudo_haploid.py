"""How well linkage between near sites tells pseudo-haploid calls from haplotypes.

    python tests/benchmarks/pseudo_haploid.py [--minutes 20] [--seed 700000] [--hard] [-o TABLE.tsv]

Contigs of 1 Mb (less with much recombination) of random histories: r/mu from .1 to 10, gene conversion none to five
times as frequent as crossovers, in tracts of 100 to 500 bp, diversity of .0004 to .01 a bp, constant size, growth or a
bottleneck, 0 to .5% wrong alleles, 0, 1% (stray heterozygous calls of inbred lines) or 20% missing. Of each, 10 to 200
haplotypes, and as many pseudo-haploid samples of diploids. ``--hard``: r/mu from 3 to 12, diversity to .004.

Thresholds were chosen on contigs of other seeds (below 600,000).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import msprime
import numpy as np
import pandas as pd

from tfbind.genotypes.contig import MISSING, Genotypes
from tfbind.recombination.checks.pseudo_haploid import near_linkage

MU, LENGTH = 1e-8, 1_000_000
SAMPLES = (10, 20, 50, 100, 200)
# of recombinations, in units of 4 Ne, that take a second or two to simulate
MOST_EVENTS, SHORTEST = 3000, 20_000


def landscape(rng: np.random.Generator, length: int, mean: float) -> msprime.RateMap:
    """Hotspots of 2 kb each 50 kb or so; even rates on a short stretch."""
    if length < 100_000:
        return msprime.RateMap(position=[0, length], rate=[mean])
    starts = np.sort(rng.choice(np.arange(2, length // 1000 - 2), length // 50_000, replace=False)) * 1000
    starts = starts[np.append(True, np.diff(starts) > 4000)]
    edges = np.unique(np.concatenate([[0, length], starts, starts + 2000]))
    rate = np.where(np.isin(edges[:-1], starts), rng.lognormal(0, 0.7, len(edges) - 1) * 20, 0.4)
    return msprime.RateMap(position=edges, rate=rate * mean / np.average(rate, weights=np.diff(edges)))


def demography(history: str, size: float) -> msprime.Demography:
    found = msprime.Demography()
    found.add_population(name="a", initial_size=size * (10 if history == "growth" else 1))
    if history == "growth":
        found.add_population_parameters_change(time=0.2 * size, initial_size=size * 0.8)
    if history == "bottleneck":
        found.add_population_parameters_change(time=0.1 * size, initial_size=size * 0.1)
        found.add_population_parameters_change(time=0.15 * size, initial_size=size * 1.5)
    return found


def draw(rng: np.random.Generator, hard: bool) -> dict:
    ratios, most_diverse = ((3, 12), 0.004) if hard else ((0.1, 10), 0.01)
    return {
        "r_mu": float(np.exp(rng.uniform(*np.log(ratios)))),
        "conversion": int(rng.choice([0, 1, 3, 5] if hard else [0, 0, 0, 1, 3, 5])),
        "tract": int(rng.choice([100, 300, 500])),
        "diversity": float(np.exp(rng.uniform(*np.log((0.0004, most_diverse))))),
        "history": str(rng.choice(["constant", "growth", "bottleneck"])),
        "error": float(rng.choice([0, 0.001, 0.005])),
        "missing": float(rng.choice([0, 0.01, 0.2])),
    }


def simulate(of: dict, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Positions and 400 haplotypes, of stretches one after the other."""
    events = of["r_mu"] * of["diversity"] * (1 + 2 * of["conversion"])
    length = int(min(LENGTH, max(MOST_EVENTS / events, SHORTEST)))
    positions, haplotypes = [], []
    for stretch in range(min(-(-LENGTH // length), 12)):
        seed = int(rng.integers(1, 2**31))
        conversion = {}
        if of["conversion"]:
            conversion["gene_conversion_rate"] = of["conversion"] * of["r_mu"] * MU
            conversion["gene_conversion_tract_length"] = of["tract"]
        trees = msprime.sim_ancestry(
            [msprime.SampleSet(2 * max(SAMPLES), ploidy=1)],
            demography=demography(of["history"], of["diversity"] / (2 * MU)),
            recombination_rate=landscape(rng, length, of["r_mu"] * MU),
            ploidy=1,
            random_seed=seed,
            **conversion,
        )
        trees = msprime.sim_mutations(trees, rate=MU, model=msprime.BinaryMutationModel(), random_seed=seed)
        positions.append(trees.tables.sites.position.astype(np.int64) + stretch * length)
        haplotypes.append(trees.genotype_matrix().astype(np.int8))
    return np.concatenate(positions), np.concatenate(haplotypes)


def spoiled(calls: np.ndarray, of: dict, rng: np.random.Generator) -> np.ndarray:
    calls = calls ^ (rng.random(calls.shape) < of["error"])
    return np.where(rng.random(calls.shape) < of["missing"], MISSING, calls).astype(np.int8)


def measure(positions: np.ndarray, calls: np.ndarray) -> dict:
    ones, called = (calls == 1).sum(axis=1), (calls >= 0).sum(axis=1)
    varies = (ones > 0) & (ones < called)
    end = int(positions[-1]) + 1
    found = near_linkage(Genotypes("1", positions[varies], np.ascontiguousarray(calls[varies]), 1, 0, end))
    if found is None:
        return {"enough": False, "near": np.nan, "extrapolated": np.nan, "suspected": False}
    return {
        "enough": True,
        "near": found.near,
        "extrapolated": found.extrapolated,
        "suspected": found.is_pseudo_haploid,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=700_000)
    parser.add_argument("--hard", action="store_true")
    parser.add_argument("-o", "--output", type=Path)
    args = parser.parse_args()
    rows, seed, end = [], args.seed, time.time() + 60 * args.minutes
    while time.time() < end:
        rng = np.random.default_rng(seed)
        of = draw(rng, args.hard)
        positions, haplotypes = simulate(of, rng)
        first = rng.random((len(haplotypes), max(SAMPLES))) < 0.5
        mixed = np.where(first, haplotypes[:, ::2], haplotypes[:, 1::2])
        for calls, kind in ((haplotypes[:, : max(SAMPLES)], "haplotypes"), (mixed, "pseudo-haploids")):
            calls = spoiled(calls, of, rng)
            rows += [
                {"seed": seed, **of, "kind": kind, "n": n, **measure(positions, calls[:, :n])}
                for n in SAMPLES
            ]
        seed += 1
        if args.output:
            pd.DataFrame(rows).to_csv(args.output, sep="\t", index=False)
    table = pd.DataFrame(rows)
    print(f"{seed - args.seed} contigs")
    print(table.groupby(["kind", "n"])[["enough", "suspected"]].mean().round(3).to_string())


if __name__ == "__main__":
    main()
