"""Score sequences in bulk: a stream from FASTA or peaks to a table, with a row for whatever comes in."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from tfbind.binding.model.model import BindingModel
from tfbind.binding.scanning.bigwig import TrackOptions, track_paths, write_tracks
from tfbind.binding.scanning.calls import CallOptions, write_calls
from tfbind.binding.scanning.score_table import table_header, table_rows
from tfbind.binding.scanning.shards import Piece
from tfbind.binding.scanning.site_files import (
    SiteOptions,
    open_site_files,
    site_paths,
    summary_path,
    write_sites,
)
from tfbind.binding.scanning.windows import (
    ALL_AMBIGUOUS,
    INVALID,
    MALFORMED,
    PADDED,
    ROWS_AT_ONCE,
    TOO_SHORT,
    Portion,
    Windows,
    gather,
)
from tfbind.dna.peaks import NO_CONTIG, OFF_CONTIG
from tfbind.files import check_output, whole_output
from tfbind.progress import Progress
from tfbind.resume.entries import is_count
from tfbind.resume.journal import Resume
from tfbind.resume.table import PartialTable, resumable
from tfbind.tables import open_table

logger = logging.getLogger(__name__)

# notes of what does not belong in the input
FAULTS = {INVALID, MALFORMED, NO_CONTIG, OFF_CONTIG}


def score(
    model: BindingModel, groups: Iterable[Windows], batch_size: int, *, uncertainty: bool = False
) -> Iterator[tuple[Windows, np.ndarray]]:
    """Score groups of windows: each group, and (n, tasks) float64, NaN where nothing can be said.

    With ``uncertainty`` the spreads over members stand beside the scores: (n, 2 * tasks). A group is read while the
    model is at work on the one before, and that is still so while the caller writes.
    """
    waiting: deque[tuple[Windows, np.ndarray, np.ndarray]] = deque()

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for windows in groups:
            unknown = np.array([note not in ("", PADDED) for note in windows.note])
            # of a group without a score one window goes along, so that groups do not pile up here
            rows = np.flatnonzero(~unknown) if not unknown.all() else np.zeros(1, int)
            waiting.append((windows, rows, unknown))
            # peaks without a window may be longer than one
            valid_length = np.clip(windows.end - windows.start, 1, windows.codes.shape[1]).astype(np.int32)
            for first in range(0, len(rows), batch_size):
                some = rows[first : first + batch_size]
                yield windows.codes[some], valid_length[some]

    found = model.stream(batches(), uncertainty=uncertainty)
    n_columns = len(model.card.tasks) * (2 if uncertainty else 1)
    for first_batch in found:
        windows, rows, unknown = waiting.popleft()
        scores = np.full((len(unknown), n_columns), np.nan)
        scores[rows] = np.concatenate([first_batch, *islice(found, -(-len(rows) // batch_size) - 1)])
        scores[unknown] = np.nan
        yield windows, scores


class BestOfRecord:
    """Keep each record's highest window (of the highest factor); a record's first window starts at base 0.

    Columns of scores after those of ``n_factors`` are kept and not compared.
    """

    def __init__(self, n_factors: int, highest: float = -np.inf, line: str | None = None):
        self._n_factors = n_factors
        self._highest = highest
        self._line = line

    def state(self) -> tuple[float, str | None]:
        """Give what another one needs to go on."""
        return float(self._highest), self._line

    def keep(self, windows: Windows, scores: np.ndarray) -> list[str]:
        """Take windows in; give the lines of the records that have ended."""
        compared = scores[:, : self._n_factors]
        highest = np.where(np.isnan(compared), -1.0, compared).max(axis=1)
        # a name may be given twice, so it is the start that tells where another record begins
        firsts = np.flatnonzero(windows.start == 0).tolist()
        done = []
        for first, end in pairwise([*([] if firsts[:1] == [0] else [0]), *firsts, len(highest)]):
            if windows.start[first] == 0:
                done += self.finish()
            best = first + int(highest[first:end].argmax())
            if highest[best] > self._highest:
                self._highest = highest[best]
                self._line = table_rows(windows.rows(slice(best, best + 1)), scores[best : best + 1])[0]
        return done

    def finish(self) -> list[str]:
        """Give the line of the record that is open."""
        line, self._line, self._highest = self._line, None, -np.inf
        return [] if line is None else [line]


def predict(
    model: BindingModel,
    windows: Iterable[Portion],
    output: Path,
    *,
    best: bool,
    batch_size: int,
    piece: Piece | None = None,
    calls: CallOptions | None = None,
    tracks: TrackOptions | None = None,
    sites: SiteOptions | None = None,
    uncertainty: bool = False,
    fingerprint: Mapping[str, Any] | None = None,
    resume: Resume = False,
) -> dict[str, int]:
    """Score windows and write the table: id, start, end, a column a factor, one for its spread if asked for, note.

    What else is to be written is read off the table, and all files appear together. An interrupted run leaves a
    partial table, see `tfbind.resume.table.resumable`.

    Parameters
    ----------
    model : BindingModel
    windows : iterable of Portion
        From `tfbind.binding.scanning.windows`; memory holds some thousand at a time.
    output : Path
    best : bool
        Keep each record's highest window only.
    batch_size : int
        Windows that the engine sees at a time.
    piece : Piece or None
        Write this piece of the table only; not with ``best``, calls, tracks or sites, which take whole records.
    calls : CallOptions or None
    tracks : TrackOptions or None
        Only where ``windows`` are those of a FASTA in which each name comes once, and not with ``best``.
    sites : SiteOptions or None
        Only where ``windows`` are those of its FASTA and stride, and not with ``best``.
    uncertainty : bool
        Write the spread over an ensemble's members, too: see `tfbind.binding.model.model.spread`.
    fingerprint : mapping
        Whatever the table depends on.
    resume : bool or "anew"
        Continue where a run of the same fingerprint stopped; see `tfbind.resume.table.resumable`.

    Returns
    -------
    dict
        How many windows there were, and how many of them with each note.
    """
    factors = model.card.tasks
    if uncertainty:
        model.check_uncertainty()
    if tracks is not None:
        # those of several factors have names of their own
        for path in track_paths(tracks.bigwig, factors):
            check_output(path)
    if sites is not None:
        for path in site_paths(sites.path, factors):
            check_output(path)
            check_output(summary_path(path))
    with (
        resumable(output, fingerprint or {}, resume=resume, fits=_is_state) as table,
        ExitStack() as together,
    ):
        if not table.complete:
            score_all(
                model,
                windows,
                table,
                best=best,
                batch_size=batch_size,
                piece=piece,
                uncertainty=uncertainty,
            )
        counts = table.state["counts"]
        if calls is not None:
            bed = together.enter_context(open_table(calls.bed))
            n_calls = write_calls(table.path, factors, calls, bed)
            logger.info("%s: %s calls", calls.bed, f"{n_calls:,}")
        if tracks is not None:
            paths = [
                together.enter_context(whole_output(path)) for path in track_paths(tracks.bigwig, factors)
            ]
            write_tracks(table.path, factors, tracks, model.card.encoding.length, paths)
        if sites is not None:
            files = [open_site_files(together, path) for path in site_paths(sites.path, factors)]
            write_sites(table.path, model, sites, batch_size, files)
        first_of_note = table.state.get("first_of_note", {})
    noted = ", ".join(
        f"{n:,} {note}" + (f" (first: {first_of_note[note]})" if note in first_of_note else "")
        for note, n in counts.items()
        if n and note != "windows"
    )
    logger.info("%s windows%s", f"{counts['windows']:,}", f", of them {noted}" if noted else "")
    if 2 * counts.get(INVALID, 0) > counts["windows"]:
        logger.warning("most windows have letters that are not bases: is this DNA?")
    return counts


def _is_state(state: dict[str, Any]) -> bool:
    """Tell whether a state is one of `score_all`, and not of a damaged journal."""
    counts, first_of_note = state.get("counts"), state.get("first_of_note", {})
    match state.get("best"):
        case [] | [int() | float(), None | str()]:
            return (
                isinstance(counts, dict)
                and "windows" in counts
                and all(map(is_count, counts.values()))
                and is_count(state.get("groups"))
                and isinstance(first_of_note, dict)
                and all(isinstance(name, str) for name in first_of_note.values())
            )
    return False


def score_all(
    model: BindingModel,
    windows: Iterable[Portion],
    table: PartialTable,
    *,
    best: bool,
    batch_size: int,
    piece: Piece | None = None,
    uncertainty: bool = False,
) -> None:
    """Score windows and write the lines of the table or of a piece of it, from its latest checkpoint on."""
    counts = {"windows": 0, PADDED: 0, TOO_SHORT: 0, ALL_AMBIGUOUS: 0} | table.state.get("counts", {})
    n_groups = table.state.get("groups", 0)
    highest = BestOfRecord(len(model.card.tasks), *table.state.get("best", ())) if best else None
    # what does not belong in the input is named
    first_of_note: dict[str, str] = dict(table.state.get("first_of_note", {}))

    def state() -> dict[str, Any]:
        more = {"first_of_note": dict(first_of_note)} if first_of_note else {}
        return {
            "groups": n_groups,
            "counts": dict(counts),
            "best": highest.state() if highest else (),
        } | more

    if not table.state:
        if piece is not None:
            table.lines.write(piece.mark)
        if piece is None or piece.number == 1:
            table.lines.write(table_header(model.card.tasks, uncertainty=uncertainty))
        table.checkpoint(state())
    first, end = (piece.first, piece.end) if piece is not None else (0, None)
    with Progress("scoring", unit="windows") as progress:
        groups = islice(gather(windows, ROWS_AT_ONCE), first + n_groups, end)
        cut = (group.cut() for group in groups)
        for some, scores in score(model, cut, batch_size, uncertainty=uncertainty):
            table.lines.writelines(highest.keep(some, scores) if highest else table_rows(some, scores))
            counts["windows"] += len(some.id)
            for name, note in zip(some.id, some.note, strict=True):
                if note:
                    counts[note] = counts.get(note, 0) + 1
                    if note in FAULTS:
                        first_of_note.setdefault(note, name)
            n_groups += 1
            table.checkpoint(state())
            progress.update(len(some.id))
    if highest:
        table.lines.writelines(highest.finish())
    table.finish(state())
