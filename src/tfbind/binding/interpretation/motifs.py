"""Motifs: what the seqlets of a pattern have in common."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tfbind.binding.interpretation.modisco import Pattern
from tfbind.binding.interpretation.mutagenesis import one_hot_bases
from tfbind.binding.interpretation.sequences import Sequences
from tfbind.dna.alphabet import ALPHABET
from tfbind.dna.matrices import Matrix

# share of the highest contribution that the outermost positions of a motif have
TRIM = 0.15
NARROWEST = 4
# share of the sites that have a base where the consensus names it
_CLEAR = 0.5


class Motif(NamedTuple):
    """A motif.

    name : str
    sign : int
        1 if it speaks for binding, -1 if against it.
    counts : (width, 4) float64
        How often A, C, G and T are at each position of its seqlets.
    contributions : (width, 4) float64
        Mean contribution of the bases that are there, in natural logarithms of odds.
    hypothetical : (width, 4) float64
        Mean hypothetical contribution of every base.
    sequence, start : (m,) int64
        Where its seqlets are; those beyond an end are left out.
    is_reverse : (m,) bool
    """

    name: str
    sign: int
    counts: np.ndarray
    contributions: np.ndarray
    hypothetical: np.ndarray
    sequence: np.ndarray
    start: np.ndarray
    is_reverse: np.ndarray

    @property
    def width(self) -> int:
        """Positions."""
        return len(self.counts)

    @property
    def matrix(self) -> Matrix:
        """Its counts."""
        return Matrix(self.name, self.name, self.counts)

    @property
    def consensus(self) -> str:
        """The commonest base of each position, lower case where fewer than half of the sites have it."""
        share = (self.counts / self.counts.sum(axis=1, keepdims=True)).max(axis=1)
        letters = [ALPHABET[base] for base in self.counts.argmax(axis=1)]
        return "".join(
            letter if clear else letter.lower()
            for letter, clear in zip(letters, share >= _CLEAR, strict=True)
        )

    def reverse_complement(self) -> Motif:
        """The same motif as the other strand has it."""
        return self._replace(
            counts=self.counts[::-1, ::-1],
            contributions=self.contributions[::-1, ::-1],
            hypothetical=self.hypothetical[::-1, ::-1],
            is_reverse=~self.is_reverse,
        )


def motif_of(pattern: Pattern, name: str, sequences: Sequences, scores: np.ndarray) -> Motif | None:
    """Average over the seqlets of a pattern, and trim what contributes little; None if nothing is left.

    Parameters
    ----------
    pattern : Pattern
    name : str
    sequences : Sequences
    scores : (n, length, 4) float32
        Hypothetical contributions.
    """
    bases, hypothetical = oriented(pattern, sequences, scores)
    n = np.maximum(bases.sum(axis=(0, 2)), 1)[:, None]
    contributions = (bases * hypothetical).sum(axis=0) / n
    height = np.abs(contributions.sum(axis=1))
    if not height.any():
        return None
    high = np.flatnonzero(height >= TRIM * height.max())
    first, end = int(high[0]), int(high[-1]) + 1
    if end - first < NARROWEST:
        return None
    width = len(height)
    start = np.where(pattern.is_reverse, pattern.start + width - end, pattern.start + first)
    inside = (start >= 0) & (start + end - first <= sequences.valid_length[pattern.sequence])
    return Motif(
        name,
        pattern.sign,
        bases.sum(axis=0)[first:end].astype(np.float64),
        contributions[first:end],
        (hypothetical.sum(axis=0) / n)[first:end],
        pattern.sequence[inside],
        start[inside],
        pattern.is_reverse[inside],
    )


def oriented(pattern: Pattern, sequences: Sequences, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut seqlets out, all on one strand: their one-hot bases and contributions, both (m, width, 4) float64.

    What is beyond an end of a sequence is zero in both.
    """
    place = pattern.start[:, None] + np.arange(pattern.end[0] - pattern.start[0])
    length = sequences.codes.shape[1]
    inside = (place >= 0) & (place < length)
    row, place = pattern.sequence[:, None], np.clip(place, 0, length - 1)
    cut = []
    for values in (one_hot_bases(sequences.codes), scores):
        of_seqlets = values[row, place].astype(np.float64) * inside[:, :, None]
        of_seqlets[pattern.is_reverse] = of_seqlets[pattern.is_reverse, ::-1, ::-1]
        cut.append(of_seqlets)
    return cut[0], cut[1]


def find_motifs(patterns: list[Pattern], sequences: Sequences, scores: np.ndarray) -> list[Motif]:
    """Make motifs of patterns, and name them ``motif_1`` and so on; those against binding ``against_1``."""
    motifs: list[Motif] = []
    for pattern in patterns:
        kind = "motif" if pattern.sign > 0 else "against"
        number = 1 + sum(motif.sign == pattern.sign for motif in motifs)
        motif = motif_of(pattern, f"{kind}_{number}", sequences, scores)
        if motif is not None and len(motif.start):
            motifs.append(motif)
    return motifs
