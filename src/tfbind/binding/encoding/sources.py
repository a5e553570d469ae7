"""Where records come from: FASTA of positives and negatives, a labelled FASTA, or peaks in a genome."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from tfbind.binding.options import EncodeOptions
from tfbind.dna.alphabet import AMBIGUOUS
from tfbind.dna.fasta import BATCH_RECORDS, Batch, encode_batch, read_batches, read_fasta
from tfbind.dna.genome import Genome
from tfbind.dna.matched import draw_matched, join_intervals, read_intervals
from tfbind.dna.peaks import (
    Peak,
    Window,
    merge_summits,
    read_peaks,
    strongest,
    windows_round_summits,
)
from tfbind.errors import TfbindError
from tfbind.files import open_text

LABELS = {"1": 1.0, "0": 0.0, "": np.nan}


class Source(NamedTuple):
    """Records of one file that can be read as often as needed.

    path : Path
    batches : reads the records, batch by batch
    labels : from a batch's names to (n, tasks) float32
    """

    path: Path
    batches: Callable[[], Iterator[Batch]]
    labels: Callable[[Sequence[str]], np.ndarray]


def _all_labelled(value: float) -> Callable[[Sequence[str]], np.ndarray]:
    return lambda names: np.full((len(names), 1), value, np.float32)


def fasta_source(path: Path, length: int, label: float) -> Source:
    """Records of a FASTA file, all of them bound (``label`` 1) or unbound (0)."""
    return Source(path, lambda: read_batches(path, length), _all_labelled(label))


def read_labels(path: Path) -> pd.DataFrame:
    """Read a table of labels: ``id``, then one column a factor with 1, 0 or nothing.

    Returns
    -------
    DataFrame
        Indexed by id, float32, NaN where unknown.

    Raises
    ------
    TfbindError
        If the table has no ``id`` or no factor, an id or a factor twice, a line too long, or another value.
    """
    with open_text(path) as handle:
        lines = ((number, line) for number, line in enumerate(handle, start=1) if line.strip())
        number, header = next(lines, (1, ""))
        columns = [column.strip() for column in header.split("\t")]
        if columns[0] != "id" or len(columns) < 2 or "" in columns or len(set(columns)) < len(columns):
            raise TfbindError(
                f"{path}: line {number}: found columns {', '.join(map(repr, columns))}, expected id and one column"
                " a factor, separated by tabs, each once"
            )
        values: dict[str, list[float]] = {}
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
            for factor, cell in zip(columns[1:], found, strict=True):
                if cell not in LABELS:
                    raise TfbindError(
                        f"{path}: line {number}: {factor} is {cell!r}, expected 1, 0 or nothing"
                    )
            values[name] = [LABELS[cell] for cell in found]
    table = np.array(list(values.values()), np.float32).reshape(-1, len(columns) - 1)
    return pd.DataFrame(table, index=list(values), columns=columns[1:])


def labelled_source(fasta: Path, labels: Path, length: int) -> tuple[Source, tuple[str, ...], dict[str, int]]:
    """Records of a FASTA file with labels for several factors.

    Returns
    -------
    source : Source
    factors : tuple of str
    counts : dict
        How many labels have no record, for the summary.
    """
    table = read_labels(labels)

    def look_up(names: Sequence[str]) -> np.ndarray:
        rows = table.index.get_indexer(pd.Index(names))
        if (rows < 0).any():
            missing = names[int((rows < 0).argmax())]
            raise TfbindError(f"{labels}: no line for record {missing!r} of {fasta}, expected one a record")
        return table.to_numpy()[rows]

    source = Source(fasta, lambda: read_batches(fasta, length), look_up)
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

    return Source(genome.path, batches, _all_labelled(label))


def peak_windows(
    path: Path, genome: Genome, length: int, max_peaks: int | None
) -> tuple[list[Window], list[Peak], dict[str, int]]:
    """Windows round the summits of a peak file, none overlapping another.

    Returns
    -------
    windows : list of Window
    peaks : list of Peak
        Every peak of the file, those left out too: no negative may touch one.
    counts : dict
        What was merged, left out, moved and shortened, for the summary.
    """
    peaks = read_peaks(path)
    names = genome.match_contigs((peak.contig for peak in peaks), path)
    peaks = [peak._replace(contig=names[peak.contig]) for peak in peaks]
    merged = merge_summits(peaks, length, genome.contigs)
    kept = merged if max_peaks is None else strongest(merged, max_peaks, path)
    windows, n_moved, n_short = windows_round_summits(kept, length, genome.contigs, path)
    counts = {
        "peaks": len(peaks),
        "summits merged into a stronger one nearby": len(peaks) - len(merged),
        "weaker peaks left out by --max-peaks": len(merged) - len(kept),
        "windows moved inside their contig": n_moved,
        "windows on contigs shorter than the length": n_short,
    }
    return windows, peaks, counts


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
        What no negative may touch, besides ``options.exclude``.
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
        copies = copies_of_each(n_before, len(gc), options.negative_ratio)
        np.add.at(wanted, (strata, np.rint(gc / known * options.length).astype(int)), copies)
        n_before += len(gc)
    if options.exclude is not None:
        excluded = read_intervals(options.exclude)
        names = genome.match_contigs(excluded, options.exclude, need_all=False)
        known = {names[contig]: intervals for contig, intervals in excluded.items() if contig in names}
        forbidden = join_intervals(forbidden, known)
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
