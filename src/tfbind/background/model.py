"""A background model's file, and sequences drawn from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfbind.errors import TfbindError
from tfbind.networks.spec import CELLS
from tfbind.training.device import prepare
from tfbind.training.model_file import fill, read_values, write_model

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
    try:
        card = BackgroundCard(**{name: values[name] for name in BackgroundCard.__dataclass_fields__})
        if card.cell not in CELLS or min(card.units, card.layers) < 1:
            raise ValueError("its network is none")
    except (KeyError, TypeError, ValueError) as error:
        raise TfbindError(
            f"{path}: its card is damaged ({error!r}), expected a model of tfbind background fit"
        ) from None
    return card


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
        # or the same seed would not give the same sequences on a GPU
        self.device = prepare(threads=threads, deterministic=True)

        from tfbind.networks.next_base import make_sampler, next_base_network

        network = next_base_network(cell=self.card.cell, units=self.card.units, layers=self.card.layers)
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
