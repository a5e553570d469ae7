"""Several maps against one truth, over the windows that all of them know."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfbind.contigs import Contigs
from tfbind.errors import TfbindError
from tfbind.recombination.evaluation.measure import METRICS, pearson, window_metrics
from tfbind.recombination.evaluation.windows import KEY, JudgedMap, judged_windows, map_windows
from tfbind.recombination.maps.reading import Truth

logger = logging.getLogger(__name__)

WINDOWS_OF_A_BLOCK = 10
FEWEST_BLOCKS = 10
REPLICATES = 1000
COMPARISON_COLUMNS = (
    "scale",
    "map",
    "n_windows",
    *METRICS,
    "pearson_difference",
    "pearson_difference_ci95_low",
    "pearson_difference_ci95_high",
    "block_bp",
    "n_blocks",
)


def compare_maps(
    maps: Mapping[str, JudgedMap], truth: Truth, scales: Sequence[int], seed: int = 0
) -> pd.DataFrame:
    """Measure maps over the same windows, and their differences of Pearson's correlation from the first map's.

    The windows of a scale are those of the first map that has rows of it, else begin at its multiples. A map without
    such a row is averaged from its finest rows. Neighbouring windows are not independent, so whole blocks of
    WINDOWS_OF_A_BLOCK windows, counted along each contig, are drawn for the interval (Kuensch 1989, Ann. Stat. 17:1217,
    with blocks that do not overlap; Carlstein 1986, Ann. Stat. 14:1171).

    Parameters
    ----------
    maps : mapping of name -> JudgedMap
        At least two.
    truth : Truth
        Contigs match as `tfbind.contigs.Contigs` says.
    scales : sequence of int
        Window lengths in bp.
    seed : int
        Same seed, same intervals.

    Returns
    -------
    DataFrame
        COMPARISON_COLUMNS, a row a scale and map; NaN where undefined, as the interval is from fewer than
        FEWEST_BLOCKS blocks.

    Raises
    ------
    TfbindError
        If a map has no contig in common with the truth, or no window of any scale is known to all.
    """
    renamed = {}
    for name, (table, per_mutation, source) in maps.items():
        matches = Contigs(truth.rates, truth.source).match(table["chrom"].unique(), source)
        renamed[name] = JudgedMap(
            table.assign(chrom=table["chrom"].map(matches).fillna(table["chrom"])), per_mutation
        )
        if per_mutation != truth.per_mutation:
            logger.info(
                "%s and the truth are not in one unit (one is r/mu): only correlations are defined", name
            )
    rows = []
    for scale in scales:
        shared = _shared_windows(renamed, truth, scale)
        values = {
            name: window_metrics(shared[name], same_unit=renamed[name].per_mutation == truth.per_mutation)
            for name in maps
        }
        baseline, *_ = shared.values()
        block = _blocks(baseline, scale * WINDOWS_OF_A_BLOCK)
        n_blocks = int(block.max(initial=-1)) + 1
        for name, windows in shared.items():
            row = {"scale": scale, "map": name, **values[name], "block_bp": scale * WINDOWS_OF_A_BLOCK}
            row["n_blocks"] = n_blocks
            if windows is not baseline:
                row |= _difference(windows, baseline, block, n_blocks, seed)
            rows.append(row)
    table = pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))
    if not table["n_windows"].any():
        raise TfbindError(
            f"no window is known to the truth and to all of {', '.join(maps)}, expected maps that overlap"
        )
    floats = [name for name in COMPARISON_COLUMNS if table[name].dtype == object and name != "map"]
    return table.astype(dict.fromkeys(floats, np.float64))


def _shared_windows(maps: Mapping[str, JudgedMap], truth: Truth, scale: int) -> dict[str, pd.DataFrame]:
    """Judge every map over the windows that count for all."""
    first = next(
        (each for each in maps.values() if (each.table["scale"] == scale).any()), next(iter(maps.values()))
    )
    windows = map_windows(first.table, scale)
    judged = {name: judged_windows(each.table, truth.rates, windows, scale) for name, each in maps.items()}
    counts = np.logical_and.reduce([each["left_out"] == "" for each in judged.values()])
    logger.info(
        "scale %s: %s of %s windows are known to all", f"{scale:,}", f"{counts.sum():,}", f"{len(windows):,}"
    )
    return {name: each[counts].reset_index(drop=True) for name, each in judged.items()}


def _blocks(windows: pd.DataFrame, length: int) -> NDArray[np.intp]:
    """Number the blocks of ``length`` bp that windows begin in: (windows,) int from 0."""
    keys = windows[KEY].assign(start=windows["start"] // length)
    return keys.groupby(["chrom", "start"], sort=False).ngroup().to_numpy(dtype=np.intp)


def _difference(
    windows: pd.DataFrame, baseline: pd.DataFrame, block: NDArray[np.intp], n_blocks: int, seed: int
) -> dict[str, float | None]:
    truth = baseline["truth"].to_numpy()
    correlations = [pearson(each["rate"].to_numpy(), truth) for each in (windows, baseline)]
    if None in correlations:
        return {}
    found: dict[str, float | None] = {"pearson_difference": correlations[0] - correlations[1]}  # type: ignore[operator]
    if n_blocks >= FEWEST_BLOCKS:
        replicates = [
            bootstrap_pearson(each["rate"].to_numpy(), truth, block, seed) for each in (windows, baseline)
        ]
        low, high = np.nanquantile(replicates[0] - replicates[1], [0.025, 0.975])
        found |= {"pearson_difference_ci95_low": low, "pearson_difference_ci95_high": high}
    return found


def bootstrap_pearson(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    block: NDArray[np.intp],
    seed: int = 0,
    replicates: int = REPLICATES,
) -> NDArray[np.float64]:
    """Pearson's correlation of replicates that draw whole blocks; the same seed draws the same blocks.

    Parameters
    ----------
    x, y : (n,) float64
        Not constant.
    block : (n,) int
        From 0, each number used.

    Returns
    -------
    (replicates,) float64
        NaN for a draw of a constant.
    """
    # standardised, so that the sums of squares lose no digits
    x, y = ((each - each.mean()) / each.std() for each in (x, y))
    columns = (np.ones_like(x), x, y, x * x, y * y, x * y)
    sums = np.stack([np.bincount(block, weights=each) for each in columns], axis=1)
    rng = np.random.default_rng(seed)
    of_replicates = np.empty((replicates, len(columns)))
    for replicate in range(replicates):
        of_replicates[replicate] = (
            np.bincount(rng.integers(0, len(sums), len(sums)), minlength=len(sums)) @ sums
        )
    n, sx, sy, sxx, syy, sxy = of_replicates.T
    variances = (sxx - sx * sx / n) * (syy - sy * sy / n)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(variances > 0, (sxy - sx * sy / n) / np.sqrt(variances), np.nan)
