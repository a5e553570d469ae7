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
CANDIDATES_AT_ONCE = 256


class Refined(NamedTuple):
    """Sites at the base.

    score : (n,) float64
        Log odds of the best window.
    summit : (n,) int64
        The middle of the site, on the record.
    n_windows : int
        Windows that were scored for it.
    """

    score: np.ndarray
    summit: np.ndarray
    n_windows: int


def refine(
    model: BindingModel,
    codes: np.ndarray,
    usable: np.ndarray,
    start: np.ndarray,
    *,
    stride: int,
    factor: int,
    batch_size: int,
) -> Refined:
    """Find the best window near each candidate, base by base, and the summit in it.

    Around a candidate of a scan every ``stride`` bases, the ``2 * stride - 1`` windows that start less than a stride
    away are scored. In the best one, blocks of 11 bases are hidden every 5 bases, and then every base in the window
    around the best block. The summit is the centre of mass of the fall in score, as far as it exceeds half of the most.

    Parameters
    ----------
    model : BindingModel
    codes : (record's length,) uint8
    usable : (record's length,) bool
        False for a character that is not a base: windows that have one are not scored.
    start : (n,) int64
        Where the candidates' windows start in the record.
    stride : int
    factor : int
        Number of the factor.
    batch_size : int
        Windows that the engine sees at a time.
    """
    parts = [
        _refine_some(
            model, codes, usable, start[first : first + CANDIDATES_AT_ONCE], stride, factor, batch_size
        )
        for first in range(0, len(start), CANDIDATES_AT_ONCE)
    ]
    if not parts:
        return Refined(np.empty(0), np.empty(0, np.int64), 0)
    return Refined(
        np.concatenate([part.score for part in parts]),
        np.concatenate([part.summit for part in parts]),
        sum(part.n_windows for part in parts),
    )


def _refine_some(
    model: BindingModel,
    codes: np.ndarray,
    usable: np.ndarray,
    start: np.ndarray,
    stride: int,
    factor: int,
    batch_size: int,
) -> Refined:
    length, n = model.card.encoding.length, len(codes)
    size = min(length, n)
    wrong_before = np.concatenate([[0], np.cumsum(~usable)])
    known_before = np.concatenate([[0], np.cumsum(codes != AMBIGUOUS)])
    n_windows = 0

    def logits(windows: np.ndarray) -> np.ndarray:
        nonlocal n_windows
        n_windows += len(windows)
        padded = np.full((len(windows), length), AMBIGUOUS, np.uint8)
        padded[:, :size] = windows
        return model.logits(padded, np.full(len(windows), size, np.int32), batch_size)[:, factor]

    cut = sliding_window_view(codes, size)
    near = start[:, None] + np.arange(1 - stride, stride)
    inside = (near >= 0) & (near <= n - size)
    near = np.clip(near, 0, n - size)
    inside &= wrong_before[near + size] == wrong_before[near]
    inside &= known_before[near + size] > known_before[near]
    inside &= size >= min(MIN_BASES, length)
    # windows of neighbouring candidates are the same ones
    starts, where = np.unique(near[inside], return_inverse=True)
    found = np.full(near.shape, -np.inf)
    found[inside] = logits(cut[starts])[where] if len(starts) else []
    best = found.argmax(axis=1)
    rows = np.arange(len(start))
    score, first = found[rows, best], near[rows, best]
    # a candidate none of whose windows has a score falls nowhere
    reached = np.where(np.isfinite(score), score, -np.finfo(np.float64).max)[:, None]

    # blocks that reach over an end hide less there, as they should
    coarse = np.tile(np.arange(-HALF_BLOCK, size + HALF_BLOCK, STEP), (len(rows), 1))
    middle = first + _middle(coarse, reached - _hidden(cut[first], coarse, logits), size)
    # in the middle of its window a site is seen whole
    first = np.clip(middle - size // 2, 0, n - size)
    at = (middle - first)[:, None] + np.arange(-AROUND, AROUND + 1)
    fall = logits(cut[first])[:, None] - _hidden(cut[first], at, logits)
    return Refined(score, first + _middle(at, fall, size), n_windows)


def _hidden(windows: np.ndarray, at: np.ndarray, logits) -> np.ndarray:
    """Score windows in which a block is hidden: (n, size) uint8 and (n, m) middles of blocks to (n, m) float64."""
    n, size = windows.shape
    covered = np.abs(np.arange(size) - at[:, :, None]) <= HALF_BLOCK
    hidden = np.where(covered, np.uint8(AMBIGUOUS), windows[:, None])
    return logits(hidden.reshape(-1, size)).reshape(n, -1)


def _middle(at: np.ndarray, fall: np.ndarray, size: int) -> np.ndarray:
    """The centre of mass of the deepest stretch in which a score falls, as far as that exceeds half of the most.

    Parameters
    ----------
    at : (n, m) int
        Middles of the hidden blocks, ascending.
    fall : (n, m) float64
        What the score loses.
    size : int

    Returns
    -------
    (n,) int64
        The window's middle where the score falls nowhere.
    """
    best = fall.argmax(axis=1)[:, None]
    highest = np.take_along_axis(fall, best, axis=1)
    number = np.arange(at.shape[1])
    low = fall <= highest / 2
    left = np.where(low & (number < best), number, -1).max(axis=1, keepdims=True)
    right = np.where(low & (number > best), number, at.shape[1]).min(axis=1, keepdims=True)
    weight = np.where((number > left) & (number < right) & ~low, fall - highest / 2, 0)
    falls = highest[:, 0] > 0
    total = np.where(falls, weight.sum(axis=1), 1)
    # half a base up, as an interval's midpoint is
    middle = np.where(falls, np.floor((weight * at).sum(axis=1) / total + 0.5), size // 2)
    return np.clip(middle, 0, size - 1).astype(np.int64)
