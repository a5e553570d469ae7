"""Maps to compare with, from any of the formats that they come in, with their rates in one unit.

HapMap; bedGraph and other tables of windows, such as deCODE's; and tfbind's own table. Rates are in cM/Mb or per bp
and generation: the format, the name of the rate's column, or else their size tells.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfbind.errors import TfbindError
from tfbind.genotypes.hapmap import CM_PER_MB, read_hapmap
from tfbind.recombination.maps.foreign import CM_PER_MB_NAME, read_layout, read_rate_table
from tfbind.recombination.maps.table import COLUMNS, PER_MUTATION_LINE, finest, read_map
from tfbind.steps import StepFunction

logger = logging.getLogger(__name__)

UNITS = ("cM/Mb", "per-bp")
# no genome has a crossover each 10 kb and generation as its median: above it the unit is cM/Mb
HIGHEST_MEDIAN_PER_BP = 1e-4
# zeros as long as this are no cold region but a centromere without markers
LONGEST_ZERO = 1_000_000


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
    """

    rates: dict[str, StepFunction]
    per_mutation: bool
    notes: list[str]


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
    merged = Truth({}, False, [])
    for path in paths:
        table, per_mutation, note = read_rates(path, unit)
        if merged.rates and per_mutation != merged.per_mutation:
            raise TfbindError(f"{path}: found r/mu and rates per bp in one set of files, expected one kind")
        notes = [*merged.notes, f"{path}: {note}"]
        for contig, rates in steps_by_contig(table).items():
            if contig in merged.rates:
                raise TfbindError(f"{path}: found contig {contig!r} again, expected each in one file")
            missing = missing_zeros(rates)
            if missing.any():
                length = int(rates.width[missing].sum())
                name = f" of contig {contig}" if contig else ""
                notes.append(f"{path}: {length:,} bp{name} at rate 0 are taken for missing data")
            merged.rates[contig] = rates.replace(np.where(missing, np.nan, rates.values))
        merged = Truth(merged.rates, per_mutation, notes)
    for note in merged.notes:
        logger.info("%s", note)
    return merged


def missing_zeros(rates: StepFunction) -> NDArray[np.bool_]:
    """Tell which steps of rate 0 are missing data: (n,) bool.

    They are in a stretch without any known rate above 0 that is at an end or has LONGEST_ZERO bp.
    """
    empty = np.nan_to_num(rates.values) == 0
    changes = np.diff(np.concatenate([[0], empty, [0]]))
    first, after = np.flatnonzero(changes == 1), np.flatnonzero(changes == -1)
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
    return set(COLUMNS) <= set(read_layout(path).names)


def read_rates(
    path: Path, unit: str | None = None, *, unit_if_untold: str | None = None
) -> tuple[pd.DataFrame, bool, str]:
    """Read one file as it is: its rows in tfbind's unit, whether they are r/mu, and a note on the unit found.

    The rows have ``chrom start end rate`` and ascend within a contig. Parameters and errors are those of `read_truth`;
    ``unit_if_untold`` is used if the file does not state the unit; without it the unit is guessed from the
    size of its rates.
    """
    layout = read_layout(path)
    if layout.per_mutation and unit is not None:
        raise TfbindError(f"{path}: found {PER_MUTATION_LINE[2:]!r}, expected rates in the unit {unit} given")
    if is_map_table(path):
        table = finest(read_map(path)[0])
        told, why = "per-bp", "as in every table of tfbind"
    elif layout.is_hapmap:
        table = pd.concat(
            [
                pd.DataFrame(
                    {
                        "chrom": contig,
                        "start": each.left.astype(np.int64),
                        "end": each.right.astype(np.int64),
                        "rate": each.rate * CM_PER_MB,
                    }
                )
                for contig, each in read_hapmap(path).items()
            ],
            ignore_index=True,
        )
        told, why = "cM/Mb", "as in every HapMap file"
    else:
        table, name = read_rate_table(path, layout)
        if CM_PER_MB_NAME.fullmatch(name):
            told, why = "cM/Mb", f"as its column {name} says"
        elif unit_if_untold is not None:
            told, why = unit_if_untold, "as given"
        else:
            median = float(table.loc[table["rate"] > 0, "rate"].median())
            told = UNITS[0] if median > HIGHEST_MEDIAN_PER_BP else UNITS[1]
            why = f"guessed from their median of {median:.3g}"
    if layout.per_mutation:
        return table, True, f"its rates are r/mu, as its line {PER_MUTATION_LINE!r} says"
    if unit is not None:
        told, why = unit, "as given"
    if told == "cM/Mb":
        table = table.assign(rate=table["rate"] / CM_PER_MB)
    return table, False, f"its rates are in {told}, {why}"
