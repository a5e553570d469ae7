"""Maps in the formats of other programs."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import msprime
import numpy as np
import pandas as pd

from tfbind.genotypes.hapmap import write_hapmap
from tfbind.recombination.map_table import finest


def hapmap_name(contig: str) -> str:
    """Name a contig's file; what a file name must not hold, or a shell would read, is percent-encoded."""
    name = quote(contig, safe="+@,=:")
    return f"{'%2E' + name[1:] if name.startswith('.') else name}.txt"


def write_hapmap_folder(folder: Path, table: pd.DataFrame) -> None:
    """Write the finest scale of a map, HapMap format, a file a contig; a contig without any rate has none.

    Parameters
    ----------
    folder : Path
    table : DataFrame
        As `tfbind.recombination.map_table` describes it, rates per bp per generation.
    """
    for contig, rows in finest(table).groupby("chrom", sort=False):
        if rows["rate"].notna().any():
            write_hapmap(folder / hapmap_name(str(contig)), {str(contig): _rate_map(rows)})


def _rate_map(rows: pd.DataFrame) -> msprime.RateMap:
    edges = np.append(rows["start"].to_numpy(), rows["end"].to_numpy()[-1])
    rate = rows["rate"].to_numpy(float)
    if edges[0] > 0:
        edges, rate = np.insert(edges, 0, 0), np.insert(rate, 0, np.nan)
    return msprime.RateMap(position=edges, rate=rate)
