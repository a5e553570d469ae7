"""From sequences to what a network reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfbind.dna.gkm import GkmWeights
from tfbind.tensors import DnaEncoding


@dataclass(frozen=True)
class InputEncoder:
    """Turns codes into a network's inputs, in training and in prediction alike.

    encoding : DnaEncoding
    gkm : GkmWeights or None
        Of the evidence tracks, where the network reads any.
    """

    encoding: DnaEncoding
    gkm: GkmWeights | None = None

    def __call__(self, codes: np.ndarray, valid_length: np.ndarray) -> tuple[np.ndarray, ...]:
        """Encode (n, length) uint8 codes: ``x``, ``valid_length`` and, with ``gkm``, the tracks."""
        inputs = (self.encoding.encode(codes), valid_length)
        return inputs if self.gkm is None else (*inputs, self.gkm.tracks(codes, valid_length))
