"""The effect of an allele: what a window of one haplotype scores above its counterparts on the other.

Windows have counterparts because the sequence on both sides of a change is the same in both haplotypes. A window
whose start is to the left of the change has its start in common with a window of the other haplotype; a window
whose end is to the right of the change has its end in common with one. For a single base both are the same window.
A start or an end inside the change has no place in the other haplotype, so there it may be anywhere in the change.
The counterparts of a window are the windows of the other haplotype from the leftmost to the rightmost of these
places, so a binding site beside the change is in one of them if it is in the window.

The lead of a window is its score minus the highest score of its counterparts. The window with the largest lead, of
either haplotype, decides: the effect is negative if it is the reference's and positive if it is the allele's. Of an
SNV that is the pair of windows that differs the most. If a long deletion removes the only site, the effect is the best
window of what is removed against the best window that remains. Swapping REF and ALT changes the sign and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from tfbind.binding.model.model import BindingModel, spread
from tfbind.binding.scanning.alleles import Allele, Haplotype


class Side(NamedTuple):
    """The windows of one haplotype of many alleles, in their order.

    codes, valid_length, start, usable : (n, ...)
        See `Haplotype`.
    owner : (n,) int64
        Number of the allele, ascending.
    first : (alleles + 1,) int64
        Where an allele's windows start in the other fields.
    n_changed : (alleles,) int64
    """

    codes: np.ndarray
    valid_length: np.ndarray
    start: np.ndarray
    usable: np.ndarray
    owner: np.ndarray
    first: np.ndarray
    n_changed: np.ndarray


def gather(alleles: Iterable[Allele], rows: int) -> Iterator[list[Allele]]:
    """Group alleles until their windows are ``rows`` or more, or they themselves are."""
    waiting: list[Allele] = []
    n = 0
    for allele in alleles:
        waiting.append(allele)
        n += max(allele.n_windows, 1)
        if n >= rows:
            yield waiting
            waiting, n = [], 0
    if waiting:
        yield waiting


def join_sides(haplotypes: list[Haplotype]) -> Side:
    """Put the windows of one haplotype of each allele one after another."""
    n_windows = [len(one.start) for one in haplotypes]
    return Side(
        np.concatenate([one.codes for one in haplotypes]),
        np.concatenate([one.valid_length for one in haplotypes]),
        np.concatenate([one.start for one in haplotypes]),
        np.concatenate([one.usable for one in haplotypes]),
        np.repeat(np.arange(len(haplotypes)), n_windows),
        np.concatenate([[0], np.cumsum(n_windows)]),
        np.array([one.n_changed for one in haplotypes]),
    )


def counterpart_places(
    start: np.ndarray, length: int, n_here: np.ndarray, n_there: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Leftmost and rightmost first base of a window's counterparts, counted from the first changed base.

    Parameters
    ----------
    start : (n,) int64
        First bases of windows, counted the same way.
    length : int
        Of a window.
    n_here, n_there : (n,) int64
        Changed bases of the window's own haplotype, and of the other one.

    Returns
    -------
    leftmost, rightmost : (n,) int64
    """
    end = start + length
    by_start = np.where(start <= 0, start, 0), np.where(start <= 0, start, n_there)
    moved = end - n_here + n_there
    by_end = np.where(end >= n_here, moved, 0), np.where(end >= n_here, moved, n_there)
    return np.minimum(by_start[0], by_end[0] - length), np.maximum(by_start[1], by_end[1] - length)


def counterparts(here: Side, there: Side) -> tuple[np.ndarray, np.ndarray]:
    """Find the windows of the other haplotype that are each window's counterparts.

    Where there is no window at the leftmost or rightmost place, the next one beyond it counts, too.

    Parameters
    ----------
    here : Side
        n windows.
    there : Side
        m windows of the other haplotype.

    Returns
    -------
    first, end : (n,) int64
        Numbers of windows ``there``, half-open.
    """
    length = here.codes.shape[1]
    leftmost, rightmost = counterpart_places(
        here.start, length, here.n_changed[here.owner], there.n_changed[here.owner]
    )
    # windows of all alleles on one axis, so that one search finds the counterparts of all of them
    lowest = min(leftmost.min(), there.start.min())
    span = max(rightmost.max(), there.start.max()) - lowest + 1
    places = there.owner * span + there.start - lowest
    base = here.owner * span - lowest
    first = np.searchsorted(places, base + leftmost, side="right") - 1
    last = np.searchsorted(places, base + rightmost, side="left")
    first = np.maximum(first, there.first[here.owner])
    return first, np.minimum(last, there.first[here.owner + 1] - 1) + 1


def best_counterparts(here: Side, there: Side, scores: np.ndarray) -> np.ndarray:
    """The highest score of each window's `counterparts`.

    Parameters
    ----------
    here : Side
        n windows.
    there : Side
        m windows of the other haplotype.
    scores : (m, tasks) float64
        -inf for a window that is not usable.

    Returns
    -------
    (n, tasks) float64
        -inf for a window without a usable counterpart.
    """
    ends = np.stack(counterparts(here, there), axis=1).ravel()
    padded = np.concatenate([scores, np.full((1, scores.shape[1]), -np.inf)])
    return np.maximum.reduceat(padded, ends, axis=0)[::2]


def _counterparts_of(windows: np.ndarray, ref: Side, alt: Side, scores: np.ndarray) -> np.ndarray:
    """Number of the best counterpart of some windows, those of ``ref`` numbered before those of ``alt``."""
    n_ref = len(ref.start)
    of_ref, of_alt = counterparts(ref, alt), counterparts(alt, ref)
    firsts = np.concatenate([of_ref[0] + n_ref, of_alt[0]])[windows]
    ends = np.concatenate([of_ref[1] + n_ref, of_alt[1]])[windows]
    return np.array(
        [first + scores[first:end].argmax() for first, end in zip(firsts, ends, strict=True)], np.int64
    )


def effects(model: BindingModel, alleles: list[Allele], *, uncertainty: bool = False) -> np.ndarray:
    """Score alleles in all their windows, and keep for each factor the window with the largest lead.

    Returns
    -------
    (n, tasks, 3) float64, or with ``uncertainty`` (n, tasks, 4)
        Calibrated probability of the reference and of the allele, and the difference of their logits,
        allele minus reference: of the deciding window and of its best counterpart. Then the standard deviation over an
        ensemble's members of the difference of these two windows. NaN for an allele without usable windows.
    """
    n_tasks = len(model.card.tasks)
    found = np.full((len(alleles), n_tasks, 4 if uncertainty else 3), np.nan)
    pairs = [
        (number, one.ref, one.alt)
        for number, one in enumerate(alleles)
        if one.ref is not None and one.alt is not None
    ]
    if not pairs:
        return found
    numbers = np.array([number for number, _, _ in pairs])
    ref, alt = join_sides([one for _, one, _ in pairs]), join_sides([one for _, _, one in pairs])
    windows = np.concatenate([ref.codes, alt.codes]), np.concatenate([ref.valid_length, alt.valid_length])
    of_members = model.member_logits(*windows) if uncertainty else model.logits(*windows)[None]
    scores = of_members.mean(axis=0)
    scores[~np.concatenate([ref.usable, alt.usable])] = -np.inf
    of_ref, of_alt = scores[: len(ref.start)], scores[len(ref.start) :]
    against = np.concatenate([best_counterparts(ref, alt, of_alt), best_counterparts(alt, ref, of_ref)])
    can_decide = np.isfinite(scores) & np.isfinite(against)
    lead = np.full(scores.shape, -np.inf)
    np.subtract(scores, against, out=lead, where=can_decide)
    owner, start = np.concatenate([ref.owner, alt.owner]), np.concatenate([ref.start, alt.start])
    n_windows = np.bincount(owner)
    firsts = np.cumsum(n_windows) - n_windows
    for task in range(n_tasks):
        # of equal leads the leftmost counts, whichever haplotype is called the reference
        best = np.lexsort((start, -lead[:, task], owner))[firsts]
        here, there = scores[best, task], against[best, task]
        is_ref = best < len(of_ref)
        logits = np.stack([np.where(is_ref, here, there), np.where(is_ref, there, here)])
        result = np.stack([*expit(logits), logits[1] - logits[0]], axis=1)
        result[~can_decide[best, task]] = np.nan
        found[numbers, task, :3] = result
        if uncertainty:
            other = _counterparts_of(best, ref, alt, scores[:, task])
            delta = of_members[:, best, task] - of_members[:, other, task]
            found[numbers, task, 3] = np.where(np.isnan(result[:, 0]), np.nan, spread(delta))
    return found
