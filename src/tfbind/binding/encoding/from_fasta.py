"""A tensors file of FASTA files: bound sequences, and unbound ones that are given or made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tfbind.binding.encoding.encode import encode_sources
from tfbind.binding.encoding.exclusion import EXCLUDED_RECORDS, without_excluded
from tfbind.binding.encoding.names import SUFFIX
from tfbind.binding.encoding.sources import Source, fasta_source
from tfbind.binding.options import EncodeOptions
from tfbind.dna.splits import TRAIN


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
    inputs = [source.path for source in sources]
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
    encode_sources(output, sources, [factor], options, inputs=inputs, negative_method=method, counts=counts)
