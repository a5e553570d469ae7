"""Maps in the formats of other programs."""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from tfbind.files import open_text, sha256, whole_folder, write_text
from tfbind.recombination.maps.points import gaps_path
from tfbind.recombination.maps.table import finest
from tfbind.recombination.maps.writing import write_hapmap
from tfbind.steps import StepFunction

logger = logging.getLogger(__name__)

# of a folder of maps, as sha256sum writes and checks it: so that a later run knows its own files from a user's
CHECKSUMS = ".tfbind.sha256"


def hapmap_name(contig: str) -> str:
    """Name a contig's file; what a file name must not hold, or a shell would read, is percent-encoded."""
    name = quote(contig, safe="+@,=:")
    return f"{'%2E' + name[1:] if name.startswith('.') else name}.txt"


def write_hapmap_folder(folder: Path, table: pd.DataFrame) -> None:
    """Write the finest scale of a map, HapMap format, a file a contig; a contig without any rate has none.

    The folder is written whole or not at all (`tfbind.files.whole_folder`). Files of contigs that this map has not are
    removed if an earlier run has written them and nobody has changed them since, which the file CHECKSUMS tells; of
    others it is said that they are there.

    Parameters
    ----------
    folder : Path
    table : DataFrame
        As `tfbind.recombination.maps.table` describes it, rates per bp per generation.
    """
    written: list[Path] = []
    former = _checksums(folder / CHECKSUMS)
    with whole_folder(folder) as temporary:
        for contig, rows in finest(table).groupby("chrom", sort=False):
            if rows["rate"].notna().any():
                steps = StepFunction.from_intervals(rows["start"], rows["end"], rows["rate"])
                written += write_hapmap(temporary / hapmap_name(str(contig)), {str(contig): steps})
        write_text(temporary / CHECKSUMS, "".join(f"{sha256(path)}  {path.name}\n" for path in written))
    names = {path.name for path in written}
    for name in names:
        # gaps of an earlier map would be read as those of this one
        if (beside := gaps_path(Path(name)).name) not in names:
            (folder / beside).unlink(missing_ok=True)
    _remove_stale(folder, names, former)


def _remove_stale(folder: Path, written: set[str], former: list[tuple[str, str]]) -> None:
    ours = [*sorted(folder.glob("*.txt")), *sorted(folder.glob("*.gaps.bed"))]
    others = {path.name: path for path in ours if path.name not in written}
    for digest, name in former:
        if name in others and others[name].is_file() and sha256(others[name]) == digest:
            others.pop(name).unlink()
            logger.info("%s: removed, as this map has no rates of its contig", folder / name)
    if others:
        names = f"{', '.join(list(others)[:5])}{' ...' * (len(others) > 5)}"
        logger.warning("%s: not of this map, and left as they are: %s", folder, names)


def _checksums(path: Path) -> list[tuple[str, str]]:
    if not path.is_file():
        return []
    with open_text(path) as lines:
        return [(digest, name) for digest, _, name in (line.rstrip("\n").partition("  ") for line in lines)]
