"""Peak files of many formats: which one a file has, told by its content."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tfbind.dna.bed import is_header, read_interval, read_position, split_columns
from tfbind.dna.peak_layouts import (
    BROAD_PEAK,
    HOMER,
    MISSING,
    NARROW_PEAK,
    OFFSET,
    POSITION,
    WITHOUT_NAMES,
    Layout,
    is_offset,
    number,
)
from tfbind.errors import TfbindError

PEAK_FORMATS = ("auto", "bed", "narrowPeak", "broadPeak", "gappedPeak", "macs", "homer", "table")
# leading records by which a format is recognized
SAMPLE = 200
STRANDS = ("+", "-", ".")

# names of columns in lower case; if a table has several of a row, the first one counts
CONTIG_NAMES = ("chrom", "chr", "seqnames", "seqname", "chromosome", "chromosome_name", "contig")
START_NAMES = ("start", "chromstart", "chrom_start", "start_position")
END_NAMES = ("end", "stop", "chromend", "chrom_end", "end_position")
LABEL_NAMES = ("name", "id", "peak_id", "peakid", "interval_id")
WIDTH_NAMES = ("width", "length")
OFFSET_NAMES = ("peak",)
POSITION_NAMES = ("abs_summit",)
RANK_NAMES = (
    "signalvalue",
    "fold_enrichment",
    "findpeaks score",
    "peak score",
    "normalized tag count",
    "score",
)


def clean(columns: list[str]) -> list[str]:
    """Take the quotes off cells, which R writes."""
    return [cell.strip('"') for cell in columns]


def find_layout(
    path: str | Path,
    peak_format: str,
    comments: Sequence[tuple[int, str]],
    sample: Sequence[tuple[int, list[str]]],
) -> Layout:
    """Tell where a peak file has what.

    A header line with the names of columns decides. Without one the file's name decides if it ends in
    ``.narrowPeak``, ``.broadPeak`` or ``.gappedPeak``, else most of the leading records.

    Parameters
    ----------
    path : str or Path
    peak_format : str
        One of PEAK_FORMATS.
    comments : sequence of line number and text
        The comments before the first record: the header of HOMER is one.
    sample : sequence of line number and columns
        The first lines, a header line among them.

    Raises
    ------
    TfbindError
        If the format that is asked for needs a header line, and there is none.
    """
    header, names = _header(comments, sample)
    records = [columns for line, columns in sample if line != header]
    if names and peak_format in ("auto", "macs", "homer", "table"):
        named = _layout_of_names(peak_format, header, names, records)
        if named is not None:
            return named
    if peak_format in ("macs", "table"):
        raise TfbindError(
            f"{path}: has no header line that names the columns of contig, start and end, expected one"
            f" (--peak-format {peak_format})"
        )
    if peak_format == "auto":
        peak_format = _format_of_name(path) or _format_of_records(records)
    in_the_data = bool(sample) and sample[0][0] == header
    layout = replace(WITHOUT_NAMES[peak_format], header=header if in_the_data else 0)
    if peak_format == "homer":
        longest = max(map(len, records), default=0)
        layout = replace(layout, ranks=tuple(rank for rank in layout.ranks if rank[1] < longest))
    return layout


def _header(
    comments: Sequence[tuple[int, str]], sample: Sequence[tuple[int, list[str]]]
) -> tuple[int, list[str]]:
    """Find the header line: number (0 if there is none) and names."""
    if sample and is_header(sample[0][1]):
        line, columns = sample[0]
        return line, clean(columns)
    for line, text in reversed(comments):
        columns = clean(split_columns(text.lstrip("#").strip()))
        # a comment that names contig, start and end in the places that BED has them adds nothing
        if columns and columns[0].lower().startswith(("peakid", "bin")) and is_header(columns[:3]):
            return line, columns
    return 0, []


def _find(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)


def _layout_of_names(
    peak_format: str, header: int, names: Sequence[str], records: Sequence[Sequence[str]]
) -> Layout | None:
    """Find the columns by their names; None if contig, start or end is not among them."""
    lower = [name.lower().lstrip("#") for name in names]
    contig, start, end = (_find(lower, some) for some in (CONTIG_NAMES, START_NAMES, END_NAMES))
    if contig is None or start is None or end is None:
        return None
    # R writes a row's name without a name for its column
    lengths = Counter(len(columns) for columns in records)
    shift = int(bool(lengths) and lengths.most_common(1)[0][0] == len(names) + 1)
    width, offset, position = (_find(lower, some) for some in (WIDTH_NAMES, OFFSET_NAMES, POSITION_NAMES))
    is_macs = position is not None or (width is not None and "fold_enrichment" in lower)
    is_homer = lower[0].startswith("peakid")
    if peak_format == "auto":
        peak_format = "macs" if is_macs else "homer" if is_homer else "table"
    label = 0 if is_homer else _find(lower, LABEL_NAMES)
    summit = position if position is not None else offset
    layout = Layout(
        peak_format,
        {
            "macs": "MACS table",
            "homer": "HOMER peaks",
            "table": "GRanges table" if lower[contig] == "seqnames" and width is not None else "table",
        }[peak_format],
        contig=contig + shift,
        start=start + shift,
        end=end + shift,
        label=None if label is None else label + shift,
        ranks=tuple(
            (names[lower.index(name)], lower.index(name) + shift) for name in RANK_NAMES if name in lower
        ),
        summit=None if summit is None else (names[summit], summit + shift),
        summit_as=POSITION if position is not None else OFFSET,
        base=0 if peak_format == "table" else 1,
        n_columns=max(contig, start, end) + shift + 1,
        header=header,
        named=True,
    )
    if peak_format == "table" and width is not None:
        layout = _base_of_width(layout, width + shift, records)
    return layout


def _base_of_width(layout: Layout, width: int, records: Sequence[Sequence[str]]) -> Layout:
    """Decide between 0- and 1-based by a column of widths: from 1001 to 1100 are 100 bases if the first base is 1."""
    votes: Counter[int] = Counter()
    for columns in records:
        try:
            start, end, bases = (
                read_position("", columns[column].strip('"')) for column in (layout.start, layout.end, width)
            )
        except (TfbindError, IndexError):
            continue
        if bases - (end - start) in (0, 1):
            votes[bases - (end - start)] += 1
    base = votes.most_common(1)[0][0] if votes else 0
    return replace(layout, base=base)


def _format_of_name(path: str | Path) -> str | None:
    match = re.search(r"\.(narrow|broad|gapped)peak(\.b?gz)?$", str(path).lower())
    return f"{match[1]}Peak" if match else None


def _format_of_records(records: Sequence[Sequence[str]]) -> str:
    """Take the format that most of the records have, the earliest one if two are as frequent."""
    votes = Counter(found for columns in records if (found := format_of_record(columns)) is not None)
    return votes.most_common(1)[0][0] if votes else "bed"


def format_of_record(columns: Sequence[str]) -> str | None:
    """Tell the format of one record by the types of its leading columns, whatever follows.

    Returns
    -------
    str or None
        None if it may be of any: it is not an interval, or nothing but ``.`` is in the columns that tell.
    """
    try:
        start, end = read_interval(columns)
    except TfbindError:
        return "homer" if _is_homer(columns) else None
    if _is_bed12(columns, start, end):
        more = [number(text) for text in columns[12:15]]
        return "gappedPeak" if len(more) == 3 and not any(map(math.isnan, more)) else "bed"
    if len(columns) < BROAD_PEAK.n_columns:
        return "bed"
    typed = _is_number(columns[4]) and columns[5] in STRANDS and all(map(_is_number, columns[6:9]))
    if not typed or _is_thick(columns, start, end):
        return "bed"
    if len(columns) == BROAD_PEAK.n_columns:
        return None if all(text.lower() in MISSING for text in columns[6:9]) else "broadPeak"
    summit = columns[9]
    if summit == "-1" or (is_offset(summit) and int(summit) < end - start):
        return "narrowPeak"
    if summit.lower() in MISSING:
        return None
    # ten columns whose last is a wrong summit are refused by its line; IDR of broadPeaks has a number here
    return "narrowPeak" if is_offset(summit) and len(columns) == NARROW_PEAK.n_columns else "broadPeak"


def _is_number(text: str) -> bool:
    return text.lower() in MISSING or not math.isnan(number(text))


def _is_homer(columns: Sequence[str]) -> bool:
    if len(columns) < HOMER.n_columns or columns[4] not in ("+", "-", ".", "0", "1"):
        return False
    try:
        HOMER.interval(columns)
    except TfbindError:
        return False
    return True


def _is_thick(columns: Sequence[str], start: int, end: int) -> bool:
    """Say whether columns 7 and 8 are BED's thickStart and thickEnd, positions in the interval."""
    return (
        is_offset(columns[6]) and is_offset(columns[7]) and start <= int(columns[6]) <= int(columns[7]) <= end
    )


def _is_bed12(columns: Sequence[str], start: int, end: int) -> bool:
    if len(columns) < 12 or not _is_thick(columns, start, end) or not is_offset(columns[9]):
        return False
    sizes, starts = (columns[at].rstrip(",").split(",") for at in (10, 11))
    return len(sizes) == len(starts) == int(columns[9]) and all(map(is_offset, [*sizes, *starts]))
