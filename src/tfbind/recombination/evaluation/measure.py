"""How well a map of recombination agrees with a truth, scale by scale.

A window counts where both the map and the truth know at least 90% of its bases. At a scale of which the map has rows,
these are the windows, with their intervals; else the finest rows are averaged over windows that begin at multiples
of the scale, and there is no interval, as the bounds of parts say nothing about the bounds of their mean.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from tfbind.contigs import Contigs, renamed_note, some_names
from tfbind.errors import TfbindError
from tfbind.recombination.evaluation.windows import (
    LEFT_OUT,
    JudgedMap,
    judged_windows,
    map_windows,
)
from tfbind.recombination.mapping.hotspots import FACTOR, WIDTH, Interval, score_hotspots
from tfbind.recombination.maps.reading import Truth, steps_by_contig
from tfbind.recombination.maps.table import COVERED, finest
from tfbind.steps import StepFunction

logger = logging.getLogger(__name__)

CORRELATIONS = ("pearson", "pearson_log", "spearman")
OF_EQUAL_UNITS = ("r2", "mae", "rmse", "bias_ratio", "coverage95")
# that of two is 1 or -1 whatever they are
FEWEST_OF_A_CORRELATION = 3
METRICS = (*CORRELATIONS, *OF_EQUAL_UNITS)


class MapEvaluation(NamedTuple):
    """What a map is worth.

    Attributes
    ----------
    windows : DataFrame
        WINDOW_COLUMNS and ``left_out``, scale by scale, as
        `tfbind.recombination.evaluation.windows.judged_windows` gives them.
    metrics : dict of str to dict
        By scale, what `window_metrics` gives.
    notes : list of str
        What was found out or taken for granted.
    rate_per_mutation, truth_per_mutation : bool
        Whether they are r/mu. If only one is, only what no factor changes is defined.
    hotspots : dict or None
        What `hotspots.score_hotspots` gives, if hotspots were judged.
    """

    windows: pd.DataFrame
    metrics: dict[str, dict[str, Any]]
    notes: list[str]
    rate_per_mutation: bool = False
    truth_per_mutation: bool = False
    hotspots: dict[str, int | float | None] | None = None

    @property
    def same_unit(self) -> bool:
        """Whether map and truth are in one unit."""
        return self.rate_per_mutation == self.truth_per_mutation

    @property
    def used(self) -> pd.DataFrame:
        """The windows that count."""
        return self.windows[self.windows["left_out"] == ""]


def evaluate_map(
    predicted: JudgedMap,
    truth: Truth,
    scales: Sequence[int],
    hotspots: Sequence[Interval] | None = None,
    hotspot_factor: float = FACTOR,
    hotspots_source: str = "the hotspots",
) -> MapEvaluation:
    """Compare a map with a truth.

    Parameters
    ----------
    predicted : JudgedMap
    truth : Truth
        Contigs match as `tfbind.contigs.Contigs` says.
    scales : sequence of int
        Window lengths in bp.
    hotspots : sequence of (contig, start, end), optional
        Called in the map, to be judged as well.
    hotspot_factor : float
        Those of the truth have so many times the rate of their surroundings.
    hotspots_source : str
        What messages call them, such as their file.

    Raises
    ------
    TfbindError
        If they have no contig in common, or no window of any scale counts.
    """
    contigs = predicted.table["chrom"].unique()
    matches = Contigs(truth.rates, truth.source).match(contigs, predicted.source, log=False)
    notes = [*truth.notes, *_contig_notes(contigs, matches)]
    same_unit = predicted.per_mutation == truth.per_mutation
    if not same_unit:
        notes.append("map and truth are not in one unit (one is r/mu): only correlations are defined")
    rates = {name: truth.rates[other] for name, other in matches.items()}
    tables, metrics = [], {}
    for scale in scales:
        if _coarser(rates, scale):
            notes.append(
                f"scale {scale:,}: most of the truth is coarser, so neighbouring windows share its values"
            )
        windows = judged_windows(predicted.table, rates, map_windows(predicted.table, scale), scale)
        metrics[str(scale)] = values = window_metrics(windows, same_unit=same_unit)
        left_out = ", ".join(f"{values[f'n_{reason}']:,} {reason}" for reason in LEFT_OUT)
        logger.info("scale %s: %s windows; left out: %s", f"{scale:,}", f"{values['n_windows']:,}", left_out)
        tables.append(windows)
    if same_unit:
        notes += _interval_notes(predicted.table, scales)
    spots = None
    if hotspots is not None:
        spots = _hotspot_scores(hotspots, hotspots_source, predicted, rates, hotspot_factor)
        notes.append(_hotspot_note(spots))
        length = np.concatenate([each.width[each.is_known] for each in rates.values()])
        if np.quantile(length, 0.1) > WIDTH:
            notes.append(f"hotspots: the truth is coarser than {WIDTH:,} bp, and may hide some")
    for note in notes[len(truth.notes) :]:
        logger.info("%s", note)
    if not any(values["n_windows"] for values in metrics.values()):
        raise TfbindError(
            f"no window of {', '.join(f'{scale:,}' for scale in scales)} bp has both a prediction and a truth over"
            f" {COVERED:.0%} of it, expected maps that overlap"
        )
    return MapEvaluation(
        pd.concat(tables, ignore_index=True),
        metrics,
        notes,
        predicted.per_mutation,
        truth.per_mutation,
        spots,
    )


def _hotspot_scores(
    hotspots: Sequence[Interval],
    source: str,
    predicted: JudgedMap,
    truth: Mapping[str, StepFunction],
    factor: float,
) -> dict[str, int | float | None]:
    known = steps_by_contig(finest(predicted.table))
    of_map = Contigs(known, predicted.source)
    names = of_map.match((contig for contig, _, _ in hotspots), source) if hotspots else {}
    renamed = [(names.get(contig, contig), start, end) for contig, start, end in hotspots]
    return score_hotspots(renamed, truth, known, factor)


def _hotspot_note(scores: Mapping[str, int | float | None]) -> str:
    shares = [
        f"{name} {'undefined' if scores[name] is None else format(scores[name], '.3f')}"
        for name in ("recall", "precision")
    ]
    return (
        f"hotspots: {scores['n_called']:,} called and {scores['n_true']:,} true ({scores['factor']:g} times their"
        f" surroundings), {', '.join(shares)};"
        f" {scores['n_left_out']:,} left out, where truth or map is unknown"
    )


def _contig_notes(contigs: NDArray, matches: dict[str, str]) -> list[str]:
    absent = [name for name in contigs if name not in matches]
    notes = [f"{len(absent)} contigs of the map have no truth: {some_names(absent)}"] if absent else []
    renamed = renamed_note(matches, "the map", "the truth")
    return [renamed, *notes] if renamed else notes


def _interval_notes(table: pd.DataFrame, scales: Sequence[int]) -> list[str]:
    """Say of which scales the map has intervals that cannot be judged."""
    own = set(table.loc[table["rate_lower"].notna(), "scale"])
    absent = [f"{scale:,}" for scale in scales if scale not in own]
    if not own or not absent:
        return []
    has = f"of {', '.join(f'{scale:,}' for scale in sorted(own))} bp" if own != {0} else "of no common length"
    return [
        f"coverage95 is null at {', '.join(absent)} bp: the map's windows, which have the intervals, are {has}"
    ]


def _coarser(truth: Mapping[str, StepFunction], scale: int) -> bool:
    length = np.concatenate([each.width[each.is_known] for each in truth.values()])
    return bool(length[length > scale].sum() > 0.5 * length.sum())


def window_metrics(windows: pd.DataFrame, *, same_unit: bool) -> dict[str, Any]:
    """Measure the agreement over the windows of one scale.

    Parameters
    ----------
    windows : DataFrame
        From `judged_windows`.
    same_unit : bool
        Whether rate and truth are in one unit.

    Returns
    -------
    dict
        ``n_windows`` that count, and ``n_`` those of each reason in LEFT_OUT; None where undefined:
        ``pearson``; ``pearson_log``, of the logarithms of those where neither is 0; ``spearman``; ``r2``, 1 minus the
        sum of squared errors over that round the truth's mean, which is below 0 for what is worse than that mean;
        ``mae`` and ``rmse`` per bp and generation; ``bias_ratio``, the genetic length predicted over the true one;
        ``coverage95``, the share of truths inside their window's interval, among the ``n_intervals`` windows that
        have one.
    """
    used = windows[windows["left_out"] == ""]
    rate, truth = used["rate"].to_numpy(), used["truth"].to_numpy()
    positive = (rate > 0) & (truth > 0)
    # a flat map's rounding errors would have ranks and logarithms
    flat = _constant(rate) or _constant(truth)
    interval = used.dropna(subset=["rate_lower", "rate_upper"])
    values: dict[str, Any] = {"n_windows": len(used)}
    values |= {f"n_{reason}": int((windows["left_out"] == reason).sum()) for reason in LEFT_OUT}
    values |= {
        "pearson": pearson(rate, truth),
        "pearson_log": None if flat else pearson(np.log(rate[positive]), np.log(truth[positive])),
        "spearman": None if flat else pearson(rankdata(rate), rankdata(truth)),
        **dict.fromkeys(OF_EQUAL_UNITS),
        "n_intervals": len(interval),
    }
    if same_unit and len(used):
        error, length = rate - truth, (used["end"] - used["start"]).to_numpy()
        inside = interval["truth"].between(interval["rate_lower"], interval["rate_upper"])
        values["mae"] = float(np.abs(error).mean())
        values["rmse"] = float(np.sqrt((error**2).mean()))
        if not _constant(truth):
            values["r2"] = float(1 - (error**2).sum() / ((truth - truth.mean()) ** 2).sum())
        if (truth > 0).any():
            values["bias_ratio"] = float((rate * length).sum() / (truth * length).sum())
        if len(interval):
            values["coverage95"] = float(inside.mean())
    return values


def pearson(x: NDArray[np.float64], y: NDArray[np.float64]) -> float | None:
    """Pearson's correlation; None for fewer than FEWEST_OF_A_CORRELATION values or a constant."""
    if len(x) < FEWEST_OF_A_CORRELATION or _constant(x) or _constant(y):
        return None
    return float(np.corrcoef(x, y)[0, 1])


def _constant(values: NDArray[np.float64]) -> bool:
    # means over windows of a flat map differ by rounding
    return len(values) < 2 or bool(np.ptp(values) <= 1e-9 * np.abs(values).max())
