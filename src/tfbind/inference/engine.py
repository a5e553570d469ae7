"""The engines that prediction can run on, behind one interface."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from tfbind.networks.outlines import binding_outline
from tfbind.networks.spec import NetworkSpec
from tfbind.training.stored_network import read_network

logger = logging.getLogger(__name__)

# where a graphics card's driver shows itself, on Linux and on Windows' Linux
_DRIVERS = (Path("/dev/nvidiactl"), Path("/dev/dxg"))


class Engine(Protocol):
    """A network that is ready to compute logits.

    Attributes
    ----------
    device : str
        What it runs on, in words.
    """

    device: str

    def stream(self, batches: Iterable[tuple[np.ndarray, ...]]) -> Iterator[np.ndarray]:
        """Compute logits, batch by batch; one stream at a time: end or close it before the next one.

        Parameters
        ----------
        batches : iterable of tuples
            The network's inputs, in their order, with as many rows as the caller likes. It is read ahead of
            what is given back by a bounded number of rows, so that making a batch and computing overlap.

        Yields
        ------
        (n, tasks) float32
            Of each batch, in the order of the batches.
        """
        ...


def start_engine(
    path: str | Path,
    spec: NetworkSpec,
    length: int,
    *,
    engine: str = "auto",
    precision: str = "f32",
    threads: int | None = None,
    folder: str = "",
) -> Engine:
    """Load a model's network for inference.

    Parameters
    ----------
    path : path
        The model file.
    spec : NetworkSpec
    length : int
        What ``valid_length`` is of an input without padding.
    engine : str
        Out of `tfbind.inference.ENGINES`. ``auto`` is Keras where there is a GPU, else OpenVINO, which needs
        no TensorFlow. A network that OpenVINO cannot run is run by Keras, with a warning.
    precision : str
        Out of `tfbind.inference.PRECISIONS`: what OpenVINO multiplies in. Keras computes in float32.
    threads : int or None
        Cores to use; None for all that this process may use.
    folder : str
        Of the network in the file: see `tfbind.training.archive.member_folder`.

    Raises
    ------
    TfbindError
        If the file is damaged, or its network is not the one of the spec.
    """
    if engine == "auto" and any(driver.exists() for driver in _DRIVERS):
        from tfbind.inference.keras_engine import finds_gpu

        if finds_gpu(threads):
            return _keras(path, spec, precision, threads, folder)
    if engine != "keras":
        network = read_network(path, binding_outline(spec), folder)

        try:
            from tfbind.inference.openvino_engine import OpenvinoEngine

            return OpenvinoEngine(network, spec, length, precision=precision, threads=threads)
        # OpenVINO is not installed; it has no counterpart of a layer; or it cannot compile the network, all of which
        # says nothing against a file that has been checked
        except (ImportError, RuntimeError) as error:
            why = str(error).strip().split("\n", 1)[0]
            logger.warning("%s: OpenVINO cannot run this network (%s), so Keras does", path, why)
    return _keras(path, spec, precision, threads, folder)


def _keras(path: str | Path, spec: NetworkSpec, precision: str, threads: int | None, folder: str) -> Engine:
    from tfbind.inference.keras_engine import KerasEngine

    if precision != "f32":
        logger.warning("Keras computes in float32: --precision %s is for OpenVINO", precision)
    return KerasEngine(path, spec, threads=threads, folder=folder)
