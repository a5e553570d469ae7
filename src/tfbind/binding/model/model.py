"""A trained binding model, ready to score sequences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from scipy.special import expit

from tfbind.binding.encoding.inputs import EnsembleEncoder
from tfbind.binding.model.calibration import calibrated_logits
from tfbind.binding.model.card import ModelCard, read_card
from tfbind.binding.options import MADE_UP
from tfbind.errors import TfbindError
from tfbind.inference.engine import start_engine
from tfbind.inference.ensemble import EnsembleEngine
from tfbind.training.stored_network import check_outputs


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
        As `tfbind.binding.model.card.read_card`, and for a prevalence where the negatives of training
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
        self.card: ModelCard = read_card(path)
        if prevalence is not None and self.card.negative_method in MADE_UP:
            raise TfbindError(
                f"{path}: was trained on {MADE_UP[self.card.negative_method]}, which are no sample of a genome, so"
                " --prevalence has no meaning;"
                " expected a model trained on unbound sequence"
            )
        shares = self.card.calibration.get("prevalence")
        if prevalence is not None and (not shares or not all(0 < share < 1 for share in shares)):
            raise TfbindError(
                f"{path}: does not say what share of its validation sequences was bound, or none or all were:"
                " expected a model that says so, or no --prevalence"
            )
        self._prevalence = prevalence
        networks = self.card.networks()
        engines = [
            start_engine(
                path,
                member.network,
                self.card.encoding.length,
                engine=engine,
                precision=precision,
                threads=threads,
                folder=folder,
            )
            for folder, member in networks.items()
        ]
        self._encoder = EnsembleEncoder(self.card.encoding, tuple(member.gkm for member in networks.values()))
        self._engine = EnsembleEngine(engines)
        self.device = self._engine.device
        self.engine = f"{self._engine.name} on {self.device.split()[0]}"

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
        return expit(self.logits(codes, valid_length, batch_size))

    def logits(self, codes: np.ndarray, valid_length: np.ndarray, batch_size: int = 512) -> np.ndarray:
        """Score sequences on the scale of log odds.

        A probability close to 1 has lost its logit to rounding, so differences are best taken of these.

        Parameters
        ----------
        codes, valid_length, batch_size
            See `probabilities`.

        Returns
        -------
        (n, tasks) float64
            Natural logarithm of the odds, p / (1 - p), of what `probabilities` gives.
        """
        return self.member_logits(codes, valid_length, batch_size).mean(axis=0)

    def member_logits(self, codes: np.ndarray, valid_length: np.ndarray, batch_size: int = 512) -> np.ndarray:
        """Score sequences by each network of an ensemble, on the scale of log odds.

        Parameters
        ----------
        codes, valid_length, batch_size
            See `probabilities`.

        Returns
        -------
        (members, n, tasks) float64
            The ensemble's calibration is applied to each; `logits` is their mean. A single network is one member.
        """
        batches = (
            (codes[start : start + batch_size], valid_length[start : start + batch_size])
            for start in range(0, len(codes), batch_size)
        )
        none = np.empty((len(self.card.networks()), 0, len(self.card.tasks)))
        return np.concatenate([none, *self._stream_logits(batches)], axis=1)

    def stream(
        self, batches: Iterable[tuple[np.ndarray, np.ndarray]], *, uncertainty: bool = False
    ) -> Iterator[np.ndarray]:
        """Score batch by batch, while the engine works ahead.

        Parameters
        ----------
        batches : iterable of codes and valid_length, see `probabilities`
            Of one sequence or more; some are read ahead of what is given back.
        uncertainty : bool
            Also give the spread over members, see `spread`; of an ensemble.

        Yields
        ------
        (n, tasks) float64, or with ``uncertainty`` (n, 2 * tasks)
            Calibrated probabilities of each batch, in their order; then the spreads.
        """
        for logits in self._stream_logits(batches):
            probabilities = expit(logits.mean(axis=0))
            yield np.concatenate([probabilities, spread(logits)], axis=1) if uncertainty else probabilities

    def stream_logits(self, batches: Iterable[tuple[np.ndarray, np.ndarray]]) -> Iterator[np.ndarray]:
        """Score batch by batch on the scale of log odds, while the engine works ahead.

        Parameters
        ----------
        batches
            See `stream`.

        Yields
        ------
        (n, tasks) float64
            What `logits` gives for each batch, in their order.
        """
        for logits in self._stream_logits(batches):
            yield logits.mean(axis=0)

    def check_uncertainty(self) -> None:
        """Refuse ``--uncertainty`` of a model that is not an ensemble, or would get two columns of one name.

        Raises
        ------
        TfbindError
        """
        if not self.card.members:
            raise TfbindError(
                f"{self.path}: is one network, so nothing is known of its uncertainty: expected an ensemble, from"
                " tfbind train --seeds"
            )
        for task in self.card.tasks:
            if f"{task}_sd" in self.card.tasks:
                raise TfbindError(
                    f"{self.path}: has factors {task} and {task}_sd, so --uncertainty would name two columns the same"
                )

    def _stream_logits(self, batches: Iterable[tuple[np.ndarray, np.ndarray]]) -> Iterator[np.ndarray]:
        """Give calibrated logits of each member, (members, n, tasks) float64, batch by batch."""
        encoded = (self._encoder(codes, valid_length) for codes, valid_length in batches)
        for logits in self._engine.stream(encoded):
            check_outputs(self.path, logits)
            yield calibrated_logits(logits, self.card.calibration, self._prevalence)


def spread(logits: np.ndarray) -> np.ndarray:
    """Give the standard deviation over members (of a sample, n - 1 in the denominator).

    Parameters
    ----------
    logits : (members, ..., tasks) float64
        Calibrated, two members or more.

    Returns
    -------
    (..., tasks) float64
        In the unit of the logits: natural logarithm of odds.
    """
    return logits.std(axis=0, ddof=1)
