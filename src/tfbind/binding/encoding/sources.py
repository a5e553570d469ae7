"""Where records come from: FASTA of positives and negatives, a labelled FASTA, or peaks in a genome."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from tfbind.binding.encoding.names import SUFFIX
from tfbind.binding.encoding.split_column import GROUP, SplitColumn
from tfbind.binding.encoding.table_lines import SPLIT
from tfbind.binding.options import EncodeOptions
from tfbind.dna.alphabet import AMBIGUOUS
from tfbind.dna.fasta import BATCH_RECORDS, Batch, encode_batch, encode_record, read_batches, read_fasta
from tfbind.dna.genome import Genome
from tfbind.dna.matched import draw_matched, read_intervals, touches
from tfbind.dna.peaks import (
    NO_CONTIG,
    OFF_CONTIG,
    BadLine,
    Peak,
    Window,
    describe_unplaced,
    merge_summits,
    place_peaks,
    read_peaks,
    strongest,
    windows_round_summits,
)
from tfbind.dna.splits import PARTS, TRAIN
from tfbind.errors import TfbindError
from tfbind.files import open_text

logger = logging.getLogger(__name__)

LABELS = {"1": 1.0, "0": 0.0, "": np.nan}


class Stated(NamedTuple):
    """What the user states of n records.

    part : (n,) uint8, or None
    group : list of n str, empty for a record of none, or None: records of one group stay in one part
    """

    part: np.ndarray | None
    group: list[str] | None


class Source(NamedTuple):
    """Records of one file that can be read as often as needed.

    path : Path
    batches : reads the records, batch by batch
    labels : from a batch to (n, tasks) float32
    invalid : what is wrong with the records that are left out, by their number; filled as they are read
    stated : from a batch to what the user states of it; None if that is nothing
    suffix : of a name that an earlier source has, too
    gets_negatives : whether negatives are made for its records, if any are made
    of_genome : whether contigs are named as in a genome that is read, so that each name is a contig of its own
    """

    path: Path
    batches: Callable[[], Iterator[Batch]]
    labels: Callable[[Batch], np.ndarray]
    invalid: dict[int, str] | None = None
    stated: Callable[[Batch], Stated] | None = None
    suffix: str = SUFFIX
    gets_negatives: bool = True
    of_genome: bool = False

    def renamed(self, new_names: Mapping[str, str]) -> Source:
        """Give the same records, some under new names; for a source whose labels do not depend on names."""

        def batches() -> Iterator[Batch]:
            for batch in self.batches():
                yield batch._replace(names=[new_names.get(name, name) for name in batch.names])

        return self._replace(batches=batches) if new_names else self

    def in_part(self, part: int) -> Source:
        """Give the same records, all of them stated to be in one part."""
        return self._replace(
            stated=lambda batch: Stated(np.full(len(batch.names), part, np.uint8), None),
            suffix=self.suffix if part == TRAIN else f"_{PARTS[part]}",
        )


def _all_labelled(value: float) -> Callable[[Batch], np.ndarray]:
    return lambda batch: np.full((len(batch.names), 1), value, np.float32)


def _fasta_batches(
    path: Path, length: int, skip_invalid: bool
) -> tuple[Callable[[], Iterator[Batch]], dict[int, str]]:
    invalid: dict[int, str] = {}
    return lambda: read_batches(path, length, invalid=invalid if skip_invalid else None), invalid


def fasta_source(path: Path, length: int, label: float, *, skip_invalid: bool = False) -> Source:
    """Records of a FASTA file, all of them bound (``label`` 1) or unbound (0)."""
    batches, invalid = _fasta_batches(path, length, skip_invalid)
    return Source(path, batches, _all_labelled(label), invalid)


class Labels(NamedTuple):
    """A table of labels.

    table : DataFrame, indexed by id, float32, NaN where unknown
    part : (n,) uint8, or None if no part is stated
    group : list of n str, or None if no group is
    """

    table: pd.DataFrame
    part: np.ndarray | None
    group: list[str] | None


def read_labels(path: Path) -> Labels:
    """Read a table of labels: ``id``, then one column a factor with 1, 0 or nothing; also ``split`` and ``group``.

    Raises
    ------
    TfbindError
        If the table has no ``id`` or no factor, an id or a factor twice, a line too long, or another value; if some
        records have a split and others do not.
    """
    with open_text(path) as handle:
        lines = ((number, line) for number, line in enumerate(handle, start=1) if line.strip())
        number, header = next(lines, (1, ""))
        columns = [column.strip() for column in header.split("\t")]
        factors = [column for column in columns[1:] if column not in (SPLIT, GROUP)]
        if columns[0] != "id" or not factors or "" in columns or len(set(columns)) < len(columns):
            raise TfbindError(
                f"{path}: line {number}: found columns {', '.join(map(repr, columns))}, expected id and one column"
                " a factor, separated by tabs, each once"
            )
        values: dict[str, list[float]] = {}
        stated, group = SplitColumn(path), []
        for number, line in lines:
            name, *found = (cell.strip() for cell in line.split("\t"))
            if not name or name in values:
                raise TfbindError(
                    f"{path}: line {number}: id {name!r} is {'given twice' if name else 'empty'}"
                )
            if len(found) >= len(columns):
                raise TfbindError(
                    f"{path}: line {number}: found {len(found) + 1} columns, expected {len(columns)}"
                )
            # an editor may have taken tabs off the end of the line
            found += [""] * (len(columns) - 1 - len(found))
            cells = dict(zip(columns[1:], found, strict=True))
            if SPLIT in cells:
                stated.add(cells[SPLIT], number)
            group.append(cells.get(GROUP, ""))
            for factor in factors:
                if cells[factor] not in LABELS:
                    raise TfbindError(
                        f"{path}: line {number}: {factor} is {cells[factor]!r}, expected 1, 0 or nothing"
                    )
            values[name] = [LABELS[cells[factor]] for factor in factors]
    table = np.array(list(values.values()), np.float32).reshape(-1, len(factors))
    frame = pd.DataFrame(table, index=list(values), columns=factors)
    return Labels(frame, stated.finish(), group if any(group) else None)


def labelled_source(
    fasta: Path, labels: Path, length: int, *, skip_invalid: bool = False
) -> tuple[Source, tuple[str, ...], dict[str, int]]:
    """Records of a FASTA file with labels for several factors.

    Returns
    -------
    source : Source
    factors : tuple of str
    counts : dict
        How many labels have no record, for the summary.
    """
    table, part, group = read_labels(labels)

    def rows_of(batch: Batch) -> np.ndarray:
        rows = table.index.get_indexer(pd.Index(batch.names))
        if (rows < 0).any():
            missing = batch.names[int((rows < 0).argmax())]
            raise TfbindError(f"{labels}: no line for record {missing!r} of {fasta}, expected one a record")
        return rows

    def stated(batch: Batch) -> Stated:
        rows = rows_of(batch)
        return Stated(
            None if part is None else part[rows], None if group is None else [group[row] for row in rows]
        )

    batches, invalid = _fasta_batches(fasta, length, skip_invalid)
    is_stated = part is not None or group is not None
    source = Source(
        fasta, batches, lambda batch: table.to_numpy()[rows_of(batch)], invalid, stated if is_stated else None
    )
    # names that are given twice or have no label are errors later on, so this difference is all there is
    counts = {"labels without a record": max(0, len(table) - sum(1 for _ in read_fasta(fasta)))}
    return source, tuple(table.columns), counts


def windows_source(genome: Genome, windows: Sequence[Window], length: int, label: float) -> Source:
    """Windows of a genome, all of them bound (``label`` 1) or unbound (0); a record's name is its window's id."""

    def batches() -> Iterator[Batch]:
        for start in range(0, len(windows), BATCH_RECORDS):
            chunk = windows[start : start + BATCH_RECORDS]
            sequences = [genome.fetch(window.contig, window.start, window.end) for window in chunk]
            names = [window.record_id for window in chunk]
            places = [(window.contig, window.start, window.end) for window in chunk]
            yield encode_batch(genome.path, names, sequences, length, places)

    return Source(genome.path, batches, _all_labelled(label), of_genome=True)


def peak_windows(
    path: Path,
    genome: Genome,
    options: EncodeOptions,
    excluded: Mapping[str, np.ndarray] | None = None,
) -> tuple[list[Window], list[Peak], dict[str, int]]:
    """Windows around the summits of a peak file, none overlapping another.

    Parameters
    ----------
    path : Path
    genome : Genome
    options : EncodeOptions
    excluded : mapping of contig to (m, 2) int array, optional
        What no window may touch.

    Returns
    -------
    windows : list of Window
    peaks : list of Peak
        Every peak that is on the genome, those left out too: no negative may touch one.
    counts : dict
        What was merged, left out, moved and shortened, for the summary.

    Raises
    ------
    TfbindError
        As `read_peaks` and `place_peaks`, and if no window is left.
    """
    length = options.length
    bad_lines: list[BadLine] = []
    found = read_peaks(path, options.peak_format, bad_lines if options.skip_invalid else None)
    peaks, unplaced = place_peaks(found, genome, path, strict=options.strict)
    if bad_lines:
        first = bad_lines[0]
        logger.warning(
            "%s: left out %s that are not peaks (first: line %d: %s)",
            path,
            f"{len(bad_lines):,} lines",
            first.line,
            first.problem,
        )
    if unplaced:
        logger.warning("%s: left out: %s", path, describe_unplaced(unplaced, len(found), genome.path))
    usable = peaks
    if excluded:
        touching = windows_touching(windows_round_summits(peaks, length, genome.contigs, path)[0], excluded)
        usable = [peak for peak, touches in zip(peaks, touching, strict=True) if not touches]
        if not usable:
            raise TfbindError(
                f"{path}: the windows of all {len(peaks):,} peaks touch {options.exclude}, so no positive is left;"
                " --keep-excluded-positives keeps them"
            )
    n_excluded = len(peaks) - len(usable)
    if options.skip_invalid:
        usable = _peaks_of_bases(usable, genome, length, path)
    n_invalid = len(peaks) - n_excluded - len(usable)
    merged = merge_summits(usable, length, genome.contigs)
    kept = merged if options.max_peaks is None else strongest(merged, options.max_peaks, path)
    windows, n_moved, n_short = windows_round_summits(kept, length, genome.contigs, path)
    notes = Counter(one.note for one in unplaced)
    counts = {
        "peaks": len(found),
        "lines that are not peaks, left out": len(bad_lines),
        "peaks on contigs that the genome does not have, left out": notes[NO_CONTIG],
        "peaks past the end of their contig, left out": notes[OFF_CONTIG],
        "peaks whose windows touch excluded regions, left out": n_excluded,
        "peaks whose windows have letters that are not bases, left out": n_invalid,
        "summits merged into a stronger one nearby": len(usable) - len(merged),
        "weaker peaks left out by --max-peaks": len(merged) - len(kept),
        "windows moved inside their contig": n_moved,
        "windows on contigs shorter than the length": n_short,
    }
    return windows, peaks, counts


def windows_touching(windows: Sequence[Window], intervals: Mapping[str, np.ndarray]) -> np.ndarray:
    """Tell which windows share a base with any of the intervals, (m, 2) for each contig: (n,) bool."""
    found = np.zeros(len(windows), bool)
    rows_of_contig: defaultdict[str, list[int]] = defaultdict(list)
    for row, window in enumerate(windows):
        if window.contig in intervals:
            rows_of_contig[window.contig].append(row)
    for contig, rows in rows_of_contig.items():
        start, end = np.array([(windows[row].start, windows[row].end) for row in rows]).T
        found[rows] = touches(start, end - start, intervals[contig])
    return found


def _peaks_of_bases(peaks: Sequence[Peak], genome: Genome, length: int, path: Path) -> list[Peak]:
    """Keep the peaks whose windows have no letter that is not a base."""
    kept, first = [], ""
    windows = windows_round_summits(peaks, length, genome.contigs, path)[0]
    for peak, window in zip(peaks, windows, strict=True):
        letters = genome.fetch(window.contig, window.start, window.end)
        try:
            encode_record(genome.path, window.contig, letters, window.start)
        except TfbindError as error:
            first = first or f"line {peak.line}: {error}"
        else:
            kept.append(peak)
    if first:
        logger.warning("%s: left out %s peaks (first: %s)", path, f"{len(peaks) - len(kept):,}", first)
    if not kept:
        raise TfbindError(f"{path}: no peak is left ({first})")
    return kept


def excluded_regions(path: Path | None, genome: Genome) -> dict[str, np.ndarray]:
    """Read the regions that no window may touch: (m, 2) int array of start and end, by contig of the genome."""
    if path is None:
        return {}
    found = read_intervals(path)
    names = genome.match_contigs(found, path, need_all=False)
    return {names[contig]: intervals for contig, intervals in found.items() if contig in names}


def matched_windows(
    genome: Genome,
    positives: Source,
    forbidden: Mapping[str, np.ndarray],
    stratum_of_contig: Mapping[str, int],
    options: EncodeOptions,
) -> tuple[list[Window], dict[str, int]]:
    """Draw negatives from the genome with the G+C content of the positives.

    Parameters
    ----------
    genome : Genome
    positives : Source
        Windows of the genome.
    forbidden : mapping of contig to (m, 2) int array
        What no negative may touch.
    stratum_of_contig : mapping
        Contigs that are held out together share a number from 0; G+C content is matched in each, and
        contigs without a number give no negatives.
    options : EncodeOptions

    Returns
    -------
    windows : list of Window
    counts : dict
        What the genome was short of, for the summary.
    """
    wanted = np.zeros((max(stratum_of_contig.values()) + 1, options.length + 1), np.int64)
    n_before = 0
    for batch in positives.batches():
        contigs = [interval[0] for interval in batch.intervals if interval]
        strata = np.array([stratum_of_contig[contig] for contig in contigs])
        gc = ((batch.codes == 1) | (batch.codes == 2)).sum(axis=1)
        known = np.maximum((batch.codes != AMBIGUOUS).sum(axis=1), 1)
        copies = copies_of_each(n_before, len(gc), options.ratio)
        np.add.at(wanted, (strata, np.rint(gc / known * options.length).astype(int)), copies)
        n_before += len(gc)
    rng = np.random.default_rng(options.seed)
    drawn = draw_matched(genome, stratum_of_contig, wanted, forbidden, options.length, rng)
    return drawn.windows, {
        "negatives that the genome was short of": int(drawn.shortfall.sum()),
        "negatives of a G+C content up to 2% beside the wanted one": int(drawn.substituted.sum()),
    }


def copies_of_each(first: int, n: int, ratio: float) -> np.ndarray:
    """How many negatives each of the positives ``first`` to ``first + n - 1`` gets: (n,) int, ``ratio`` on average."""
    total = np.floor(np.arange(first, first + n + 1) * ratio).astype(np.int64)
    return np.diff(total)
