"""Parts and groups that the user states: they are kept, and what would leak from one part to another is left out."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tfbind.binding.encoding.survey import Survey
from tfbind.binding.options import EncodeOptions
from tfbind.dna.coordinates import Interval
from tfbind.dna.matched import intervals_by_contig, touches
from tfbind.dna.minimizers import find_overlaps, rare_minimizers, some_sketches
from tfbind.dna.splits import LEFT_OUT, PARTS, TEST, TRAIN, VALIDATION, split_at_random
from tfbind.errors import TfbindError

logger = logging.getLogger(__name__)


class Related(NamedTuple):
    """Which of n records are held out elsewhere: equal, (n,) bool, and other relatives, (n,) bool."""

    equal: np.ndarray
    other: np.ndarray


def part_as_stated(
    survey: Survey, group: np.ndarray, options: EncodeOptions, files: str
) -> tuple[np.ndarray, dict[str, int]]:
    """Take the parts that the user states, without what would be in two of them.

    Test stays as it is. Validation loses the records that equal one of test on either strand, overlap one by
    coordinates or bases, or share a stated group with one; training loses those of test and of validation. Records
    that are no more than related to a relative stay, and so do dinucleotide shuffles, which share no bases. If no
    record is stated as validation, some of training become it, in the fractions of ``options.split``.

    Parameters
    ----------
    survey : Survey
        With ``part``.
    group : (n,) int
        From `tfbind.dna.splits.group_related`.
    options : EncodeOptions
    files : str
        Where the parts are stated, for messages.

    Returns
    -------
    part : (n,) uint8
        LEFT_OUT for what is in no part.
    counts : dict
        What is left out, for the summary.

    Raises
    ------
    TfbindError
        If no record is of the training part, or none is left there, or if contigs are to be held out as well.
    """
    assert survey.part is not None
    if options.test_contigs or options.validation_contigs:
        raise TfbindError(
            f"{files}: states the part of each record, so --test-contigs and --validation-contigs have no meaning;"
            " take the column split out to hold out contigs"
        )
    part = survey.part.copy()
    if not (part == TRAIN).any():
        raise TfbindError(f"{files}: states no record as train, expected some to train on")
    counts: dict[str, int] = {}
    for yielding, held in ((VALIDATION, (TEST,)), (TRAIN, (VALIDATION, TEST))):
        counts |= _leave_out(survey, part, yielding, held, files)
    if not (part == TRAIN).any():
        raise TfbindError(
            f"{files}: every train record is in validation or test, too, so none is left to train on"
        )
    if not (survey.part == VALIDATION).any():
        _take_validation(survey, part, group, options)
    if not (survey.part == TEST).any():
        logger.info("%s: no record is stated as test, so the test part is empty", files)
    across = _shuffles_across(survey, part)
    return part, counts | {"records whose dinucleotide shuffle is in another part, kept": across}


def _leave_out(
    survey: Survey, part: np.ndarray, yielding: int, held: Sequence[int], files: str
) -> dict[str, int]:
    """Take the relatives of what is held out from a part that yields to it; count and warn."""
    held = [each for each in held if (part == each).any()]
    found = _related(survey, part == yielding, np.isin(part, held))
    left_out = found.equal | found.other
    if not left_out.any():
        return {}
    name, others = PARTS[yielding], " or ".join(PARTS[each] for each in held)
    logger.warning(
        "%s: left out %s of %s %s records, which would leak: %s equal a record of %s on either strand, %s overlap one"
        " or share its group",
        files,
        f"{left_out.sum():,}",
        f"{(part == yielding).sum():,}",
        name,
        f"{found.equal.sum():,}",
        others,
        f"{found.other.sum():,}",
    )
    part[left_out] = LEFT_OUT
    return {
        f"{name} records left out because they equal one of {others}": int(found.equal.sum()),
        f"{name} records left out because they overlap one of {others}, or share its group": int(
            found.other.sum()
        ),
    }


def _related(survey: Survey, rest: np.ndarray, held: np.ndarray) -> Related:
    """Find records of ``rest`` that are related to one that is held out; both are (n,) bool."""
    equal = rest & np.isin(survey.digest, survey.digest[held])
    other = np.zeros(len(rest), bool)
    if rest.any() and held.any():
        rare = rare_minimizers(survey.sketches)
        placed = np.array([interval is not None for interval in survey.intervals])
        # of records with coordinates these say what overlaps, as in `overlap_groups`
        rare &= np.repeat(~placed, survey.sketches.counts)
        of_rest = np.repeat(rest, survey.sketches.counts)
        other[rest] = find_overlaps(
            some_sketches(survey.sketches, rest), some_sketches(survey.sketches, held), rare[of_rest]
        )
        other |= rest & _overlapping(survey.intervals, held)
        if survey.named is not None:
            other |= rest & (survey.named >= 0) & np.isin(survey.named, survey.named[held])
    return Related(equal, other & ~equal)


def _overlapping(intervals: Sequence[Interval | None], held: np.ndarray) -> np.ndarray:
    """Tell which records share a base with one that is held out, by coordinates: (n,) bool."""
    regions = intervals_by_contig(
        interval for interval, is_held in zip(intervals, held, strict=True) if interval and is_held
    )
    rows_of: defaultdict[str, list[int]] = defaultdict(list)
    for row, interval in enumerate(intervals):
        if interval and interval[0] in regions:
            rows_of[interval[0]].append(row)
    found = np.zeros(len(held), bool)
    for contig, rows in rows_of.items():
        start, end = np.array([intervals[row][1:] for row in rows], np.int64).T  # type: ignore[index]
        found[rows] = touches(start, end - start, regions[contig])
    return found


def _take_validation(survey: Survey, part: np.ndarray, group: np.ndarray, options: EncodeOptions) -> None:
    """Deal some of the training records to validation, as where only test contigs are named."""
    train, validation, _ = options.fractions
    fractions = (train / (train + validation), validation / (train + validation), 0.0)
    rest = np.flatnonzero(part == TRAIN)
    part[rest] = split_at_random(group[rest], survey.stratum()[rest], fractions, options.seed)
    logger.info(
        "no record is stated as validation: took %s of %s train records for it",
        f"{(part[rest] == VALIDATION).sum():,}",
        f"{len(rest):,}",
    )


def _shuffles_across(survey: Survey, part: np.ndarray) -> int:
    """Count records that share their dinucleotide counts, and not their sequence, with one of another part."""
    kept = part != LEFT_OUT
    composition, digest, part = survey.composition[kept], survey.digest[kept], part[kept]
    _, family = np.unique(composition, return_inverse=True)
    first = np.full(family.max() + 1, LEFT_OUT, np.uint8)
    last = np.zeros(family.max() + 1, np.uint8)
    np.minimum.at(first, family, part)
    np.maximum.at(last, family, part)
    n_sequences = np.bincount(
        np.unique(np.column_stack([family, np.unique(digest, return_inverse=True)[1]]), axis=0)[:, 0]
    )
    return int(((first < last) & (n_sequences > 1))[family].sum())
