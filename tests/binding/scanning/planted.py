"""A genome with planted sites, and a stand-in for a model that knows their matrix."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from tfbind.dna.alphabet import AMBIGUOUS, decode_letters, encode_letters
from tfbind.dna.simulate import background, dinucleotide_frequencies

SITE = "TACCCAAGCACGA"
_COMPLEMENT = np.array([3, 2, 1, 0, AMBIGUOUS], np.uint8)


class Matrix:
    """Scores windows by the best match of a site on either strand: so much less for one mismatch or N, and for two."""

    def __init__(self, *sites: str, length: int = 60, base: float = 8.0, penalty: float = 7.0):
        self.path = Path("matrix.keras")
        self.card = SimpleNamespace(
            encoding=SimpleNamespace(length=length),
            tasks=tuple(f"TF{number}" for number in range(len(sites))),
            negative_method="genome",
            sites=None,
        )
        self.n_scored = 0
        self._base, self._penalty = base, penalty
        codes = [encode_letters(site) for site in sites]
        self._both = [(one, _COMPLEMENT[one[::-1]]) for one in codes]

    def logits(self, codes, valid_length, batch_size=512):
        self.n_scored += len(codes)
        return np.stack([self._best(codes, both) for both in self._both], axis=1)

    def _best(self, codes, both):
        windows = np.lib.stride_tricks.sliding_window_view(codes, len(both[0]), axis=1)
        mismatches = np.stack([(windows != one).sum(axis=2) for one in both])
        return self._base - self._penalty * np.minimum(mismatches.min(axis=(0, 2)), 2)


def plant(rng, length: int, starts, strands, site: str = SITE) -> str:
    """Give a background sequence with a site at each start, on its strand."""
    codes = background(rng, 1, length, dinucleotide_frequencies())[0]
    forward = encode_letters(site)
    for start, strand in zip(starts, strands, strict=True):
        codes[start : start + len(site)] = forward if strand == "+" else _COMPLEMENT[forward[::-1]]
    return decode_letters(codes)
