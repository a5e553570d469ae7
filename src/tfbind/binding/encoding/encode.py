"""From records to a tensors file: negatives made, related records kept in one part, everything streamed.

The input is read twice. The first pass keeps a few bytes a record (digest, coordinates, label), from which
the parts are dealt; the second one encodes and writes. Sequences are never all in memory.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tfbind.binding.encoding.contig_split import hold_out_contigs
from tfbind.binding.encoding.dealing import deal, deal_folds
from tfbind.binding.encoding.exclusion import without_excluded
from tfbind.binding.encoding.names import SUFFIX, unique_names
from tfbind.binding.encoding.negatives import Maker, negative_maker
from tfbind.binding.encoding.shuffles import shuffle_families
from tfbind.binding.encoding.sources import (
    Source,
    excluded_regions,
    fasta_source,
    labelled_source,
    matched_windows,
    peak_windows,
    windows_source,
)
from tfbind.binding.encoding.stated import part_as_stated
from tfbind.binding.encoding.summary import Tally, report
from tfbind.binding.encoding.surroundings import Surroundings, validation_stretches
from tfbind.binding.encoding.survey import Survey, make_survey
from tfbind.binding.encoding.table import read_table
from tfbind.binding.options import EncodeOptions, genome_ratio
from tfbind.contigs import some_files
from tfbind.dna.coordinates import widened
from tfbind.dna.genome import Genome
from tfbind.dna.matched import intervals_by_contig, join_intervals
from tfbind.dna.minimizers import overlap_groups
from tfbind.dna.splits import (
    LEFT_OUT,
    TEST,
    TRAIN,
    VALIDATION,
    group_related,
)
from tfbind.errors import TfbindError
from tfbind.files import unchanged
from tfbind.progress import Progress
from tfbind.tensors import DnaEncoding, describe_sources, write_tensors

logger = logging.getLogger(__name__)

KEPT_TOGETHER = "records kept together with an equal, reverse complementary, shuffled or overlapping one"
# training shifts windows of a genome by up to this part of their length
SHIFT = 5
EXCLUDED_RECORDS = "records whose coordinates touch excluded regions, left out"


def _with_unique_names(sources: Sequence[Source], hashes: np.ndarray) -> list[Source]:
    """Rename records that have the name of a record of an earlier source; refuse a name given twice in one."""
    if len(np.unique(hashes)) == len(hashes):
        return list(sources)
    # only now is it worth holding the names themselves
    files = [
        (source.path, (name for batch in source.batches() for name in batch.names)) for source in sources
    ]
    renamed = []
    names = unique_names(files, [source.suffix for source in sources])
    for number, (source, new_names) in enumerate(zip(sources, names, strict=True)):
        if new_names:
            name, new = next(iter(new_names.items()))
            logger.info(
                "%s: %s names are in %s, too; renamed (%s is now %s)",
                source.path,
                f"{len(new_names):,}",
                some_files([earlier.path for earlier in sources[:number]]),
                name,
                new,
            )
        renamed.append(source.renamed(new_names))
    return renamed


def _count_invalid(sources: Sequence[Source]) -> int:
    """Count the records that were left out, and log the first one of each source."""
    n = 0
    for source in sources:
        if source.invalid:
            n += len(source.invalid)
            first = next(iter(source.invalid.values()))
            logger.warning(
                "%s: left out %s (first: %s)", source.path, f"{len(source.invalid):,} records", first
            )
    return n


def _n_in_groups(group: np.ndarray) -> int:
    """Count the records that are not alone in their group."""
    size = np.unique(group, return_counts=True)[1]
    return int(size[size > 1].sum())


def _keep_made(survey: Survey) -> np.ndarray:
    """(m,) bool: negatives made that equal no record and no earlier one, on either strand."""
    keep = np.zeros(len(survey.made_digest), bool)
    keep[np.unique(survey.made_digest, return_index=True)[1]] = True
    return keep & ~np.isin(survey.made_digest, survey.digest)


def _rows(
    sources: Sequence[Source],
    survey: Survey,
    part: np.ndarray,
    fold: np.ndarray | None,
    keep: np.ndarray,
    maker: Maker | None,
    surroundings: Surroundings | None = None,
) -> Iterator[dict[str, Any]]:
    """The second pass: records as a tensors file wants them, each batch of positives before the negatives made for it.

    Records that are in no part are passed over; ``keep`` has none of the negatives made for them.
    """
    n = n_made = n_with_negatives = 0
    for source in sources:
        for batch in source.batches():
            rows = slice(n, n + len(batch.names))
            intervals = survey.intervals[rows]
            groups = [interval[0] if interval else "" for interval in intervals]
            if survey.named is not None:
                stated = [survey.group_names[number] if number >= 0 else "" for number in survey.named[rows]]
                groups = [name or group for name, group in zip(stated, groups, strict=True)]
            folds = None if fold is None else fold[rows]
            written = np.flatnonzero(part[rows] != LEFT_OUT)
            yield {
                "codes": batch.codes[written],
                "valid_length": batch.valid_length[written],
                "y": survey.y[rows][written],
                "split": part[rows][written],
                "fold": None if folds is None else folds[written],
                "id": [batch.names[row] for row in written],
                "group": [groups[row] for row in written],
                "parent": [""] * len(written),
                "intervals": [intervals[row] for row in written],
            } | (
                {}
                if surroundings is None
                else {"flanks": surroundings.flanks([intervals[row] for row in written])}
            )
            if maker is not None and source.gets_negatives:
                made = maker.make(batch, n_with_negatives)
                kept = np.flatnonzero(keep[n_made : n_made + len(made.positive)])
                positives = made.positive[kept]
                yield {
                    "codes": made.codes[kept],
                    "valid_length": batch.valid_length[positives],
                    "y": np.zeros((len(kept), 1), np.float32),
                    "split": part[rows][positives],
                    "fold": None if folds is None else folds[positives],
                    "id": [
                        f"{batch.names[positive]}_{maker.word}_{number}"
                        for positive, number in zip(positives, made.number[kept], strict=True)
                    ],
                    "group": [groups[positive] for positive in positives],
                    "parent": [batch.names[positive] if maker.paired else "" for positive in positives],
                    "intervals": [intervals[positive] for positive in positives],
                }
                n_made += len(made.positive)
            n += len(batch.names)
            if source.gets_negatives:
                # each negative made differs, those of another file's records, too
                n_with_negatives += len(batch.names)


def _encode(
    output: Path,
    sources: Sequence[Source],
    factors: Sequence[str],
    options: EncodeOptions,
    *,
    inputs: Sequence[Path],
    negative_method: str,
    counts: dict[str, int],
    surroundings: Surroundings | None = None,
) -> None:
    """Survey, deal, write and report; ``counts`` are what the caller counted beforehand."""
    with unchanged(inputs) as check_unchanged:
        _encode_unchanged(
            output,
            sources,
            factors,
            options,
            check_unchanged,
            inputs=inputs,
            negative_method=negative_method,
            counts=counts,
            surroundings=surroundings,
        )


def _encode_unchanged(
    output: Path,
    sources: Sequence[Source],
    factors: Sequence[str],
    options: EncodeOptions,
    check_unchanged: Callable[[], None],
    *,
    inputs: Sequence[Path],
    negative_method: str,
    counts: dict[str, int],
    surroundings: Surroundings | None = None,
) -> None:
    encoding = DnaEncoding(
        encoding=options.encoding,
        length=options.length,
        k=options.k if options.encoding == "kmer" else None,
        stride=options.stride if options.encoding == "kmer" else None,
    )
    maker = negative_maker(negative_method, options)
    survey = make_survey(sources, len(factors), options, maker)
    sources = _with_unique_names(sources, survey.name_hash)
    n_invalid = _count_invalid(sources)
    if (
        negative_method == "given"
        and shuffle_families(survey.composition, survey.digest, survey.y) is not None
    ):
        negative_method = "dinucleotide"
        logger.info(
            "most negatives given are dinucleotide shuffles of positives: stored as shuffles (negative_method %s)",
            negative_method,
        )
    placed = np.array([interval is not None for interval in survey.intervals])
    content = overlap_groups(survey.sketches, placed)
    # training windows are shifted, so what they may then cover counts as theirs
    near = widened(survey.intervals, surroundings.width if surroundings else 0)
    group = group_related(survey.digest, near, survey.composition, content, survey.named)
    left_out: dict[str, int] = {}
    if survey.part is None:
        part = deal(sources, survey, group, options)
    else:
        part, left_out = part_as_stated(survey, group, options, some_files(inputs))
    fold = deal_folds(sources, survey, part, group, options)
    distinct = _keep_made(survey)
    keep = distinct & (part[survey.made_for] != LEFT_OUT)
    n_records = int((part != LEFT_OUT).sum())
    tally = Tally(factors, options.folds)
    extra = {"negative_method": negative_method}
    with (
        write_tensors(
            output,
            encoding,
            tasks=factors,
            source=describe_sources(inputs),
            extra=extra,
            folds=options.folds,
        ) as writer,
        Progress("encoding", total=n_records + int(keep.sum()), unit="records") as progress,
    ):
        for rows in _rows(sources, survey, part, fold, keep, maker, surroundings if maker is None else None):
            writer.append(**rows)
            tally.add(rows["y"], rows["split"], rows["fold"])
            progress.update(len(rows["id"]))
        if surroundings is not None and surroundings.stretches is not None:
            writer.add_stretches(surroundings.stretches)
        # the second pass must have met what the parts were dealt to
        check_unchanged()
    bound = (survey.y == 1).any(axis=1)
    noun = "negatives" if maker is None else maker.noun
    counts = (
        counts
        | {
            "records": n_records,
            "records left out by --skip-invalid": n_invalid,
            f"{noun} made": int(keep.sum()),
            f"{noun} left out because they equal another sequence": int((~distinct).sum()),
            "records with ambiguous bases": survey.n_ambiguous,
            "records padded": survey.n_padded,
            "records with coordinates": int(placed.sum()),
            "records that overlap another one by their coordinates": _n_in_groups(
                group_related(np.arange(len(part), dtype=np.uint64), survey.intervals)
            ),
            "records that overlap another one by their bases": _n_in_groups(content),
            KEPT_TOGETHER: _n_in_groups(group),
            "sequences both bound and unbound": len(
                np.intersect1d(survey.digest[bound], survey.digest[~bound])
            ),
        }
        | left_out
    )
    if survey.part is not None:
        # the user's parts need not keep relatives together
        del counts[KEPT_TOGETHER]
    summary = {"negative_method": negative_method, "counts": {name: n for name, n in counts.items() if n}}
    report(output.with_suffix(".summary.json"), summary | tally.summary())


class HeldOutFiles(NamedTuple):
    """FASTA of one held-out part.

    positives : Path
    negatives : Path or None
        None: negatives are made.
    """

    positives: Path
    negatives: Path | None = None


def _fasta_sources(
    files: HeldOutFiles, part: int | None, options: EncodeOptions
) -> Iterator[tuple[Source, int]]:
    """Give positives and, if there are any, negatives, with their labels; of one part, or of no stated one."""
    for path, label in ((files.positives, 1), (files.negatives, 0)):
        if path is None:
            continue
        source = fasta_source(path, options.length, label, skip_invalid=options.skip_invalid)
        source = source._replace(gets_negatives=label == 1 and files.negatives is None)
        if part is not None:
            source = source.in_part(part)
        if part not in (None, TRAIN) and label == 0:
            source = source._replace(suffix=source.suffix + SUFFIX)
        yield source, label


def encode_fasta(
    output: Path,
    positives: Path,
    negatives: Path | None,
    factor: str,
    options: EncodeOptions,
    *,
    held_out: Mapping[int, HeldOutFiles] | None = None,
) -> None:
    """Encode a FASTA of bound sequences, and one of unbound ones or negatives made from the bound ones.

    Parameters
    ----------
    output : Path
        The tensors file; beside it goes a summary, ``.summary.json`` in place of its suffix.
    positives : Path
    negatives : Path or None
        Where most are shuffles of positives (see `tfbind.binding.encoding.shuffles.shuffle_families`) the file says
        that the negatives are shuffles. None: shuffles of the positives, or sequences of a background model, are the
        negatives.
    factor : str
        Name of the transcription factor.
    options : EncodeOptions
    held_out : mapping of VALIDATION or TEST to HeldOutFiles, optional
        Files of these parts; the other two are then of the training part. See
        `tfbind.binding.encoding.stated.part_as_stated`.

    Raises
    ------
    TfbindError
        As the readers of FASTA, and if a name is given twice in one file. A name may be in several files: the later
        record gets a suffix, such as ``_negative`` or ``_test``.
    """
    whole = HeldOutFiles(positives, negatives)
    files = [(TRAIN if held_out else None, whole), *(held_out or {}).items()]
    found = [each for part, some in files for each in _fasta_sources(some, part, options)]
    sources = [source for source, _ in found]
    method = options.negative_method or "dinucleotide" if negatives is None else "given"
    inputs = [source.path for source in sources] + _background_input(options)
    counts = {}
    if options.exclude is not None:
        rows = [
            row
            for row, (_, label) in enumerate(found)
            if not (label == 1 and options.keep_excluded_positives)
        ]
        if rows:
            some, n_excluded = without_excluded([sources[row] for row in rows], options.exclude)
            for row, source in zip(rows, some, strict=True):
                sources[row] = source
            counts = {EXCLUDED_RECORDS: n_excluded}
        inputs.append(options.exclude)
    _encode(output, sources, [factor], options, inputs=inputs, negative_method=method, counts=counts)


def encode_table(
    output: Path,
    table: Path,
    factor: str,
    options: EncodeOptions,
    *,
    label_columns: Sequence[str] = (),
    held_out: Mapping[int, Path] | None = None,
) -> tuple[str, ...]:
    """Encode a table of sequences and labels, and the tables of held-out parts if there are any; give the factors.

    See `encode_fasta`, and `tfbind.binding.encoding.table.read_table`; ``factor`` names a column ``label``.
    """
    files = [(TRAIN if held_out else None, table), *(held_out or {}).items()]
    sources: list[Source] = []
    factors: tuple[str, ...] = ()
    for part, path in files:
        source, factors = read_table(
            path,
            options.length,
            factor,
            label_columns=label_columns,
            skip_invalid=options.skip_invalid,
            part=part,
            factors=factors or None,
        )
        sources.append(source)
    _encode(
        output,
        sources,
        factors,
        options,
        inputs=[path for _, path in files],
        negative_method="given",
        counts={},
    )
    return factors


def encode_labelled(output: Path, fasta: Path, labels: Path, options: EncodeOptions) -> None:
    """Encode a FASTA whose records are bound, unbound or unknown for each of several factors.

    See `encode_fasta`; ``labels`` is read by `tfbind.binding.encoding.sources.read_labels`.
    """
    source, factors, counts = labelled_source(
        fasta, labels, options.length, skip_invalid=options.skip_invalid
    )
    sources, inputs = [source], [fasta, labels]
    if options.exclude is not None:
        sources, counts[EXCLUDED_RECORDS] = without_excluded(sources, options.exclude)
        inputs.append(options.exclude)
    _encode(output, sources, factors, options, inputs=inputs, negative_method="given", counts=counts)


def _background_input(options: EncodeOptions) -> list[Path]:
    return [] if options.background is None else [options.background]


def _held_out_as(genome: Genome, contigs: Iterable[str], options: EncodeOptions) -> dict[str, int]:
    """Tell the part that each contig goes to; contigs to hold out may be spelled otherwise."""
    genome.expect_contigs((*options.test_contigs, *options.validation_contigs))
    test, validation = (
        {genome.find_contig(name) for name in names}
        for names in (options.test_contigs, options.validation_contigs)
    )
    return {
        contig: TEST if contig in test else VALIDATION if contig in validation else TRAIN
        for contig in contigs
    }


def encode_peaks(output: Path, peaks: Path, genome_path: Path, factor: str, options: EncodeOptions) -> None:
    """Encode windows round the summits of peaks, and G+C-matched windows or negatives made from the windows.

    See `encode_fasta`.
    """
    method = options.negative_method or "genome"
    with Genome(genome_path) as genome:
        excluded = excluded_regions(options.exclude, genome)
        keep_all = options.keep_excluded_positives
        windows, all_peaks, counts = peak_windows(peaks, genome, options, None if keep_all else excluded)
        named = options.test_contigs
        genome.expect_contigs(named)
        options = hold_out_contigs(
            windows, options, {name: genome.find_contig(name) or name for name in named}
        )
        if options.negative_ratio is None and method == "genome":
            options = replace(options, negative_ratio=genome_ratio(len(windows)))
        sources = [windows_source(genome, windows, options.length, 1)]
        inputs = [peaks, genome_path, *_background_input(options)]
        inputs += [] if options.exclude is None else [options.exclude]
        width = options.length // SHIFT
        # windows of contigs without a peak, such as alternative haplotypes, may repeat bound sequence
        stratum = _held_out_as(genome, (window.contig for window in windows), options)
        if method == "genome":
            forbidden = join_intervals(intervals_by_contig([*all_peaks, *windows]), excluded)
            # training shifts a negative, and must not shift it into a peak
            forbidden = {
                contig: np.maximum(places + np.array([-width, width]), 0)
                for contig, places in forbidden.items()
            }
            negatives, short_of = matched_windows(genome, sources[0], forbidden, stratum, options)
            if not negatives:
                raise TfbindError(
                    f"{genome_path}: no stretch of {options.length} bases touches no peak and has the G+C content"
                    " of a peak, expected some for negatives; --negative-method dinucleotide needs none"
                )
            counts |= short_of
            sources.append(windows_source(genome, negatives, options.length, 0))
        by_contig = bool(options.test_contigs or options.validation_contigs)
        surroundings = Surroundings(
            genome,
            width,
            validation_stretches(genome, all_peaks, stratum) if by_contig else None,
        )
        _encode(
            output,
            sources,
            [factor],
            options,
            inputs=inputs,
            negative_method=method,
            counts=counts,
            surroundings=surroundings,
        )
