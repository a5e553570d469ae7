"""The defaults of fitting: no import heavier than the standard library."""

from __future__ import annotations

from dataclasses import dataclass

LEARNING_RATE = 2e-2
EPOCHS = 40
# a network that starts as a fitted linear model has no more than .001 of validation AUROC to gain after so many steps
STEPS = 6_400
LEAST_EPOCHS = 10


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """How a network is fitted.

    epochs : at most; None for EPOCHS, or where training goes on from a fitted model for fewer, if they would take
        more than STEPS steps
    batch_size : examples a step
    learning_rate : the peak, reached after ``warmup`` of all steps and then lowered along a cosine; None for
        LEARNING_RATE
    weight_decay : of AdamW (Loshchilov & Hutter 2019)
    clip_norm : the gradient's norm over all weights is cut to this
    patience : epochs without a better validation loss before fitting stops
    """

    epochs: int | None = None
    batch_size: int = 128
    learning_rate: float | None = None
    warmup: float = 0.05
    weight_decay: float = 1e-3
    clip_norm: float = 1.0
    patience: int = 15
    seed: int = 0

    def most_epochs(self, n_train: int, *, fitted: bool) -> int:
        """The epochs, or where they are None as many as suit the training examples, and a network ``fitted`` before."""
        if self.epochs is not None:
            return self.epochs
        if not fitted:
            return EPOCHS
        return min(EPOCHS, max(LEAST_EPOCHS, STEPS // -(-n_train // self.batch_size)))

    @property
    def peak_rate(self) -> float:
        """The learning rate, or LEARNING_RATE where it is None."""
        return LEARNING_RATE if self.learning_rate is None else self.learning_rate
