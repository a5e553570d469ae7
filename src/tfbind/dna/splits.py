"""Training, validation and test parts, and folds, that share no sequence, on either strand."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence

import numpy as np

from tfbind.contigs import Contigs
from tfbind.dna.coordinates import Interval
from tfbind.errors import TfbindError

PARTS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)
LEFT_OUT = 255  # in no part: what is held out of a cross-validation
GOLDEN_RATIO = (5**0.5 - 1) / 2


def group_related(
    digests: np.ndarray,
    intervals: Sequence[Interval | None],
    compositions: np.ndarray | None = None,
    content: np.ndarray | None = None,
    named: np.ndarray | None = None,
) -> np.ndarray:
    """Number the groups of records that must stay in one part.

    Two records are related if they are the same sequence or each other's reverse complement, if one is a dinucleotide
    shuffle of the other, if their intervals overlap on a contig, or if they share bases; relations of relations
    count.

    Parameters
    ----------
    digests : (n,) uint64
        From `tfbind.dna.digests.strand_canonical_digests`.
    intervals : sequence of n (contig, start, end) or None
        Where each record lies, half-open; None where that is unknown.
    compositions : (n,) uint64, optional
        From `tfbind.dna.digests.composition_digests`, where shuffles may be among the records.
    content : (n,) int, optional
        From `tfbind.dna.minimizers.overlap_groups`.
    named : (n,) int, optional
        Groups that the user states; -1 for a record of none.

    Returns
    -------
    (n,) int
        Group numbers from 0.
    """
    # slow to load, and whoever scores sequences needs no more of this module than the parts' names
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(digests)
    left, right = [], []
    for key in (each for each in (digests, compositions, content) if each is not None):
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        left.append(first[inverse])
        right.append(np.arange(n))
    if named is not None:
        rows = np.flatnonzero(named >= 0)
        _, first, inverse = np.unique(named[rows], return_index=True, return_inverse=True)
        left.append(rows[first[inverse]])
        right.append(rows)
    placed = sorted((interval, row) for row, interval in enumerate(intervals) if interval is not None)
    # of the intervals that start further left, the one that reaches furthest is enough to link to
    overlapping: list[tuple[int, int]] = []
    contig, reach, reacher = "", -1, -1
    for (name, start, end), row in placed:
        if name == contig and start < reach:
            overlapping.append((reacher, row))
        if name != contig or end > reach:
            contig, reach, reacher = name, end, row
    if overlapping:
        pairs = np.array(overlapping)
        left.append(pairs[:, 0])
        right.append(pairs[:, 1])
    links = (np.concatenate(left), np.concatenate(right))
    graph = coo_array((np.ones(len(links[0]), np.int8), links), shape=(n, n))
    return connected_components(graph, directed=False)[1]


def split_at_random(
    group: np.ndarray, stratum: np.ndarray, fractions: Sequence[float], seed: int
) -> np.ndarray:
    """Deal whole groups to the parts, so that each stratum has close to the asked fractions in each.

    Parameters
    ----------
    group : (n,) int
        Records of one group stay together.
    stratum : (n,) int
        For example the label; a group counts in its first record's stratum.
    fractions : three floats
        Of train, validation and test; they sum to 1.
    seed : int

    Returns
    -------
    (n,) uint8
        0 train, 1 validation, 2 test.
    """
    _, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(first))
    in_strata = shuffled[np.argsort(stratum[first][shuffled], kind="stable")]
    # multiples of the golden ratio fill [0, 1) evenly over any run of them, so every stratum, however small,
    # comes as close to the fractions as whole groups can
    place = np.empty(len(first))
    place[in_strata] = (rng.random() + np.arange(len(first)) * GOLDEN_RATIO) % 1
    part = np.searchsorted(np.cumsum(fractions)[:2], place, side="right").astype(np.uint8)
    return part[inverse]


def folds_at_random(group: np.ndarray, stratum: np.ndarray, n_folds: int, seed: int) -> np.ndarray:
    """Deal whole groups to folds, so that the folds hold as many records, of each stratum and in all, as groups allow.

    Parameters
    ----------
    group, stratum : (n,) int
        As in `split_at_random`.
    n_folds : int
    seed : int

    Returns
    -------
    (n,) uint8
        From 1 to ``n_folds``.

    Raises
    ------
    TfbindError
        If there are fewer groups than folds.
    """
    _, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    if len(first) < n_folds:
        raise TfbindError(
            f"found {len(first)} groups of related records, expected one at least for each of {n_folds} folds"
        )
    shuffled = np.random.default_rng(seed).permutation(len(first))
    size = np.bincount(inverse)
    # the largest first, each to the fold that has the fewest so far (Graham 1969, SIAM J. Appl. Math. 17:416)
    in_strata = shuffled[np.lexsort((-size[shuffled], stratum[first][shuffled]))]
    fold = np.empty(len(first), np.uint8)
    n_records = [0] * n_folds
    for dealt in np.split(in_strata, np.flatnonzero(np.diff(stratum[first][in_strata])) + 1):
        fewest = [(0, n, number) for number, n in enumerate(n_records)]
        heapq.heapify(fewest)
        for row, n in zip(dealt.tolist(), size[dealt].tolist(), strict=True):
            of_stratum, _, number = fewest[0]
            n_records[number] += n
            heapq.heapreplace(fewest, (of_stratum + n, n_records[number], number))
            fold[row] = number + 1
    return fold[inverse]


def split_by_contig(
    contig: np.ndarray,
    group: np.ndarray,
    test: Collection[str],
    validation: Collection[str],
    source: str = "the records",
) -> np.ndarray:
    """Hold whole contigs out.

    A group that spans parts goes whole to the most held-out one of them (test before validation before
    train), so that training never sees it.

    Parameters
    ----------
    contig : (n,) str
    group : (n,) int
    test, validation : names of contigs
    source : what messages call the records, such as their files

    Returns
    -------
    (n,) uint8
        0 train, 1 validation, 2 test.

    Raises
    ------
    TfbindError
        If a contig is asked for twice, or no record is on it.
    """
    if both := set(test) & set(validation):
        raise TfbindError(f"contig {min(both)!r} is asked for both as test and as validation")
    known = Contigs(sorted(set(contig.tolist())), source)
    names = (
        known.match((*test, *validation), "the contigs to hold out", need_all=True)
        if test or validation
        else {}
    )
    part = np.zeros(len(contig), np.uint8)
    part[np.isin(contig, [names[name] for name in validation])] = VALIDATION
    part[np.isin(contig, [names[name] for name in test])] = TEST
    highest = np.zeros(group.max() + 1, np.uint8)
    np.maximum.at(highest, group, part)
    return highest[group]
