"""Starting TensorFlow: quietly, on which processor, and how."""

from __future__ import annotations

import os
from contextlib import suppress

from tfbind.files import native_stderr_closed


def prepare(*, seed: int | None = None, threads: int | None = None) -> str:
    """Start TensorFlow; call it before importing anything that imports Keras.

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
    # what TensorFlow's libraries say (which instructions they use, that there is no CUDA) is said below in words
    # for a biologist
    with native_stderr_closed():
        import keras
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
    if threads is not None:
        # where TensorFlow is at work in this process already, it keeps the threads that it was given then
        with suppress(RuntimeError):
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
    if seed is not None:
        keras.utils.set_random_seed(seed % 2**32)
        tf.config.experimental.enable_op_determinism()
    for gpu in gpus:
        name = tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)
        return f"GPU ({name})"
    return f"CPU ({threads or os.cpu_count()} threads)"


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
