"""Several engines at work on the same sequences, in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import tee
from operator import itemgetter

import numpy as np

from tfbind.inference.engine import Engine


class EnsembleEngine:
    """The networks of an ensemble, each with an engine of its own.

    Parameters
    ----------
    engines : sequence of Engine

    Attributes
    ----------
    device : str
        What they run on, in words.
    name : str
        The kinds of engine, each once.
    """

    def __init__(self, engines: Sequence[Engine]):
        self._engines = list(engines)
        self.device = ", ".join(dict.fromkeys(engine.device for engine in self._engines))
        self.name = "+".join(dict.fromkeys(type(engine).__name__ for engine in self._engines))

    def stream(self, batches: Iterable[Sequence[tuple[np.ndarray, ...]]]) -> Iterator[np.ndarray]:
        """Compute logits, batch by batch; one stream at a time, as of every `Engine`.

        Parameters
        ----------
        batches : iterable
            For each batch the inputs of each network, in the order of the engines. Arrays may be shared.

        Yields
        ------
        (networks, n, tasks) float32
            Of each batch, in the order of the batches.
        """
        # all read ahead by the same number of rows, so no more than that is waiting in between
        copies = tee(batches, len(self._engines))
        streams = [
            engine.stream(map(itemgetter(number), copy))
            for number, (engine, copy) in enumerate(zip(self._engines, copies, strict=True))
        ]
        try:
            for logits in zip(*streams, strict=True):
                yield np.stack(logits)
        finally:
            for stream in streams:
                stream.close()  # type: ignore[attr-defined]
