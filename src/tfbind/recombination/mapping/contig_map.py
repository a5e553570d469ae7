"""The map of one contig: its windows, those that nothing is known of, and the rates of the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.gaps import accessible_stretches
from tfbind.genotypes.mask import Accessible
from tfbind.recombination.checks.noted_blocks import NotedBlocks
from tfbind.recombination.checks.relatives import Closeness
from tfbind.recombination.mapping.hotspots import Hotspot, find_hotspots, hotspot_width
from tfbind.recombination.mapping.posterior import Calibration, TokenPosterior, window_rates

# Of a stretch without a site that is wider than so many tokens, in which 8 common sites are expected, nothing is
# known: what the network says of it comes from elsewhere
GAP_TOKENS = 2
# A window of fewer tokens, in which two common sites are expected, has the rate of its surroundings
FEWEST_TOKENS = 0.5
SPARSE = "sparse_sites"


@dataclass(frozen=True, eq=False)
class ContigMap:
    """What is known of a contig's rates; those of windows are means over their accessible bases.

    genotypes : Genotypes
    mask : Accessible or None
    tokens : TokenPosterior or None
        None where nothing can be said.
    calibration : Calibration
    note : str
        Of all its rows: why there are no rates, or what is to be said of them.
    noted : tuple of NotedBlocks
        What is to be said of the rates of some of them.
    closeness : Closeness or None
        How close the samples are on it; None where nothing can be said.
    """

    genotypes: Genotypes
    mask: Accessible | None
    tokens: TokenPosterior | None
    calibration: Calibration
    note: str = ""
    noted: tuple[NotedBlocks, ...] = ()
    closeness: Closeness | None = None

    @cached_property
    def accessible(self) -> Accessible:
        """Where sites could have been found: `tfbind.genotypes.gaps.accessible_stretches`."""
        return accessible_stretches(self.genotypes, self.mask)

    def with_note(self, note: str) -> ContigMap:
        """Add a note to the rows that have rates; an empty one adds nothing."""
        if self.tokens is None or not note:
            return self
        return replace(self, note=f"{self.note},{note}" if self.note else note)

    def table(self, resolution: int) -> pd.DataFrame:
        """Give a row a window, as `tfbind.recombination.maps.table` describes, with ``scale``; rates are r/mu."""
        starts, ends = self._windows(resolution)
        n_sites, gap = self._sites_and_gaps(starts, ends)
        rates = np.full((3, len(starts)), np.nan)
        if self.tokens is not None:
            known = gap == ""
            count = self.accessible.bases_before
            rates[:, known] = window_rates(
                _over(self.tokens, self.accessible),
                count(starts[known]),
                count(ends[known]),
                self.calibration,
            )
            note = np.where(known, self._notes(starts, ends, resolution), gap)
        else:
            note = np.where(gap == "masked", gap, self.note)
        return pd.DataFrame(
            {
                "chrom": self.genotypes.contig,
                "start": starts,
                "end": ends,
                "n_sites": n_sites,
                "rate": rates[0],
                "rate_lower": rates[1],
                "rate_upper": rates[2],
                "note": note,
                "scale": resolution,
            }
        )

    def _notes(self, starts: np.ndarray, ends: np.ndarray, resolution: int) -> np.ndarray:
        """What is to be said of the rates of windows, joined by commas: (windows,) str."""
        notes = np.full(len(starts), self.note, object)
        found = [(blocks.note, blocks.touches(starts, ends)) for blocks in self.noted]
        for name, here in [*found, (SPARSE, self._are_sparse(starts, ends, resolution))]:
            notes[here] = [f"{note},{name}" if note else name for note in notes[here]]
        return notes

    def _are_sparse(self, starts: np.ndarray, ends: np.ndarray, resolution: int) -> np.ndarray:
        """Tell which windows are too narrow for the sites in and around them: (windows,) bool."""
        assert self.tokens is not None
        count = self.accessible.bases_before
        first, last = count(starts), count(ends)
        n_tokens = _over(self.tokens, self.accessible).rate.steps_within(first, last) / self.tokens.pieces
        # as if all bases were accessible, since what a mask leaves of a window may be as narrow as can be
        in_all = n_tokens * resolution / np.maximum(last - first, 1)
        return (ends - starts == resolution) & (in_all < FEWEST_TOKENS)

    def mean_rate(self, resolution: int) -> tuple[float, float, float]:
        """Mean rate over the windows that have one, and its interval; NaN where nothing can be said."""
        if self.tokens is None:
            return np.nan, np.nan, np.nan
        starts, ends = self._windows(resolution)
        known = self._sites_and_gaps(starts, ends)[1] == ""
        count = self.accessible.bases_before
        rated = Accessible.merged(count(starts[known]), count(ends[known]))
        whole = np.array([0]), np.array([int((rated.ends - rated.starts).sum())])
        rate, lower, upper = window_rates(
            _over(_over(self.tokens, self.accessible), rated), *whole, self.calibration
        )
        return float(rate[0]), float(lower[0]), float(upper[0])

    def hotspots(self, factor: float) -> list[Hotspot]:
        """Find the hotspots; none where nothing can be said."""
        if self.tokens is None:
            return []
        starts, ends = self._windows(hotspot_width(self.tokens))
        known = self._sites_and_gaps(starts, ends)[1] == ""
        return find_hotspots(
            self.genotypes.contig, self.tokens, self.calibration, starts, ends, known, factor
        )

    def _windows(self, resolution: int) -> tuple[np.ndarray, np.ndarray]:
        """Tile the stretch that was looked at; all but the first start and the last end are whole multiples."""
        start, end = self.genotypes.start, self.genotypes.end
        inner = np.arange((start // resolution + 1) * resolution, end, resolution)
        edges = np.concatenate([[start], inner, [end]]).astype(np.int64)
        return edges[:-1], edges[1:]

    def _sites_and_gaps(self, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Count the sites of windows; say why one is a gap: ``masked``, ``no_sites``, or nothing if it is none."""
        positions = self.genotypes.positions
        before, after = np.searchsorted(positions, starts), np.searchsorted(positions, ends)
        n_sites = after - before
        # a window that is narrower than a token may have no site and still be well known
        beyond = np.concatenate([[self.genotypes.start], positions, [self.genotypes.end]])
        empty = beyond[after + 1] - beyond[before]
        # the median, since a token may span a centromere
        widest = 0.0
        if self.tokens is not None:
            widest = GAP_TOKENS * self.tokens.token_width()
        reached = np.diff(self.accessible.bases_before(np.stack([starts, ends])), axis=0)[0]
        gap = np.where((n_sites == 0) & ((empty > widest) | (reached == 0)), "no_sites", "")
        if self.mask is not None:
            unmasked = self.mask.bases_before(ends) - self.mask.bases_before(starts)
            gap = np.where(unmasked == 0, "masked", gap)
        return n_sites, gap


def _over(tokens: TokenPosterior, stretches: Accessible) -> TokenPosterior:
    """Measure tokens in bases of some stretches alone."""
    return tokens.warped(stretches.bases_before(tokens.rate.edges))
