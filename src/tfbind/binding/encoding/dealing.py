"""Which part of the split, or which fold, each record goes to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tfbind.binding.encoding.sources import Source
from tfbind.binding.encoding.survey import Survey
from tfbind.binding.options import EncodeOptions
from tfbind.contigs import some_files
from tfbind.dna.splits import (
    LEFT_OUT,
    TEST,
    TRAIN,
    folds_at_random,
    split_at_random,
    split_by_contig,
)
from tfbind.errors import TfbindError


def deal(sources: Sequence[Source], survey: Survey, group: np.ndarray, options: EncodeOptions) -> np.ndarray:
    """Deal the records, of which related ones share a group, to the parts."""
    stratum = survey.stratum()
    if not options.test_contigs and not options.validation_contigs:
        return split_at_random(group, stratum, options.fractions, options.seed)
    nowhere = [row for row, interval in enumerate(survey.intervals) if interval is None]
    if nowhere:
        path, name = _find(sources, nowhere[0])
        raise TfbindError(
            f"{path}: record {name!r} has no coordinates in its header, but holding contigs out needs them:"
            " write them as chr1:100-200, or leave --test-contigs out"
        )
    contig = np.array([interval[0] for interval in survey.intervals if interval is not None])
    files = some_files([source.path for source in sources])
    part = split_by_contig(contig, group, options.test_contigs, options.validation_contigs, files)
    if not options.validation_contigs:
        rest = np.flatnonzero(part == TRAIN)
        train, validation, _ = options.fractions
        fractions = (train / (train + validation), validation / (train + validation), 0.0)
        part[rest] = split_at_random(group[rest], stratum[rest], fractions, options.seed)
    return part


def deal_folds(
    sources: Sequence[Source], survey: Survey, part: np.ndarray, group: np.ndarray, options: EncodeOptions
) -> np.ndarray | None:
    """Deal what is not of the test part to folds, (n,) uint8; 0 stands for the test part. None without folds."""
    if options.folds is None:
        return None
    fold = np.zeros(len(part), np.uint8)
    rest = np.flatnonzero((part != TEST) & (part != LEFT_OUT))
    # each fold gets its share of the classes, and of the validation part, which the other folds' models keep
    kinds = np.column_stack([np.nan_to_num(survey.y[rest], nan=-1), part[rest]])
    _, stratum = np.unique(kinds, axis=0, return_inverse=True)
    try:
        fold[rest] = folds_at_random(group[rest], stratum, options.folds, options.seed)
    except TfbindError as error:
        paths = " and ".join(str(source.path) for source in sources)
        raise TfbindError(f"{paths}: --folds {options.folds}: {error}") from None
    return fold


def _find(sources: Sequence[Source], row: int) -> tuple[Path, str]:
    """File and name of a record, of which the survey keeps no more than its number."""
    batches = ((source.path, batch) for source in sources for batch in source.batches())
    for path, batch in batches:
        if row < len(batch.names):
            return path, batch.names[row]
        row -= len(batch.names)
    raise IndexError(row)
