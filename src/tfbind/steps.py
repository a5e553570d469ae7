"""A quantity that is constant between edges along a contig: rates, densities, accessibility."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

# of a map of a large sample, which has millions
STEPS_AT_ONCE = 1 << 20


class StepFunction:
    """Values along a contig, one for each stretch between two edges, as in `msprime.RateMap`.

    Parameters
    ----------
    edges : (n + 1,) int64
        Ascending positions in bp, 0-based; the step i goes from ``edges[i]`` to ``edges[i + 1]``, half-open.
    values : (n,) or (n, columns) float64
        At least 0, or NaN where missing. Several columns share the edges.

    Attributes
    ----------
    edges, values : as given, read-only

    Raises
    ------
    ValueError
        If the edges do not ascend, or are not one more than the values, or a value is negative.
    """

    def __init__(self, edges: ArrayLike, values: ArrayLike):
        self.edges: NDArray[np.int64] = np.array(edges, np.int64)
        self.values: NDArray[np.float64] = np.array(values, np.float64)
        if len(self.edges) != len(self.values) + 1:
            raise ValueError(
                f"{len(self.edges)} edges bound {len(self.edges) - 1} steps, not {len(self.values)}"
            )
        descending = np.flatnonzero(np.diff(self.edges) <= 0)
        if len(descending):
            raise ValueError(f"edges {descending[:5].tolist()} do not lie before the ones that follow them")
        if (self.values < 0).any():
            raise ValueError(f"values of {np.nanmin(self.values):g}, expected at least 0")
        self.edges.flags.writeable = self.values.flags.writeable = False

    @classmethod
    def sharing(cls, edges: NDArray[np.int64], values: NDArray[np.float64]) -> StepFunction:
        """Take arrays that are known to be right, and that nobody changes, without a copy."""
        steps = cls.__new__(cls)
        steps.edges, steps.values = edges.view(), values.view()
        steps.edges.flags.writeable = steps.values.flags.writeable = False
        return steps

    @classmethod
    def from_intervals(cls, start: ArrayLike, end: ArrayLike, values: ArrayLike) -> StepFunction:
        """Take intervals that ascend and do not overlap; what lies between them is missing.

        Parameters
        ----------
        start, end : (n,) int64
        values : (n,) or (n, columns) float64
        """
        start, end, values = (np.asarray(each) for each in (start, end, values))
        if not len(start):
            return cls([0], np.zeros((0, *values.shape[1:])))
        edges = np.unique(np.concatenate([start, end]))
        filled = np.full((len(edges) - 1, *values.shape[1:]), np.nan)
        filled[np.searchsorted(edges, start)] = values
        return cls(edges, filled)

    def __len__(self) -> int:
        """How many steps there are."""
        return len(self.values)

    @property
    def start(self) -> NDArray[np.int64]:
        """(n,) int64: where each step starts."""
        return self.edges[:-1]

    @property
    def end(self) -> NDArray[np.int64]:
        """(n,) int64: where each step ends."""
        return self.edges[1:]

    @property
    def width(self) -> NDArray[np.int64]:
        """(n,) int64: how many bases each step has."""
        return np.diff(self.edges)

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Whether each value is there, in the shape of ``values``."""
        return ~np.isnan(self.values)

    @staticmethod
    def runs(where: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Find the runs of steps that hold something: (runs, 2) int64, the first step of each and the one after it."""
        return np.flatnonzero(np.diff(where.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)

    def replace(self, values: ArrayLike) -> StepFunction:
        """Give the same steps with other values."""
        return StepFunction(self.edges, values)

    def at(self, positions: ArrayLike) -> NDArray[np.float64]:
        """Give the values at positions, which must lie between the first edge and the last one."""
        return self.values[np.searchsorted(self.edges, positions, side="right") - 1]

    def warped(self, edges: ArrayLike) -> StepFunction:
        """Move each edge to another position, as into another unit of length; steps of no length count for nothing."""
        # they stay, as the values of a large sample fill a gigabyte that is not to be copied
        return StepFunction.sharing(np.asarray(edges, np.int64), self.values)

    def integral(self, start: ArrayLike, end: ArrayLike) -> NDArray[np.float64]:
        """Sum the known values over the bases of windows; beyond the edges there is nothing to add.

        Parameters
        ----------
        start, end : (windows,) int64

        Returns
        -------
        (windows,) or (windows, columns) float64
        """
        if len(self) > STEPS_AT_ONCE and self.values.ndim == 1:
            return self._difference_in_portions(
                lambda here, width: _known_products(width, self.values[here]), start, end
            )
        return self._difference(self._mass, start, end)

    def known_bases(self, start: ArrayLike, end: ArrayLike) -> NDArray[np.float64]:
        """Count the bases of windows whose value is known; parameters and shape as in `integral`."""
        if len(self) > STEPS_AT_ONCE and self.values.ndim == 1:
            return self._difference_in_portions(
                lambda here, width: width * ~np.isnan(self.values[here]), start, end
            )
        return self._difference(self._known, start, end)

    def steps_within(self, start: ArrayLike, end: ArrayLike) -> NDArray[np.float64]:
        """Count the steps in windows, parts of steps as parts: (windows,) float64."""
        return self._difference_in_portions(lambda _, width: width > 0, start, end)

    def means(self, start: ArrayLike, end: ArrayLike, *, covered: float = 0.0) -> NDArray[np.float64]:
        """Average the known values over the bases of windows.

        Parameters
        ----------
        start, end : (windows,) int64
        covered : float
            The share of a window's bases that must be known for its mean to count.

        Returns
        -------
        (windows,) or (windows, columns) float64
            NaN where too little is known, or nothing.
        """
        start, end = np.asarray(start, np.int64), np.asarray(end, np.int64)
        if self.values.ndim > 1:
            # one by one, since a map of a large sample has millions of steps
            columns = [StepFunction.sharing(self.edges, column) for column in self.values.T]
            return np.stack([column.means(start, end, covered=covered) for column in columns], axis=-1)
        known = self.known_bases(start, end)
        length = end - start
        enough = (known >= covered * length) & (known > 0)
        return np.divide(self.integral(start, end), known, out=np.full(known.shape, np.nan), where=enough)

    @cached_property
    def _mass(self) -> NDArray[np.float64]:
        return self._cumulative(self.values)

    @cached_property
    def _known(self) -> NDArray[np.float64]:
        return self._cumulative(self.is_known)

    def _cumulative(self, per_base: NDArray) -> NDArray[np.float64]:
        """Sum from the first edge to each edge, without what is NaN: (n + 1, ...) float64."""
        width = self.width.reshape(-1, *[1] * (self.values.ndim - 1))
        total = np.zeros((len(self.edges), *self.values.shape[1:]))
        np.cumsum(_known_products(width, per_base), axis=0, out=total[1:])
        return total

    def _difference_in_portions(
        self,
        of_steps: Callable[[slice, NDArray[np.int64]], NDArray],
        start: ArrayLike,
        end: ArrayLike,
    ) -> NDArray[np.float64]:
        """Give the same as `_difference` of a sum over steps, to the last bit, without holding that at all the edges.

        ``of_steps`` gives what some steps add to the sum, (steps,), from a slice of them and their widths.
        """
        start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
        start, end = np.broadcast_arrays(start, end)
        at = np.stack([start, end]).reshape(-1)
        step = np.clip(np.searchsorted(self.edges, at, side="right") - 1, 0, len(self) - 1)
        found, before = np.zeros(len(at)), 0.0
        for first in range(0, len(self), STEPS_AT_ONCE):
            here = slice(first, min(first + STEPS_AT_ONCE, len(self)))
            edges = self.edges[here.start : here.stop + 1]
            # one after the other from the first edge on, as a sum over all would add them
            total = np.cumsum(np.append(before, of_steps(here, np.diff(edges))))
            inside = (here.start <= step) & (step < here.stop)
            found[inside] = np.interp(at[inside], edges, total)
            before = total[-1]
        until_start, until_end = found.reshape(2, *start.shape)
        return np.maximum(until_end - until_start, 0)

    def _difference(
        self, until: NDArray[np.float64], start: ArrayLike, end: ArrayLike
    ) -> NDArray[np.float64]:
        """What is added from start to end to a sum that is given at the edges and grows evenly between them."""
        start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
        columns = until[:, None] if until.ndim == 1 else until
        each = [np.interp(end, self.edges, one) - np.interp(start, self.edges, one) for one in columns.T]
        # the difference of two sums may fall below 0 by rounding
        return np.maximum(np.stack(each, axis=-1), 0).reshape(end.shape + until.shape[1:])


def _known_products(width: NDArray, per_base: NDArray) -> NDArray[np.float64]:
    """Multiply, with 0 for what is NaN."""
    products = np.multiply(width, per_base, dtype=np.float64)
    products[np.isnan(products)] = 0
    return products
