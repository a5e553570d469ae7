"""Genomic coordinates in the headers of FASTA records, as the common tools write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tfbind.contigs import one_spelling

Interval = tuple[str, int, int]  # contig, start, end; half-open

SHORTEST_IN_A_NAME = 10
# of a position; longer numbers are something else, and would not fit in 64 bits
MAX_DIGITS = 15

_NUMBER = r"[0-9]+(?:,[0-9]{3})*"
# what may follow a number: no letter, digit or decimal point
_ENDS = r"(?![0-9A-Za-z]|[.,][0-9])"
_INTERVAL = rf"[_:|-](?P<c>c?)(?P<start>{_NUMBER})(?:[_:|-]|\.\.)(?P<end>{_NUMBER}){_ENDS}"
_WITH_COLON = rf":(?P<c>c?)(?P<start>{_NUMBER})(?:-|\.\.)(?P<end>{_NUMBER}){_ENDS}"
# names of contigs that do not begin with chr
_CONTIG = r"""(?:
        (?: scaffold | scf | supercont | contig | ctg | tig | utg | lg | group ) [_-]? [0-9.]+
      | N[CTWZG]_ [A-Z]* [0-9]+ (?: \.[0-9]+ )?
      | [A-Z]{1,6} [0-9]{5,} (?: \.[0-9]+ )?
      | [0-9]{1,3} [LR]? | [XYZWMU] | MT | [IVX]+
    )"""
# 1-based, end included: the UCSC table browser, and Ensembl (chromosome:GRCh38:1:1001:1101:1)
UCSC = re.compile(rf"(?:^|\s)range=(?P<contig>\S+):(?P<start>{_NUMBER})-(?P<end>{_NUMBER})(?=\s|$)")
ENSEMBL = re.compile(
    r"(?:^|\s)[A-Za-z_]+:[^:\s]*:(?P<contig>[^:\s]+):(?P<start>[0-9]+):(?P<end>[0-9]+):(?:-?[01])?(?=\s|$)"
)
# name::chr1:1000-1101(+), whatever the name holds: bedtools getfasta -name
AFTER_NAME = re.compile(rf".*::(?P<contig>\S+){_WITH_COLON}")
# A later part of a contig's name (chr13_ML143366v1_fix) holds a letter: so the first two bare numbers in a row are
# the interval. The contig may follow an assembly or a peak name: hg19_chr1_100_200, peak_7_chr1:100-200.
CHR = re.compile(
    r"(?<![0-9A-Za-z])(?P<contig>chr[0-9A-Za-z.]+(?:_(?=[0-9.]*[A-Za-z])[0-9A-Za-z.]+)*?)" + _INTERVAL,
    re.IGNORECASE,
)
FIRST_WORD = re.compile(rf"(?P<contig>{_CONTIG})" + _INTERVAL, re.VERBOSE | re.IGNORECASE)
# samtools faidx, pyfaidx, twoBitToFa, NCBI (NC_000001.11:c1101-1001); any name of a contig
ANY_CONTIG = re.compile(rf"(?P<contig>\S+){_WITH_COLON}(?!-)")
LATER_WORD = re.compile(rf"(?:^|[\s=;,(\[])(?P<contig>{_CONTIG})" + _WITH_COLON, re.VERBOSE | re.IGNORECASE)


def parse_coordinates(header: str) -> Interval | None:
    """Read contig, start and end from a FASTA header, or return None if it has none.

    Understood are, anywhere in the header,

    - ``range=chr1:1001-1101`` (UCSC table browser) and ``chromosome:GRCh38:1:1001:1101:1`` (Ensembl);
    - ``name::chr1:1000-1101(+)`` (bedtools getfasta -name), whatever the name is;
    - ``chr1:1000-1101``, ``chr1_1000_1101`` or ``chr1-1000-1101``, with ``..``, ``|`` and thousands separators too,
      also after an assembly or another name (``hg38_chr1_1000_1101_+``), whatever follows;
    - ``2L:1000..1101`` and the like, for contigs with another name of the usual kinds (see below).

    In the first word, any text before ``:1000-1101`` is a contig, and ``4_1000_1101`` is a place if the contig looks
    like one, as ``seq_1_20`` does not: ``scaffold_12``, ``contig5``, ``NC_000913.3``, ``KI270742.1``, ``4``, ``X``,
    ``MT``, ``2L``, ``XIV``. Intervals that are not written as ``contig:start-end`` need at least 10 bases.

    UCSC and Ensembl count from 1, which is taken into account. Other tools write the same text for intervals that
    start at 0 (bedtools, twoBitToFa) or 1 (samtools): the numbers are returned as they are. The difference of one
    base does not matter for finding overlaps.
    """
    if match := UCSC.search(header) or ENSEMBL.search(header):
        return _interval(match, 1, first=1)
    if (match := AFTER_NAME.match(header)) and (found := _interval(match, 1)):
        return found
    word, _, rest = header.partition(" ") if "\t" not in header else header.replace("\t", " ").partition(" ")
    if (match := CHR.search(word)) and (found := _interval(match, _shortest(match))):
        return found
    if (match := ANY_CONTIG.match(word)) and (found := _interval(match, 1)):
        return found
    if (match := FIRST_WORD.match(word)) and (found := _interval(match, SHORTEST_IN_A_NAME)):
        return found
    if rest and (match := CHR.search(rest) or LATER_WORD.search(rest)):
        return _interval(match, SHORTEST_IN_A_NAME)
    return None


def _shortest(match: re.Match[str]) -> int:
    """Bases that an interval in the first word needs: 1 if it is written as ``contig:start-end``."""
    between = match.string[match.end("contig")], match.string[match.end("start")]
    return 1 if between == (":", "-") else SHORTEST_IN_A_NAME


def _interval(match: re.Match[str], shortest: int, first: int = 0) -> Interval | None:
    numbers = [match[name].replace(",", "") for name in ("start", "end")]
    if max(map(len, numbers)) > MAX_DIGITS:
        return None
    start, end = map(int, numbers)
    if match.groupdict().get("c"):  # the complement, written from its end
        start, end = end, start
    start -= first
    return (match["contig"], start, end) if end - start >= shortest and start >= 0 else None


def in_one_spelling(intervals: Iterable[Interval | None]) -> list[Interval | None]:
    """Give contigs that are one, such as ``chr4``, ``4`` and ``IV``, the name that comes first.

    Positives from UCSC and negatives from Ensembl are then on the same contigs.
    """
    intervals = list(intervals)
    spelling = one_spelling(interval[0] for interval in intervals if interval)
    return [interval and (spelling[interval[0]], *interval[1:]) for interval in intervals]


def widened(intervals: Sequence[Interval | None], width: int) -> list[Interval | None]:
    """Widen intervals by ``width`` bases on either side, not beyond the start of a contig."""
    return [place and (place[0], max(place[1] - width, 0), place[2] + width) for place in intervals]
