"""Simulate the scenarios of the README, infer their maps, and write how well that went.

    python tests/benchmarks/recombination.py -o out [--model rates.keras] [--scenarios constant-20 bottleneck-20]

Regions of 2 Mb with rates round 1e-8, a mutation rate of 1.5e-8 and Ne = 10,000; half of them have hotspots, half are
smooth, both as fastrho's simulations have them (github.com/kevinkorfmann/fastrho), so that its published figures lie
beside. There the rates of smooth landscapes have 1e-8 as their geometric mean, so that regions differ in their means;
with --equal-means every region has a mean of 1e-8, which is harder. Seeds are far from those that any training uses.
All regions of a scenario count together: Pearson's correlation on the rates of windows, predicted over true length,
and how many of the true rates lie in the 95% interval.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import msprime
import numpy as np
import pandas as pd
from scipy.signal import lfilter

from tfbind.genotypes.demographies import SizeHistory
from tfbind.genotypes.features import compute_features
from tfbind.genotypes.prior import Prior
from tfbind.genotypes.simulation import Region, Setting, simulate_region
from tfbind.recombination.hotspots import WIDTH, find_hotspots, score_hotspots
from tfbind.recombination.pieces import Pieces
from tfbind.recombination.posterior import Calibration, TokenRates, window_rates
from tfbind.recombination.rate_model import load_rate_model

SEED = 7_000_000
MUTATION_RATE, MEAN_RATE, NE = 1.5e-8, 1e-8, 10_000.0
# of landscapes: bp, and the lowest and the highest rate
STEP, RATES = 500, (1e-10, 2e-7)
CONSTANT = SizeHistory((0.0,), (NE,))
BOTTLENECK = SizeHistory((0.0, 1000.0, 3000.0), (NE, NE / 10, NE))
EXPANSION = SizeHistory((0.0, 2000.0), (NE, NE / 10))
CLEAN = {
    "uneven_mutation": 0,
    "unphased": 0,
    "switches": 0,
    "errors": 0,
    "missing": 0,
    "dropout": 0,
    "chip": 0,
    "gene_conversion": 0,
}


@dataclass(frozen=True)
class Scenario:
    """A size history in generations, haplotypes in diploid samples, and rows of the prior that are changed."""

    history: SizeHistory
    haplotypes: int
    observed: dict = field(default_factory=dict)


SCENARIOS = {
    "constant-20": Scenario(CONSTANT, 20),
    "constant-100": Scenario(CONSTANT, 100),
    "bottleneck-20": Scenario(BOTTLENECK, 20),
    "expansion-20": Scenario(EXPANSION, 20),
    "constant-20-unphased": Scenario(CONSTANT, 20, {"unphased": 1}),
    "constant-20-missing": Scenario(CONSTANT, 20, {"missing": 1, "missing_rate": 0.1}),
}


def draw_landscape(rng: np.random.Generator, length: int, equal_means: bool) -> msprime.RateMap:
    """Hotspots on an even background, or an autoregressive log rate, each as often."""
    n = length // STEP
    rate = np.full(n, MEAN_RATE)
    if rng.random() < 0.5:
        for _ in range(rng.integers(1, 7) * max(length // 1_000_000, 1)):
            center, width = rng.uniform(0, length), rng.uniform(1000, 4000)
            inside = slice(int(max(center - width / 2, 0) // STEP), int((center + width / 2) // STEP) + 1)
            rate[inside] *= 10 ** rng.uniform(0.7, 1.5)
    else:
        spread, correlation = rng.uniform(0.2, 0.9), rng.uniform(0.85, 0.985)
        shock = rng.normal(0, np.sqrt(1 - correlation**2), n)
        shock[0] = rng.normal()
        value = lfilter([1], [1, -correlation], shock)
        rate *= 10 ** (spread * (value - value.mean()))
    if equal_means:
        rate *= MEAN_RATE / rate.mean()
    return msprime.RateMap(position=np.arange(n + 1) * STEP, rate=rate.clip(*RATES))


def simulate(name: str, n: int, length: int, *, equal_means: bool = False, threads: int = 2) -> list[Region]:
    """Simulate a scenario's regions, the same whenever it is asked."""
    scenario = SCENARIOS[name]
    prior = Prior.from_mapping(CLEAN | scenario.observed)
    demography = scenario.history.to_demography()

    def region(number: int) -> Region:
        landscape = draw_landscape(np.random.default_rng([SEED, number]), length, equal_means)
        setting = Setting(
            prior=prior,
            length=length,
            demography=demography,
            stretches=(("1", 0, landscape),),
            mutation_rate=MUTATION_RATE,
            samples=scenario.haplotypes // 2,
        )
        return simulate_region(setting, SEED, number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(region, range(n)))


def windows_of(region: Region, tokens: TokenRates, calibration: Calibration, scale: int) -> pd.DataFrame:
    """Predicted and true rates of a region's windows."""
    starts = np.arange(0, region.length - scale + 1, scale)
    rate, lower, upper = window_rates(tokens, starts, starts + scale, calibration)
    edges = np.append(starts, starts[-1] + scale).astype(float)
    truth = np.diff(region.rate_map().get_cumulative_mass(edges)) / scale
    of = {"rate": rate, "lower": lower, "upper": upper}
    return pd.DataFrame({name: r * MUTATION_RATE for name, r in of.items()} | {"truth": truth})


def judge_hotspots(
    regions: list[Region], tokens: list[TokenRates], calibration: Calibration
) -> dict[str, float]:
    """Hotspots of 5 times their surroundings: how many are found, and how many of those found are some."""
    calls, truth = [], {}
    for region, rates in zip(regions, tokens, strict=True):
        starts = np.arange(0, region.length - WIDTH + 1, WIDTH)
        known = np.ones(len(starts), bool)
        calls += find_hotspots(region.id, rates, calibration, starts, starts + WIDTH, known)
        rate_map = region.rate_map()
        truth[region.id] = Pieces(
            rate_map.left.astype(np.int64), rate_map.right.astype(np.int64), rate_map.rate / MUTATION_RATE
        )
    return score_hotspots(calls, truth)


def judge(windows: pd.DataFrame) -> dict[str, float]:
    """The figures of one scale."""
    inside = (windows["lower"] <= windows["truth"]) & (windows["truth"] <= windows["upper"])
    return {
        "windows": len(windows),
        "pearson": windows["rate"].corr(windows["truth"]),
        "pearson_log": np.log(windows["rate"]).corr(np.log(windows["truth"])),
        "spearman": windows["rate"].corr(windows["truth"], method="spearman"),
        "bias_ratio": windows["rate"].sum() / windows["truth"].sum(),
        "coverage95": inside.mean(),
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
    parser.add_argument("--equal-means", action="store_true", help="every region has the same mean rate")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    logging.getLogger("msprime").setLevel(logging.WARNING)
    model = load_rate_model(options.model, threads=options.threads)
    rows, hotspots = [], []
    for name in options.scenarios:
        regions = simulate(
            name, options.regions, options.length, equal_means=options.equal_means, threads=options.threads
        )
        begin = time.process_time()
        tokens = [model.token_rates(compute_features(region.genotypes())) for region in regions]
        seconds = (time.process_time() - begin) / len(regions) / options.length * 1e6
        calibration = model.card.calibration
        for scale in options.scales:
            windows = pd.concat(
                [windows_of(*one, calibration, scale) for one in zip(regions, tokens, strict=True)]
            )
            rows.append({"scenario": name, "scale": scale} | judge(windows) | {"cpu_seconds_per_mb": seconds})
            print(*rows[-1].values(), sep="\t", file=sys.stderr, flush=True)
        hotspots.append({"scenario": name} | judge_hotspots(regions, tokens, calibration))
    options.output.mkdir(parents=True, exist_ok=True)
    for file, table in (("recombination", pd.DataFrame(rows)), ("hotspots", pd.DataFrame(hotspots))):
        table.to_csv(options.output / f"{file}.tsv", sep="\t", index=False)
        print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
