"""What others make of the scenarios of recombination.py: gradient boosting on the same features, ReLERNN's network.

    python tests/benchmarks/recombination_references.py sims.h5 -o out [--references boosting relernn] [--window 25000]

Both learn from simulated regions. Gradient boosting (scikit-learn) is fitted to log(r/mu) of single tokens, and scaled
so that it predicts the true length of regions held out; the ratios of true to predicted rates in these, scale by scale,
give its intervals. ReLERNN's network is that of `tfbind recombination train --architecture relernn`, kept in
out/relernn.keras; it has no intervals, and is asked about data like those that it has learnt from alone.
"""

from __future__ import annotations

import argparse
import functools
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from recombination import MUTATION_RATE, SCENARIOS, judge, simulate, windows_of
from tfbind.errors import TfbindError
from tfbind.genotypes.features import compute_features
from tfbind.genotypes.simulation import Region
from tfbind.recombination.learning.examples import RegionTokens, read_regions
from tfbind.recombination.learning.relernn import train_relernn
from tfbind.recombination.learning.training import hold_out
from tfbind.recombination.mapping.posterior import TokenPosterior, average, window_rates
from tfbind.recombination.mapping.rate_model import SHIFTS, load_rate_model
from tfbind.recombination.mapping.relernn import NO_INTERVALS
from tfbind.recombination.options import FLOOR, RELERNN_FITTING, SCALES, RelernnOptions
from tfbind.steps import StepFunction

INTERVAL = (0.025, 0.975)
# what it is fitted to, to take minutes on one core
MOST_TOKENS = 300_000


@dataclass(frozen=True, eq=False)
class Boosting:
    """Gradient boosting on tokens; what it predicts is multiplied by ``factor``; ``held_out`` regions judge it."""

    trees: HistGradientBoostingRegressor
    held_out: list[RegionTokens]
    factor: float = 1.0

    def read(self, start: np.ndarray, end: np.ndarray, x: np.ndarray) -> TokenPosterior:
        """Predict the rates of tokens, r/mu."""
        # float16, as it has learnt from
        log_rate = self.trees.predict(x.astype(np.float16).astype(np.float32))
        rate = np.maximum(np.exp(log_rate) - FLOOR, 0) * self.factor
        return _without_spread(start, end, rate)


def _without_spread(start: np.ndarray, end: np.ndarray, rate: np.ndarray) -> TokenPosterior:
    spread = np.full((len(rate), len(SCALES)), np.nan)
    return TokenPosterior.from_edges(np.append(start, end[-1:]), rate, spread)


def length_of(rate: StepFunction) -> float:
    """Sum a rate over all bases."""
    return float(rate.integral(*rate.edges[[0, -1]]))


@functools.cache
def fit_boosting(sims: Path, seed: int = 0) -> Boosting:
    """Fit gradient boosting to the regions of a file, but for those held out."""
    regions = read_regions([sims], seed=seed, threads=2)
    training, held_out = hold_out(regions, seed, sims)
    x, rate = (np.concatenate([getattr(tokens, name) for tokens in training]) for name in ("x", "rate"))
    chosen = np.random.default_rng(seed).permutation(len(rate))[:MOST_TOKENS]
    trees = HistGradientBoostingRegressor(
        max_iter=200, min_samples_leaf=100, early_stopping=False, random_state=seed
    )
    trees.fit(x[chosen].astype(np.float32), np.log(rate[chosen] + FLOOR))
    plain = Boosting(trees, held_out)
    true = sum(length_of(tokens.true_rate()) for tokens in held_out)
    predicted = [plain.read(tokens.start, tokens.end, tokens.x) for tokens in held_out]
    factor = true / sum(length_of(tokens.rate) for tokens in predicted)
    return replace(plain, factor=factor)


@functools.cache
def ratios(model: Boosting, scale: int) -> tuple[float, float]:
    """Quantiles of true over predicted rates in windows of held-out regions."""
    found = []
    for tokens in model.held_out:
        starts = np.arange(tokens.start[0], tokens.end[-1] - scale + 1, scale)
        true = _without_spread(tokens.start, tokens.end, tokens.rate)
        predicted = model.read(tokens.start, tokens.end, tokens.x)
        rates = [window_rates(of, starts, starts + scale, NO_INTERVALS)[0] for of in (true, predicted)]
        found.append(rates[0] / np.maximum(rates[1], FLOOR))
    low, high = np.quantile(np.concatenate(found), INTERVAL)
    return float(low), float(high)


def boosting(sims: Path, regions: Sequence[Region], scale: int) -> pd.DataFrame:
    """Predicted and true rates of regions' windows, per bp: rate, lower, upper, truth."""
    model = fit_boosting(sims)
    low, high = ratios(model, scale)
    tables = []
    for region in regions:
        grids = [compute_features(region.genotypes(), shift=shift) for shift in SHIFTS]
        read = [model.read(grid.start, grid.end, grid.x) for grid in grids]
        tokens = average([each.rate.edges for each in read], read)
        tables.append(_windows(tokens, region, scale))
    table = pd.concat(tables)
    return table.assign(lower=table["rate"] * low, upper=table["rate"] * high)


def relernn(model_file: Path, regions: Sequence[Region], scale: int) -> pd.DataFrame:
    """Predicted and true rates of regions' windows, per bp: rate, lower, upper (both NaN), truth."""
    model = load_rate_model(model_file, threads=2)
    tables = [_windows(model.read(region.genotypes())[0], region, scale) for region in regions]
    return pd.concat(tables)


def _windows(tokens: TokenPosterior, region: Region, scale: int) -> pd.DataFrame:
    # a rate of 0 has no logarithm to be judged by
    return windows_of(region, tokens, NO_INTERVALS, scale).clip(lower=FLOOR * MUTATION_RATE)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("sims", type=Path, help="what both learn from")
    parser.add_argument(
        "--references", nargs="+", choices=("boosting", "relernn"), default=["boosting", "relernn"]
    )
    parser.add_argument("--scenarios", nargs="+", choices=list(SCENARIOS), default=list(SCENARIOS))
    parser.add_argument("--regions", type=int, default=24)
    parser.add_argument("--length", type=int, default=2_000_000)
    parser.add_argument("--scales", type=int, nargs="+", default=[25_000, 100_000])
    parser.add_argument("--window", type=int, default=25_000, help="of ReLERNN's network, bp")
    parser.add_argument("--epochs", type=int, default=RELERNN_FITTING.epochs, help="of ReLERNN's network")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    logging.getLogger("msprime").setLevel(logging.WARNING)
    # scikit-learn's threads wait for each other busily, and so for whatever else is at work
    threadpool_limits(options.threads)
    options.output.mkdir(parents=True, exist_ok=True)
    model_file = options.output / "relernn.keras"
    if "relernn" in options.references and not model_file.exists():
        train_relernn(
            [options.sims],
            model_file,
            options=RelernnOptions(window=options.window),
            fitting=replace(RELERNN_FITTING, epochs=options.epochs),
            threads=options.threads,
            resume=True,
        )
    infer = {
        "boosting": functools.partial(boosting, options.sims),
        "relernn": functools.partial(relernn, model_file),
    }
    rows = []
    for name in options.scenarios:
        regions = simulate(name, options.regions, options.length, threads=options.threads)
        for reference in options.references:
            for scale in options.scales:
                try:
                    windows = infer[reference](regions, scale)
                except TfbindError as error:
                    print(f"{name}: {reference}: {error}", file=sys.stderr)
                    break
                figures = judge(windows)
                if windows["lower"].isna().all():
                    figures["coverage95"] = np.nan
                rows.append({"scenario": name, "reference": reference, "scale": scale} | figures)
                print(*rows[-1].values(), sep="\t", file=sys.stderr, flush=True)
    table = pd.DataFrame(rows)
    table.to_csv(options.output / "references.tsv", sep="\t", index=False, na_rep="NA")
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
