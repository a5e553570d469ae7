"""The defaults of fitting ReLERNN's network: no import heavier than the standard library."""

from __future__ import annotations

from dataclasses import dataclass

from tfbind.training.options import FitOptions


@dataclass(frozen=True, kw_only=True)
class RelernnOptions:
    """How ReLERNN's network is made.

    units : of one direction of the GRU
    window : bp that have one rate; None for the length of the simulated regions
    """

    units: int = 84
    window: int | None = None


# as published, but for the schedule of the learning rate; there, at most 1,000 epochs of 100,000 windows
RELERNN_FITTING = FitOptions(epochs=50, batch_size=64, learning_rate=1e-3, weight_decay=0.0, patience=20)
