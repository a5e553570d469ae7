"""Maps of LDhat (McVean 2004, Auton 2007): what `stat` and `interval` write.

Rates are 4 Ne r between a site and the next one, per kb where the sites' positions are in kb, as the manual asks.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfbind.errors import TfbindError
from tfbind.files import open_text
from tfbind.recombination.maps.layout import (
    LARGEST_POSITION,
    LARGEST_QUANTITY,
    Layout,
    is_number,
    quantities,
    read_columns,
    refuse,
)

BP_PER_KB = 1000


def read_summary(path: Path, layout: Layout, sites: NDArray[np.float64] | None = None) -> pd.DataFrame:
    """Read `res.txt`: the mean rate after each site.

    Parameters
    ----------
    path : Path
    layout : Layout
    sites : (n,) float64, optional
        Positions in kb, of `read_sites`; without them the last interval, whose end the file does not hold, is left
        out.

    Returns
    -------
    DataFrame
        ``chrom`` : empty; ``start``, ``end`` : int64, bp; ``rate`` : float64, 4 Ne r per bp.

    Raises
    ------
    TfbindError
        If a cell is not a number, or the file was made without positions.
    """
    names = [name.lower() for name in layout.names]
    table = read_columns(path, layout, {"at": names.index("loci"), "rate": names.index("mean_rho")})
    at = pd.to_numeric(table["at"], errors="coerce").astype(np.float64)
    refuse(path, layout, at.isna(), "a position in kb")
    rate = quantities(path, layout, table["rate"], "a rate of at least 0")
    # the first row sums up the region, at -1 or, without positions, at 0
    if at.iloc[0] != -1:
        raise TfbindError(
            f"{path}: its sites are numbered and have no positions; run LDhat's stat with -loc, or give --positions"
            " and rates.txt"
        )
    found = at.to_numpy()[1:]
    if sites is None:
        return _between(path, found, rate.to_numpy()[1:-1])
    if len(sites) != len(found) + 1:
        raise TfbindError(f"{path}: has {len(found)} intervals, but --positions lists {len(sites)} sites")
    return _between(path, sites, rate.to_numpy()[1:])


def read_rates(path: Path, sites: NDArray[np.float64] | None) -> pd.DataFrame:
    """Read `rates.txt`, the samples of the chain, and average them without the first tenth.

    Parameters and result are those of `read_summary`, but that the positions must be given.

    Raises
    ------
    TfbindError
        If the positions are missing or of another number, or the file is not as its first line says.
    """
    if sites is None:
        raise TfbindError(f"{path}: has no positions; give LDhat's file of sites as --positions")
    with open_text(path) as lines:
        first = lines.readline().split()[:2]
        if len(first) < 2 or not all(map(_is_count, first)):
            raise TfbindError(
                f"{path}: line 1: found {' '.join(first)[:60]!r}, expected the numbers of rows and columns"
            )
        n_rows, n_columns = map(int, first)
        rows = []
        for number, line in enumerate(lines, 2):
            words = line.split()
            if not words:
                continue
            if len(words) != n_columns or not all(map(_is_quantity, words)):
                raise TfbindError(
                    f"{path}: line {number}: found {line.strip()[:60]!r}, expected {n_columns} numbers of at"
                    " least 0, as line 1 says"
                )
            rows.append([float(word) for word in words])
    if len(rows) != n_rows:
        raise TfbindError(f"{path}: found {len(rows)} samples, expected {n_rows}, as line 1 says")
    if len(sites) != n_columns:
        raise TfbindError(f"{path}: has {n_columns - 1} intervals, but --positions lists {len(sites)} sites")
    burn_in = n_rows // 10
    return _between(path, sites, np.array(rows)[burn_in:, 1:].mean(0))


def read_sites(path: Path) -> NDArray[np.float64]:
    """Read LDhat's file of sites: their number, the length and L or C, then a position in kb each: (n,) float64.

    Raises
    ------
    TfbindError
        If it is not such a file.
    """
    with open_text(path) as lines:
        words = lines.read().split()
    is_headed = len(words) > 3 and _is_count(words[0]) and words[2].upper() in ("L", "C")
    if not is_headed or not all(map(_is_quantity, words[3:])):
        raise TfbindError(
            f"{path}: found {' '.join(words[:4])[:60]!r}, expected LDhat's sites: number, length, L, positions"
        )
    sites = np.array([float(word) for word in words[3:]])
    if len(sites) != int(words[0]):
        raise TfbindError(f"{path}: found {len(sites)} positions, expected {words[0]}, as line 1 says")
    return sites


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 16


def _is_quantity(text: str) -> bool:
    return is_number(text) and 0 <= float(text) <= LARGEST_QUANTITY


def _between(path: Path, sites: NDArray[np.float64], rate: NDArray[np.float64]) -> pd.DataFrame:
    """Give the intervals between sites, in bp and 0-based: what is in kb has at most three decimals."""
    at = np.round(sites * BP_PER_KB).astype(np.int64) - 1
    if len(at) < 2 or (np.diff(at) <= 0).any() or at[0] < -1 or at[-1] > LARGEST_POSITION:
        raise TfbindError(
            f"{path}: found {sites[:3].tolist()} ... as positions, expected ascending ones in kb"
        )
    at = np.maximum(at, 0)
    return pd.DataFrame({"chrom": "", "start": at[:-1], "end": at[1:], "rate": rate / BP_PER_KB})
