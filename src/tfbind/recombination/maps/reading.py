"""Maps from any of the formats that they come in, with their rates in one unit.

Rates are in cM/Mb, per bp and generation, or population-scaled (rho, 4 Ne r per bp): the format, the name of the
rate's column, or else the size of the rates shows which.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfbind.contigs import some_files
from tfbind.errors import TfbindError
from tfbind.recombination.maps.formats import CM_PER_MB as CM_PER_MB_NAME
from tfbind.recombination.maps.formats import FORMATS, PER_BP, RHO_PER_BP, find_format
from tfbind.recombination.maps.layout import read_layout
from tfbind.recombination.maps.ldhat import read_rates, read_sites, read_summary
from tfbind.recombination.maps.points import read_points
from tfbind.recombination.maps.table import CM_PER_MB, PER_MUTATION_LINE, finest, read_map
from tfbind.recombination.maps.windows import read_windows
from tfbind.steps import StepFunction

logger = logging.getLogger(__name__)

UNITS = ("cM/Mb", "per-bp", "rho")
# no genome has a crossover per Mb and base as its median rate, and none known so little as .001 cM/Mb; in between, and
# population-scaled rates are there, a guess would be a gamble
HIGHEST_MEDIAN_PER_BP = 1e-6
LOWEST_MEDIAN_CM_PER_MB = 1e-3
# zeros as long as this are no cold region but a centromere without markers
LONGEST_ZERO = 1_000_000


class MapFile(NamedTuple):
    """One file of a map.

    Attributes
    ----------
    table : DataFrame
        ``chrom`` : str, empty if the file does not name it; ``start``, ``end`` : int64; ``rate`` : float64, NaN where
        unknown; ascending within a contig.
    scale : str
        ``per-bp`` (and generation), ``r/mu`` or ``rho`` (4 Ne r per bp).
    note : str
        What was found out about format and unit.
    form : str
        A key of `tfbind.recombination.maps.formats.FORMATS`.
    """

    table: pd.DataFrame
    scale: str
    note: str
    form: str


class Truth(NamedTuple):
    """A map of any origin.

    Attributes
    ----------
    rates : dict of str to StepFunction
        By contig; per bp and generation, or r/mu.
    per_mutation : bool
        Whether they are r/mu.
    notes : list of str
        What was found out or taken for granted in reading it.
    source : str
        What messages call it, such as its files.
    """

    rates: dict[str, StepFunction]
    per_mutation: bool
    notes: list[str]
    source: str = "the truth"


def read_truth(paths: Sequence[Path], unit: str | None = None) -> Truth:
    """Read a map from one file, or from several such as one a contig, and log what was found out.

    Rates of 0 at the ends of a contig, and over LONGEST_ZERO bp or more inside, are taken for missing, which they are
    in maps of crossovers seen in pedigrees.

    Parameters
    ----------
    paths : sequence of Path
        Plain, gzip or BGZF.
    unit : str, optional
        One of UNITS; by default what the file tells.

    Raises
    ------
    TfbindError
        If a file is missing or no map, a rate is negative or rows overlap, or two files hold one contig.
    """
    merged = Truth({}, False, [], some_files(paths))
    for path in paths:
        found = read_map_file(path, unit)
        per_mutation = is_per_mutation(path, found)
        if merged.rates and per_mutation != merged.per_mutation:
            raise TfbindError(f"{path}: found r/mu and rates per bp in one set of files, expected one kind")
        notes = [*merged.notes, f"{path}: {found.note}"]
        for contig, rates in steps_by_contig(found.table).items():
            if contig in merged.rates:
                raise TfbindError(f"{path}: found contig {contig!r} again, expected each in one file")
            missing = missing_zeros(rates)
            if missing.any():
                length = int(rates.width[missing].sum())
                name = f" of contig {contig}" if contig else ""
                notes.append(f"{path}: {length:,} bp{name} at rate 0 are taken for missing data")
            merged.rates[contig] = rates.replace(np.where(missing, np.nan, rates.values))
        merged = merged._replace(per_mutation=per_mutation, notes=notes)
    for note in merged.notes:
        logger.info("%s", note)
    return merged


def read_rate_map(path: Path) -> dict[str, StepFunction]:
    """Read a map whose rates are per bp and generation as it is, zeros included, and log what was found out.

    Raises
    ------
    TfbindError
        As `read_map_file` does, and if the rates are r/mu or population-scaled.
    """
    found = read_map_file(path)
    if is_per_mutation(path, found):
        raise TfbindError(f"{path}: {found.note}, expected a map in cM/Mb or per bp and generation")
    logger.info("%s: %s", path, found.note)
    return steps_by_contig(found.table)


def missing_zeros(rates: StepFunction) -> NDArray[np.bool_]:
    """Tell which steps of rate 0 are missing data: (n,) bool.

    They are in a stretch without any known rate above 0 that is at an end or has LONGEST_ZERO bp.
    """
    empty = np.nan_to_num(rates.values) == 0
    first, after = rates.runs(empty).T
    length = rates.edges[after] - rates.edges[first]
    missing = (first == 0) | (after == len(empty)) | (length >= LONGEST_ZERO)
    if not len(first):
        return empty
    return np.repeat(missing, after - first)[np.cumsum(empty) - 1] & (rates.values == 0)


def steps_by_contig(table: pd.DataFrame, column: str = "rate") -> dict[str, StepFunction]:
    """Give a column of a table of ``chrom start end``, ascending within a contig, by contig."""
    return {
        str(contig): StepFunction.from_intervals(rows["start"], rows["end"], rows[column])
        for contig, rows in table.groupby("chrom", sort=False)
    }


def is_map_table(path: Path) -> bool:
    """Whether a file is a table as tfbind writes it."""
    return FORMATS["tfbind"].shows(read_layout(path))


def read_map_file(
    path: Path,
    unit: str | None = None,
    *,
    unit_if_unstated: str | None = None,
    form: str | None = None,
    sites: Path | None = None,
) -> MapFile:
    """Read one file as it is, in any of the FORMATS.

    Parameters
    ----------
    path : Path
        Plain, gzip or BGZF.
    unit : str, optional
        One of UNITS, whatever the file says.
    unit_if_unstated : str, optional
        One of UNITS, used if the file does not state it. Without it the unit is guessed from the size of the rates.
    form : str, optional
        A key of `tfbind.recombination.maps.formats.FORMATS` or ALIASES; by default what the file shows.
    sites : Path, optional
        LDhat's file of sites, for its maps.

    Raises
    ------
    TfbindError
        If the file is missing, is in no known format or lacks what its format has, a rate is negative, rows overlap
        or descend, or the unit is neither stated nor clear.
    """
    layout = read_layout(path)
    if layout.per_mutation and unit is not None:
        raise TfbindError(f"{path}: found {PER_MUTATION_LINE[2:]!r}, expected rates in the unit {unit} given")
    form = find_format(path, layout, form)
    kind, stated, _, _ = FORMATS[form]
    why = f"as in every {form} file"
    notes: list[str] = []
    if kind == "own":
        table = finest(read_map(path)[0])
        why = "as in every table of tfbind"
    elif kind == "points":
        if layout.per_mutation:
            raise TfbindError(f"{path}: found {PER_MUTATION_LINE[2:]!r} above a genetic map, which is in cM")
        table, notes = read_points(path, layout, form)
        stated = "cM/Mb"
    elif kind == "windows":
        table, name = read_windows(path, layout, form)
        if stated is None:
            stated, why = _unit_of(name), f"as its column {name} says"
    elif kind == "ldhat":
        table = read_summary(path, layout, read_sites(sites) if sites else None)
    else:
        table = read_rates(path, read_sites(sites) if sites else None)
    if layout.per_mutation:
        return MapFile(table, "r/mu", f"its rates are r/mu, as its line {PER_MUTATION_LINE!r} says", form)
    if unit is not None:
        stated, why = unit, "as given"
    elif stated is None and unit_if_unstated is not None:
        stated, why = unit_if_unstated, "as given"
    elif stated is None:
        stated, why = _guess(path, table)
    if stated == "cM/Mb":
        table = table.assign(rate=table["rate"] / CM_PER_MB)
    note = "; ".join([f"format {form}, rates in {stated}, {why}", *notes])
    return MapFile(table, "rho" if stated == "rho" else "per-bp", note, form)


def is_per_mutation(path: Path, found: MapFile) -> bool:
    """Whether a map's rates are r/mu.

    Raises
    ------
    TfbindError
        If they are population-scaled, which says nothing of their size unless Ne is known.
    """
    if found.scale == "rho":
        raise TfbindError(
            f"{path}: {found.note}, which are population-scaled (4 Ne r). Convert it first: tfbind recombination"
            f" convert {path} --ne N --to hapmap -o map.txt"
        )
    return found.scale == "r/mu"


def _unit_of(column: str) -> str | None:
    """Find the unit that the name of a column of rates states."""
    for pattern, unit in ((CM_PER_MB_NAME, "cM/Mb"), (PER_BP, "per-bp"), (RHO_PER_BP, "rho")):
        if pattern.fullmatch(column):
            return unit
    return None


def _guess(path: Path, table: pd.DataFrame) -> tuple[str, str]:
    median = float(table.loc[table["rate"] > 0, "rate"].median())
    if HIGHEST_MEDIAN_PER_BP <= median <= LOWEST_MEDIAN_CM_PER_MB:
        raise TfbindError(
            f"{path}: the unit of its rates is not stated, and a median of {median:.3g} could be cM/Mb, per bp or"
            f" population-scaled; name it ({', '.join(UNITS)})"
        )
    return UNITS[0] if median > LOWEST_MEDIAN_CM_PER_MB else UNITS[
        1
    ], f"guessed from their median of {median:.3g}"
