"""A trained binding model, ready to score sequences."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tfbind.binding.calibration import calibrate
from tfbind.binding.inputs import InputEncoder
from tfbind.binding.options import MADE_UP
from tfbind.errors import TfbindError
from tfbind.inference.engine import start_engine
from tfbind.training.model_file import ModelCard, read_card

KIND = "binding"


class BindingModel:
    """A model file opened for scoring.

    Parameters
    ----------
    path : path
    engine, precision : str
        See `tfbind.inference.engine.start_engine`.
    threads : int or None
        Cores to use; None for all.
    prevalence : float or None
        The bound share of the sequences that will be scored; None for that of the training.

    Raises
    ------
    TfbindError
        As `tfbind.training.model_file.read_card`, and for a prevalence where the negatives of training
        were made up.

    Attributes
    ----------
    path : Path
    card : ModelCard
    device : str
        What it runs on, in words.
    engine : str
        Which engine it is and the kind of device: what scores may depend on in their last digit.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        engine: str = "auto",
        precision: str = "f32",
        threads: int | None = None,
        prevalence: float | None = None,
    ):
        self.path = Path(path)
        self.card: ModelCard = read_card(path, KIND)
        if prevalence is not None and self.card.negative_method in MADE_UP:
            raise TfbindError(
                f"{path}: was trained on {MADE_UP[self.card.negative_method]}, which are no sample of a genome, so"
                " --prevalence has no meaning;"
                " expected a model trained on unbound sequence"
            )
        self._prevalence = prevalence
        self._encoder = InputEncoder(self.card.encoding, self.card.gkm)
        self._engine = start_engine(path, self.card, engine=engine, precision=precision, threads=threads)
        self.device = self._engine.device
        self.engine = f"{type(self._engine).__name__} on {self.device.split()[0]}"

    def probabilities(self, codes: np.ndarray, valid_length: np.ndarray, batch_size: int = 512) -> np.ndarray:
        """Score sequences.

        Parameters
        ----------
        codes : (n, length) uint8
            Of the model's length.
        valid_length : (n,) int32
        batch_size : int
            Sequences that are encoded at a time; the scores do not depend on it.

        Returns
        -------
        (n, tasks) float64
            Calibrated probability that the sequence is bound, among sequences of which ``prevalence`` are, or,
            where that is None, among sequences such as the training's.
        """
        starts = range(0, len(codes), batch_size)
        batches = (
            self._encoder(codes[start : start + batch_size], valid_length[start : start + batch_size])
            for start in starts
        )
        logits = np.empty((len(codes), len(self.card.tasks)), np.float32)
        for start, found in zip(starts, self._engine.stream(batches), strict=True):
            logits[start : start + batch_size] = found
        return calibrate(logits, self.card.calibration, self._prevalence)
