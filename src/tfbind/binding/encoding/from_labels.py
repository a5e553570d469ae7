"""A tensors file of a FASTA file and a table of labels."""

from __future__ import annotations

from pathlib import Path

from tfbind.binding.encoding.encode import encode_sources
from tfbind.binding.encoding.exclusion import EXCLUDED_RECORDS, without_excluded
from tfbind.binding.encoding.sources import labelled_source
from tfbind.binding.options import EncodeOptions


def encode_labelled(output: Path, fasta: Path, labels: Path, options: EncodeOptions) -> None:
    """Encode a FASTA whose records are bound, unbound or unknown for each of several factors.

    See `encode_fasta`; ``labels`` is read by `tfbind.binding.encoding.sources.read_labels`.
    """
    source, factors, counts = labelled_source(
        fasta, labels, options.length, skip_invalid=options.skip_invalid
    )
    sources = [source]
    if options.exclude is not None:
        sources, counts[EXCLUDED_RECORDS] = without_excluded(sources, options.exclude)
    encode_sources(
        output, sources, factors, options, inputs=[fasta, labels], negative_method="given", counts=counts
    )
