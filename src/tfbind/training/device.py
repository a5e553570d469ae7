"""Which processor TensorFlow uses, and how."""

from __future__ import annotations

import os

import keras
import tensorflow as tf


def prepare(*, seed: int | None = None, threads: int | None = None) -> str:
    """Set TensorFlow up; call it before anything else that runs on TensorFlow.

    Parameters
    ----------
    seed : int or None
        Seeds Python, NumPy and TensorFlow and makes TensorFlow's operations deterministic; None for neither.
    threads : int or None
        Cores that TensorFlow may use; None for all.

    Returns
    -------
    str
        The device in words, such as "GPU (NVIDIA H200)" or "CPU (8 threads)".
    """
    if threads is not None:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        except RuntimeError:
            pass  # TensorFlow is at work in this process already, with the threads that it was given then
    if seed is not None:
        keras.utils.set_random_seed(seed % 2**32)
        tf.config.experimental.enable_op_determinism()
    for gpu in tf.config.list_physical_devices("GPU"):
        name = tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)
        return f"GPU ({name})"
    return f"CPU ({threads or os.cpu_count()} threads)"
