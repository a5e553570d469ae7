"""Inference by OpenVINO on a graph built from the weights: fast on a CPU, and no TensorFlow is loaded."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import NamedTuple

import numpy as np
import openvino as ov

from tfbind.inference.convolution import word_convolution
from tfbind.inference.graph import build_graph, strand_layers
from tfbind.networks.spec import NetworkSpec
from tfbind.training.device import available_cores
from tfbind.training.stored_network import StoredNetwork

logger = logging.getLogger(__name__)

# so few stay in a core's own cache from layer to layer: the default takes 5% longer with 64, 10% with 32 or 512
PORTION = 128
# sequences that are computed while the next batch is being made
ROWS_AHEAD = 1024


class OpenvinoEngine:
    """See `tfbind.inference.engine.Engine`.

    A batch is dealt to requests of `PORTION` sequences, all of one shape, the last one filled up: what a
    sequence scores does not depend on how many others are scored with it, or which. One core works on one
    request, from the convolution, where it is one of `tfbind.inference.convolution`, to the logits. Sequences
    without padding go through a graph without masks, which is 5-10% faster.
    """

    def __init__(
        self,
        network: StoredNetwork,
        spec: NetworkSpec,
        length: int,
        *,
        precision: str = "f32",
        threads: int | None = None,
    ):
        config, weights = network.config, network.weights
        self._length = length
        self._n_tasks = spec.n_tasks
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
        self._threads = threads
        self._convolution = word_convolution(strand_layers(config, weights), self._length)
        # both at once, though often one is enough: what cannot be compiled must be known before the first batch
        self._requests = {
            unpadded: self._compile(
                build_graph(config, weights, unpadded=unpadded, convolution=self._convolution)
            )
            for unpadded in (True, False)
        }

    def _compile(self, graph: ov.Model) -> SimpleQueue[_Request]:
        """Compile a graph for portions, and give as many requests as there are threads."""
        rows = {"pooled": 2 * PORTION}
        graph.reshape(
            {
                parameter: [rows.get(parameter.any_name, PORTION), *list(parameter.get_partial_shape())[1:]]
                for parameter in graph.inputs
            }
        )
        compiled = self._core.compile_model(graph, "CPU", self._options)
        requests: SimpleQueue[_Request] = SimpleQueue()
        for _ in range(self._threads):
            request = compiled.create_infer_request()
            inputs = [tensor.data for tensor in request.input_tensors]
            # what fills up a portion must be sequences, too
            for values in inputs:
                values[:] = 0
            requests.put(_Request(request.infer, inputs, request.get_output_tensor(0).data))
        return requests

    def stream(self, batches: Iterable[tuple[np.ndarray, ...]]) -> Iterator[np.ndarray]:
        """Compute logits, batch by batch; one stream at a time, as all share the same requests."""
        due: deque[tuple[np.ndarray, list[Future[None]]]] = deque()
        n_ahead = 0
        with ThreadPoolExecutor(self._threads, "inference") as workers:
            try:
                for inputs in batches:
                    logits = np.empty((len(inputs[0]), self._n_tasks), np.float32)
                    portions = self._portions(inputs[1])
                    due.append(
                        (logits, [workers.submit(self._compute, *one, inputs, logits) for one in portions])
                    )
                    n_ahead += len(logits)
                    while due and (n_ahead > ROWS_AHEAD or all(portion.done() for portion in due[0][1])):
                        n_ahead -= len(due[0][0])
                        yield _finished(*due.popleft())
                while due:
                    yield _finished(*due.popleft())
            finally:
                workers.shutdown(cancel_futures=True)

    def _compute(
        self, unpadded: bool, rows: np.ndarray, inputs: tuple[np.ndarray, ...], logits: np.ndarray
    ) -> None:
        """Fill in the logits of a portion."""
        request = self._requests[unpadded].get()
        try:
            x, *others = (values[rows] for values in inputs)
            first, *taken = request.inputs
            if self._convolution is None:
                first[: len(rows)] = x
            else:
                tracks = others[1] if len(others) > 1 else None
                self._convolution(x, others[0], tracks, first.reshape(2, PORTION, *first.shape[1:]))
            for into, values in zip(taken, others, strict=True):
                into[: len(rows)] = values
            request.infer()
            logits[rows] = request.logits[: len(rows)]
        finally:
            self._requests[unpadded].put(request)

    def _portions(self, valid_length: np.ndarray) -> Iterator[tuple[bool, np.ndarray]]:
        """Numbers of rows that go into one request, and whether all of them are without padding."""
        whole = valid_length == self._length
        for unpadded in (True, False):
            rows = np.flatnonzero(whole == unpadded)
            for start in range(0, len(rows), PORTION):
                yield unpadded, rows[start : start + PORTION]


class _Request(NamedTuple):
    """What computes a portion, and the memory that it reads and writes."""

    infer: Callable[[], object]
    inputs: list[np.ndarray]
    logits: np.ndarray


def _finished(logits: np.ndarray, portions: list[Future[None]]) -> np.ndarray:
    for portion in portions:
        portion.result()
    return logits
