"""The engines that prediction can run on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tfbind.training.device import prepare
from tfbind.training.model_file import ModelCard

if TYPE_CHECKING:
    from tfbind.training.forward import Forward


def start_engine(path: str | Path, card: ModelCard, *, threads: int | None = None) -> tuple[Forward, str]:
    """Load a model's network for inference.

    Parameters
    ----------
    path : path
        The model file.
    card : ModelCard
    threads : int or None

    Returns
    -------
    forward : callable
        From the network's inputs to logits, see `tfbind.training.forward.make_forward`.
    device : str
        What it runs on, in words.
    """
    device = prepare(threads=threads)

    from tfbind.training.forward import make_forward
    from tfbind.training.model_file import load_network

    return make_forward(load_network(path, card)), device
