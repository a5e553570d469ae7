"""The recombination rate round sites, such as binding sites of PRDM9, against matched controls.

The ratio is that of means: the rate in the window round the sites, over that of their controls. A site's controls are
the random places of its contig with as many segregating sites (`tfbind.recombination.enrichment.controls`). The 95%
interval treats whole blocks of sites as independent, not neighbours (`tfbind.recombination.enrichment.blocks`); the
p-value is from a permutation test that shifts blocks along their contig
(`tfbind.recombination.enrichment.permutation`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfbind.contigs import Contigs, renamed_note, some_names
from tfbind.dna.peaks import Peak
from tfbind.errors import TfbindError
from tfbind.recombination.enrichment.blocks import FEWEST_BLOCKS, Blocks, number_blocks
from tfbind.recombination.enrichment.controls import (
    FEWEST_PLACES,
    MOST_PLACES,
    Bins,
    Controls,
    Landscape,
    draw_controls,
    profiles,
    quotients,
    rates_and_strata,
    read_landscapes,
)
from tfbind.recombination.enrichment.permutation import SitesOfContig, moved_ratios, two_sided_p
from tfbind.recombination.evaluation.windows import JudgedMap
from tfbind.recombination.maps.table import finest

logger = logging.getLogger(__name__)

CONTROLS = 100  # of a site
PERMUTATIONS = 1000
# bp: farther apart than this rates of a human map are hardly correlated
BLOCK = 500_000
SMALLEST_BLOCK = 100_000
# the profile's reach, bp and bins
FLANK = 50_000
FLANK_BINS = 4
# bp of a bin, of a map whose windows differ in length
BIN = 5_000
# why a site does not count, the first that holds
LEFT_OUT = ("contig_not_in_map", "duplicate", "no_rate", "no_controls")
SITE_COLUMNS = ("chrom", "start", "end", "name", "centre", "rate", "rate_controls", "left_out")


class Enrichment(NamedTuple):
    """What `measure_enrichment` finds.

    Attributes
    ----------
    profile : DataFrame
        A row a bin: ``distance`` of its middle from the sites' centres, ``start`` and ``end``, bp; ``n_sites`` with a
        known rate; ``rate`` and its interval ``rate_ci95_low``, ``rate_ci95_high``; ``rate_controls``, and
        ``rate_moved_low`` and ``rate_moved_high`` that hold 95% of moved sites; ``ratio``.
    sites : DataFrame
        SITE_COLUMNS, in the order of the input; ``left_out`` is one of LEFT_OUT, or empty where a site counts.
    metrics : dict
        As metrics.json has it; None where undefined.
    notes : list of str
        What was found out or taken for granted.
    per_mutation : bool
        Whether rates are r/mu.
    """

    profile: pd.DataFrame
    sites: pd.DataFrame
    metrics: dict[str, Any]
    notes: list[str]
    per_mutation: bool


def measure_enrichment(
    predicted: JudgedMap,
    peaks: Sequence[Peak],
    *,
    window: int | None = None,
    flank: int | None = None,
    controls: int = CONTROLS,
    permutations: int = PERMUTATIONS,
    block: int = BLOCK,
    seed: int = 0,
    sites_source: str = "the sites",
) -> Enrichment:
    """Compare the rate round sites with that of matched controls.

    Parameters
    ----------
    predicted : JudgedMap
        The rows of its finest scale are used.
    peaks : sequence of Peak
        Their summits, which are the midpoints in BED, are the centres. Contigs match by name, or but for a ``chr``.
    window : int, optional
        bp round the centre that the ratio is about (default: the map's finest scale, which the bins have, too, or
        BIN where its windows differ in length).
    flank : int, optional
        bp to either side that the profile reaches (default: FLANK, or FLANK_BINS bins).
    controls : int
        Places to draw for a site.
    permutations : int
    block : int
        bp; SMALLEST_BLOCK where sites lie in fewer than FEWEST_BLOCKS of them.
    seed : int
        Same seed, same result.
    sites_source : str
        What messages call the sites, such as their file.

    Raises
    ------
    TfbindError
        If sites and map have no contig in common, or no site counts.
    """
    landscapes = read_landscapes(predicted.table)
    map_rows = finest(predicted.table)
    resolution = int(map_rows["scale"].iloc[0]) or BIN
    window = window or resolution
    bins = Bins.within(flank or max(FLANK, FLANK_BINS * resolution), resolution)
    rng = np.random.default_rng(seed)
    sites, notes = _place_sites(peaks, landscapes, sites_source, predicted.source)
    if any(landscape.density is None for landscape in landscapes.values()):
        notes.append("the map does not tell how many sites its windows have: controls match by contig alone")
    if window < resolution:
        notes.append(f"the window of {window:,} bp is narrower than the map's of {resolution:,} bp")
    profile, expected_profile = np.full((2, len(sites), len(bins.distance)), np.nan)
    drawn: dict[str, Controls] = {}
    for contig, rows in sites.loc[sites["left_out"] == ""].groupby("on").groups.items():
        landscape, centres = landscapes[str(contig)], sites.loc[rows, "centre"].to_numpy()
        n = int(np.clip(controls * len(rows), FEWEST_PLACES, MOST_PLACES))
        drawn[str(contig)] = found = draw_controls(landscape, np.sort(centres), window, bins, n, rng)
        if found.overlap:
            notes.append(f"contig {contig}: sites are so dense that windows of controls overlap theirs")
        rate, stratum = rates_and_strata(landscape, found.edges, centres, window)
        sites.loc[rows, ["rate", "rate_controls"]] = np.stack([rate, found.rate[stratum]], axis=1)
        sites.loc[rows, "rate_all"] = found.mean
        profile[rows], expected_profile[rows] = (
            profiles(landscape.rate, centres, bins),
            found.profile[stratum],
        )
    used = _left_out(sites)
    blocks = _blocks(sites[used], block, notes)
    on, centres = sites.loc[used, "on"].to_numpy(), sites.loc[used, "centre"].to_numpy()
    contigs = [
        SitesOfContig(landscapes[contig], found, centres[on == contig], blocks.number[on == contig])
        for contig, found in drawn.items()
    ]
    moved, moved_profiles = moved_ratios(contigs, window, bins, permutations, rng)
    metrics = {
        **_ratios(sites[used], profile[used], bins, window, blocks, moved),
        "rate_unit": "r/mu" if predicted.per_mutation else "per bp and generation",
        "n_sites": len(sites),
        "n_used": int(used.sum()),
        **{f"n_{reason}": int((sites["left_out"] == reason).sum()) for reason in LEFT_OUT},
        "n_controls": sum(found.n for found in drawn.values()),
        "n_map_windows": len(map_rows),
        "n_map_windows_na": int(map_rows["rate"].isna().sum()),
        "window": window,
        "flank": int(bins.distance[-1]),
        "bin": resolution,
        "n_permutations": int((~np.isnan(moved)).sum()),
        "block_bp": blocks.length,
        "n_blocks": blocks.n,
        "seed": seed,
    }
    for note in notes:
        logger.info("%s", note)
    table = _profile_table(profile[used], expected_profile[used], bins, blocks, moved_profiles)
    return Enrichment(table, sites[list(SITE_COLUMNS)], metrics, notes, predicted.per_mutation)


def _place_sites(
    peaks: Sequence[Peak], landscapes: Mapping[str, Landscape], source: str, map_source: str
) -> tuple[pd.DataFrame, list[str]]:
    """Put sites in a table of SITE_COLUMNS and ``on``, the map's name of their contig; and note how names match."""
    rows = [(peak.contig, peak.start, peak.end, peak.name, peak.summit) for peak in peaks]
    sites = pd.DataFrame(rows, columns=list(SITE_COLUMNS[:5])).assign(
        rate=np.nan, rate_controls=np.nan, rate_all=np.nan
    )
    names = Contigs(landscapes, map_source).match(sites["chrom"], source, log=False)
    sites["on"] = sites["chrom"].map(names)
    absent = sites["on"].isna()
    # one place counts once, as where both strands were called
    sites["left_out"] = np.select([absent, sites.duplicated(["on", "centre"])], LEFT_OUT[:2], default="")
    notes = []
    if renamed := renamed_note(names, "the sites", "the map"):
        notes.append(renamed)
    if absent.any():
        lacking = some_names(sites.loc[absent, "chrom"].unique())
        notes.append(f"{absent.sum():,} sites are on contigs that the map lacks: {lacking}")
    return sites, notes


def _left_out(sites: pd.DataFrame) -> NDArray[np.bool_]:
    """Note why sites do not count, and tell which do: (sites,) bool."""
    for column, reason in zip(("rate", "rate_controls"), LEFT_OUT[2:], strict=True):
        sites.loc[(sites["left_out"] == "") & sites[column].isna(), "left_out"] = reason
    counts = [f"{(sites['left_out'] == reason).sum():,} {reason}" for reason in LEFT_OUT]
    used = (sites["left_out"] == "").to_numpy()
    logger.info("%s of %s sites count; left out: %s", f"{used.sum():,}", f"{len(sites):,}", ", ".join(counts))
    if not used.any():
        raise TfbindError(
            f"none of {len(sites):,} sites counts ({', '.join(counts)}), expected sites where the map has a rate"
        )
    return used


def _blocks(sites: pd.DataFrame, length: int, notes: list[str]) -> Blocks:
    blocks = number_blocks(sites["on"], sites["centre"], length)
    if not blocks.suffice and length > SMALLEST_BLOCK:
        blocks = number_blocks(sites["on"], sites["centre"], SMALLEST_BLOCK)
        notes.append(
            f"sites lie in few blocks of {length:,} bp: intervals take blocks of {SMALLEST_BLOCK:,} bp"
        )
    if not blocks.suffice:
        notes.append(f"sites lie in fewer than {FEWEST_BLOCKS} blocks of {blocks.length:,} bp: no intervals")
    return blocks


def _ratios(
    sites: pd.DataFrame,
    profile: NDArray[np.float64],
    bins: Bins,
    window: int,
    blocks: Blocks,
    moved: NDArray[np.float64],
) -> dict[str, Any]:
    """Ratios of the rate in the window to those of controls, of all places, and of bins that do not overlap it."""
    outside = profile[:, np.abs(bins.distance) >= (bins.width + window) / 2]
    flanks = quotients(np.nansum(outside, axis=1), (~np.isnan(outside)).sum(axis=1))
    below = {"ratio": sites["rate_controls"], "ratio_unmatched": sites["rate_all"], "ratio_to_flanks": flanks}
    values: dict[str, Any] = {}
    for name, other in below.items():
        known = ~np.isnan(other)
        rates = [np.where(known, each, 0) for each in (sites["rate"], other)]
        values[name] = float(rates[0].sum() / rates[1].sum()) if rates[1].any() else None
        interval = blocks.interval(*rates)
        values[f"{name}_ci95"] = None if np.isnan(interval).any() else interval.tolist()
        if name == "ratio":
            values["p"] = None if values[name] is None else two_sided_p(values[name], moved)
    means = sites[["rate", "rate_controls"]].mean()
    return values | {"rate_sites": float(means["rate"]), "rate_controls": float(means["rate_controls"])}


def _profile_table(
    profile: NDArray[np.float64],
    expected: NDArray[np.float64],
    bins: Bins,
    blocks: Blocks,
    moved: NDArray[np.float64],
) -> pd.DataFrame:
    known = ~np.isnan(profile + expected)
    rates, of_controls, ones = np.where(known, profile, 0), np.where(known, expected, 0), known.astype(float)
    n = known.sum(axis=0)
    rate, rate_controls = quotients(rates.sum(axis=0), n), quotients(of_controls.sum(axis=0), n)
    low, high = blocks.interval(rates, ones)
    moved_low, moved_high = _central_95(moved) * rate_controls
    start = bins.distance - bins.width // 2
    columns = {"distance": bins.distance, "start": start, "end": start + bins.width, "n_sites": n}
    columns |= {"rate": rate, "rate_ci95_low": low, "rate_ci95_high": high, "rate_controls": rate_controls}
    columns |= {"rate_moved_low": moved_low, "rate_moved_high": moved_high}
    return pd.DataFrame(columns | {"ratio": quotients(rate, rate_controls)})


def _central_95(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bounds of the central 95% of each column of (n, columns) values: (2, columns), NaN where a column has none."""
    bounds = np.full((2, values.shape[1]), np.nan)
    some = ~np.isnan(values).all(axis=0)
    bounds[:, some] = np.nanquantile(values[:, some], [0.025, 0.975], axis=0)
    return bounds
