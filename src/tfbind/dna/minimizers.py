"""Overlapping sequences found by their bases alone, on either strand.

A sequence is sketched by its minimizers (Roberts et al. 2004, Bioinformatics 20:3363): of each window of consecutive
k-mers, the one with the lowest hash. Two sequences that share a stretch of k + window - 1 bases pick the same
minimizer in it, wherever it is in each of them. So windows cut from one locus share most of their minimizers, and
unrelated sequences share none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit

from tfbind.dna.splitmix import mix

SHORTEST_K, LONGEST_K = 16, 24
# k and window together find every shared stretch of 40 bases in records of up to 280
WIDEST_WINDOW = 17
# a k-mer that holds fewer different trinucleotides repeats a unit of a few bases
FEWEST_TRINUCLEOTIDES = 8
# Two sequences overlap if they share at least this fraction of the minimizers of the one with fewer, and at least two.
FRACTION, FEWEST = 0.5, 2
# When sequences are kept together, a minimizer of at most RARE sequences counts twice, so that windows of 101 bases
# that share 50 are found: a third of their minimizers is the same. Copies of a repeat share more frequent ones.
RARE, FEWEST_WORTH = 10, 3
# a minimizer of more sequences than this, and of more than this fraction of them, is a constant part, as of an adapter
COMMON, COMMON_FRACTION = 200, 0.25
# of the sequences with a minimizer, this many are compared with each one: bounds the cost of repeats
MOST_COMPARED, MOST_SEARCHED = 128, 1024
_NOTHING = np.uint64(2**64 - 1)


class Scheme(NamedTuple):
    """Which k-mers are minimizers; sketches of one scheme can be compared.

    k : bases of a k-mer
    window : k-mers of which the one with the lowest hash is taken
    """

    k: int
    window: int


def scheme_for(length: int) -> Scheme:
    """Choose the scheme for records of ``length`` bases.

    Short records have shorter k-mers, so that windows which share half of their bases still share k-mers. Long
    ones have wider windows, so that none has more than about 32 minimizers.
    """
    k = min(max(length // 2, SHORTEST_K), LONGEST_K)
    return Scheme(k, max(min(WIDEST_WINDOW, (length - k + 1) // 5), length // 16, 1))


class Sketches(NamedTuple):
    """The minimizers of n sequences, one sequence after another.

    scheme : Scheme
    hashes : (m,) uint32, each once a sequence
    counts : (n,) int32, how many of them belong to each sequence
    """

    scheme: Scheme
    hashes: np.ndarray
    counts: np.ndarray


@njit(cache=True)
def _sketch(codes, valid_length, k, window, hashes, counts):  # pragma: no cover - compiled
    mask = (np.uint64(1) << np.uint64(2 * k)) - np.uint64(1)
    top = np.uint64(2 * (k - 1))
    two = np.uint64(2)
    kmers = np.empty(codes.shape[1], np.uint64)
    seen = np.zeros(64, np.int64)
    n_hashes = 0
    for i in range(len(codes)):
        n = valid_length[i]
        forward = reverse = np.uint64(0)
        run = n_kinds = 0
        seen[:] = 0
        for j in range(n):
            base = codes[i, j]
            if base > 3:
                run = n_kinds = 0
                seen[:] = 0
            else:
                run += 1
                forward = ((forward << two) | np.uint64(base)) & mask
                reverse = (reverse >> two) | (np.uint64(3 - base) << top)
                if run >= 3:
                    entering = codes[i, j - 2] * 16 + codes[i, j - 1] * 4 + base
                    n_kinds += seen[entering] == 0
                    seen[entering] += 1
                if run > k:
                    leaving = codes[i, j - k] * 16 + codes[i, j - k + 1] * 4 + codes[i, j - k + 2]
                    seen[leaving] -= 1
                    n_kinds -= seen[leaving] == 0
            if j >= k - 1:
                usable = run >= k and n_kinds >= FEWEST_TRINUCLEOTIDES
                kmers[j - k + 1] = mix(min(forward, reverse)) if usable else _NOTHING
        n_kmers = n - k + 1
        first = n_hashes
        for start in range(max(1, n_kmers - window + 1) if n_kmers > 0 else 0):
            lowest = _NOTHING
            for j in range(start, min(start + window, n_kmers)):
                lowest = min(lowest, kmers[j])
            if lowest == _NOTHING:
                continue
            found = np.uint32(lowest >> np.uint64(32))
            known = False
            for at in range(n_hashes - 1, first - 1, -1):
                if hashes[at] == found:
                    known = True
                    break
            if not known:
                hashes[n_hashes] = found
                n_hashes += 1
        counts[i] = n_hashes - first
    return n_hashes


def sketch(codes: np.ndarray, valid_length: np.ndarray, scheme: Scheme | None = None) -> Sketches:
    """Find the minimizers of sequences; the same ones on either strand.

    K-mers with an ambiguous base are left out, and so are those of low complexity, such as microsatellites.

    Parameters
    ----------
    codes : (n, length) uint8
    valid_length : (n,) int
    scheme : Scheme, optional
        Default: from `scheme_for` and the length.
    """
    k, window = scheme = scheme or scheme_for(codes.shape[1])
    hashes = np.empty(len(codes) * max(1, codes.shape[1] - k - window + 2), np.uint32)
    counts = np.empty(len(codes), np.int32)
    n_hashes = _sketch(codes, valid_length, k, window, hashes, counts)
    return Sketches(scheme, hashes[:n_hashes].copy(), counts)


def some_sketches(sketches: Sketches, chosen: np.ndarray) -> Sketches:
    """Take the sketches of some sequences, which (n,) bool says."""
    return Sketches(
        sketches.scheme,
        sketches.hashes[np.repeat(chosen, sketches.counts)],
        sketches.counts[chosen],
    )


def join_sketches(sketches: Sequence[Sketches]) -> Sketches:
    """Put the sketches of several batches of one scheme together, in their order."""
    return Sketches(
        sketches[0].scheme,
        np.concatenate([each.hashes for each in sketches]),
        np.concatenate([each.counts for each in sketches]),
    )


class _Index(NamedTuple):
    """Which sequences have a minimizer that is not common.

    known : (u,) uint32, ascending: the minimizers, common ones too
    starts, ends : (u,) int64, where the sequences of each are in ``holders``; nowhere if it is common
    holders : (m,) int32, ascending for each minimizer
    place : (m,) int32, from the sketches' hashes to ``holders``
    bucket : (m,) int32, from the sketches' hashes to ``known``
    """

    known: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    holders: np.ndarray
    place: np.ndarray
    bucket: np.ndarray


def _index(sketches: Sketches) -> _Index:
    n, m = len(sketches.counts), len(sketches.hashes)
    order = np.argsort(sketches.hashes, kind="stable")
    in_order = sketches.hashes[order]
    is_first = np.append(True, in_order[1:] != in_order[:-1])[:m]
    starts = np.flatnonzero(is_first)
    ends = np.append(starts[1:], m)[: len(starts)]
    place, bucket = np.empty(m, np.int32), np.empty(m, np.int32)
    place[order], bucket[order] = np.arange(m), np.cumsum(is_first) - 1
    common = ends - starts > max(COMMON, COMMON_FRACTION * n)
    ends = np.where(common, starts, ends)
    return _Index(in_order[starts], starts, ends, _owners(sketches)[order], place, bucket)


def _owners(sketches: Sketches) -> np.ndarray:
    return np.repeat(np.arange(len(sketches.counts), dtype=np.int32), sketches.counts)


def _n_useful(sketches: Sketches, useful: np.ndarray) -> np.ndarray:
    """How many of each sequence's minimizers are useful, by (m,) bool: (n,) int64."""
    return np.bincount(_owners(sketches)[useful], minlength=len(sketches.counts))


@njit(cache=True)
def _count_shared(firsts, lasts, rare, holders, shared, n_rare, touched):  # pragma: no cover - compiled
    """Count what a sequence shares with each holder, for ranges of ``holders``, one a minimizer."""
    n_touched = 0
    for number in range(len(firsts)):
        for at in range(firsts[number], lasts[number]):
            other = holders[at]
            if shared[other] == 0:
                touched[n_touched] = other
                n_touched += 1
            shared[other] += 1
            n_rare[other] += rare[number]
    return n_touched


@njit(cache=True)
def _is_half(shared, fewer):  # pragma: no cover - compiled
    return shared >= max(FEWEST, FRACTION * fewer)


@njit(cache=True)
def _root(parent, i):  # pragma: no cover - compiled
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True)
def _group(counts, n_useful, placed, firsts, lasts, rare, holders, parent):  # pragma: no cover - compiled
    shared = np.zeros(len(counts), np.int32)
    n_rare = np.zeros(len(counts), np.int32)
    touched = np.empty(len(counts), np.int32)
    at = 0
    for i in range(len(counts)):
        mine = slice(at, at + counts[i])
        at += counts[i]
        n_touched = _count_shared(firsts[mine], lasts[mine], rare[mine], holders, shared, n_rare, touched)
        for j in touched[:n_touched]:
            fewer = min(n_useful[i], n_useful[j])
            worth = shared[j] if placed[i] and placed[j] else shared[j] + n_rare[j]
            if _is_half(shared[j], fewer) or worth >= max(FEWEST_WORTH, FRACTION * fewer):
                parent[_root(parent, i)] = _root(parent, j)
            shared[j] = n_rare[j] = 0
    for i in range(len(counts)):
        parent[i] = _root(parent, i)


def overlap_groups(sketches: Sketches, placed: np.ndarray) -> np.ndarray:
    """Number the groups of overlapping sequences; overlaps of overlaps count.

    Two sequences overlap if they share at least half of the minimizers of the one with fewer: `find_overlaps` has the
    same rule, so that what is kept apart here is not refused there. A quarter is enough if these minimizers are rare
    and it is not known from coordinates whether the two overlap.

    The cost grows with the number of sequences, not with its square: each is compared with at most `MOST_COMPARED`
    earlier ones for each of its minimizers.

    Parameters
    ----------
    sketches : Sketches of n sequences
    placed : (n,) bool
        Which sequences have coordinates.

    Returns
    -------
    (n,) int64
        The number of one sequence of the group.
    """
    index = _index(sketches)
    # the earlier holders of each minimizer
    starts = index.starts[index.bucket]
    common = index.ends[index.bucket] == starts
    lasts = np.where(common, starts, index.place)
    firsts = np.maximum(starts, lasts - MOST_COMPARED)
    rare = (index.ends - index.starts <= RARE)[index.bucket]
    parent = np.arange(len(sketches.counts))
    _group(sketches.counts, _n_useful(sketches, ~common), placed, firsts, lasts, rare, index.holders, parent)
    return parent


@njit(cache=True)
def _search(
    counts, n_useful, firsts, lasts, rare, holders, known_useful, found
):  # pragma: no cover - compiled
    shared = np.zeros(len(known_useful), np.int32)
    n_rare = np.zeros(len(known_useful), np.int32)
    touched = np.empty(len(known_useful), np.int32)
    at = 0
    for i in range(len(counts)):
        mine = slice(at, at + counts[i])
        at += counts[i]
        n_touched = _count_shared(firsts[mine], lasts[mine], rare[mine], holders, shared, n_rare, touched)
        for j in touched[:n_touched]:
            fewer = min(n_useful[i], known_useful[j])
            worth = shared[j] + n_rare[j]
            found[i] |= _is_half(shared[j], fewer) or worth >= max(FEWEST_WORTH, FRACTION * fewer)
            shared[j] = n_rare[j] = 0


def rare_minimizers(sketches: Sketches) -> np.ndarray:
    """Tell which hashes are those of minimizers that at most `RARE` of the sequences have: (m,) bool."""
    index = _index(sketches)
    return (index.ends - index.starts <= RARE)[index.bucket]


def find_overlaps(sketches: Sketches, known: Sketches, rare: np.ndarray | None = None) -> np.ndarray:
    """Find the sequences that overlap a known one: they share at least half of the minimizers of the one with fewer.

    With ``rare`` a quarter is enough if these are rare, as in `overlap_groups`.

    Parameters
    ----------
    sketches : Sketches of n sequences
    known : Sketches
        Of the same scheme.
    rare : (m,) bool, optional
        Which of the hashes of ``sketches`` count twice, see `rare_minimizers`.

    Returns
    -------
    (n,) bool
    """
    if sketches.scheme != known.scheme:
        raise ValueError(f"sketches of {sketches.scheme} and of {known.scheme} cannot be compared")
    found = np.zeros(len(sketches.counts), bool)
    index = _index(known)
    if not len(index.known):
        return found
    bucket = np.minimum(np.searchsorted(index.known, sketches.hashes), len(index.known) - 1)
    absent = index.known[bucket] != sketches.hashes
    firsts = index.starts[bucket]
    lasts = np.where(absent, firsts, np.minimum(index.ends[bucket], firsts + MOST_SEARCHED))
    common = index.ends == index.starts
    _search(
        sketches.counts,
        _n_useful(sketches, absent | ~common[bucket]),
        firsts,
        lasts,
        np.zeros(len(firsts), np.bool_) if rare is None else rare,
        index.holders,
        _n_useful(known, ~common[index.bucket]),
        found,
    )
    return found
