"""What variants do to binding: each allele of a VCF against the reference, see `tfbind.binding.scanning.effects`."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tfbind.binding.model.model import BindingModel
from tfbind.binding.options import MAX_ALLELE
from tfbind.binding.scanning.alleles import MALFORMED, REF_MISMATCH, Allele, alleles_of
from tfbind.binding.scanning.effects import effects, gather
from tfbind.binding.scanning.score_table import DIGITS
from tfbind.binding.scanning.windows import ALL_AMBIGUOUS, ROWS_AT_ONCE
from tfbind.dna.genome import Genome
from tfbind.dna.vcf import Malformed, Variant, header_contigs, read_variants
from tfbind.errors import TfbindError
from tfbind.progress import Progress
from tfbind.tables import open_table

logger = logging.getLogger(__name__)


def note_what_is_missing(alleles: list[Allele], found: np.ndarray) -> None:
    """Note alleles none of whose usable windows has a usable counterpart: all other bases are ambiguous."""
    for number in np.flatnonzero(np.isnan(found).any(axis=(1, 2))):
        if alleles[number].ref is not None:
            alleles[number].note = ALL_AMBIGUOUS


def table_rows(alleles: list[Allele], found: np.ndarray) -> list[str]:
    """Format alleles and their effects as lines of the table."""
    lines = []
    for allele, values in zip(alleles, found.reshape(len(alleles), -1).tolist(), strict=True):
        cells = ["NA" if value != value else f"{value:.{DIGITS}g}" for value in values]
        lines.append("\t".join([*allele.fields, *cells, allele.note]) + "\n")
    return lines


def score_variants(
    model: BindingModel,
    vcf: Path,
    genome_path: Path,
    output: Path,
    *,
    stride: int | None = None,
    max_allele: int = MAX_ALLELE,
    strict: bool = False,
    uncertainty: bool = False,
) -> dict[str, int]:
    """Score every ALT allele of a VCF and write the table, in the VCF's order.

    The columns are chrom, pos, id, ref, alt, for each factor ``_ref``, ``_alt``, ``_delta`` and, if asked for, ``_sd``,
    and note.

    Parameters
    ----------
    model : BindingModel
    vcf : Path
        VCF or BCF; read as it goes, so memory does not grow with it.
    genome_path : Path
    output : Path
    stride : int or None
        Bases from window to window, see `tfbind.binding.scanning.alleles.window_offsets`; 1 takes all windows that
        hold a changed base, None a third of the model's length, which takes three windows of an SNV.
    max_allele : int
        Alleles that change more bases have no score.
    strict : bool
        Refuse a malformed record, instead of giving it rows without a score.
    uncertainty : bool
        Write the spread of the delta over an ensemble's members, see `effects`.

    Returns
    -------
    dict
        How many alleles there were, and how many of them with each note.

    Raises
    ------
    TfbindError
        As `read_variants` and `Genome`; if the genome has none of the VCF's contigs; if ``strict``, for a malformed
        record.
    """
    length = model.card.encoding.length
    stride = max(length // 3, 1) if stride is None else stride
    notes: Counter[str] = Counter()
    contigs: dict[str, None] = {}
    malformed: list[str] = []

    def records() -> Iterator[Variant | Malformed]:
        for record in read_variants(vcf):
            if isinstance(record, Malformed):
                if strict:
                    raise TfbindError(record.why)
                malformed.append(record.why)
                del malformed[1:]
            yield record

    with (
        Genome(genome_path) as genome,
        open_table(output) as table,
        Progress("scoring", unit="alleles") as progress,
    ):
        in_header = header_contigs(vcf)
        genome.expect_contigs(in_header)
        columns_of_factor = ["ref", "alt", "delta", *(["sd"] if uncertainty else [])]
        columns = [f"{task}_{what}" for task in model.card.tasks for what in columns_of_factor]
        table.write("\t".join(["chrom", "pos", "id", "ref", "alt", *columns, "note"]) + "\n")
        alleles = (
            allele
            for variant in records()
            for allele in alleles_of(variant, genome, length, stride, max_allele)
        )
        for some in gather(alleles, ROWS_AT_ONCE):
            found = effects(model, some, uncertainty=uncertainty)
            note_what_is_missing(some, found)
            table.writelines(table_rows(some, found))
            notes.update(allele.note for allele in some)
            contigs.update((allele.fields[0], None) for allele in some if allele.note != MALFORMED)
            progress.update(len(some))
        try:
            genome.match_contigs(contigs, vcf, among=in_header)
        except TfbindError as error:
            # not one allele could be scored: another genome, or other names of its contigs
            if all(genome.find_contig(contig) is None for contig in contigs):
                raise
            logger.warning("%s", error)
    if malformed:
        logger.warning("first malformed record: %s", malformed[0])
    counts = {"alleles": notes.total()} | {note: n for note, n in notes.items() if note}
    _say(counts, vcf, genome_path)
    return counts


def _say(counts: dict[str, int], vcf: Path, genome_path: Path) -> None:
    noted = ", ".join(f"{n:,} {note}" for note, n in counts.items() if note != "alleles")
    logger.info("%s alleles%s", f"{counts['alleles']:,}", f", of them {noted}" if noted else "")
    if counts.get(REF_MISMATCH, 0) > counts["alleles"] / 10:
        logger.warning("%s: REF often differs from %s: are both of the same assembly?", vcf, genome_path)
