"""What a network's outputs mean where it predicts recombination rates, and the defaults of making and fitting it.

No import heavier than the standard library. Output 0 of a token is the logarithm of the posterior *mean* of its r/mu,
so that the mean over any window is the window's posterior mean; the others are the logarithms of the standard
deviations of the log rate of the window round the token, at each of SCALES.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tfbind.training.options import FitOptions

# tokens over which rates are averaged; each scale has a spread of its own
SCALES = (1, 4, 16, 64, 256)
OUTPUTS = 1 + len(SCALES)
# of r/mu: what no data tell apart from no recombination at all
FLOOR = 1e-3
LOG_RATES = (-9.0, 6.0)
LOG_SPREADS = (-4.0, 1.0)
# a log-normal's mean is exp(variance / 2) above its median; where the spread is wide it is no log-normal any more
MOST_VARIANCE = 2.0


@dataclass(frozen=True, kw_only=True)
class RateOptions:
    """How a network of rates is made.

    cell : one out of `tfbind.networks.spec.CELLS`
    units : of one direction of a recurrent layer
    layers : recurrent layers
    crop : tokens that training reads at a time
    """

    cell: str = "gru"
    units: int = 64
    layers: int = 2
    crop: int = 256


@dataclass(frozen=True, kw_only=True)
class RelernnOptions:
    """How ReLERNN's network is made.

    units : of one direction of the GRU
    window : bp that have one rate; None for the length of the simulated regions
    """

    units: int = 84
    window: int | None = None


FITTING = FitOptions(epochs=10, batch_size=64, learning_rate=2.5e-3, weight_decay=1e-4, patience=8)
# where training goes on from a trained network: a lower rate keeps what that knows; and as any rate but the last ones
# makes it worse for a while, patience must not end before these
START_FITTING = replace(FITTING, learning_rate=1e-3, patience=10)
# as published, but for the schedule of the learning rate; there, at most 1,000 epochs of 100,000 windows
RELERNN_FITTING = FitOptions(epochs=50, batch_size=64, learning_rate=1e-3, weight_decay=0.0, patience=20)
