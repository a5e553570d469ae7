"""Simulate the scenarios of the README, infer their maps, and write how well that went.

    python tests/benchmarks/recombination.py -o out [--model rates.keras] [--scenarios constant-20 bottleneck-20]

Regions of 2 Mb with rates round 1e-8, a mutation rate of 1.5e-8 and Ne = 10,000; half of them smooth, half flat with
hotspots: the very regions of fastrho's benchmark (github.com/kevinkorfmann/fastrho, scripts/bench.py), drawn anew from
its seeds in the order in which it draws, so that its published figures hold for the same data. What is chosen is
chosen on regions of another --seed. All regions of a scenario count together: Pearson's correlation on the rates of
windows, predicted over true length, and how many of the true rates lie in the 95% interval. How far the first two
would differ among sets of as many regions, their 95% intervals say, `_lower` and `_upper`.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import msprime
import numpy as np
import pandas as pd
from scipy.signal import lfilter

from tfbind.genotypes.demographies import SampledDemography, SizeHistory
from tfbind.genotypes.observation import UNPHASED_SWITCH_RATE, Observation, observe
from tfbind.genotypes.simulation import Region
from tfbind.recombination.enrichment.blocks import Blocks
from tfbind.recombination.evaluation.comparison import bootstrap_pearson
from tfbind.recombination.mapping.hotspots import WIDTH, find_hotspots, score_hotspots
from tfbind.recombination.mapping.posterior import Calibration, TokenPosterior, window_rates
from tfbind.recombination.mapping.rate_model import load_rate_model
from tfbind.steps import StepFunction

SEED = 100  # fastrho's
MUTATION_RATE, MEDIAN_RATE, NE = 1.5e-8, 1e-8, 10_000.0
# of landscapes: bp, and the lowest and the highest rate
STEP, RATES = 500, (1e-10, 2e-7)
CONSTANT = SizeHistory((0.0,), (NE,)).to_demography()
BOTTLENECK = SizeHistory((0.0, 1000.0, 3000.0), (NE, NE / 10, NE)).to_demography()
EXPANSION = SizeHistory((0.0, 2000.0), (NE, NE / 10)).to_demography()
PERFECT = Observation()


def islands() -> SampledDemography:
    """One of three islands that exchange migrants: no region of the prior has a history of this kind."""
    model = msprime.Demography.island_model([NE / 2] * 3, migration_rate=1e-4)
    deme = model.populations[0].name
    return SampledDemography(model, deme, model.debug().mean_coalescence_time({deme: 2}))


@dataclass(frozen=True)
class Scenario:
    """A history in generations, haplotypes in diploid samples, and how they are observed."""

    demography: SampledDemography
    haplotypes: int
    observed: Observation = PERFECT


SCENARIOS = {
    "constant-20": Scenario(CONSTANT, 20),
    "constant-100": Scenario(CONSTANT, 100),
    "bottleneck-20": Scenario(BOTTLENECK, 20),
    "expansion-20": Scenario(EXPANSION, 20),
    "islands-20": Scenario(islands(), 20),
    "constant-20-unphased": Scenario(
        CONSTANT, 20, Observation(switch_rate=UNPHASED_SWITCH_RATE, phased=False)
    ),
    "constant-20-missing": Scenario(CONSTANT, 20, Observation(missing_rate=0.1)),
}


def draw_landscape(rng: np.random.Generator, length: int, has_hotspots: bool) -> msprime.RateMap:
    """Draw hotspots on a flat background, or an autoregressive log rate."""
    n = length // STEP
    if has_hotspots:
        rate = np.full(n, MEDIAN_RATE)
        for _ in range(rng.integers(1, 7)):
            center, width, heat = rng.uniform(0, length), rng.uniform(1000, 4000), rng.uniform(0.7, 1.5)
            inside = slice(int(max(center - width / 2, 0) // STEP), int((center + width / 2) // STEP) + 1)
            rate[inside] *= 10**heat
    else:
        spread, correlation = rng.uniform(0.2, 0.9), rng.uniform(0.85, 0.985)
        shock = rng.standard_normal(n)
        shock[1:] *= np.sqrt(1 - correlation**2)
        value = lfilter([1], [1, -correlation], shock)
        rate = MEDIAN_RATE * 10 ** (spread * (value - value.mean()))
    return msprime.RateMap(position=np.arange(n + 1) * STEP, rate=rate.clip(*RATES))


def simulate(name: str, n: int, length: int, *, seed: int = SEED, threads: int = 2) -> list[Region]:
    """Simulate a scenario's regions, the same whenever it is asked."""
    scenario = SCENARIOS[name]
    model, deme, coalescence_time = scenario.demography

    def region(number: int) -> Region:
        landscape = draw_landscape(np.random.default_rng(seed + number), length, number % 2 == 1)
        ancestry = msprime.sim_ancestry(
            [msprime.SampleSet(scenario.haplotypes // 2, population=deme)],
            demography=model,
            recombination_rate=landscape,
            random_seed=seed + number + 1,
        )
        mutated = msprime.sim_mutations(ancestry, rate=MUTATION_RATE, random_seed=seed + number + 2)
        haplotypes = mutated.genotype_matrix().astype(np.int8)
        keep = haplotypes.max(axis=1) == 1
        position = mutated.tables.sites.position.astype(np.int32)
        haplotypes, position = observe(
            haplotypes[keep], position[keep], 2, scenario.observed, np.random.SeedSequence([seed, number])
        )
        return Region(
            id=f"{name}-{number + 1}",
            length=length,
            position=position,
            haplotypes=haplotypes,
            ploidy=2,
            phased=scenario.observed.phased,
            mutation_rate=MUTATION_RATE,
            diversity=2 * MUTATION_RATE * coalescence_time,
            rate_start=landscape.left.astype(np.int64),
            rate=np.array(landscape.rate),
            parameters={},
        )

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(region, range(n)))


def windows_of(region: Region, tokens: TokenPosterior, calibration: Calibration, scale: int) -> pd.DataFrame:
    """Predicted and true rates of a region's windows."""
    starts = np.arange(0, region.length - scale + 1, scale)
    rate, lower, upper = window_rates(tokens, starts, starts + scale, calibration)
    edges = np.append(starts, starts[-1] + scale).astype(float)
    truth = np.diff(region.rate_map().get_cumulative_mass(edges)) / scale
    of = {"rate": rate, "lower": lower, "upper": upper}
    return pd.DataFrame({name: r * MUTATION_RATE for name, r in of.items()} | {"truth": truth})


def judge_hotspots(
    regions: list[Region], tokens: list[TokenPosterior], calibration: Calibration
) -> dict[str, float]:
    """Hotspots of 5 times their surroundings: how many are found, and how many of those found are some."""
    calls, truth = [], {}
    for region, rates in zip(regions, tokens, strict=True):
        starts = np.arange(0, region.length - WIDTH + 1, WIDTH)
        known = np.ones(len(starts), bool)
        calls += find_hotspots(region.id, rates, calibration, starts, starts + WIDTH, known)
        rate_map = region.rate_map()
        truth[region.id] = StepFunction(rate_map.position, rate_map.rate / MUTATION_RATE)
    return score_hotspots(calls, truth)


def judge(windows: pd.DataFrame) -> dict[str, float]:
    """The figures of one scale, from the windows of all regions, those of a region together."""
    inside = (windows["lower"] <= windows["truth"]) & (windows["truth"] <= windows["upper"])
    return {
        "windows": len(windows),
        "pearson": windows["rate"].corr(windows["truth"]),
        "pearson_log": np.log(windows["rate"]).corr(np.log(windows["truth"])),
        "spearman": windows["rate"].corr(windows["truth"], method="spearman"),
        "bias_ratio": windows["rate"].sum() / windows["truth"].sum(),
        "coverage95": inside.mean(),
    }


def judge_reach(windows: pd.DataFrame, n_regions: int, length: int) -> dict[str, float]:
    """95% intervals of the correlation, by a bootstrap that draws regions, and of the length ratio."""
    rate, truth = windows["rate"].to_numpy(), windows["truth"].to_numpy()
    region = np.repeat(np.arange(n_regions), len(windows) // n_regions)
    intervals = {
        "pearson": np.quantile(bootstrap_pearson(rate, truth, region), [0.025, 0.975]),
        "bias_ratio": Blocks(length, region, n_regions).interval(rate, truth),
    }
    return {
        f"{name}_{end}": value
        for name, interval in intervals.items()
        for end, value in zip(("lower", "upper"), interval, strict=True)
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--model", type=Path, help="default: the shipped one")
    parser.add_argument("--scenarios", nargs="+", choices=list(SCENARIOS), default=list(SCENARIOS))
    parser.add_argument("--regions", type=int, default=24)
    parser.add_argument("--length", type=int, default=2_000_000)
    parser.add_argument("--scales", type=int, nargs="+", default=[25_000, 100_000])
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    logging.getLogger("msprime").setLevel(logging.WARNING)
    model = load_rate_model(options.model, threads=options.threads)
    rows, hotspots = [], []
    for name in options.scenarios:
        regions = simulate(name, options.regions, options.length, seed=options.seed, threads=options.threads)
        begin = time.process_time()
        tokens = [model.read(region.genotypes())[0] for region in regions]
        seconds = (time.process_time() - begin) / len(regions) / options.length * 1e6
        calibration = model.card.calibration
        for scale in options.scales:
            windows = pd.concat(
                [windows_of(*one, calibration, scale) for one in zip(regions, tokens, strict=True)]
            )
            figures = judge(windows) | judge_reach(windows, len(regions), options.length)
            rows.append({"scenario": name, "scale": scale} | figures | {"cpu_seconds_per_mb": seconds})
            print(*rows[-1].values(), sep="\t", file=sys.stderr, flush=True)
        hotspots.append({"scenario": name} | judge_hotspots(regions, tokens, calibration))
    options.output.mkdir(parents=True, exist_ok=True)
    for file, table in (("recombination", pd.DataFrame(rows)), ("hotspots", pd.DataFrame(hotspots))):
        table.to_csv(options.output / f"{file}.tsv", sep="\t", index=False)
        print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
