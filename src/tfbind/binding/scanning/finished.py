"""A finished table of scores: whether it is that of a FASTA, and what is read off it and written beside it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfbind.binding.model.model import BindingModel
from tfbind.binding.scanning.bigwig import TrackOptions, track_paths, write_tracks
from tfbind.binding.scanning.calls import CallOptions, write_calls
from tfbind.binding.scanning.score_table import (
    read_blocks,
    read_factors,
    read_rows,
    records_of,
    spread_columns,
)
from tfbind.binding.scanning.site_files import (
    SiteOptions,
    open_site_files,
    site_paths,
    summary_path,
    write_sites,
)
from tfbind.binding.scanning.windows import window_starts
from tfbind.dna.fasta import read_fasta
from tfbind.errors import TfbindError
from tfbind.files import check_output, whole_output
from tfbind.tables import open_table

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Beside:
    """Files that are read off a table.

    calls : CallOptions or None
    tracks : TrackOptions or None
        Only of a FASTA in which each name comes once, and not of best windows.
    sites : SiteOptions or None
        Only of the windows of its FASTA and stride, and not of best windows.
    """

    calls: CallOptions | None = None
    tracks: TrackOptions | None = None
    sites: SiteOptions | None = None

    def check(self, factors: Sequence[str]) -> None:
        """Refuse names of files that cannot be written, before anything is scored."""
        if self.calls is not None:
            check_output(self.calls.bed)
        if self.tracks is not None:
            # those of several factors have names of their own
            for path in track_paths(self.tracks.bigwig, factors):
                check_output(path)
        if self.sites is not None:
            for path in site_paths(self.sites.path, factors):
                check_output(path)
                check_output(summary_path(path))

    def write(self, table: Path, model: BindingModel, batch_size: int, together: ExitStack) -> None:
        """Write the files, which get their names when ``together`` is left."""
        factors = model.card.tasks
        if self.calls is not None:
            bed = together.enter_context(open_table(self.calls.bed))
            n_calls = write_calls(table, factors, self.calls, bed)
            logger.info("%s: %s calls", self.calls.bed, f"{n_calls:,}")
        if self.tracks is not None:
            paths = [
                together.enter_context(whole_output(path))
                for path in track_paths(self.tracks.bigwig, factors)
            ]
            write_tracks(table, factors, self.tracks, model.card.encoding.length, paths)
        if self.sites is not None:
            files = [open_site_files(together, path) for path in site_paths(self.sites.path, factors)]
            write_sites(table, model, self.sites, batch_size, files)


def write_beside(table: Path, model: BindingModel, beside: Beside, batch_size: int) -> None:
    """Write what is read off a finished table: all files or none."""
    beside.check(model.card.tasks)
    with ExitStack() as together:
        beside.write(table, model, batch_size, together)


def stride_of_table(table: Path, model: BindingModel, fasta: Path) -> int:
    """Find the stride of a finished table, and refuse one that is not of the windows of a FASTA.

    Raises
    ------
    TfbindError
        If factors, records or windows are others than those of the model and the FASTA, every stride alike.
    """
    length, factors = model.card.encoding.length, model.card.tasks
    _check_factors(table, model)
    stride = length
    for record in records_of(read_blocks(table, len(factors))):
        if len(record.start) > 1:
            stride = int(record.start[1])
        # the last window of a record may come sooner
        if len(record.start) > 2:
            break
    sequences = read_fasta(fasta)
    for record in records_of(read_blocks(table, len(factors))):
        name, letters = next(sequences, ("", ""))
        starts = window_starts(len(letters), length, max(stride, 1))
        if record.id != name or not np.array_equal(record.start, starts):
            raise TfbindError(
                f"{table}: its windows of {record.id!r} are not those of record {name!r} of {fasta}, expected the"
                " table that tfbind predict wrote for this FASTA, without --best"
            )
    if (left := next(sequences, None)) is not None:
        raise TfbindError(f"{table}: has no windows of record {left[0]!r} of {fasta}: is it cut off?")
    return stride


def check_best_windows(table: Path, model: BindingModel, fasta: Path) -> None:
    """Refuse a finished table that does not have one window of each record of a FASTA.

    Raises
    ------
    TfbindError
    """
    length = model.card.encoding.length
    _check_factors(table, model)
    sequences = read_fasta(fasta)
    for row in read_rows(table, len(model.card.tasks)):
        name, letters = next(sequences, ("", ""))
        size = min(length, len(letters))
        if row.id != name or row.end - row.start != size or not 0 <= row.start <= len(letters) - size:
            raise TfbindError(
                f"{table}: its row of {row.id!r} is not the best window of record {name!r} of {fasta}, expected the"
                " table that tfbind predict --best wrote for this FASTA"
            )
    if (left := next(sequences, None)) is not None:
        raise TfbindError(f"{table}: has no window of record {left[0]!r} of {fasta}: is it cut off?")


def _check_factors(table: Path, model: BindingModel) -> None:
    factors = list(model.card.tasks)
    if (found := read_factors(table)) not in (factors, [*factors, *spread_columns(factors)]):
        raise TfbindError(
            f"{table}: has scores of {', '.join(found)}, expected {', '.join(factors)} as {model.path} has"
        )
