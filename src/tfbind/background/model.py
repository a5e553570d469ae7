"""A background model's file, and sequences drawn from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from tfbind.networks.outlines import next_base_outline
from tfbind.training.card_schema import Layers, Name, Size, checked
from tfbind.training.device import prepare
from tfbind.training.model_file import fill, read_values, write_model
from tfbind.training.stored_network import read_network

KIND = "background"


@dataclass(frozen=True, kw_only=True)
class BackgroundCard:
    """What a background model's file says of itself.

    cell, units, layers : of the network, see `tfbind.networks.next_base.next_base_network`
    training : provenance: options, sources, bits per base
    """

    cell: str
    units: int
    layers: int
    training: dict[str, Any]


class _Schema(msgspec.Struct):
    """What the card must hold."""

    cell: Literal["lstm", "gru", "rnn", "irnn", "jordan"]
    units: Size
    layers: Layers
    training: dict[str, Any]
    software: dict[Name, Name] | None = None


def save_background(path: Path, network: Any, card: BackgroundCard) -> None:
    """Write the model file of a Keras network, whole or not at all."""
    write_model(path, network, {"kind": KIND, **asdict(card)})


def read_background_card(path: Path) -> BackgroundCard:
    """Read and check a background model's card; needs no TensorFlow.

    Raises
    ------
    TfbindError
        As `tfbind.training.model_file.read_values`, and for a card that is damaged.
    """
    values = read_values(path, KIND)
    card = checked(path, values, _Schema)
    return BackgroundCard(cell=card.cell, units=card.units, layers=card.layers, training=values["training"])


class BackgroundModel:
    """A background model opened for drawing sequences.

    Parameters
    ----------
    path : Path
    threads : int or None

    Raises
    ------
    TfbindError
        As `read_background_card`.
    """

    def __init__(self, path: Path, *, threads: int | None = None):
        self.card = read_background_card(path)
        made: dict[str, Any] = {name: getattr(self.card, name) for name in ("cell", "units", "layers")}
        read_network(path, next_base_outline(**made))
        # or the same seed would not give the same sequences on a GPU
        self.device = prepare(threads=threads, deterministic=True)

        from tfbind.networks.next_base import make_sampler, next_base_network

        network = next_base_network(**made)
        fill(network, path)
        self._draw = make_sampler(network)

    def sample(self, uniform: np.ndarray, temperature: float = 1.0) -> np.ndarray:
        """Draw a sequence for each row of random numbers, from its first base on.

        Parameters
        ----------
        uniform : (n, length) float32
            In [0, 1): a number a base. The first bases of a sequence do not depend on its later numbers.
        temperature : float
            Divides the logits: below 1 the likely bases become likelier still, above 1 all become more alike.

        Returns
        -------
        (n, length) uint8
            Codes, none ambiguous.
        """
        return self._draw(uniform, temperature)
