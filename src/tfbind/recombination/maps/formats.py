"""The formats of maps: their names, and how a file shows which one it has."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tfbind.errors import TfbindError
from tfbind.recombination.maps.layout import Layout, is_number
from tfbind.recombination.maps.table import COLUMNS

CHROM = re.compile(r"chrom|chr|chromosome|contig|seqnames?|seqid|map", re.I)
START = re.compile(r"start|begin|(chrom|pos|window)_?start|left_snp|pos_left", re.I)
END = re.compile(r"end|stop|(chrom|pos|window)_?end|right_snp|pos_right", re.I)
POSITION = re.compile(r"pos|bp|phys|position(\(bp\))?|physical_?position", re.I)
CUMULATIVE = re.compile(r"cm|gen|.*map\(cm\)|map|.*genetic_?(map|position).*|cm_?position", re.I)
CM_PER_MB = re.compile(r".*cm.{0,5}mb.*", re.I)
PER_BP = re.compile(r"(r|rate|recombrate)_?per_?bp", re.I)
RHO_PER_BP = re.compile(r"rho(_?per_?bp)?", re.I)
ISMC_RHO = re.compile(r"sample_mean|diploid_\d+", re.I)
# from the surest to the least
RATE = (
    PER_BP,
    re.compile(r"rate", re.I),
    CM_PER_MB,
    re.compile(r".*rate.*", re.I),
    RHO_PER_BP,
    ISMC_RHO,
    re.compile(r"value|mean", re.I),
)
WHOLE = re.compile(r"\d+")


class Format(NamedTuple):
    """A format of maps.

    Attributes
    ----------
    kind : str
        How its rows are read: ``own``, ``points`` (a position and what is cumulative or follows it), ``windows``,
        ``ldhat`` or ``ldhat_rates``.
    unit : str or None
        Of its rates, one of `tfbind.recombination.maps.reading.UNITS`; None where the file shows it.
    columns : str
        For help and errors.
    shows : callable
        Whether a Layout has this format.
    """

    kind: str
    unit: str | None
    columns: str
    shows: Callable[[Layout], bool]


def _names(layout: Layout) -> set[str]:
    return {name.lower() for name in layout.names}


def _has_points(layout: Layout) -> bool:
    has_value = layout.place(*RATE) is not None or layout.place(CUMULATIVE) is not None
    return layout.place(POSITION) is not None and layout.place(START) is None and has_value


def _has_windows(layout: Layout) -> bool:
    return None not in (layout.place(START), layout.place(END), layout.place(*RATE))


def _is_bare(layout: Layout, n_columns: int) -> bool:
    return not layout.names and layout.n_columns == n_columns


def _most(layout: Layout, fits: Callable[[list[str]], bool]) -> bool:
    """Whether at least half of the first rows fit: one that does not is for the reader to name."""
    return 2 * sum(map(fits, layout.head)) >= len(layout.head)


def _holds_window(row: list[str], start: int) -> bool:
    cells = row[start : start + 2]
    return len(cells) == 2 and all(map(is_number, cells)) and float(cells[0]) < float(cells[1])


def _is_plink(layout: Layout) -> bool:
    def fits(row: list[str]) -> bool:
        return len(row) == 4 and is_number(row[2]) and bool(WHOLE.fullmatch(row[3]))

    return (
        _is_bare(layout, 4) and _most(layout, fits) and not _most(layout, lambda row: _holds_window(row, 1))
    )


def _is_ldhat_rates(layout: Layout) -> bool:
    """The first line counts the rows and their columns (LDhat's manual, `interval`)."""
    return (
        not layout.names
        and len(layout.head) > 1
        and len(layout.head[0]) == 2
        and layout.head[0][1] == str(len(layout.head[1]))
    )


# the first that fits is the format, so the ones that need more come first
FORMATS = {
    "tfbind": Format(
        "own", "per-bp", "the table that tfbind writes", lambda layout: set(COLUMNS) <= set(layout.names)
    ),
    "ldhelmet": Format(
        "windows",
        "rho",
        "left_snp right_snp mean ... (post_to_text)",
        lambda layout: {"left_snp", "right_snp", "mean"} <= _names(layout),
    ),
    "ldhat": Format(
        "ldhat",
        "rho",
        "Loci Mean_rho ... (res.txt)",
        lambda layout: {"loci", "mean_rho"} <= _names(layout),
    ),
    "ldhat-rates": Format("ldhat_rates", "rho", "rates.txt, with --positions", _is_ldhat_rates),
    "fasteprr": Format(
        "windows",
        "rho",
        "Start End Rho [CIL CIR]",
        # as FastEPRR spells them: its rho is of a window, where that of others is of a base
        lambda layout: {"Start", "End", "Rho"} <= set(layout.names),
    ),
    "ismc": Format(
        "windows",
        "rho",
        "chrom chromStart chromEnd sample_mean",
        lambda layout: _has_windows(layout) and layout.place(ISMC_RHO) is not None,
    ),
    "mareymap": Format(
        "points", None, "set map mkr phys gen vld", lambda layout: {"phys", "gen"} <= _names(layout)
    ),
    "gmap": Format(
        "points",
        None,
        "pos chr cM",
        lambda layout: _has_points(layout) and layout.place(*RATE) is None,
    ),
    "hapmap": Format(
        "points", "cM/Mb", "[Chromosome] Position(bp) Rate(cM/Mb) Map(cM); also Eagle's", _has_points
    ),
    "plink": Format("points", None, "without a header: chr id cM bp", _is_plink),
    "bedgraph": Format(
        "windows",
        None,
        "without a header: chrom start end rate",
        lambda layout: _is_bare(layout, 4) and _most(layout, lambda row: _holds_window(row, 1)),
    ),
    "pyrho": Format(
        "windows",
        None,
        "without a header: start end rate",
        lambda layout: _is_bare(layout, 3) and _most(layout, lambda row: _holds_window(row, 0)),
    ),
    "windows": Format(
        "windows",
        None,
        "a header that names [chrom] start end and a rate, such as deCODE's, ReLERNN's and fastrho's",
        _has_windows,
    ),
}
# other names for a format, and the unit that they stand for
ALIASES = {"eagle": "hapmap", "decode": "windows", "fastrho": "windows", "tsv": "windows"}


def known_formats() -> str:
    """List the formats with their columns, for an error."""
    return "; ".join(f"{name} ({each.columns})" for name, each in FORMATS.items())


def find_format(path: Path, layout: Layout, name: str | None = None) -> str:
    """Find the format of a file.

    Parameters
    ----------
    path : Path
        For the error.
    layout : Layout
        From `tfbind.recombination.maps.layout.read_layout`.
    name : str, optional
        A key of FORMATS or ALIASES, if it is known.

    Raises
    ------
    TfbindError
        If it is none of FORMATS, or lacks the columns of the format that is given.
    """
    what = " ".join(layout.names) if layout.names else f"{' '.join(layout.head[0])[:60]} (no header)"
    if name is None:
        found = next((key for key, each in FORMATS.items() if each.shows(layout)), None)
        if found is None:
            raise TfbindError(f"{path}: found the columns {what!r}, expected one of {known_formats()}")
        return found
    name = ALIASES.get(name, name)
    if not _allows(name, layout):
        raise TfbindError(f"{path}: found the columns {what!r}, expected {name}: {FORMATS[name].columns}")
    return name


def _allows(name: str, layout: Layout) -> bool:
    """Whether a file can be read as a format that the user names, though its own first rows do not decide."""
    if not layout.names and name in ("plink", "bedgraph", "pyrho"):
        return _is_bare(layout, 3 if name == "pyrho" else 4)
    return FORMATS[name].shows(layout)
