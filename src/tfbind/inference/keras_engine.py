"""Inference by Keras: the reference, and the way to a GPU."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from tfbind.networks.spec import NetworkSpec
from tfbind.training.device import prepare


class KerasEngine:
    """See `tfbind.inference.engine.Engine`; a batch is computed at once, as it comes."""

    def __init__(self, path: str | Path, spec: NetworkSpec, *, threads: int | None = None, folder: str = ""):
        self.device = prepare(threads=threads)

        from tfbind.training.forward import make_forward
        from tfbind.training.model_file import load_network

        self._forward = make_forward(load_network(path, spec, folder))

    def stream(self, batches: Iterable[tuple[np.ndarray, ...]]) -> Iterator[np.ndarray]:
        """Compute logits, batch by batch."""
        for inputs in batches:
            yield self._forward(*inputs)


def finds_gpu(threads: int | None = None) -> bool:
    """Whether TensorFlow, which this starts, sees a GPU."""
    return prepare(threads=threads).startswith("GPU")
