"""The convolution over one-hot DNA, by looking up what words of bases add.

A convolution of one-hot bases adds up, for each filter, one weight a base. Those of `WORD` bases side by side are
added up beforehand for every word, so that a filter 19 wide takes five additions in place of 76 products; the
tracks beside the bases are multiplied. Both strands' filters stand side by side in a table's row, as both meet
the same words. What windows have in common that overlap, or differ in a few bases, is worked out once. All in all
that takes half the time of OpenVINO's convolution and pooling, and a fifth of it for a window every 25 bases.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from tfbind.inference.layers import scale_and_offset
from tfbind.inference.nodes import Layer
from tfbind.overlap import difference, shift_between

WORD = 4
_LETTERS = 5
_WORDS = _LETTERS**WORD
# words that are looked up in one pass over the filters
_PASS = 5
# values of the tracks that are multiplied in one pass: with fewer or more it takes longer
_TAPS = 5
# with more the product that OpenVINO has is faster
MOST_TRACKS = 8


class WordConvolution(NamedTuple):
    """A convolution of both strands, batch normalization, ReLU, and the highest of each few steps.

    Columns are filters: those of the strand as given, and then those of the other one, which meet the bases in
    reverse and complemented.

    tables : (passes * _PASS, _WORDS, 2 * filters) float32
        What a word adds; the letters are A, C, G, T and anything else, which adds nothing.
    bias : (2 * filters,) float32
    taps : (a multiple of _TAPS, 2 * filters) float32
        What each of the tracks' values round a base is multiplied with, base by base.
    reach : int
        Bases on either side that a filter sees.
    pool : int
        Steps of which the highest is kept.
    """

    tables: np.ndarray
    bias: np.ndarray
    taps: np.ndarray
    reach: int
    pool: int

    def pooled_shape(self, length: int) -> tuple[int, int]:
        """Give steps and filters of what a strand of ``length`` bases becomes."""
        return -(-length // self.pool), len(self.bias) // 2

    def __call__(
        self, x: np.ndarray, valid_length: np.ndarray, tracks: np.ndarray | None, pooled: np.ndarray
    ) -> None:
        """Convolve sequences.

        Parameters
        ----------
        x : (n, length, 4) uint8
            One-hot.
        valid_length : (n,) int32
            What stands behind is not read, neither in ``x`` nor in ``tracks``.
        tracks : (n, length, tasks) float32 or None
        pooled : (2, n or more, *pooled_shape) float32
            Where the result of either strand goes; a strand begins at its own first base.
        """
        if tracks is None:
            tracks = np.empty((*x.shape[:2], 0), np.float32)
        _convolve(x, valid_length, tracks, *self, pooled)


def word_convolution(layers: dict[str, Layer], length: int) -> WordConvolution | None:
    """Prepare the convolution that a network of one strand begins with, if it is one over one-hot bases.

    Parameters
    ----------
    layers : dict
        Of `tfbind.networks.build.build_strand`, by name.
    length : int
        Bases.
    """
    if not {"to_float", "convolution", "convolution_mask"} <= set(layers):
        return None
    convolution = layers["convolution"]
    kernel = convolution.weights["vars/0"].astype(np.float64)
    if kernel.shape[1] > 4 + MOST_TRACKS:
        return None
    convolution.demand(strides=[1], padding="same", dilation_rate=[1], groups=1)
    bias = convolution.weights["vars/1"] if convolution.config["use_bias"] else np.zeros(kernel.shape[2])
    if "convolution_norm" in layers:
        scale, offset = scale_and_offset(layers["convolution_norm"])
        kernel, bias = kernel * scale, bias * scale + offset
    else:
        convolution.demand(activation="relu")
    pool = layers["pool"].config["pool_size"][0] if "pool" in layers else 1
    # where nobody asks for the steps the highest of all is kept
    if not {"pool", "pool_time"} & set(layers):
        pool = length
    return prepare(kernel, bias, pool)


def prepare(kernel: np.ndarray, bias: np.ndarray, pool: int) -> WordConvolution:
    """Add up the words' weights.

    Parameters
    ----------
    kernel : (width, 4 + tasks, filters) float
        As Keras has it: of an even width, one base more on the right.
    bias : (filters,) float
    pool : int
    """
    width, channels, filters = kernel.shape
    left, right = (width - 1) // 2, width // 2
    reach = right
    both = np.zeros((2 * reach + 1, channels, 2 * filters))
    both[reach - left : reach - left + width, :, :filters] = kernel
    mirrored = kernel[::-1].copy()
    mirrored[:, :4] = mirrored[:, 3::-1]
    both[:width, :, filters:] = mirrored
    n_words = -(-len(both) // (WORD * _PASS)) * _PASS
    tables = np.zeros((n_words, _WORDS, 2 * filters), np.float32)
    letters = np.arange(_WORDS)[:, None] // _LETTERS ** np.arange(WORD)[::-1] % _LETTERS
    for number, table in enumerate(tables):
        bases = both[number * WORD : (number + 1) * WORD, :4]
        added = np.concatenate([bases, np.zeros((len(bases), 1, 2 * filters))], axis=1)
        table[:] = sum(added[at, letters[:, at]] for at in range(len(added)))
    taps = both[:, 4:].reshape(-1, 2 * filters)
    taps = np.pad(taps, ((0, -len(taps) % _TAPS), (0, 0)))
    return WordConvolution(_aligned(tables), _aligned(np.tile(bias, 2)), _aligned(taps), reach, pool)


def _aligned(values: np.ndarray) -> np.ndarray:
    """Make a float32 copy that begins with a line of the cache, as wide as the widest registers."""
    n_bytes = values.size * 4
    raw = np.empty(n_bytes + 64, np.uint8)
    skip = -raw.ctypes.data % 64
    aligned = raw[skip : skip + n_bytes].view(np.float32).reshape(values.shape)
    aligned[:] = values
    return aligned


@njit(cache=True, nogil=True, error_model="numpy")
def _read_words(codes, n, reach, words):  # pragma: no cover - compiled
    """Read the word that starts at every base, from ``reach`` bases in front of the first one on."""
    word = _WORDS - 1
    for at in range(len(words) - 1, -1, -1):
        base = codes[at - reach] if reach <= at < n + reach else _LETTERS - 1
        word = word // _LETTERS + base * (_WORDS // _LETTERS)
        words[at] = word


# contracted: a product and a sum are rounded once
@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _convolve_base(words, at, values, n_tasks, tables, bias, taps, strip, row):  # pragma: no cover - compiled
    """All filters at one base; ``words`` and ``values`` begin their reach in front of the first one."""
    for f in range(len(bias)):
        strip[row, f] = bias[f]
    for g in range(0, len(tables), _PASS):
        a, b, c = words[at + g * WORD], words[at + (g + 1) * WORD], words[at + (g + 2) * WORD]
        d, e = words[at + (g + 3) * WORD], words[at + (g + 4) * WORD]
        for f in range(len(bias)):
            # no views of rows: to count the references to them takes longer than to add them up
            half = (tables[g, a, f] + tables[g + 1, b, f]) + (tables[g + 2, c, f] + tables[g + 3, d, f])
            strip[row, f] += half + tables[g + 4, e, f]
    here = at * n_tasks
    for k in range(0, len(taps), _TAPS):
        v, w, x = values[here + k], values[here + k + 1], values[here + k + 2]
        y, z = values[here + k + 3], values[here + k + 4]
        for f in range(len(bias)):
            some = v * taps[k, f] + w * taps[k + 1, f] + x * taps[k + 2, f]
            strip[row, f] += some + (y * taps[k + 3, f] + z * taps[k + 4, f])


@njit(cache=True, nogil=True)
def _agreement(before, here, shift):  # pragma: no cover - compiled
    """From where to where two sequences' tracks agree, of which the second begins ``shift`` bases later."""
    n, n_tasks = here.shape
    begin = end = (n - shift) // 2
    agree = True
    while begin > 0 and agree:
        for task in range(n_tasks):
            agree = agree and before[begin - 1 + shift, task] == here[begin - 1, task]
        begin -= agree
    agree = True
    while end < n - shift and agree:
        for task in range(n_tasks):
            agree = agree and before[end + shift, task] == here[end, task]
        end += agree
    return begin, end


@njit(cache=True, nogil=True)
def _difference(before, here, tracks_before, tracks_here):  # pragma: no cover - compiled
    """From where to where two sequences of one length differ, in bases or tracks."""
    low, high = difference(before, here)
    for task in range(tracks_here.shape[1]):
        first, last = 0, len(here)
        while first < low and tracks_before[first, task] == tracks_here[first, task]:
            first += 1
        while last > high and tracks_before[last - 1, task] == tracks_here[last - 1, task]:
            last -= 1
        low, high = min(low, first), max(high, last)
    return low, high


@njit(cache=True, nogil=True, fastmath={"nnan", "nsz"})
def _pool(strip, origin, n, pool, filters, pooled, i):  # pragma: no cover - compiled
    """The highest of each few steps of both strands, or zero; the base at ``origin`` is the first of ``n``."""
    for strand in range(2):
        for step in range(pooled.shape[2]):
            for f in range(filters):
                pooled[strand, i, step, f] = 0
            for at in range(step * pool, min((step + 1) * pool, n)):
                row = (origin + (at if strand == 0 else n - 1 - at)) % len(strip)
                for f in range(filters):
                    pooled[strand, i, step, f] = max(
                        pooled[strand, i, step, f], strip[row, strand * filters + f]
                    )


@njit(cache=True, nogil=True, error_model="numpy")
def _convolve(
    x, valid_length, tracks, tables, bias, taps, reach, pool, pooled
):  # pragma: no cover - compiled
    length, n_tasks = tracks.shape[1:]
    filters = len(bias) // 2
    codes, before = np.empty(length, np.uint8), np.empty(length, np.uint8)
    words = np.empty(length + len(tables) * WORD, np.int64)
    values = np.zeros((length + 2 * reach) * n_tasks + _TAPS, np.float32)
    # a ring: where windows overlap a base keeps its place
    raw = np.empty(length * len(bias) + 16, np.float32)
    skip = (64 - raw.ctypes.data % 64) // 4 % 16
    strip = raw[skip : skip + length * len(bias)].reshape((length, len(bias)))
    origin, shift = 0, 0
    for i in range(len(x)):
        n = np.int64(valid_length[i])
        codes, before = before, codes
        for at in range(length):
            code = _LETTERS - 1
            for base in range(4):
                if x[i, at, base]:
                    code = base
            codes[at] = code
        _read_words(codes, n, reach, words)
        values[:] = 0
        for at in range(n):
            for task in range(n_tasks):
                values[(reach + at) * n_tasks + task] = tracks[i, at, task]
        # bases from `begin` to `end`, and before `low` and from `high` on, see the same as in the window before
        begin, end, low, high = n, n, 0, n
        if i > 0 and n == length and valid_length[i - 1] == n:
            shift = shift_between(before, codes, length - 2 * reach - 1, shift)
            if shift >= 0:
                same = _agreement(tracks[i - 1], tracks[i], shift)
                if same[1] - same[0] > 2 * reach:
                    begin, end = same[0] + reach, same[1] - reach
                    origin = (origin + shift) % length
            else:
                low, high = _difference(before, codes, tracks[i - 1], tracks[i])
                low, high = max(low - reach, 0), min(high + reach, n)
        for first, last in ((low, min(begin, high)), (end, n)):
            for at in range(first, last):
                row = (origin + at) % length
                _convolve_base(words, at, values, n_tasks, tables, bias, taps, strip, row)
        _pool(strip, origin, n, pool, filters, pooled, i)
