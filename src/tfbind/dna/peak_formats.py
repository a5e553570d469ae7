"""Peak files of many formats: which one a file has, told by its content, and which column holds what."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tfbind.dna.bed import is_header, read_interval, read_position, split_columns
from tfbind.errors import TfbindError

PEAK_FORMATS = ("auto", "bed", "narrowPeak", "broadPeak", "gappedPeak", "macs", "homer", "table")
# leading records by which a format is recognized
SAMPLE = 200
MISSING = ("", ".", "na", "nan")
STRANDS = ("+", "-", ".")
OFFSET, POSITION = "offset", "position"

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


@dataclass(frozen=True)
class Layout:
    """Where a file has what a peak needs; columns are counted from 0.

    format : one of PEAK_FORMATS but "auto"
    title : what the log calls it
    contig, start, end : columns
    label : column of the name, or None
    ranks : name and column of what peaks may be ranked by; the next one counts if all are -1 in the one before
    summit : name and column, or None
    summit_as : OFFSET from the start, or POSITION in the file's base
    base : number of a contig's first base, 0 or 1; with 1 an end is the last base of its peak
    n_columns : a line must have as many
    header : line number of the header line, 0 if there is none
    named : whether columns are known by the names in the header
    """

    format: str
    title: str
    contig: int = 0
    start: int = 1
    end: int = 2
    label: int | None = 3
    ranks: tuple[tuple[str, int], ...] = ()
    summit: tuple[str, int] | None = None
    summit_as: str = OFFSET
    base: int = 0
    n_columns: int = 3
    header: int = 0
    named: bool = False

    def interval(self, columns: Sequence[str]) -> tuple[str, int, int]:
        """Read contig, start and end, 0-based and half-open.

        Raises
        ------
        TfbindError
            If the line is not of the format. The message has no file and no line.
        """
        if len(columns) < self.n_columns:
            if self.format == "bed":
                read_interval(columns)
            found = f"{len(columns)} column{'s' if len(columns) != 1 else ''}"
            raise TfbindError(f"found {found}, expected {self.n_columns} ({self.title})")
        start, end = read_position("start", columns[self.start]), read_position("end", columns[self.end])
        if start < self.base:
            raise TfbindError(f"found start {start}, expected at least {self.base} (positions are 1-based)")
        if end <= start - self.base:
            bound = "at least the" if self.base else "greater than"
            raise TfbindError(f"end ({end}) must be {bound} start ({start})")
        return columns[self.contig], start - self.base, end

    def name(self, columns: Sequence[str]) -> str:
        """Give the name of a peak, '' if it has none."""
        if self.label is None or len(columns) <= self.label or columns[self.label] in (".", ""):
            return ""
        return columns[self.label]

    def signals(self, columns: Sequence[str]) -> list[float]:
        """Read what peaks may be ranked by, a number for each of ``ranks``, NaN where it is missing.

        Raises
        ------
        TfbindError
            If a cell is not a number, except in BED, where the column may hold anything.
        """
        found = []
        for _, column in self.ranks:
            text = columns[column] if column < len(columns) else "."
            value = number(text)
            if math.isnan(value) and text.lower() not in MISSING and self.format != "bed":
                raise TfbindError(f"found signal {text!r} in column {column + 1}, expected a number")
            found.append(value)
        return found

    def summit_of(self, columns: Sequence[str], start: int, end: int) -> int | None:
        """Read the summit of a peak, as a 0-based position; None if the file has none.

        Raises
        ------
        TfbindError
            If it is not in the peak.
        """
        if self.summit is None:
            return None
        name, column = self.summit
        text = columns[column] if column < len(columns) else "."
        if text == "-1" or (self.named and text.lower() in MISSING):
            return None
        length = end - start
        if self.summit_as == POSITION:
            value = read_position(f"{name}", text) - self.base
            if not start <= value < end:
                raise TfbindError(
                    f"found {name} {text!r} in column {column + 1}, expected a position from {start + self.base}"
                    f" to {end - 1 + self.base}"
                )
            return value
        offset = read_position(name, text) if self.named else int(text) if is_offset(text) else -1
        if not 0 <= offset < length:
            raise TfbindError(
                f"found summit offset {text!r} in column {column + 1}, expected -1 or a whole number below the"
                f" peak's length {length}"
            )
        return start + offset

    def describe(self, n: int, n_summits: int, rank: int | None) -> str:
        """Say what was read, and what was assumed about it.

        Parameters
        ----------
        n : int
            Peaks.
        n_summits : int
            Peaks with a summit.
        rank : int or None
            Which of ``ranks`` they are ranked by; None if nothing is known in any.
        """
        parts = [f"{self.base}-based"]
        if self.summit is None or not n_summits:
            parts.append("no summits, so midpoints")
        else:
            without = f" ({n - n_summits:,} without one: midpoints)" if n_summits < n else ""
            parts.append(f"summit: {self._column(*self.summit)}{without}")
        parts.append(f"ranked by {', '.join(self._rank(rank))}" if rank is not None else "nothing to rank by")
        if self.header:
            parts.append(f"header: line {self.header}")
        return f"read {n:,} peak{'s' if n != 1 else ''} as {self.title} ({'; '.join(parts)})"

    def _column(self, name: str, column: int) -> str:
        return f"{name}, column {column + 1}" if self.named else f"column {column + 1}"

    def _rank(self, rank: int) -> tuple[str, str]:
        name, column = self.ranks[rank]
        return name, f"column {column + 1}"


_SIGNALS = ("signalValue", "pValue", "qValue")
BED = Layout("bed", "BED", ranks=(("score", 4),))
BROAD_PEAK = Layout("broadPeak", "broadPeak", ranks=tuple(zip(_SIGNALS, (6, 7, 8), strict=True)), n_columns=9)
NARROW_PEAK = replace(BROAD_PEAK, format="narrowPeak", title="narrowPeak", summit=("summit", 9), n_columns=10)
GAPPED_PEAK = Layout(
    "gappedPeak", "gappedPeak", ranks=tuple(zip(_SIGNALS, (12, 13, 14), strict=True)), n_columns=15
)
HOMER = Layout(
    "homer",
    "HOMER peaks",
    contig=1,
    start=2,
    end=3,
    label=0,
    ranks=(("findPeaks Score", 7), ("Normalized Tag Count", 5)),
    base=1,
    n_columns=5,
)
WITHOUT_NAMES = {layout.format: layout for layout in (BED, BROAD_PEAK, NARROW_PEAK, GAPPED_PEAK, HOMER)}


def number(text: str) -> float:
    """Read a number; NaN if it is not one."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def is_offset(text: str) -> bool:
    """Say whether a cell may be a narrowPeak's summit, which is a plain whole number."""
    return text.isascii() and text.isdecimal() and len(text) < 16


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
