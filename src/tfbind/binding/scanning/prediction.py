"""Score sequences in bulk: a stream from FASTA or peaks to a table, with a row for whatever comes in."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from tfbind.binding.model.model import BindingModel
from tfbind.binding.scanning.best import BestOfRecord, Ends, is_ends
from tfbind.binding.scanning.finished import Beside
from tfbind.binding.scanning.score_table import table_header, table_rows
from tfbind.binding.scanning.shards import Piece, ends_line
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
from tfbind.progress import Progress
from tfbind.resume.entries import is_count
from tfbind.resume.journal import Resume
from tfbind.resume.table import PartialTable, resumable

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


def predict(
    model: BindingModel,
    windows: Iterable[Portion],
    output: Path,
    *,
    best: bool,
    batch_size: int,
    piece: Piece | None = None,
    beside: Beside | None = None,
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
        Write this piece of the table only, and nothing beside it.
    beside : Beside or None
        What else to write, which is read off the whole table.
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
    if uncertainty:
        model.check_uncertainty()
    if beside is not None:
        beside.check(model.card.tasks)
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
        if beside is not None:
            beside.write(table.path, model, batch_size, together)
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
    ends = state.get("best")
    return (
        (ends is None or (isinstance(ends, dict) and is_ends(ends)))
        and isinstance(counts, dict)
        and "windows" in counts
        and all(map(is_count, counts.values()))
        and is_count(state.get("groups"))
        and isinstance(first_of_note, dict)
        and all(isinstance(name, str) for name in first_of_note.values())
    )


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
    ends = table.state.get("best")
    highest = BestOfRecord(len(model.card.tasks), None if ends is None else Ends.of(ends)) if best else None
    # what does not belong in the input is named
    first_of_note: dict[str, str] = dict(table.state.get("first_of_note", {}))

    def state() -> dict[str, Any]:
        more = {"first_of_note": dict(first_of_note)} if first_of_note else {}
        return {
            "groups": n_groups,
            "counts": dict(counts),
            "best": highest.ends._asdict() if highest else None,
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
            # the line of a record that began before has a block of its own: see `tfbind.binding.scanning.shards`
            for lines in highest.keep(some, scores) if highest else [table_rows(some, scores)]:
                table.lines.writelines(lines)
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
        table.lines.writelines(highest.finish() if piece is None else [ends_line(highest.ends)])
    table.finish(state())
