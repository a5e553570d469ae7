"""Score sequences in bulk: a stream from FASTA or peaks to a table, with a row for whatever comes in."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import numpy as np

from tfbind.binding.calls import CallOptions, write_calls
from tfbind.binding.model import BindingModel
from tfbind.binding.score_table import LineWriter, is_packed, open_table, table_header, table_rows
from tfbind.binding.tracks import TrackOptions, track_paths, write_tracks
from tfbind.binding.windows import ALL_AMBIGUOUS, PADDED, ROWS_AT_ONCE, TOO_SHORT, Windows, gather
from tfbind.files import whole_output
from tfbind.progress import Progress

logger = logging.getLogger(__name__)


def score(model: BindingModel, windows: Windows, batch_size: int) -> np.ndarray:
    """Score windows: (n, tasks) float64, NaN where nothing can be said."""
    scored = np.array([note in ("", PADDED) for note in windows.note])
    scores = np.full((len(scored), len(model.card.tasks)), np.nan)
    if scored.any():
        valid_length = (windows.end - windows.start).astype(np.int32)
        scores[scored] = model.probabilities(windows.codes[scored], valid_length[scored], batch_size)
    return scores


class BestOfRecord:
    """Keep each record's highest window (of the highest factor); a record's first window starts at base 0."""

    def __init__(self) -> None:
        self._highest = -np.inf
        self._line: str | None = None

    def keep(self, windows: Windows, scores: np.ndarray) -> list[str]:
        """Take windows in; give the lines of the records that have ended."""
        highest = np.where(np.isnan(scores), -1.0, scores).max(axis=1)
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
    windows: Iterable[Windows],
    output: Path,
    *,
    best: bool,
    batch_size: int,
    calls: CallOptions | None = None,
    tracks: TrackOptions | None = None,
) -> dict[str, int]:
    """Score windows and write the table: id, start, end, a column a factor, note.

    What else is to be written is read off the table, and all files appear together.

    Parameters
    ----------
    model : BindingModel
    windows : iterable of Windows
        From `tfbind.binding.windows`; memory holds some thousand at a time.
    output : Path
    best : bool
        Keep each record's highest window only.
    batch_size : int
        Windows that the engine sees at a time.
    calls : CallOptions or None
    tracks : TrackOptions or None
        Only where ``windows`` are those of a FASTA in which each name comes once, and not with ``best``.

    Returns
    -------
    dict
        How many windows there were, and how many of them with each note.
    """
    with ExitStack() as together:
        temporary = together.enter_context(whole_output(output))
        with open(temporary, "wb") as handle:
            table = LineWriter(handle, is_packed(output))
            counts = score_all(model, windows, table, best=best, batch_size=batch_size)
            table.finish()
        if calls is not None:
            bed = together.enter_context(open_table(calls.bed))
            n_calls = write_calls(temporary, model.card.tasks, calls, bed)
            logger.info("%s: %s calls", calls.bed, f"{n_calls:,}")
        if tracks is not None:
            paths = [
                together.enter_context(whole_output(path))
                for path in track_paths(tracks.bigwig, model.card.tasks)
            ]
            write_tracks(temporary, model.card.tasks, tracks, model.card.encoding.length, paths)
    noted = ", ".join(f"{n:,} {note}" for note, n in counts.items() if n and note != "windows")
    logger.info("%s windows%s", f"{counts['windows']:,}", f", of them {noted}" if noted else "")
    return counts


def score_all(
    model: BindingModel, windows: Iterable[Windows], table: LineWriter, *, best: bool, batch_size: int
) -> dict[str, int]:
    """Score windows and write the lines of the table; give what `predict` does."""
    counts = {"windows": 0, PADDED: 0, TOO_SHORT: 0, ALL_AMBIGUOUS: 0}
    highest = BestOfRecord() if best else None
    table.write(table_header(model.card.tasks))
    with Progress("scoring", unit="windows") as progress:
        for some in gather(windows, ROWS_AT_ONCE):
            scores = score(model, some, batch_size)
            table.writelines(highest.keep(some, scores) if highest else table_rows(some, scores))
            counts["windows"] += len(some.id)
            for note in filter(None, some.note):
                counts[note] += 1
            progress.update(len(some.id))
    if highest:
        table.writelines(highest.finish())
    return counts
