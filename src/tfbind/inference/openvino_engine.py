"""Inference by OpenVINO on a graph built from the weights: fast on a CPU, and no TensorFlow is loaded."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import openvino as ov

from tfbind.inference.graph import build_graph, read_network
from tfbind.training.device import available_cores
from tfbind.training.model_file import ModelCard

logger = logging.getLogger(__name__)

# So few stay in a core's own cache from layer to layer: from 16 to 64 the rates differ little (by 4-13%)
PORTION = 32
# sequences that are computed while the next batch is being made
ROWS_AHEAD = 1024


class OpenvinoEngine:
    """See `tfbind.inference.engine.Engine`.

    A batch is dealt to requests of `PORTION` sequences, all of one shape, the last one filled up: what a
    sequence scores does not depend on how many others are scored with it, or which. One core works on one
    request. Sequences without padding go through a graph without masks, which is 5-10% faster.
    """

    def __init__(
        self, path: str | Path, card: ModelCard, *, precision: str = "f32", threads: int | None = None
    ):
        config, weights = read_network(path)
        self._length = card.encoding.length
        self._n_tasks = card.network.n_tasks
        self._core = ov.Core()
        threads = threads or available_cores()
        if precision == "bf16" and "BF16" not in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            logger.warning("this processor has no bfloat16 instructions: computing in float32")
            precision = "f32"
        self._options = {
            "INFERENCE_PRECISION_HINT": precision,
            "PERFORMANCE_HINT": "THROUGHPUT",
            "NUM_STREAMS": threads,
            "INFERENCE_NUM_THREADS": threads,
            # several jobs on one machine would all be pinned to its first cores
            "ENABLE_CPU_PINNING": False,
        }
        self.device = f"CPU ({threads} threads, OpenVINO{' in bfloat16' if precision == 'bf16' else ''})"
        self._n_requests = max(2 * threads, ROWS_AHEAD // PORTION)
        # both at once, though often one is enough: what cannot be compiled must be known before the first batch
        self._requests = {
            unpadded: self._compile(build_graph(config, weights, unpadded=unpadded))
            for unpadded in (True, False)
        }

    def _compile(self, graph: ov.Model) -> list[ov.InferRequest]:
        shapes = [[PORTION, *list(parameter.get_partial_shape())[1:]] for parameter in graph.inputs]
        graph.reshape(dict(enumerate(shapes)))
        compiled = self._core.compile_model(graph, "CPU", self._options)
        requests = [compiled.create_infer_request() for _ in range(self._n_requests)]
        for request in requests:
            # what fills up a portion must be sequences, too
            for tensor in request.input_tensors:
                tensor.data[:] = 0
        return requests

    def stream(self, batches: Iterable[tuple[np.ndarray, ...]]) -> Iterator[np.ndarray]:
        """Compute logits, batch by batch; one stream at a time, as all share the same requests."""
        running: deque[_Run] = deque()
        due: deque[np.ndarray] = deque()
        free = {unpadded: deque(requests) for unpadded, requests in self._requests.items()}
        try:
            for inputs in batches:
                logits = np.empty((len(inputs[0]), self._n_tasks), np.float32)
                due.append(logits)
                for unpadded, rows in self._portions(inputs[1]):
                    while not free[unpadded]:
                        _collect(running, free)
                    request = free[unpadded].popleft()
                    for tensor, values in zip(request.input_tensors, inputs, strict=True):
                        tensor.data[: len(rows)] = values[rows]
                    request.start_async()
                    running.append(_Run(request, unpadded, rows, logits))
                while due and not (running and running[0].logits is due[0]):
                    yield due.popleft()
            while due:
                while running and running[0].logits is due[0]:
                    _collect(running, free)
                yield due.popleft()
        finally:
            for run in running:
                run.request.wait()

    def _portions(self, valid_length: np.ndarray) -> Iterator[tuple[bool, np.ndarray]]:
        """Numbers of rows that go into one request, and whether all of them are without padding."""
        whole = valid_length == self._length
        for unpadded in (True, False):
            rows = np.flatnonzero(whole == unpadded)
            for start in range(0, len(rows), PORTION):
                yield unpadded, rows[start : start + PORTION]


class _Run(NamedTuple):
    """A request at work, and the rows of the logits that it is to fill."""

    request: ov.InferRequest
    unpadded: bool
    rows: np.ndarray
    logits: np.ndarray


def _collect(running: deque[_Run], free: dict[bool, deque[ov.InferRequest]]) -> None:
    """Wait for the oldest request and take over what it found."""
    run = running.popleft()
    run.request.wait()
    run.logits[run.rows] = run.request.get_output_tensor(0).data[: len(run.rows)]
    free[run.unpadded].append(run.request)
