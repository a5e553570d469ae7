"""What encoding reports: the records of each part and fold, in the log and beside the tensors file."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfbind.dna.splits import PARTS
from tfbind.tables import write_json

logger = logging.getLogger(__name__)


class Tally:
    """Bound and unbound records of each factor, by part and by fold.

    Parameters
    ----------
    factors : sequence of str
    n_folds : int or None
        None without folds.
    """

    def __init__(self, factors: Sequence[str], n_folds: int | None):
        self._factors = factors
        self._of_part = np.zeros((len(factors), len(PARTS), 2), np.int64)
        # fold 0 is what is in none
        self._of_fold = None if n_folds is None else np.zeros((len(factors), 1 + n_folds, 2), np.int64)

    def add(self, y: np.ndarray, split: np.ndarray, fold: np.ndarray | None) -> None:
        """Count n records.

        Parameters
        ----------
        y : (n, factors) float32
            1 bound, 0 unbound, NaN unknown: counts nothing.
        split : (n,) uint8
        fold : (n,) uint8 or None
            None without folds.
        """
        _count(self._of_part, y, split)
        if self._of_fold is not None and fold is not None:
            _count(self._of_fold, y, fold)

    def summary(self) -> dict[str, dict]:
        """``parts`` and, where there are any, ``folds``: factor to name to ``unbound`` and ``bound``."""
        counts = {"parts": self._as_dict(PARTS, self._of_part)}
        if self._of_fold is not None:
            names = [str(number) for number in range(1, self._of_fold.shape[1])]
            counts["folds"] = self._as_dict(names, self._of_fold[:, 1:])
        return counts

    def _as_dict(self, names: Sequence[str], tally: np.ndarray) -> dict[str, dict]:
        return {
            factor: {
                name: {"unbound": int(unbound), "bound": int(bound)}
                for name, (unbound, bound) in zip(names, tally[index], strict=True)
            }
            for index, factor in enumerate(self._factors)
        }


def _count(tally: np.ndarray, y: np.ndarray, number_of_row: np.ndarray) -> None:
    """Add unbound and bound rows to a tally of shape (factors, numbers, 2)."""
    for number in range(tally.shape[1]):
        chosen = y[number_of_row == number]
        tally[:, number] += np.stack([(chosen == 0).sum(axis=0), (chosen == 1).sum(axis=0)], axis=1)


def report(path: Path, summary: dict[str, Any]) -> None:
    """Log a summary, warn of what lacks a class, and write it as JSON.

    Parameters
    ----------
    path : Path
    summary : dict
        ``counts`` (name to number), what `Tally.summary` gives, and whatever else is to stand in the file.
    """
    for name, count in summary["counts"].items():
        logger.info("%s: %s", name, f"{count:,}")
    for factor, parts in summary["parts"].items():
        dealt = (f"{name} {n['bound']:,} bound + {n['unbound']:,} unbound" for name, n in parts.items())
        logger.info("%s: %s", factor, ", ".join(dealt))
        for name in ("train", "validation"):
            if not all(parts[name].values()):
                logger.warning(
                    "%s: the %s part lacks a class, so no network can be trained on it", factor, name
                )
    for factor, folds in summary.get("folds", {}).items():
        for name, n in folds.items():
            if not all(n.values()):
                logger.warning("%s: fold %s lacks a class, so no ROC can be drawn of it", factor, name)
    write_json(path, summary)
