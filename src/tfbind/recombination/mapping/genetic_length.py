"""Scaling a predicted map to genetic lengths that are known, such as those of a linkage map."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from tfbind.contigs import some_names
from tfbind.errors import TfbindError
from tfbind.recombination.mapping.prediction import PredictedMap
from tfbind.recombination.maps.conversion import length_factors
from tfbind.recombination.maps.reading import steps_by_contig
from tfbind.recombination.maps.table import RATES, finest

logger = logging.getLogger(__name__)


def scale_to_lengths(
    predicted: PredictedMap,
    lengths: float | Mapping[str, float],
    *,
    per_mutation: bool,
    source: str = "--genetic-length",
    map_source: str = "the map",
) -> PredictedMap:
    """Multiply each contig's rates, intervals and hotspots so that its genetic length is the known one.

    The factor and the mean rate before it are warned about, so that the notes of the map keep them.

    Parameters
    ----------
    predicted : PredictedMap
        Rates per bp and generation, or r/mu.
    lengths : float or mapping of str to float
        In cM, as `tfbind.recombination.maps.conversion.length_factors` takes them.
    per_mutation : bool
        Whether the rates are r/mu; then every contig that has rates needs a length.
    source, map_source : str
        What messages call the lengths and the map, such as their files.

    Returns
    -------
    PredictedMap
        Rates per bp and generation.

    Raises
    ------
    TfbindError
        As `length_factors` does, or if rates that are r/mu would stay so beside scaled ones.
    """
    maps = steps_by_contig(finest(predicted.table))
    factors = length_factors(maps, lengths, source, map_source)
    lacking = [contig for contig, steps in maps.items() if contig not in factors and steps.is_known.any()]
    if per_mutation and lacking:
        raise TfbindError(
            f"{source}: has no length for {some_names(lacking)}, whose rates would stay r/mu; add it, or give"
            " --mutation-rate"
        )
    for contig, factor in factors.items():
        steps = maps[contig]
        before = steps.means(steps.edges[:1], steps.edges[-1:])[0]
        logger.warning(
            "contig %s: rates multiplied by %.4g to the genetic length given; their mean was %.4g before",
            contig,
            factor,
            before,
        )
    table = predicted.table.copy()
    by_row = table["chrom"].map(factors).fillna(1.0)
    for name in RATES:
        table[name] *= by_row
    hotspots = [spot._replace(rate=spot.rate * factors.get(spot.contig, 1.0)) for spot in predicted.hotspots]
    return PredictedMap(table, hotspots)
