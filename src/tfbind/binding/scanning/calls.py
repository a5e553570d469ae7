"""Calls: where windows score at or above a threshold, read off the finished table as BED."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tfbind.binding.model.model import BindingModel
from tfbind.binding.scanning.score_table import DIGITS, Row, read_rows
from tfbind.errors import TfbindError
from tfbind.tables import LineWriter

LINES_AT_ONCE = 8192


@dataclass
class Call:
    """Called windows of one record and factor that overlap or touch; 0-based, half-open.

    score : float
        Of the highest window.
    """

    id: str
    start: int
    end: int
    factor: str
    score: float


@dataclass(frozen=True)
class CallOptions:
    """Which windows to call.

    bed : Path
        The file to write.
    thresholds : a score a factor, from which on a window is called
    one_a_row : bool
        Whether each row of the table is a record of its own, as with peaks and best windows: none are merged.
    genomic : bool
        Whether rows are named as `tfbind.dna.peaks.Window.record_id`: their contig is what BED names.
    """

    bed: Path
    thresholds: Sequence[float]
    one_a_row: bool = False
    genomic: bool = False


def choose_thresholds(model: BindingModel, threshold: float | None, prevalence: float | None) -> list[float]:
    """Give a threshold a factor: the one that is given, or those that the model brings along.

    Raises
    ------
    TfbindError
        If the model's own are asked for beside a prevalence, as they were chosen for that of the training.
    """
    if threshold is not None:
        return [threshold] * len(model.card.tasks)
    if prevalence is not None:
        raise TfbindError(
            "the model's own thresholds were chosen for the bound share of its training, so --threshold auto does not"
            " go with --prevalence; expected a number (0.5: more likely bound than not)"
        )
    return list(model.card.threshold)


def as_printed(score: float) -> float:
    """Round a threshold as the table rounds scores, so that a window which is right at it is called."""
    return float(f"{score:.{DIGITS}g}")


def find_calls(
    rows: Iterable[Row], factors: Sequence[str], thresholds: Sequence[float], *, one_a_row: bool
) -> Iterator[Call]:
    """Find the calls: records as they come, in each by start and then in the order of the factors.

    Parameters
    ----------
    rows : iterable of Row
        A record's first window starts at base 0 and the others follow by their start.
    factors, thresholds : of the same length
    one_a_row : bool
        See `CallOptions`.
    """
    # in the order of their starts: a call that has ended waits for those in front of it
    waiting: deque[Call] = deque()
    latest: dict[str, Call] = {}
    for row in rows:
        # a name may be given twice, so it is the start that tells where another record begins
        if one_a_row or row.start == 0:
            yield from waiting
            waiting.clear()
            latest.clear()
        for factor, threshold, score in zip(factors, thresholds, row.scores, strict=True):
            call = latest.get(factor)
            if call is not None and call.end < row.start:
                del latest[factor]
                call = None
            if score >= threshold:
                if call is None:
                    latest[factor] = Call(row.id, row.start, row.end, factor, score)
                    waiting.append(latest[factor])
                else:
                    call.end, call.score = row.end, max(call.score, score)
        while waiting and latest.get(waiting[0].factor) is not waiting[0]:
            yield waiting.popleft()
    yield from waiting


def contig_of(record_id: str) -> str:
    """``chr1`` out of ``name::chr1:90-150``."""
    return record_id.rpartition("::")[2].rpartition(":")[0]


def bed_line(call: Call, genomic: bool) -> str:
    """Format a call: contig, start, end, factor, score from 0 to 1000, and no strand, as both share a score."""
    chrom = contig_of(call.id) if genomic else call.id
    return f"{chrom}\t{call.start}\t{call.end}\t{call.factor}\t{round(1000 * call.score)}\t.\n"


def write_calls(table: Path, factors: Sequence[str], options: CallOptions, bed: LineWriter) -> int:
    """Read the calls off a finished table and write them; return how many there are."""
    thresholds = [as_printed(threshold) for threshold in options.thresholds]
    calls = find_calls(read_rows(table, len(factors)), factors, thresholds, one_a_row=options.one_a_row)
    n = 0
    while some := [bed_line(call, options.genomic) for call in islice(calls, LINES_AT_ONCE)]:
        bed.writelines(some)
        n += len(some)
    return n
