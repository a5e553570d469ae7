"""A network of tokens, many-to-many, on OpenVINO; no TensorFlow is loaded."""

from __future__ import annotations

import numpy as np
import openvino as ov

from tfbind.inference.graph import build_graph
from tfbind.training.device import available_cores
from tfbind.training.stored_network import StoredNetwork


class TokenEngine:
    """The network of a model file, compiled for batches of one shape.

    Parameters
    ----------
    network : StoredNetwork
    shape : (n, tokens, features)
        Of ``x``.
    threads : int or None
        Cores to use; None for all that this process may use.
    """

    def __init__(self, network: StoredNetwork, *, shape: tuple[int, int, int], threads: int | None = None):
        graph = build_graph(network.config, network.weights, steps=shape[1])
        graph.reshape({0: list(shape), 1: [shape[0]]})
        options = {
            # a processor with bfloat16 would otherwise be free to use it
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": threads or available_cores(),
            "ENABLE_CPU_PINNING": False,
        }
        self._request = ov.Core().compile_model(graph, "CPU", options).create_infer_request()

    def run(self, x: np.ndarray, valid_length: np.ndarray) -> np.ndarray:
        """Compute the outputs: from (n, tokens, features) float32 and (n,) int32 to (n, tokens, outputs) float32."""
        self._request.infer([x, valid_length])
        return self._request.get_output_tensor(0).data.copy()
