"""Starting TensorFlow: quietly, on which processor, and how."""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tfbind import process


def prepare(*, threads: int | None = None, deterministic: bool = False) -> str:
    """Start TensorFlow. Call it before you import anything that imports Keras.

    Parameters
    ----------
    threads : int or None
        Cores that TensorFlow may use, in the whole process; None for all. TensorFlow reads this once: if it has
        run an operation before, it keeps the number it had then.
    deterministic : bool
        Make TensorFlow's operations deterministic, so that the same seed gives the same result. This holds for the
        whole process and cannot be undone, so only the ``tfbind`` command does it (see `tfbind.process`). From
        your own program, call ``tf.config.experimental.enable_op_determinism()`` yourself.

    Returns
    -------
    str
        The device in words, such as "GPU (NVIDIA H200)" or "CPU (8 threads)".
    """
    # TensorFlow's libraries report CPU instructions and missing CUDA drivers, which no setting turns off
    with process.quiet_stderr():
        import keras  # noqa: F401
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
    if process.is_owned():
        tf.get_logger().addFilter(_is_of_use)
    if threads is not None:
        with suppress(RuntimeError):
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
    if deterministic and process.is_owned():
        tf.config.experimental.enable_op_determinism()
    for gpu in gpus:
        name = tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)
        return f"GPU ({name})"
    return f"CPU ({threads or os.cpu_count()} threads)"


def _is_of_use(record: logging.LogRecord) -> bool:
    """Tell warnings from the one that several networks in one process are several."""
    return "triggered tf.function retracing" not in str(record.msg)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Build Keras layers from a seed, and leave the caller's random numbers as they were.

    Keras draws the seed of an initializer or a dropout layer from Python's ``random`` when it makes the layer. From
    then on each layer counts for itself. So this covers the building of a network, and training it afterwards needs
    no seed. The random numbers of NumPy and TensorFlow are not used.
    """
    before = random.getstate()
    random.seed(seed % 2**32)
    try:
        yield
    finally:
        random.setstate(before)


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
