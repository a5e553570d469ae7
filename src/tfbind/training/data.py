"""What `tfbind.training.fit` asks of the data that it is given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np


class Examples(NamedTuple):
    """Inputs and truth of n examples.

    inputs : arrays of n rows, in the order of the network's inputs
    y : (n, tasks) float32: 1, 0, or NaN where unknown; or what the objective takes for the truth
    """

    inputs: tuple[np.ndarray, ...]
    y: np.ndarray


class Validation(Protocol):
    """A fixed validation part."""

    def validation(self, size: int) -> Iterator[Examples]:
        """Give the validation examples in their order, ``size`` at a time."""


class Batches(Validation, Protocol):
    """A source of training batches that can differ from epoch to epoch, and a fixed validation part."""

    n_train: int

    def batches(self, epoch: int, size: int) -> Iterator[Examples]:
        """Give the training examples of one epoch in their order; the same epoch is always the same."""


class TrainingData(Batches, Protocol):
    """Batches whose truth is classes."""

    def class_weights(self) -> np.ndarray:
        """(tasks, 2) float32: what an unbound and a bound example of each task weighs in the loss."""
