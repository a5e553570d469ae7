"""What variants do to binding: each allele of a VCF against the reference, in the same windows of the genome."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import logit

from tfbind.binding.model.model import BindingModel
from tfbind.binding.scanning.score_table import DIGITS
from tfbind.binding.scanning.windows import ALL_AMBIGUOUS, MIN_BASES, PADDED, ROWS_AT_ONCE, TOO_SHORT
from tfbind.dna.alphabet import AMBIGUOUS, encode_letters
from tfbind.dna.fasta import encode_record
from tfbind.dna.genome import Genome
from tfbind.dna.vcf import Variant, read_variants
from tfbind.errors import TfbindError
from tfbind.progress import Progress
from tfbind.tables import open_table

logger = logging.getLogger(__name__)

REF_MISMATCH, NOT_A_SEQUENCE, NO_CONTIG = "ref_mismatch", "not_a_sequence", "no_contig"
_BASES = re.compile("[ACGTURYSWKMBDHVN]+", re.IGNORECASE)


@dataclass
class Allele:
    """One ALT allele on its way to the table.

    fields : tuple of str
        Contig, position, id, REF and ALT as they stand in the VCF.
    note : str
        Empty, PADDED, or why there are no windows: one of the other notes.
    codes : (2, k, length) uint8, or None
        k windows of the reference, and the same windows with the allele in its place.
    valid_length : (2, k) int32, or None
    """

    fields: tuple[str, ...]
    note: str
    codes: np.ndarray | None = None
    valid_length: np.ndarray | None = None

    @property
    def n_windows(self) -> int:
        """How many windows there are of either allele."""
        return 0 if self.codes is None else self.codes.shape[1]


@dataclass(frozen=True)
class Site:
    """A record's place in the genome, with as much round it as windows may hold.

    genome : (n,) uint8
        What stands there.
    codes : (n,) uint8
        The same, with REF's base where the genome's is ambiguous.
    start : int
        Where both begin in the contig.
    ref : slice
        Where REF lies in them.
    contig_length : int
    """

    genome: np.ndarray
    codes: np.ndarray
    start: int
    ref: slice
    contig_length: int


def find_site(variant: Variant, genome: Genome, length: int) -> Site | str:
    """Read the genome round a record, or give the note that says why none of its alleles has a score."""
    contig = genome.find_contig(variant.contig)
    if contig is None:
        return NO_CONTIG
    contig_length = genome.contigs[contig]
    if not _BASES.fullmatch(variant.ref):
        return NOT_A_SEQUENCE
    begin, end = variant.pos - 1, variant.pos - 1 + len(variant.ref)
    if begin < 0 or end > contig_length:
        return REF_MISMATCH
    start = max(begin - length, 0)
    letters = genome.fetch(contig, start, min(end + length, contig_length))
    found = encode_record(genome.path, contig, letters)
    here = slice(begin - start, end - start)
    known, ref = found[here] != AMBIGUOUS, encode_letters(variant.ref)
    if ((ref != found[here]) & (ref != AMBIGUOUS) & known).any():
        return REF_MISMATCH
    codes = found.copy()
    codes[here][~known] = ref[~known]
    return Site(found, codes, start, here, contig_length)


def trim(ref: np.ndarray, alt: np.ndarray) -> tuple[int, np.ndarray, np.ndarray]:
    """Take off the bases that two alleles share, behind and then in front, as far as they go.

    A variant so gives the same whether it is written alone or beside others (Tan, Abecasis & Kang 2015).

    Parameters
    ----------
    ref, alt : (n,), (m,) uint8

    Returns
    -------
    int
        How many bases were taken off in front.
    ref, alt : uint8
        What is left of both; either may be empty.
    """
    behind = _n_shared(ref[::-1], alt[::-1])
    ref, alt = ref[: len(ref) - behind], alt[: len(alt) - behind]
    front = _n_shared(ref, alt)
    return front, ref[front:], alt[front:]


def _n_shared(one: np.ndarray, other: np.ndarray) -> int:
    shorter = min(len(one), len(other))
    differs = np.flatnonzero(one[:shorter] != other[:shorter])
    return int(differs[0]) if len(differs) else shorter


def starts_round(base: int, contig_length: int, length: int, stride: int) -> np.ndarray:
    """Where the windows that hold ``base`` start.

    One has the base in its middle, the others follow every ``stride`` bases to both sides. A window that
    would reach over an end of the contig is moved inside.

    Returns
    -------
    (k,) int64, ascending, at least one
    """
    before = length // 2
    steps = np.arange(-((length - 1 - before) // stride), before // stride + 1)
    return np.unique(np.clip(base - before + steps * stride, 0, max(contig_length - length, 0)))


def windows_of_allele(fields: tuple[str, ...], site: Site, length: int, stride: int) -> Allele:
    """Cut the windows that hold the first base in which an allele differs from REF, see `starts_round`.

    A window starts at the same base of the genome in both alleles and is as long as the model's: what a
    deletion takes away is filled up from the right, and an insertion pushes as much out there.
    """
    front, ref, alt = trim(site.codes[site.ref], encode_letters(fields[4]))
    at = site.ref.start + front
    haplotype = np.concatenate([site.codes[:at], alt, site.codes[at + len(ref) :]])
    starts = starts_round(site.start + at, site.contig_length, length, stride) - site.start
    # side by side, and padded on the right where a haplotype ends
    laid = np.full((3, int(starts[-1]) + length), AMBIGUOUS, np.uint8)
    for row, letters in zip(laid, (site.codes, haplotype, site.genome), strict=True):
        row[: len(letters)] = letters[: len(row)]
    windows = laid[:, starts[:, None] + np.arange(length)]
    lengths = np.array([[len(site.codes)], [len(haplotype)]])
    valid_length = np.minimum(lengths - starts, length).astype(np.int32)
    long_enough = (valid_length >= min(MIN_BASES, length)).all(axis=0)
    some = long_enough & (windows[1:] != AMBIGUOUS).any(axis=2).all(axis=0)
    if not some.any():
        return Allele(fields, ALL_AMBIGUOUS if long_enough.any() else TOO_SHORT)
    note = PADDED if valid_length[:, some].min() < length else ""
    return Allele(fields, note, windows[:2, some], valid_length[:, some])


def alleles_of(variant: Variant, genome: Genome, length: int, stride: int) -> Iterator[Allele]:
    """Give every ALT allele of a record, with its windows or with the note that says why it has none."""
    site = find_site(variant, genome, length)
    for alt in variant.alts:
        fields = (variant.contig, str(variant.pos), variant.id, variant.ref, alt)
        if not _BASES.fullmatch(alt):
            yield Allele(fields, NOT_A_SEQUENCE)
        elif isinstance(site, str):
            yield Allele(fields, site)
        else:
            yield windows_of_allele(fields, site, length, stride)


def gather(alleles: Iterable[Allele], rows: int) -> Iterator[list[Allele]]:
    """Group alleles until their windows are ``rows`` or more, or they themselves are."""
    waiting: list[Allele] = []
    n = 0
    for allele in alleles:
        waiting.append(allele)
        n += max(2 * allele.n_windows, 1)
        if n >= rows:
            yield waiting
            waiting, n = [], 0
    if waiting:
        yield waiting


def effects(model: BindingModel, alleles: list[Allele]) -> np.ndarray:
    """Score alleles in all their windows, and keep for each factor the window that differs the most.

    Returns
    -------
    (n, tasks, 3) float64
        Calibrated probability of the reference and of the allele, and the difference of their logits,
        allele minus reference, all from one window; NaN for an allele without windows.
    """
    n_tasks = len(model.card.tasks)
    found = np.full((len(alleles), n_tasks, 3), np.nan)
    n_windows = np.array([allele.n_windows for allele in alleles])
    n = int(n_windows.sum())
    if not n:
        return found
    codes = np.concatenate([allele.codes for allele in alleles if allele.codes is not None], axis=1)
    valid_length = np.concatenate(
        [allele.valid_length for allele in alleles if allele.valid_length is not None], axis=1
    )
    scores = model.probabilities(codes.reshape(2 * n, -1), valid_length.reshape(2 * n))
    ref, alt = scores.reshape(2, n, n_tasks)
    # a probability that rounds to 1 has a logit of its own no more, but a finite one
    ref_logit, alt_logit = logit(np.clip(scores, 5e-324, 1 - 2**-53)).reshape(2, n, n_tasks)
    delta = alt_logit - ref_logit
    scored = np.flatnonzero(n_windows)
    owner = np.repeat(scored, n_windows[scored])
    firsts = np.cumsum(n_windows[scored]) - n_windows[scored]
    for task in range(n_tasks):
        largest = np.lexsort((-np.abs(delta[:, task]), owner))[firsts]
        found[scored, task] = np.stack([one[largest, task] for one in (ref, alt, delta)], axis=1)
    return found


def table_rows(alleles: list[Allele], found: np.ndarray) -> list[str]:
    """Format alleles and their effects as lines of the table."""
    lines = []
    for allele, values in zip(alleles, found.reshape(len(alleles), -1).tolist(), strict=True):
        cells = ["NA" if value != value else f"{value:.{DIGITS}g}" for value in values]
        lines.append("\t".join([*allele.fields, *cells, allele.note]) + "\n")
    return lines


def score_variants(
    model: BindingModel, vcf: Path, genome_path: Path, output: Path, *, stride: int | None = None
) -> dict[str, int]:
    """Score every ALT allele of a VCF and write the table, in the VCF's order.

    The columns are chrom, pos, id, ref, alt, for each factor ``_ref``, ``_alt`` and ``_delta``, and note.

    Parameters
    ----------
    model : BindingModel
    vcf : Path
        VCF or BCF; read as it goes, so memory does not grow with it.
    genome_path : Path
    output : Path
    stride : int or None
        Bases from window to window; 1 takes all windows that hold a variant, None a third of the model's
        length, which takes three.

    Returns
    -------
    dict
        How many alleles there were, and how many of them with each note.

    Raises
    ------
    TfbindError
        As `read_variants` and `Genome`.
    """
    length = model.card.encoding.length
    stride = max(length // 3, 1) if stride is None else stride
    notes: Counter[str] = Counter()
    contigs: dict[str, None] = {}
    with (
        Genome(genome_path) as genome,
        open_table(output) as table,
        Progress("scoring", unit="alleles") as progress,
    ):
        columns = [f"{task}_{what}" for task in model.card.tasks for what in ("ref", "alt", "delta")]
        table.write("\t".join(["chrom", "pos", "id", "ref", "alt", *columns, "note"]) + "\n")
        alleles = (
            allele for variant in read_variants(vcf) for allele in alleles_of(variant, genome, length, stride)
        )
        for some in gather(alleles, ROWS_AT_ONCE):
            table.writelines(table_rows(some, effects(model, some)))
            notes.update(allele.note for allele in some)
            contigs.update((allele.fields[0], None) for allele in some)
            progress.update(len(some))
        try:
            genome.match_contigs(contigs, vcf)
        except TfbindError as error:
            logger.warning("%s", error)
    counts = {"alleles": notes.total()} | {note: n for note, n in notes.items() if note}
    _say(counts, vcf, genome_path)
    return counts


def _say(counts: dict[str, int], vcf: Path, genome_path: Path) -> None:
    noted = ", ".join(f"{n:,} {note}" for note, n in counts.items() if note != "alleles")
    logger.info("%s alleles%s", f"{counts['alleles']:,}", f", of them {noted}" if noted else "")
    if counts.get(REF_MISMATCH, 0) > counts["alleles"] / 10:
        logger.warning("%s: REF often disagrees with %s: is it of the same assembly?", vcf, genome_path)
