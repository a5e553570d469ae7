"""Gradients of a network's logits with respect to what it reads, by Keras."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tfbind.networks.spec import NetworkSpec
from tfbind.training.device import prepare


class GradientEngine:
    """A network of one-hot bases that is ready to compute gradients.

    Parameters
    ----------
    path : path
        The model file.
    spec : NetworkSpec
    threads : int or None
        Cores to use; None for all that this process may use.
    folder : str
        Of the network in the file: see `tfbind.training.archive.member_folder`.

    Attributes
    ----------
    device : str
        What it runs on, in words.
    """

    def __init__(self, path: str | Path, spec: NetworkSpec, *, threads: int | None = None, folder: str = ""):
        self.device = prepare(threads=threads)

        import tensorflow as tf

        from tfbind.training.model_file import load_network

        network = load_network(path, spec, folder, soft=True)

        @tf.function(reduce_retracing=True)
        def gradients(task, valid_length, *read):
            with tf.GradientTape() as tape:
                tape.watch(read)
                logit = tf.gather(network([read[0], valid_length, *read[1:]], training=False), task, axis=1)
            return tape.gradient(logit, read, unconnected_gradients=tf.UnconnectedGradients.ZERO)

        self._gradients = gradients

    def __call__(
        self, task: int, x: np.ndarray, valid_length: np.ndarray, tracks: np.ndarray | None = None
    ) -> list[np.ndarray]:
        """Compute the gradients of one task's logits.

        Parameters
        ----------
        task : int
        x : (n, length, 4) float32
            Bases, or something between bases.
        valid_length : (n,) int32
        tracks : (n, length, tasks) float32
            Where the network reads them.

        Returns
        -------
        list of (n, length, 4) and, with tracks, (n, length, tasks) float32
        """
        read = (x,) if tracks is None else (x, tracks)
        found = self._gradients(np.int32(task), valid_length, *read)
        return [gradient.numpy() for gradient in found]
