"""A map's rates and the truth over the same windows, side by side."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfbind.recombination.maps.reading import is_map_table, is_per_mutation, read_map_file, steps_by_contig
from tfbind.recombination.maps.table import COVERED, RATES, finest, read_map, resolution
from tfbind.steps import StepFunction

logger = logging.getLogger(__name__)

KEY = ["chrom", "start", "end"]
WINDOW_COLUMNS = (*KEY, "scale", "rate", "truth", "rate_lower", "rate_upper", "note")
# why a window does not count, the first that holds
LEFT_OUT = ("short", "no_prediction", "no_truth")


class JudgedMap(NamedTuple):
    """A map that is judged.

    table : as `tfbind.recombination.maps.table.read_map` gives it, always with ``scale`` (0: of none)
    per_mutation : whether its rates are r/mu
    source : what messages call it, such as its file
    """

    table: pd.DataFrame
    per_mutation: bool
    source: str = "the map"


def read_prediction(path: Path, mutation_rate: float | None = None, unit: str | None = None) -> JudgedMap:
    """Read tfbind's table, or a map in another format, which has no intervals.

    Other formats are those of `tfbind.recombination.maps.reading.read_map_file`.

    Parameters
    ----------
    path : Path
    mutation_rate : float, optional
        Per bp and generation; r/mu are multiplied by it.
    unit : str, optional
        One of `tfbind.recombination.maps.reading.UNITS`, for a file that does not state it (default: guessed from the
        size of the rates).

    Raises
    ------
    TfbindError
        As the readers do.
    """
    if is_map_table(path):
        table, per_mutation = read_map(path)
        if unit is not None:
            logger.info("%s: tells the unit of its rates, which --map-unit does not change", path)
    else:
        found = read_map_file(path, unit_if_unstated=unit)
        table, per_mutation = found.table, is_per_mutation(path, found)
        logger.info("%s: %s", path, found.note)
        table = table.assign(rate_lower=np.nan, rate_upper=np.nan, note="")
    if "scale" not in table:
        table["scale"] = resolution(table)
    if mutation_rate is not None and not per_mutation:
        logger.info("%s: holds absolute rates, which --mutation-rate does not change", path)
    elif mutation_rate is not None:
        table[list(RATES)] *= mutation_rate
        per_mutation = False
    return JudgedMap(table, per_mutation, str(path))


def map_windows(table: pd.DataFrame, scale: int) -> pd.DataFrame:
    """Give the map's own windows of a scale or, where it has none, those from multiples of the scale over its extent.

    Returns
    -------
    DataFrame
        ``chrom``, ``start``, ``end``.
    """
    own = table.loc[table["scale"] == scale, KEY]
    if len(own):
        return own.reset_index(drop=True)
    extent = table.groupby("chrom", sort=False).agg(start=("start", "min"), end=("end", "max"))
    first, behind = extent["start"] // scale, -(-extent["end"] // scale)
    n = (behind - first).to_numpy()
    within = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    start = (np.repeat(first.to_numpy(), n) + within) * scale
    return pd.DataFrame(
        {"chrom": np.repeat(extent.index.to_numpy(), n), "start": start, "end": start + scale}
    )


def rates_over(table: pd.DataFrame, windows: pd.DataFrame, scale: int) -> pd.DataFrame:
    """Give a map's rates over windows: its row's where it has that very window at that scale, else a mean.

    Parameters
    ----------
    table : DataFrame
        Of a JudgedMap.
    windows : DataFrame
        ``chrom``, ``start``, ``end``.
    scale : int
        In bp.

    Returns
    -------
    DataFrame
        ``rate``, ``rate_lower``, ``rate_upper``, NaN where unknown, and ``note``; the index of ``windows``.
    """
    own = table.loc[table["scale"] == scale, [*KEY, *RATES, "note"]]
    found = windows[KEY].merge(own, how="left", on=KEY, indicator=True).set_index(windows.index)
    absent = found["_merge"] == "left_only"
    if absent.any():
        found.loc[absent, "rate"] = means_over(steps_by_contig(finest(table)), windows[absent])
    return found[[*RATES, "note"]].fillna({"note": ""})


def means_over(rates: Mapping[str, StepFunction], windows: pd.DataFrame) -> NDArray[np.float64]:
    """Mean rates over windows of several contigs: (windows,) float64, NaN where too little is known."""
    means = np.full(len(windows), np.nan)
    for contig, at in windows.groupby("chrom", sort=False).indices.items():
        if contig in rates:
            rows = windows.iloc[at]
            means[at] = rates[str(contig)].means(rows["start"], rows["end"], covered=COVERED)
    return means


def judged_windows(
    table: pd.DataFrame, truth: Mapping[str, StepFunction], windows: pd.DataFrame, scale: int
) -> pd.DataFrame:
    """Put a map's rates and the truth side by side, with a note on each window that does not count.

    Returns
    -------
    DataFrame
        WINDOW_COLUMNS and ``left_out``, one of LEFT_OUT or empty.
    """
    found = windows[KEY].assign(
        scale=scale, truth=means_over(truth, windows), **rates_over(table, windows, scale)
    )
    conditions = [
        found["end"] - found["start"] < COVERED * scale,
        found["rate"].isna(),
        found["truth"].isna(),
    ]
    found["left_out"] = np.select(conditions, LEFT_OUT, default="")
    both = found["note"].where(found["note"] == "", found["note"] + ";") + found["left_out"]
    found["note"] = both.str.rstrip(";")
    return found[[*WINDOW_COLUMNS, "left_out"]]
