"""Maps whose rows are points: a position, and a genetic position, a rate, or both.

A rate between two rows may be written in the earlier row (HapMap II, msprime) or in the later one (the combined b37
maps). The cumulative column shows which, and it decides: its differences are the rates that are used.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfbind.errors import TfbindError
from tfbind.genotypes.mask import Accessible, read_mask
from tfbind.recombination.maps.formats import CHROM, CUMULATIVE, POSITION, RATE, known_formats
from tfbind.recombination.maps.layout import (
    Layout,
    line_of,
    positions,
    quantities,
    read_columns,
    refuse,
)

# what the two columns may disagree by beyond rounding, of the genetic length, before it is said
DISAGREEMENT = 1e-3
MOST_DECIMALS = 12
VALID = re.compile("vld", re.I)
PLINK_PLACES = {"chrom": 0, "cm": 2, "position": 3}


def gaps_path(path: Path) -> Path:
    """Name the file beside a map of points that lists its gaps: NAME.gaps.bed for NAME.txt or NAME.map.gz."""
    name = path.name.removesuffix(".gz").removesuffix(".bgz")
    return path.with_name(f"{name.rpartition('.')[0] or name}.gaps.bed")


def read_points(path: Path, layout: Layout, form: str) -> tuple[pd.DataFrame, list[str]]:
    """Read a map of points.

    Parameters
    ----------
    path : Path
        If `gaps_path` exists beside it, what lies in its intervals is unknown.
    layout : Layout
        From `tfbind.recombination.maps.layout.read_layout`.
    form : str
        A key of FORMATS, whose kind is ``points``.

    Returns
    -------
    table : DataFrame
        A row for each interval between two points: ``chrom`` : str, empty if the file does not name it; ``start``,
        ``end`` : int64, 0-based; ``rate`` : float64, cM/Mb, NaN where unknown. What lies before a contig's first
        point and after its last is not in it.
    notes : list of str
        Which column the rates are from, and what was found wrong with the other.

    Raises
    ------
    TfbindError
        If a cell is not a number, positions or genetic positions descend, or a contig has one row.
    """
    is_marey = form == "mareymap"
    places = PLINK_PLACES if form == "plink" else _places(path, layout)
    valid = layout.place(VALID)
    if is_marey and valid is not None:
        places = {**places, "valid": valid}
    table = read_columns(path, layout, places)
    if "valid" in table:
        table = table[table["valid"].str.upper() != "FALSE"].drop(columns="valid")
    table["position"] = positions(path, layout, table["position"])
    for name, expected in (
        ("rate", "a rate of at least 0 or NA"),
        ("cm", "a genetic position of at least 0"),
    ):
        if name in table:
            table[name] = quantities(path, layout, table[name], expected)
    if "chrom" not in table:
        table["chrom"] = ""
    if is_marey:
        table = table.dropna(subset=["cm"])
    parts, notes = [], []
    # an index of rows is kept, by which an error finds its line
    for contig, rows in table.groupby("chrom", sort=False):
        part, found = _intervals(path, layout, str(contig), rows, is_marey=is_marey)
        parts.append(part)
        notes += [note for note in found if note not in notes]
    whole = pd.concat(parts, ignore_index=True)
    gaps = gaps_path(path)
    if gaps.is_file():
        whole = _without_gaps(whole, gaps)
        notes.append(f"the gaps of {gaps.name} are unknown")
    return whole, notes


def _places(path: Path, layout: Layout) -> dict[str, int]:
    rate = layout.place(*RATE)
    found = {
        "chrom": layout.place(CHROM),
        "position": layout.place(POSITION),
        "rate": rate,
        "cm": next(
            (
                place
                for place, name in enumerate(layout.names)
                if place != rate and CUMULATIVE.fullmatch(name) and not CHROM.fullmatch(name)
            ),
            None,
        ),
    }
    if found["position"] is None or (rate is None and found["cm"] is None):
        raise TfbindError(
            f"{path}: found the columns {' '.join(layout.names)!r}, expected one of {known_formats()}"
        )
    return {name: place for name, place in found.items() if place is not None}


def _intervals(
    path: Path, layout: Layout, contig: str, rows: pd.DataFrame, *, is_marey: bool
) -> tuple[pd.DataFrame, list[str]]:
    notes = []
    if is_marey:
        # markers as they were mapped: in any order, some at one position, some out of order genetically
        rows = rows.sort_values("position").drop_duplicates("position")
        rows, note = _monotone(rows)
        notes += note
    if len(rows) < 2:
        raise TfbindError(f"{path}: found one row of contig {contig!r}, expected at least two")
    at = rows["position"].to_numpy()
    descends = np.append(False, np.diff(at) <= 0)
    if descends.any():
        row = int(np.argmax(descends))
        number, _ = line_of(path, layout, int(rows.index[row]))
        raise TfbindError(
            f"{path}: line {number}: position {at[row]} follows {at[row - 1]}; positions must ascend"
        )
    # a first row of 0 is no base: some writers begin there
    edges = np.maximum(at - 1, 0)
    rate = rows["rate"].to_numpy(float) if "rate" in rows else None
    cm = rows["cm"].to_numpy(float) if "cm" in rows else None
    if cm is not None:
        cm = _usable(path, layout, rows, cm, rate, notes)
    values, found = between(np.diff(edges), rate, cm)
    table = pd.DataFrame({"chrom": contig, "start": edges[:-1], "end": edges[1:], "rate": values})
    # bases 0 and 1 may both be there
    return table[table["end"] > table["start"]], [*notes, *found]


def _monotone(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    cm = rows["cm"].to_numpy(float)
    n = int((np.diff(cm) < 0).sum())
    if not n:
        return rows, []
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression().fit_transform(np.arange(len(cm)), cm)
    return rows.assign(cm=fitted), [
        f"{n:,} markers have a smaller genetic position than the one before: fitted by isotonic regression"
    ]


def _usable(
    path: Path,
    layout: Layout,
    rows: pd.DataFrame,
    cm: NDArray[np.float64],
    rate: NDArray[np.float64] | None,
    notes: list[str],
) -> NDArray[np.float64] | None:
    """Give genetic positions that can be used; None if they say nothing and there are rates."""
    unknown = np.isnan(cm)
    if rate is not None and (unknown.all() or cm[0] == cm[-1]):
        if unknown.all() or np.nan_to_num(rate).any():
            notes.append("its cumulative column is empty or all equal, so it is not used")
        return None
    refuse(path, layout, rows["cm"].isna(), "a genetic position of at least 0")
    descends = np.append(False, np.diff(cm) < 0)
    if descends.any():
        row = int(np.argmax(descends))
        number, _ = line_of(path, layout, int(rows.index[row]))
        raise TfbindError(
            f"{path}: line {number}: genetic position {cm[row]:g} cM follows {cm[row - 1]:g}; genetic positions must"
            " not descend"
        )
    return cm


def between(
    width: NDArray[np.int64], rate: NDArray[np.float64] | None, cm: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], list[str]]:
    """Find the rate between points.

    Parameters
    ----------
    width : (n - 1,) int64
        bp between the points.
    rate : (n,) float64, optional
        cM/Mb, NaN where unknown.
    cm : (n,) float64, optional
        Genetic positions, which do not descend. One of the two must be given.

    Returns
    -------
    values : (n - 1,) float64
        cM/Mb. If ``cm`` is given they are its differences, NaN where the rate is.
    notes : list of str
        Where the values are from, and whether the columns disagree by more than rounding.
    """
    if cm is None:
        assert rate is not None
        return rate[:-1], [
            "each rate is of the interval after its row (no cumulative column shows otherwise)"
        ]
    length = np.diff(cm)
    values = np.divide(length * 1e6, width, out=np.zeros(len(width)), where=width > 0)
    if rate is None:
        return values, ["its rates are the differences of its genetic positions"]
    rounding = 2 * 10.0 ** -_decimals(cm) + width / 1e6 * 10.0 ** -_decimals(rate)
    off = {
        side: np.maximum(np.abs(column * width / 1e6 - length) - rounding, 0)
        for side, column in (("after", rate[:-1]), ("before", rate[1:]))
    }
    total = {side: float(np.nansum(each)) for side, each in off.items()}
    side = "after" if total["after"] <= total["before"] else "before"
    chosen = rate[:-1] if side == "after" else rate[1:]
    notes = [f"each rate is of the interval {side} its row, as its cumulative column shows"]
    share = total[side] / (cm[-1] - cm[0])
    if share > DISAGREEMENT:
        notes.append(
            f"its rates and its cumulative column disagree by {share:.2g} of the genetic length: the cumulative column"
            " is used"
        )
    return np.where(np.isnan(chosen), np.nan, values), notes


def _decimals(numbers: NDArray[np.float64]) -> int:
    """Find how many decimal places numbers were rounded to, at most MOST_DECIMALS."""
    known = numbers[np.isfinite(numbers)]
    for decimals in range(MOST_DECIMALS):
        if np.allclose(known, np.round(known, decimals), rtol=1e-13, atol=0):
            return decimals
    return MOST_DECIMALS


def _without_gaps(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    gaps = read_mask(path)
    gaps.names.expect(table["chrom"].unique())
    inside = np.zeros(len(table), bool)
    for contig, rows in table.groupby("chrom", sort=False):
        on: Accessible = gaps.on(str(contig))
        place = table.index.get_indexer(rows.index)
        inside[place] = on.contains(rows["start"].to_numpy())
    return table.assign(rate=table["rate"].where(~inside))
