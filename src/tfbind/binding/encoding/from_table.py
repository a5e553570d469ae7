"""A tensors file of tables of sequences and labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tfbind.binding.encoding.encode import encode_sources
from tfbind.binding.encoding.sources import Source
from tfbind.binding.encoding.table import read_table
from tfbind.binding.options import EncodeOptions
from tfbind.dna.splits import TRAIN


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
    encode_sources(
        output,
        sources,
        factors,
        options,
        inputs=[path for _, path in files],
        negative_method="given",
        counts={},
    )
    return factors
