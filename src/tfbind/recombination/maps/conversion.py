"""Converting a map: another unit, another genetic length, another format."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tfbind.contigs import Contigs
from tfbind.errors import TfbindError
from tfbind.files import open_text
from tfbind.recombination.maps.reading import read_map_file, steps_by_contig
from tfbind.steps import StepFunction

logger = logging.getLogger(__name__)

CM_PER_MORGAN = 100
# a factor beyond it is more likely a wrong unit or the length of another stretch
LARGEST_FACTOR = 10.0


def read_genetic_lengths(text: str) -> float | dict[str, float]:
    """Read what ``--genetic-length`` is given: a number of cM, or a file of contigs and their cM.

    Parameters
    ----------
    text : str
        A number above 0, or the path of a table with a contig and a number on each line; a header and lines that
        begin with # are skipped.

    Raises
    ------
    TfbindError
        If it is neither, or the file names a contig twice.
    """
    if (number := _positive(text)) is not None:
        return number
    path = Path(text)
    lengths: dict[str, float] = {}
    with open_text(path) as lines:
        for number_of_line, line in enumerate(lines, 1):
            words = line.replace(",", " ").split()
            if not words or line.startswith("#"):
                continue
            cm = _positive(words[1]) if len(words) > 1 else None
            if cm is None and not lengths and number_of_line == 1:
                continue
            if cm is None:
                raise TfbindError(
                    f"{path}: line {number_of_line}: found {line.strip()[:60]!r}, expected a contig and its cM"
                )
            if words[0] in lengths:
                raise TfbindError(f"{path}: line {number_of_line}: contig {words[0]!r} is listed twice")
            lengths[words[0]] = cm
    if not lengths:
        raise TfbindError(f"{path}: has no rows, expected a contig and its cM on each line")
    return lengths


def _positive(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value < float("inf") else None


def length_factors(
    maps: Mapping[str, StepFunction],
    lengths: float | Mapping[str, float],
    source: str,
    map_source: str = "the map",
) -> dict[str, float]:
    """Find by what each contig's rates must be multiplied for its genetic length to be a known one.

    A contig's length is the mean of its known rates times its extent, from its first known base to its last: gaps
    count as if they had the mean rate.

    Parameters
    ----------
    maps : mapping of str to StepFunction
        Rates by contig, in any unit.
    lengths : float or mapping of str to float
        cM; a single number is for a map of one contig.
    source : str
        Of the lengths, for messages.
    map_source : str
        Of the map.

    Returns
    -------
    dict of str to float
        By contig; without the contigs that have no length, or no known rate above 0.

    Raises
    ------
    TfbindError
        If a single length is given for several contigs, or none of the contigs has a length.
    """
    known = {contig: steps for contig, steps in maps.items() if np.nansum(steps.values) > 0}
    if isinstance(lengths, float):
        if len(known) > 1:
            raise TfbindError(
                f"--genetic-length is one number, but the map has {len(known)} contigs; give a file that lists each"
                " contig and its cM"
            )
        lengths = dict.fromkeys(known, lengths)
    found = Contigs(lengths, source).match(known, map_source)
    for contig in known:
        if contig not in found:
            logger.warning("%s: has no length for contig %s, whose rates stay as they are", source, contig)
    return {
        contig: lengths[name] / (CM_PER_MORGAN * _extent(known[contig])) for contig, name in found.items()
    }


def _extent(steps: StepFunction) -> float:
    """Integrate over a map from its first known base to its last, as if gaps had the mean rate."""
    places = np.flatnonzero(steps.is_known)
    start, end = steps.edges[places[0]], steps.edges[places[-1] + 1]
    return float(steps.means([start], [end])[0] * (end - start))


def convert_map(
    path: Path,
    *,
    form: str | None = None,
    unit: str | None = None,
    contig: str | None = None,
    sites: Path | None = None,
    effective_size: float | None = None,
    mutation_rate: float | None = None,
    lengths: float | Mapping[str, float] | None = None,
    lengths_source: str = "--genetic-length",
) -> dict[str, StepFunction]:
    """Read a map in any format, with its rates per bp and generation.

    Parameters
    ----------
    path : Path
    form, unit, sites
        As `tfbind.recombination.maps.reading.read_map_file` takes them.
    contig : str, optional
        The name of the contig, for a file that does not name it.
    effective_size : float, optional
        Ne, for population-scaled rates: r = rho / (4 Ne).
    mutation_rate : float, optional
        Per bp and generation, for rates that are r/mu.
    lengths : float or mapping, optional
        Genetic lengths to scale to, as `length_factors` takes them; also for rates that are in no absolute unit.
    lengths_source : str
        What messages call them, such as their file.

    Returns
    -------
    dict of str to StepFunction

    Raises
    ------
    TfbindError
        As the readers do; if the rates are relative and nothing says what they are relative to, or an option does
        not fit the file.
    """
    found = read_map_file(path, unit, form=form, sites=sites)
    logger.info("%s: %s", path, found.note)
    maps = steps_by_contig(found.table)
    if contig is not None:
        if list(maps) != [""]:
            raise TfbindError(
                f"{path}: names its contigs itself ({', '.join(list(maps)[:3])}), so --contig has no use"
            )
        maps = {contig: maps[""]}
    factor = _to_per_bp(path, found.scale, effective_size, mutation_rate, has_length=lengths is not None)
    maps = {name: steps.replace(steps.values * factor) for name, steps in maps.items()}
    if lengths is None:
        return maps
    factors = length_factors(maps, lengths, lengths_source, str(path))
    for name, by in factors.items():
        is_odd = found.scale == "per-bp" and not 1 / LARGEST_FACTOR < by < LARGEST_FACTOR
        report = logger.warning if is_odd else logger.info
        report("%s: contig %s: rates multiplied by %.4g, to the genetic length given", path, name, by)
    return {name: steps.replace(steps.values * factors.get(name, 1.0)) for name, steps in maps.items()}


def _to_per_bp(
    path: Path, scale: str, effective_size: float | None, mutation_rate: float | None, *, has_length: bool
) -> float:
    if effective_size is not None and scale != "rho":
        raise TfbindError(
            f"{path}: its rates are not population-scaled, so --ne has no use (--unit rho says they are)"
        )
    if mutation_rate is not None and scale != "r/mu":
        raise TfbindError(f"{path}: its rates are not r/mu, so --mutation-rate has no use")
    if scale == "per-bp":
        return 1.0
    if scale == "rho" and effective_size is not None:
        return 1 / (4 * effective_size)
    if scale == "r/mu" and mutation_rate is not None:
        return mutation_rate
    if has_length:
        return 1.0
    needed, what = ("--ne", "population-scaled (4 Ne r)") if scale == "rho" else ("--mutation-rate", "r/mu")
    raise TfbindError(f"{path}: its rates are {what}; give {needed} or --genetic-length")
