"""Gapped k-mers: six or seven informative bases under many spacings, the same on both strands.

What a support vector machine on gapped k-mers (Ghandi et al. 2014, PLoS Comput Biol 10:e1003711) sees of a
sequence, as explicit features: a base pattern under a mask such as ``1110111`` counts wherever it occurs on
either strand. A pattern and its reverse complement are one feature; all masks are palindromes, so both lie
under the same mask.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numba import njit

from tfbind.overlap import difference, shift_between

WIDEST = 10
_WORD = WIDEST // 2
ABSENT = int(np.iinfo(np.uint16).max)


def palindromic_masks(informative: int, span: int) -> list[str]:
    """Give every mask that is ``span`` wide, keeps ``informative`` bases and reads the same from either end.

    The outermost bases are informative; the middle of an odd span is where an odd number of them needs it.
    """
    half = span // 2
    middle = "" if span % 2 == 0 else str(informative % 2)
    masks = []
    for inner in combinations(range(1, half), informative // 2 - 1):
        left = "".join("1" if at in (0, *inner) else "0" for at in range(half))
        masks.append(left + middle + left[::-1])
    return masks


MASKS = tuple(
    mask
    for informative, spans in ((6, (6, 7, 8, 9, 10)), (7, (7, 9)))
    for span in spans
    for mask in palindromic_masks(informative, span)
)
_SIZES = np.array([mask.count("1") for mask in MASKS])
_SPANS = np.array([len(mask) for mask in MASKS])
# which of the bases from a gapped k-mer's start on are informative, the first one in the lowest bit
_KEPT = np.array([int(mask[::-1], 2) for mask in MASKS])
# the number of a mask's first feature
FIRST = np.concatenate([[0], np.cumsum(4**_SIZES)[:-1]])
N_FEATURES = int((4**_SIZES).sum())


def _word_numbers() -> np.ndarray:
    """What each half of a window adds to its pattern's number: (masks, 2 halves, 2 strands, words) int32.

    A window of WIDEST bases is two words of half as many, so that a gapped k-mer's number on either strand
    is a sum of two entries, however many bases it keeps.
    """
    bases = np.arange(4**_WORD)[:, None] >> 2 * np.arange(_WORD)[::-1] & 3
    numbers = np.zeros((len(MASKS), 2, 2, 4**_WORD), np.int32)
    for m, mask in enumerate(MASKS):
        kept = [at for at, letter in enumerate(mask) if letter == "1"]
        for rank, at in enumerate(kept):
            base = bases[:, at % _WORD]
            numbers[m, at // _WORD, 0] += base << 2 * (len(kept) - 1 - rank)
            numbers[m, at // _WORD, 1] += (3 - base) << 2 * rank
    return numbers


_NUMBERS = _word_numbers()


@njit(cache=True, nogil=True)
def _read_words(codes, valid_length, words, unknown):  # pragma: no cover - compiled
    """Read the word that starts at every base, and which of its bases are ambiguous or past the end."""
    word, bits = 0, 2**_WORD - 1
    for at in range(len(words) - 1, -1, -1):
        base = codes[at] if at < valid_length else 4
        word = (word >> 2) + ((base & 3) << 2 * (_WORD - 1))
        bits = (bits << 1 & 2**_WORD - 1) + (base > 3)
        words[at] = word
        unknown[at] = bits


@njit(cache=True, nogil=True)
def _pattern(words, unknown, start, kept, numbers):  # pragma: no cover - compiled
    """Name one gapped k-mer."""
    if (unknown[start] + (unknown[start + _WORD] << _WORD)) & kept:
        return ABSENT
    here, there = words[start], words[start + _WORD]
    return min(numbers[0, 0, here] + numbers[1, 0, there], numbers[0, 1, here] + numbers[1, 1, there])


@njit(cache=True, nogil=True)
def _name(codes, valid_length, kept, numbers, patterns):  # pragma: no cover - compiled
    length = codes.shape[1]
    words, unknown = np.empty(length + _WORD, np.int64), np.empty(length + _WORD, np.int64)
    for i in range(len(codes)):
        _read_words(codes[i], valid_length[i], words, unknown)
        for m in range(len(kept)):
            for start in range(length):
                patterns[i, m, start] = _pattern(words, unknown, start, kept[m], numbers[m])


def gapped_kmers(codes: np.ndarray, valid_length: np.ndarray) -> np.ndarray:
    """Name the gapped k-mer that starts at every base, under every mask.

    Parameters
    ----------
    codes : (n, length) uint8
    valid_length : (n,) int

    Returns
    -------
    (n, masks, length) uint16
        The smaller one of the pattern and its reverse complement, both read as numbers in base 4; ABSENT where
        it would pass the end or holds an ambiguous base. Its feature is the mask's FIRST and this number.
    """
    patterns = np.empty((len(codes), len(MASKS), codes.shape[1]), np.uint16)
    _name(codes, valid_length, _KEPT, _NUMBERS, patterns)
    return patterns


@njit(cache=True, nogil=True)
def _sum_weights(patterns, rows, first, weights, sums):  # pragma: no cover - compiled
    for i in range(len(rows)):
        total = 0.0
        for m in range(patterns.shape[1]):
            for pattern in patterns[rows[i], m]:
                if pattern != ABSENT:
                    total += weights[first[m] + pattern]
        sums[i] = total


def weight_sums(patterns: np.ndarray, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Add up the weights of all that occurs in a sequence: the product of its counts and the weights.

    Parameters
    ----------
    patterns : (n, masks, length) uint16
        From `gapped_kmers`.
    rows : (m,) int
        The sequences in question.
    weights : (N_FEATURES,) float

    Returns
    -------
    (m,) float64
    """
    sums = np.empty(len(rows))
    _sum_weights(patterns, rows, FIRST, weights, sums)
    return sums


@njit(cache=True, nogil=True)
def _sum_values(patterns, rows, first, values, sums):  # pragma: no cover - compiled
    for i in range(len(rows)):
        for m in range(patterns.shape[1]):
            for pattern in patterns[rows[i], m]:
                if pattern != ABSENT:
                    sums[first[m] + pattern] += values[i]


def value_sums(patterns: np.ndarray, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Add up, for every feature, the values of the sequences that it occurs in, once an occurrence.

    Parameters
    ----------
    patterns : (n, masks, length) uint16
        From `gapped_kmers`.
    rows : (m,) int
        The sequences in question.
    values : (m,) float

    Returns
    -------
    (N_FEATURES,) float64
    """
    sums = np.zeros(N_FEATURES)
    _sum_values(patterns, rows, FIRST, values, sums)
    return sums


@njit(cache=True, nogil=True)
def _lay_stretch(words, unknown, weights, first, kept, spans, numbers, sums):  # pragma: no cover - compiled
    """Add up what lies at each place, always in the same order; what takes longest, to name it, is done once."""
    sums[:] = 0
    for m in range(len(kept)):
        # the centre of an even span lies between two bases: each gets half, as on the other strand
        left, right = (spans[m] - 1) // 2, spans[m] // 2
        for start in range(len(sums) - right):
            pattern = _pattern(words, unknown, start, kept[m], numbers[m])
            if pattern != ABSENT:
                for task in range(len(weights)):
                    half = 0.5 * weights[task, first[m] + pattern]
                    sums[start + left, task] += half
                    sums[start + right, task] += half


@njit(cache=True, nogil=True)
def _lay(
    codes, valid_length, tables, table, first, kept, spans, numbers, tracks
):  # pragma: no cover - compiled
    length = codes.shape[1]
    words, unknown = np.empty(length + _WORD, np.int64), np.empty(length + _WORD, np.int64)
    sums = np.zeros((length + _WORD, tables.shape[1]), np.float32)
    shift = 0
    for i in range(len(codes)):
        n = valid_length[i]
        _read_words(codes[i], n, words, unknown)
        begin, end = 0, n
        # where a sequence begins inside the one before it, both have the same track but for their ends
        if i > 0 and valid_length[i - 1] == n and table[i - 1] == table[i]:
            shift = shift_between(codes[i - 1, :n], codes[i, :n], n - 2 * _WORD - 1, shift)
            if shift >= 0:
                begin = n - shift - _WORD
            else:
                # where two differ in some bases alone, so do their tracks around these
                low, high = difference(codes[i - 1, :n], codes[i, :n])
                begin, end = max(low - _WORD, 0), min(high + _WORD, n)
                tracks[i, :n] = tracks[i - 1, :n]
        weights = tables[table[i]]
        # the few gapped k-mers in front reach into it
        at = max(begin - _WORD, 0)
        _lay_stretch(words[at:], unknown[at:], weights, first, kept, spans, numbers, sums[at : end + 1])
        tracks[i, begin:end] = sums[begin:end]
        if begin and shift >= 0:
            _lay_stretch(words, unknown, weights, first, kept, spans, numbers, sums[: 2 * _WORD])
            tracks[i, :_WORD] = sums[:_WORD]
            tracks[i, _WORD:begin] = tracks[i - 1, shift + _WORD : n - _WORD]


def evidence_tracks(
    codes: np.ndarray, valid_length: np.ndarray, tables: np.ndarray, table: np.ndarray | None = None
) -> np.ndarray:
    """Lay linear models' weights along sequences: what each place says for and against binding.

    The sum over a sequence is exactly the linear model's logit without its intercept. The track of the other
    strand is this one read backwards, and that of a window inside a sequence differs from the sequence's only
    within half of WIDEST bases of the window's ends. So a window that begins inside the one before it, or differs from
    it in some bases alone, takes over what both have in common, to the last bit.

    Parameters
    ----------
    codes : (n, length) uint8
    valid_length : (n,) int
    tables : (t, tasks, N_FEATURES) float32
        Weights of t sets of linear models, one a factor.
    table : (n,) int or None
        Which set scores each sequence; the first one where None.

    Returns
    -------
    (n, length, tasks) float32
        At the centre of each gapped k-mer.
    """
    tracks = np.zeros((*codes.shape, tables.shape[1]), np.float32)
    if table is None:
        table = np.zeros(len(codes), np.int64)
    _lay(codes, valid_length, tables, table, FIRST, _KEPT, _SPANS, _NUMBERS, tracks)
    return tracks
