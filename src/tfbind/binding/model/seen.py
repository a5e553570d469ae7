"""Which sequences a model was trained or validated on, or overlap one of those."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tfbind.binding.model.card import ModelCard
from tfbind.dna.digests import strand_canonical_digests
from tfbind.dna.minimizers import find_overlaps, sketch

# overlapping sequences that are left out; above this fraction they are refused
MOST_OVERLAPPING = 0.01


class Seen(NamedTuple):
    """What `find_seen` finds.

    equal : (n,) bool
        In the training or validation set of the model, on either strand.
    overlapping : (n,) bool or None
        Overlap such a sequence, see `tfbind.dna.minimizers.find_overlaps`; None if the model holds no minimizers.
    """

    equal: np.ndarray
    overlapping: np.ndarray | None


def find_seen(card: ModelCard, codes: np.ndarray, valid_length: np.ndarray) -> Seen:
    """Find sequences that a model has seen.

    Parameters
    ----------
    card : ModelCard
    codes : (n, length) uint8
        Of the model's length.
    valid_length : (n,) int32
    """
    # what a k-mer tensors file could not tell in training must not tell here either
    if card.training.get("stored_as") == "kmer":
        codes = card.encoding.decode(card.encoding.encode(codes))
    equal = np.isin(strand_canonical_digests(codes, valid_length), card.digests)
    if card.sketches is None:
        return Seen(equal, None)
    return Seen(equal, find_overlaps(sketch(codes, valid_length, card.sketches.scheme), card.sketches))
