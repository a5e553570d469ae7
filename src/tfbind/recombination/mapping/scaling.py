"""Features as the network reads them: scaled as those it was trained on, and compared with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfbind.genotypes.features import FEATURES, REGION_FEATURES

# scaled features are clipped to this: the network is asked about nothing further out than its training data
MOST_DEVIATION = 8.0


@dataclass(frozen=True, eq=False)
class Scaling:
    """Mean and standard deviation of each feature over the tokens of the training part: (features,) float32 each."""

    mean: np.ndarray
    sd: np.ndarray

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Scale features, of any shape that ends in them, to float32 within MOST_DEVIATION."""
        scaled = x - self.mean
        # in place: of a whole chromosome there are a hundred megabytes
        scaled /= self.sd
        return np.clip(scaled, -MOST_DEVIATION, MOST_DEVIATION, out=scaled).astype(np.float32, copy=False)


def region_values(x: np.ndarray) -> np.ndarray:
    """The features that hold for a whole region, from (tokens, features): (region features,) float64."""
    # rounded as those of training are: what never differed there must not differ by its rounding here
    return x[0, len(FEATURES) - len(REGION_FEATURES) :].astype(np.float16).astype(np.float64)
