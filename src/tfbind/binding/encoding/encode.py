"""From records to a tensors file: negatives made, related records kept in one part, everything streamed.

The input is read twice. The first pass keeps a few bytes a record (digest, coordinates, label), from which
the parts are dealt; the second one encodes and writes. Sequences are never all in memory.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfbind.binding.encoding.dealing import deal, deal_folds
from tfbind.binding.encoding.names import unique_names
from tfbind.binding.encoding.negatives import Maker, negative_maker
from tfbind.binding.encoding.shuffles import shuffle_families
from tfbind.binding.encoding.sources import (
    Source,
)
from tfbind.binding.encoding.stated import part_as_stated
from tfbind.binding.encoding.summary import Tally, report
from tfbind.binding.encoding.surroundings import Surroundings
from tfbind.binding.encoding.survey import Survey, make_survey
from tfbind.binding.options import EncodeOptions
from tfbind.contigs import some_files
from tfbind.dna.coordinates import widened
from tfbind.dna.encoding import DnaEncoding
from tfbind.dna.minimizers import overlap_groups
from tfbind.dna.splits import (
    LEFT_OUT,
    group_related,
)
from tfbind.files import unchanged
from tfbind.progress import Progress
from tfbind.tensors import describe_sources, write_tensors

logger = logging.getLogger(__name__)

KEPT_TOGETHER = "records kept together with an equal, reverse complementary, shuffled or overlapping one"


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


def encode_sources(
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
    """Survey, deal, write and report: what all ways to encode share.

    Parameters
    ----------
    output : Path
        The tensors file; beside it goes a summary, ``.summary.json`` in place of its suffix.
    sources : sequence of Source
        Read twice.
    factors : sequence of str
        Names of the columns of labels.
    options : EncodeOptions
    inputs : sequence of Path
        The files that the sources read. Those that the options name are added.
    negative_method : str
        "given", or how negatives are made.
    counts : dict
        What was counted beforehand, for the summary.
    surroundings : Surroundings, optional
        Of records of a genome.

    Raises
    ------
    TfbindError
        As the sources, and if a name is given twice in one file or an input changes while it is read.
    """
    inputs = [*inputs, *(path for path in (options.background, options.exclude) if path is not None)]
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
