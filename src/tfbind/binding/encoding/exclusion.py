"""Records of FASTA files that lie in regions that no record may touch, by the coordinates in their headers."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from tfbind.binding.encoding.sources import Source
from tfbind.contigs import Contigs
from tfbind.dna.coordinates import Interval, parse_coordinates
from tfbind.dna.fasta import Batch, read_records
from tfbind.dna.matched import read_intervals, touches
from tfbind.errors import TfbindError

logger = logging.getLogger(__name__)

EXCLUDED_RECORDS = "records whose coordinates touch excluded regions, left out"


def without_excluded(sources: Sequence[Source], exclude: Path) -> tuple[list[Source], int]:
    """Leave out the records whose interval touches an excluded region.

    Records without coordinates have no place, so they are kept, and a warning counts them.

    Parameters
    ----------
    sources : sequence of Source
        Of FASTA files.
    exclude : Path
        BED; its contigs may be spelled otherwise, see `tfbind.contigs.Contigs`.

    Returns
    -------
    sources : list of Source
        Without these records.
    n : int
        How many are left out.

    Raises
    ------
    TfbindError
        If no header has coordinates, if the regions are on none of the contigs that headers name, or if no record of
        a source is left.
    """
    files = ", ".join(str(source.path) for source in sources)
    intervals = [[parse_coordinates(header) for header, _ in read_records(source.path)] for source in sources]
    placed = [interval for found in intervals for interval in found if interval]
    if not placed:
        raise TfbindError(
            f"--exclude {exclude}: no header of {files} has coordinates, such as chr1:1000-1101, so nothing is known of"
            " where its records lie"
        )
    if n_unplaced := sum(len(found) for found in intervals) - len(placed):
        logger.warning(
            "%s: %s headers have no coordinates, so these records are kept, wherever they lie",
            files,
            n_unplaced,
        )
    excluded = _by_contig_of_headers(exclude, dict.fromkeys(interval[0] for interval in placed), files)
    n = 0
    for source, found in zip(sources, intervals, strict=True):
        n_left_out = int(_touching(found, excluded).sum())
        if n_left_out == len(found):
            raise TfbindError(f"{source.path}: all {n_left_out:,} records touch {exclude}, so none is left")
        n += n_left_out
    return [_filtered(source, excluded) for source in sources], n


def _by_contig_of_headers(exclude: Path, contigs: dict[str, None], files: str) -> dict[str, np.ndarray]:
    regions = read_intervals(exclude)
    here = Contigs(regions, exclude)
    here.expect(contigs)
    # several spellings in the headers may be one contig of the regions
    found = {contig: regions[name] for contig in contigs if (name := here.find(contig)) is not None}
    if regions and not found:
        here.match(contigs, f"headers of {files}")
    return found


def _touching(intervals: Sequence[Interval | None], excluded: Mapping[str, np.ndarray]) -> np.ndarray:
    """Tell which intervals share a base with an excluded region: (n,) bool, False where there is none."""
    found = np.zeros(len(intervals), bool)
    for contig, regions in excluded.items():
        rows = [row for row, interval in enumerate(intervals) if interval and interval[0] == contig]
        start = np.array([intervals[row][1] for row in rows], np.int64)  # type: ignore[index]
        end = np.array([intervals[row][2] for row in rows], np.int64)  # type: ignore[index]
        found[rows] = touches(start, end - start, regions)
    return found


def _filtered(source: Source, excluded: Mapping[str, np.ndarray]) -> Source:
    def batches() -> Iterator[Batch]:
        for batch in source.batches():
            rows = np.flatnonzero(~_touching(batch.intervals, excluded))
            if len(rows) == len(batch.names):
                yield batch
            elif len(rows):
                yield Batch(
                    [batch.names[row] for row in rows],
                    batch.codes[rows],
                    batch.valid_length[rows],
                    [batch.intervals[row] for row in rows],
                    None if batch.rows is None else batch.rows[rows],
                )

    return source._replace(batches=batches)
