"""The table of a recombination map: a line a window, with the 95% interval of that window's own scale.

Columns: ``chrom start end n_sites rate rate_lower rate_upper note``, and ``scale`` behind them where one table
holds several resolutions. Coordinates are 0-based and half-open. Rates are per bp and generation, or r/mu where
no mutation rate was given; then the table's first line says so. A window without a rate is there, with NA and a
note. bedGraph has no place for it, nor for the interval, and leaves it out.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tfbind.errors import TfbindError
from tfbind.files import open_text, write_text
from tfbind.tables import table_text

COLUMNS = ("chrom", "start", "end", "n_sites", "rate", "rate_lower", "rate_upper", "note")
WHOLE_NUMBERS = ("start", "end", "n_sites", "scale")
RATES = ("rate", "rate_lower", "rate_upper")
PER_MUTATION_LINE = "# rates are r/mu (no mutation rate was given)"
CM_PER_MB = 1e8  # of one crossover per bp and generation
DIGITS = 6  # significant ones, of a rate
COVERED = 0.9  # of a window's bases at least must have a rate, for its mean to count


def write_map(path: Path, table: pd.DataFrame, *, per_mutation: bool) -> None:
    """Write a map, as BGZF where the name ends in .gz or .bgz.

    Parameters
    ----------
    path : Path
    table : DataFrame
        ``chrom``, ``note`` : str; ``start``, ``end``, ``n_sites`` : int; ``rate``, ``rate_lower``, ``rate_upper`` :
        float64, NaN where unknown; and where rows have several resolutions ``scale`` : int, the bp of a row's
        resolution. The rows of one scale and contig ascend and do not overlap. Other columns are left out.
    per_mutation : bool
        Whether the rates are r/mu.
    """
    columns = [*COLUMNS, *(["scale"] if "scale" in table else [])]
    text = table_text(table[columns], digits=DIGITS)
    write_text(path, f"{PER_MUTATION_LINE}\n{text}" if per_mutation else text)


def read_map(path: Path) -> tuple[pd.DataFrame, bool]:
    """Read a map.

    Parameters
    ----------
    path : Path
        Plain, gzip or BGZF.

    Returns
    -------
    table : DataFrame
        As `write_map` takes it, in the file's order.
    per_mutation : bool
        Whether the rates are r/mu.

    Raises
    ------
    TfbindError
        If the file is missing, lacks a column or rows, a cell is no number, a window is empty, a rate is negative,
        an interval is upside down, or the rows of one scale do not ascend or overlap.
    """
    with open_text(path) as lines:
        above = [lines.readline()]
        while above[-1].startswith("#"):
            above.append(lines.readline())
        per_mutation = PER_MUTATION_LINE in map(str.strip, above)
        names = above[-1].rstrip("\n").split("\t")
        absent = [column for column in COLUMNS if column not in names]
        if absent:
            raise TfbindError(
                f"{path}: found no column {absent[0]!r}, expected a map with the columns {' '.join(COLUMNS)}"
            )
        try:
            table = pd.read_csv(
                lines,
                sep="\t",
                names=names,
                index_col=False,
                dtype=str,
                keep_default_na=False,
                quoting=3,
                skip_blank_lines=False,  # they count as lines
            )
        except ValueError as error:
            raise TfbindError(f"{path}: not a table of tab-separated columns ({error})") from None
    table.index += len(above) + 1  # lines of the file
    table = table[[*COLUMNS, *(["scale"] if "scale" in names else [])]].fillna("")
    table = table[~((table["chrom"].str.strip() == "") & (table["start"] == ""))]
    if not len(table):
        raise TfbindError(f"{path}: has no rows, expected a map")
    for column in table.columns.intersection([*WHOLE_NUMBERS, *RATES]):
        table[column] = _numbers(path, table[column], whole=column in WHOLE_NUMBERS)
    _check(path, table)
    return table.reset_index(drop=True), per_mutation


def finest(table: pd.DataFrame) -> pd.DataFrame:
    """Give the rows of the finest scale, which are all rows where there is one scale."""
    if "scale" not in table:
        return table
    return table[table["scale"] == table["scale"].min()]


def resolution(table: pd.DataFrame) -> int:
    """Find the length of the windows of a table without ``scale``, bp; 0 where it cannot be told.

    In a map of tfbind all but a contig's first start and last end are multiples of it, and no window is longer: it is
    their greatest common divisor, unless half of that would do, too. In others it is the length of over half the rows.
    """
    length = table["end"] - table["start"]
    by_contig = table.groupby("chrom", sort=False)
    inner = [
        table["start"][table["start"] > by_contig["start"].transform("min")],
        table["end"][table["end"] < by_contig["end"].transform("max")],
    ]
    common = int(np.gcd.reduce(np.concatenate(inner), initial=0))
    if common / 2 < length.max() <= common:
        return common
    usual = int(length.mode()[0])
    return usual if (length == usual).mean() > 0.5 else 0


def write_bedgraph(path: Path, table: pd.DataFrame, *, per_mutation: bool) -> None:
    """Write the rates of the finest scale as bedGraph, in cM/Mb or, if per_mutation, as r/mu; what is NaN is left out.

    Parameters
    ----------
    path : Path
    table : DataFrame
        As `write_map` takes it.
    per_mutation : bool
        Whether the rates are r/mu; then a comment says so.
    """
    known = finest(table).dropna(subset=["rate"])
    known = known.assign(rate=known["rate"] * (1.0 if per_mutation else CM_PER_MB))
    text = table_text(known[["chrom", "start", "end", "rate"]], digits=DIGITS, header=False)
    write_text(path, f"{PER_MUTATION_LINE}\n{text}" if per_mutation else text)


def _numbers(path: Path, texts: pd.Series, *, whole: bool) -> pd.Series:
    """Convert a column; NA is NaN, which a column of whole numbers refuses."""
    known = texts != "NA"
    numbers = pd.to_numeric(texts.where(known), errors="coerce").astype(np.float64)
    wrong = (numbers.isna() & known) | (numbers < 0) | np.isinf(numbers)
    if whole:
        wrong |= ~known | (numbers % 1 != 0)
    if wrong.any():
        line = wrong.idxmax()
        expected = "a whole number" if whole else "a number of at least 0 or NA"
        raise TfbindError(f"{path}: line {line}: found {texts.name} {texts[line]!r}, expected {expected}")
    return numbers.astype(np.int64) if whole else numbers


def _check(path: Path, table: pd.DataFrame) -> None:
    for wrong, expected in (
        (table["end"] <= table["start"], "an end above the start"),
        (table["rate_lower"] > table["rate_upper"], "rate_lower to be at most rate_upper"),
    ):
        if wrong.any():
            line = wrong.idxmax()
            row = "\t".join(map(str, table.loc[line]))
            raise TfbindError(f"{path}: line {line}: found {row!r}, expected {expected}")
    keys = ["scale", "chrom"] if "scale" in table else ["chrom"]
    before = table.groupby(keys, sort=False)["end"].shift(fill_value=0)
    overlaps = table["start"] < before
    if overlaps.any():
        line = overlaps.idxmax()
        raise TfbindError(
            f"{path}: line {line}: found start {table.loc[line, 'start']} before the end {before[line]} of the row"
            " before, expected rows of one scale that ascend and do not overlap"
        )
