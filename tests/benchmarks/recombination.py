"""Simulate the scenarios of the README, infer their maps, and write how well that went.

    python tests/benchmarks/recombination.py -o out [--model rates.keras] [--scenarios constant-20 bottleneck-20]

Regions of 2 Mb with a mean rate of 1e-8, a mutation rate of 1.5e-8 and Ne = 10,000; half of them have hotspots, half
are smooth. Seeds are far from those that any training uses. All regions of a scenario count together: Pearson's
correlation on the rates of windows, predicted over true length, and how many of the true rates lie in the 95%
interval.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from tfbind.genotypes.demographies import SizeHistory
from tfbind.genotypes.features import compute_features
from tfbind.genotypes.prior import Prior
from tfbind.genotypes.simulation import Region, Setting, simulate_region
from tfbind.recombination.posterior import window_rates
from tfbind.recombination.rate_model import RateModel, load_rate_model

SEED = 7_000_000
MUTATION_RATE, MEAN_RATE, NE = 1.5e-8, 1e-8, 10_000.0
CONSTANT = SizeHistory((0.0,), (NE,))
BOTTLENECK = SizeHistory((0.0, 1000.0, 3000.0), (NE, NE / 10, NE))
EXPANSION = SizeHistory((0.0, 2000.0), (NE, NE / 10))
CLEAN = {
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


def setting_of(scenario: Scenario, length: int) -> Setting:
    """What a scenario's regions are simulated from."""
    changes = {"rate_ratio": MEAN_RATE / MUTATION_RATE, "landscapes": {"hotspots": 1, "autoregressive": 1}}
    return Setting(
        prior=Prior.from_mapping(changes | CLEAN | scenario.observed),
        length=length,
        demography=scenario.history.to_demography(),
        mutation_rate=MUTATION_RATE,
        samples=scenario.haplotypes // 2,
    )


def infer(region: Region, model: RateModel, scale: int) -> pd.DataFrame:
    """Predicted and true rates of a region's windows."""
    tokens = model.token_rates(compute_features(region.genotypes()))
    starts = np.arange(0, region.length - scale + 1, scale)
    rate, lower, upper = window_rates(tokens, starts, starts + scale, model.card.calibration)
    edges = np.append(starts, starts[-1] + scale).astype(float)
    truth = np.diff(region.rate_map().get_cumulative_mass(edges)) / scale
    of = {"rate": rate, "lower": lower, "upper": upper}
    return pd.DataFrame({name: r * MUTATION_RATE for name, r in of.items()} | {"truth": truth})


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
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    logging.getLogger("msprime").setLevel(logging.WARNING)
    model = load_rate_model(options.model, threads=options.threads)
    rows = []
    for name in options.scenarios:
        setting = setting_of(SCENARIOS[name], options.length)
        with ThreadPoolExecutor(options.threads) as pool:
            regions = list(pool.map(lambda i, s=setting: simulate_region(s, SEED, i), range(options.regions)))
        for scale in options.scales:
            begin = time.process_time()
            windows = pd.concat([infer(region, model, scale) for region in regions])
            seconds = (time.process_time() - begin) / len(regions) / options.length * 1e6
            rows.append({"scenario": name, "scale": scale} | judge(windows) | {"cpu_seconds_per_mb": seconds})
            print(*rows[-1].values(), sep="\t", file=sys.stderr, flush=True)
    options.output.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(rows)
    table.to_csv(options.output / "recombination.tsv", sep="\t", index=False)
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
