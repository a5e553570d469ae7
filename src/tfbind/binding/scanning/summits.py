"""From the best window of a coarse scan to the base at which a site is.

A window of the model's length scores about the same wherever in it the site is, so the highest window only says
roughly where that is. Hiding bases says where: the score falls when a block of hidden bases covers the site.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tfbind.binding.model.model import BindingModel
from tfbind.binding.scanning.windows import MIN_BASES
from tfbind.dna.alphabet import AMBIGUOUS

# hidden bases on either side of a block's middle, and bases from block to block in the first round
HALF_BLOCK, STEP = 5, 5
# bases on either side of the best block at which blocks are hidden in the second round
AROUND = 13
# a site's score is the mean of windows in which it lies in the middle and up to a tenth of the length beside it: where
# in a window a site is says nothing of it, and the mean depends less on chance than the best window does
SHIFTS = (-0.1, -0.05, 0.0, 0.05, 0.1)
CANDIDATES_AT_ONCE = 256


class Stretch(NamedTuple):
    """Records side by side, so that those of many short ones are scored together.

    codes : (n,) uint8
    usable : (n,) bool
        False for a character that is not a base: windows that have one are not scored.
    """

    codes: np.ndarray
    usable: np.ndarray


class Candidates(NamedTuple):
    """Windows of a coarse scan to be looked at, each in its record.

    start : (n,) int64
        Where each window starts in the stretch.
    low, high : (n,) int64
        Where its record starts and ends in the stretch.
    """

    start: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Refined(NamedTuple):
    """Sites at the base.

    score : (n,) float64
        Mean log odds of windows around the summit, see `SHIFTS`.
    best : (n,) float64
        Log odds of the best window near the candidate.
    summit : (n,) int64
        The middle of the site, in the stretch.
    n_windows : int
        Windows that were scored for it.
    """

    score: np.ndarray
    best: np.ndarray
    summit: np.ndarray
    n_windows: int


def refine(
    model: BindingModel,
    stretch: Stretch,
    candidates: Candidates,
    *,
    stride: int,
    factor: int,
    batch_size: int,
) -> Refined:
    """Find the best window near each candidate, base by base, and the summit in it.

    Around a candidate of a scan every ``stride`` bases, the ``2 * stride - 1`` windows that start less than a stride
    away are scored. In the best one, blocks of 11 bases are hidden every 5 bases, and then every base in the window
    around the best block. The summit is the centre of mass of the fall in score, as far as it exceeds half of the most.
    The site's score is the mean of five windows, in which the summit is in the middle or up to a tenth of the length
    beside it.

    Parameters
    ----------
    model : BindingModel
    stretch : Stretch
    candidates : Candidates
    stride : int
    factor : int
        Number of the factor.
    batch_size : int
        Windows that the engine sees at a time.
    """
    windows = _Windows(model, stretch, factor, batch_size)
    parts = [
        _refine_some(
            windows, Candidates(*(each[first : first + CANDIDATES_AT_ONCE] for each in candidates)), stride
        )
        for first in range(0, len(candidates.start), CANDIDATES_AT_ONCE)
    ]
    score, best, summit = (
        np.concatenate([np.empty(0, kind), *(part[column] for part in parts)])
        for column, kind in enumerate((np.float64, np.float64, np.int64))
    )
    return Refined(score, best, summit, windows.n_scored)


class _Windows:
    """Cuts windows of the model's length, or shorter ones padded, and scores them."""

    def __init__(self, model: BindingModel, stretch: Stretch, factor: int, batch_size: int):
        self.length = model.card.encoding.length
        self.n_scored = 0
        self._model, self._factor, self._batch_size = model, factor, batch_size
        codes = np.pad(stretch.codes, (0, self.length), constant_values=AMBIGUOUS)
        self._cut = sliding_window_view(codes, self.length)
        self._usable = sliding_window_view(
            np.pad(stretch.usable, (0, self.length), constant_values=True), self.length
        )

    def cut(self, start: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Give (n, length) uint8 codes, ambiguous after ``size`` of them."""
        return np.where(np.arange(self.length) < size[:, None], self._cut[start], np.uint8(AMBIGUOUS))

    def can_be_scored(self, start: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Tell which windows have bases enough, and nothing else: in the shape of ``start`` and ``size``."""
        beyond = np.arange(self.length) >= size[..., None]
        is_wrong = ~(self._usable[start] | beyond).all(axis=-1)
        is_known = ((self._cut[start] != AMBIGUOUS) & ~beyond).any(axis=-1)
        return ~is_wrong & is_known & (size >= min(MIN_BASES, self.length))

    def logits(self, codes: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Score (n, length) codes: (n,) float64 log odds."""
        self.n_scored += len(codes)
        return self._model.logits(codes, size.astype(np.int32), self._batch_size)[:, self._factor]

    def falls(self, codes: np.ndarray, size: np.ndarray, score: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Say what windows lose if a block of bases is hidden.

        Parameters
        ----------
        codes : (n, length) uint8
        size : (n,) int
        score : (n,) float64
            What they have.
        at : (n, m) int
            Middles of the blocks. One that reaches over an end hides less, as it should.

        Returns
        -------
        (n, m) float64
        """
        covered = np.abs(np.arange(self.length) - at[:, :, None]) <= HALF_BLOCK
        hidden = np.where(covered, np.uint8(AMBIGUOUS), codes[:, None]).reshape(-1, self.length)
        return score[:, None] - self.logits(hidden, np.repeat(size, at.shape[1])).reshape(at.shape)


def _refine_some(
    windows: _Windows, candidates: Candidates, stride: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the mean score, the best window's and the summit."""
    start, low, high = candidates
    size = np.minimum(windows.length, high - low)
    near = start[:, None] + np.arange(1 - stride, stride)
    inside = (near >= low[:, None]) & (near <= (high - size)[:, None])
    near = np.clip(near, low[:, None], (high - size)[:, None])
    found = _score_near(windows, near, inside, size)
    best, rows = found.argmax(axis=1), np.arange(len(start))
    score, first = found[rows, best], near[rows, best]
    # a candidate none of whose windows has a score falls nowhere
    reached = np.where(np.isfinite(score), score, -np.finfo(np.float64).max)

    at = np.tile(np.arange(-HALF_BLOCK, windows.length + HALF_BLOCK, STEP), (len(rows), 1))
    middle = first + _middle(at, windows.falls(windows.cut(first, size), size, reached, at), size)
    # in the middle of its window a site is seen whole
    first = np.clip(middle - size // 2, low, high - size)
    at = (middle - first)[:, None] + np.arange(-AROUND, AROUND + 1)
    codes = windows.cut(first, size)
    summit = first + _middle(at, windows.falls(codes, size, windows.logits(codes, size), at), size)
    return _mean_around(windows, candidates, size, summit, score), score, summit


def _score_near(windows: _Windows, start: np.ndarray, inside: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Score several windows for each candidate, each window once.

    Parameters
    ----------
    start : (n, m) int64
    inside : (n, m) bool
        Whether a window is in its record.
    size : (n,) int

    Returns
    -------
    (n, m) float64
        -inf where a window is not in its record or cannot be scored.
    """
    start = np.where(inside, start, 0)
    sizes = np.broadcast_to(size[:, None], start.shape)
    inside = inside & windows.can_be_scored(start, sizes)
    # windows of neighbouring candidates are the same ones
    starts, first_one, where = np.unique(start[inside], return_index=True, return_inverse=True)
    found = np.full(start.shape, -np.inf)
    if len(starts):
        some = sizes[inside][first_one]
        found[inside] = windows.logits(windows.cut(starts, some), some)[where]
    return found


def _mean_around(
    windows: _Windows, candidates: Candidates, size: np.ndarray, summit: np.ndarray, otherwise: np.ndarray
) -> np.ndarray:
    """Give (n,) the mean score of the windows around summits, or another score where none can be scored."""
    shifts = np.round(np.array(SHIFTS) * windows.length).astype(np.int64)
    start = (summit - size // 2)[:, None] + shifts
    inside = (start >= candidates.low[:, None]) & (start <= (candidates.high - size)[:, None])
    found = _score_near(windows, start, inside, size)
    n = np.isfinite(found).sum(axis=1)
    total = np.where(np.isfinite(found), found, 0).sum(axis=1)
    return np.where(n > 0, total / np.maximum(n, 1), otherwise)


def _middle(at: np.ndarray, fall: np.ndarray, size: np.ndarray) -> np.ndarray:
    """The centre of mass of the deepest stretch in which a score falls, as far as that exceeds half of the most.

    Parameters
    ----------
    at : (n, m) int
        Middles of the hidden blocks, ascending.
    fall : (n, m) float64
        What the score loses.
    size : (n,) int
        Bases of the window.

    Returns
    -------
    (n,) int64
        The window's middle where the score falls nowhere.
    """
    best = fall.argmax(axis=1)[:, None]
    highest = np.take_along_axis(fall, best, axis=1)
    number = np.arange(at.shape[1])
    is_low = fall <= highest / 2
    left = np.where(is_low & (number < best), number, -1).max(axis=1, keepdims=True)
    right = np.where(is_low & (number > best), number, at.shape[1]).min(axis=1, keepdims=True)
    weight = np.where((number > left) & (number < right) & ~is_low, fall - highest / 2, 0)
    falls = highest[:, 0] > 0
    total = np.where(falls, weight.sum(axis=1), 1)
    # half a base up, as an interval's midpoint is
    middle = np.where(falls, np.floor((weight * at).sum(axis=1) / total + 0.5), size // 2)
    return np.clip(middle, 0, size - 1).astype(np.int64)
