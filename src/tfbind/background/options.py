"""The defaults of background models: no import heavier than the standard library."""

from __future__ import annotations

from dataclasses import dataclass

from tfbind.training.options import FitOptions


@dataclass(frozen=True, kw_only=True)
class BackgroundOptions:
    """How a background model is made.

    cell : one out of `tfbind.networks.spec.CELLS`
    units : of a recurrent layer
    layers : recurrent layers, one on top of the other
    window : bases that training reads at a time; what stands further back teaches nothing
    epoch_bases : an epoch shows so many bases at most, drawn anew each time
    """

    cell: str = "gru"
    units: int = 128
    layers: int = 1
    window: int = 256
    epoch_bases: int = 5_000_000


FITTING = FitOptions(epochs=6, batch_size=64, learning_rate=1e-2, weight_decay=1e-4, patience=3)
