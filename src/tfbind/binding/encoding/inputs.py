"""From sequences to what a network reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfbind.dna.encoding import DnaEncoding
from tfbind.dna.gkm import evidence_tracks


@dataclass(frozen=True)
class InputEncoder:
    """Turns codes into a network's inputs, in training and in prediction alike.

    encoding : DnaEncoding
    gkm : (tasks, N_FEATURES) float32 or None
        Weights of gapped k-mers, where the network reads evidence tracks.
    """

    encoding: DnaEncoding
    gkm: np.ndarray | None = None

    def __call__(self, codes: np.ndarray, valid_length: np.ndarray) -> tuple[np.ndarray, ...]:
        """Encode (n, length) uint8 codes: ``x``, ``valid_length`` and, with ``gkm``, the tracks."""
        inputs: tuple[np.ndarray, ...] = (self.encoding.encode(codes), valid_length)
        if self.gkm is not None:
            inputs += (evidence_tracks(codes, valid_length, self.gkm[None]),)
        return inputs


@dataclass(frozen=True)
class EnsembleEncoder:
    """Turns codes into the inputs of each of several networks, which share the encoding.

    encoding : DnaEncoding
    gkm : for each network (tasks, N_FEATURES) float32 or None, as in `InputEncoder`
    """

    encoding: DnaEncoding
    gkm: tuple[np.ndarray | None, ...]

    def __call__(self, codes: np.ndarray, valid_length: np.ndarray) -> list[tuple[np.ndarray, ...]]:
        """Encode (n, length) uint8 codes and name their gapped k-mers once, and lay the tracks of each network."""
        shared = (self.encoding.encode(codes), valid_length)
        weights = [gkm for gkm in self.gkm if gkm is not None]
        if not weights:
            return [shared] * len(self.gkm)
        tracks = evidence_tracks(codes, valid_length, np.concatenate(weights)[None])
        ends = np.cumsum([0 if gkm is None else len(gkm) for gkm in self.gkm]).tolist()
        return [
            shared if gkm is None else (*shared, np.ascontiguousarray(tracks[..., end - len(gkm) : end]))
            for gkm, end in zip(self.gkm, ends, strict=True)
        ]
