"""How sequences are encoded: one-hot, or as tokens of k-mers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfbind.dna.alphabet import (
    AMBIGUOUS,
    codes_from_kmers,
    codes_from_one_hot,
    kmer_tokens,
    n_tokens,
    one_hot,
)


@dataclass(frozen=True, kw_only=True)
class DnaEncoding:
    """How sequences stand in a tensors file, and so what a network reads.

    encoding : "onehot" or "kmer"
    length : bases a record, padding included
    k, stride : of the k-mers; None for one-hot
    """

    encoding: str
    length: int
    k: int | None = None
    stride: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one record's ``x``: (length, 4) or (tokens,)."""
        if self.k is not None and self.stride is not None:
            return (n_tokens(self.length, self.k, self.stride),)
        return (self.length, 4)

    @property
    def dtype(self) -> type:
        """Data type of ``x``: uint8 for one-hot, uint16 for k-mers."""
        return np.uint8 if self.k is None else np.uint16

    def encode(self, codes: np.ndarray) -> np.ndarray:
        """Turn (n, length) codes into (n, *shape) ``x``."""
        if self.k is not None and self.stride is not None:
            return kmer_tokens(codes, self.k, self.stride)
        return one_hot(codes)

    def decode(self, x: np.ndarray) -> np.ndarray:
        """Turn (n, *shape) ``x`` back into (n, length) codes; what k-mers do not tell comes out ambiguous.

        Values that encode no sequence give codes that `wrong` finds.
        """
        if self.k is not None and self.stride is not None:
            return codes_from_kmers(x, self.k, self.stride, self.length)
        return codes_from_one_hot(x)

    def wrong(self, x: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Tell which of n records do not encode a sequence, from ``x`` and what `decode` made of it: (n,) bool."""
        if self.k is None:
            return np.any(codes > AMBIGUOUS, axis=1)
        return np.any(self.encode(codes) != x, axis=1)
