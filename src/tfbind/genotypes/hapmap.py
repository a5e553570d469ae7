"""Genetic maps in HapMap's format.

Columns: ``Chromosome Position(bp) Rate(cM/Mb) Map(cM)``. Positions are 1-based: the row of base p gives the rate
from there to the next row, and the genetic position of p. What lies before the first row and behind the last is
unknown; the last rate means nothing and is 0. Inside tfbind a map is a `msprime.RateMap` with 0-based
positions, rates per bp per generation, and NaN where unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msprime
import numpy as np

from tfbind.errors import TfbindError
from tfbind.files import open_text, whole_output

HEADER = "Chromosome\tPosition(bp)\tRate(cM/Mb)\tMap(cM)"
RATE = re.compile(r"rate|cm.{0,5}mb", re.I)
CM_PER_MB = 1e8  # of one crossover per bp and generation


def read_hapmap(path: Path) -> dict[str, msprime.RateMap]:
    """Read a map of one contig or of several.

    Parameters
    ----------
    path : Path
        Plain, gzip or BGZF, split by blanks or tabs; the first column may be missing, as in the maps of the 1000
        Genomes, then the contig's name is empty. Rates are read from the rate column, the last but one.

    Returns
    -------
    dict of str to msprime.RateMap
        By contig, in the file's order.

    Raises
    ------
    TfbindError
        If the file is missing, has no header, no column of rates or no row, a row is no numbers, a rate is
        negative, or positions do not ascend.
    """
    rows: dict[str, tuple[list[int], list[float]]] = {}
    width = 0
    with open_text(path) as lines:
        for number, line in enumerate(lines, 1):
            columns = line.split()
            if not columns:
                continue
            if not width:
                width = len(columns)
                if width not in (3, 4) or _is_number(columns[-1]):
                    raise TfbindError(
                        f"{path}: line {number}: found {line.strip()[:60]!r}, expected {HEADER!r}"
                    )
                if not RATE.search(columns[-2]):
                    raise TfbindError(
                        f"{path}: line {number}: found the columns {' '.join(columns)!r} without a rate before the"
                        f" last, expected {' '.join(HEADER.split())!r}, of which the first may be missing"
                    )
                continue
            if len(columns) != width:
                raise TfbindError(
                    f"{path}: line {number}: found {len(columns)} columns, expected the header's {width}"
                )
            contig = columns[0] if width == 4 else ""
            position, rate = _row(path, number, columns[-3], columns[-2])
            if contig not in rows:
                rows[contig] = ([], [])
            positions, rates = rows[contig]
            if positions and position <= positions[-1]:
                raise TfbindError(
                    f"{path}: line {number}: found position {position} behind {positions[-1]},"
                    " expected ascending ones"
                )
            positions.append(position)
            rates.append(rate)
    if not rows:
        raise TfbindError(f"{path}: has no rows, expected a map with the header {HEADER!r}")
    return {contig: _rate_map(path, *columns) for contig, columns in rows.items()}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _row(path: Path, number: int, position: str, rate: str) -> tuple[int, float]:
    # maps have millions of rows, nearly all of them plain
    if position.isdecimal() and rate.replace(".", "", 1).isdecimal():
        return int(position), float(rate)
    where = f"{path}: line {number}"
    if not (_is_number(position) and float(position) >= 0 and float(position).is_integer()):
        raise TfbindError(f"{where}: found position {position!r}, expected a whole number")
    if not (_is_number(rate) and 0 <= float(rate) < float("inf")):
        raise TfbindError(f"{where}: found rate {rate!r}, expected cM/Mb of at least 0")
    return int(float(position)), float(rate)


def _rate_map(path: Path, positions: list[int], rates: list[float]) -> msprime.RateMap:
    if len(positions) < 2:
        raise TfbindError(f"{path}: found one row of a contig, expected at least two")
    # some writers begin at 0, which is no base: take it for the first
    start = np.maximum(np.array(positions) - 1, 0)
    rate = np.array(rates[:-1]) / CM_PER_MB
    if start[0] > 0:
        start, rate = np.insert(start, 0, 0), np.insert(rate, 0, np.nan)
    keep = np.append(np.diff(start) > 0, True)  # bases 0 and 1 may both be there
    return msprime.RateMap(position=start[keep], rate=rate[keep[:-1]])


def write_hapmap(path: Path, maps: Mapping[str, msprime.RateMap]) -> None:
    """Write maps by contig; known stretches only, an unknown one inside is given the rate 0.

    `msprime.RateMap.read_hapmap` reads the file of one contig through either column, at coordinates that are 1
    higher than ours.
    """
    with whole_output(path) as temporary, open(temporary, "w", newline="\n") as handle:
        handle.write(HEADER + "\n")
        for contig, rate_map in maps.items():
            known = np.flatnonzero(~np.isnan(rate_map.rate))
            if not len(known):
                continue
            pieces = slice(known[0], known[-1] + 1)
            start = rate_map.position[known[0] : known[-1] + 2].astype(np.int64)
            rate = np.append(np.nan_to_num(rate_map.rate[pieces]), 0.0) * CM_PER_MB
            map_cm = np.concatenate([[0.0], np.cumsum(rate[:-1] * np.diff(start) / 1e6)])
            handle.writelines(
                f"{contig}\t{at + 1}\t{r:.10g}\t{cm:.12g}\n"
                for at, r, cm in zip(start.tolist(), rate.tolist(), map_cm.tolist(), strict=True)
            )
