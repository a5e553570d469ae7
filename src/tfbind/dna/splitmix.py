"""Random numbers for compiled code: splitmix64 (Steele, Lea & Flood 2014, OOPSLA).

Every sequence has a stream of its own, so that what is drawn for it does not depend on the batch or the
thread that it is drawn in.
"""

from __future__ import annotations

import numpy as np
from numba import njit

GOLDEN_GAMMA = 0x9E3779B97F4A7C15


@njit(cache=True)
def mix(state):  # pragma: no cover - compiled
    """One output of splitmix64 for a state that the caller advances."""
    z = state
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True)
def below(rng, bound):  # pragma: no cover - compiled
    """A number in [0, bound); the bias of the remainder is below bound / 2**64."""
    rng[0] += np.uint64(GOLDEN_GAMMA)
    return np.int64(mix(rng[0]) % np.uint64(bound))


def seeds_for(indexes: np.ndarray, *stream: int) -> np.ndarray:
    """Well-mixed seeds from the run's seed and, for example, an epoch (``stream``) and record indexes.

    Returns
    -------
    (n,) uint64
    """
    with np.errstate(over="ignore"):
        state = np.uint64(0)
        for number in stream:
            state = mix(state + np.uint64(number % 2**64) + np.uint64(GOLDEN_GAMMA))
        return _mix_all(np.asarray(indexes, np.uint64) * np.uint64(GOLDEN_GAMMA) + np.uint64(state))


@njit(cache=True)
def _mix_all(states):  # pragma: no cover - compiled
    mixed = np.empty_like(states)
    for i in range(len(states)):
        mixed[i] = mix(states[i])
    return mixed
