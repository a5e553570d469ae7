"""A trained model that another training starts from: its network, its linear model and its training sequences."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tfbind.binding.learning.parts import Part, content_digest
from tfbind.binding.model.card import ModelCard, read_card
from tfbind.binding.model.seen import MOST_OVERLAPPING, find_seen
from tfbind.dna.encoding import DnaEncoding
from tfbind.dna.minimizers import Sketches, join_sketches
from tfbind.dna.splits import TEST, TRAIN, VALIDATION
from tfbind.errors import TfbindError
from tfbind.files import sha256
from tfbind.networks.spec import NetworkSpec
from tfbind.tensors import Tensors
from tfbind.training.model_file import load_network

logger = logging.getLogger(__name__)

# with 250 peaks of a set and the linear model of the other five ENCODE sets, the best of 0, .25, .5, .75 and 1 on other
# training peaks, in the mean of the sets; a fit to the new data alone (0) and one round all of it (1) are worse
NEW_FACTOR_SHARE = 0.25
# of the training set; where the model has seen more, most evidence in training would not be of the linear model that
# predicts
MOST_SEEN = 0.5
# layers whose weights are of the factors alone
_EVIDENCE, _HEAD = "evidence", "logits"


class Prior(NamedTuple):
    """What a linear model takes from another model's.

    tables : (tasks, N_FEATURES) float32 or None
        The mean of the prior of its weights; None if it is to take nothing.
    seen : (n_train,) bool or None
        The training sequences whose evidence must not depend on it; None if there are none.
    n_seen : int
        How many of the training sequences the other model has seen.
    """

    tables: np.ndarray | None
    seen: np.ndarray | None
    n_seen: int


class Start:
    """A model file to start from.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    path : Path
    card : ModelCard

    Raises
    ------
    TfbindError
        As `tfbind.binding.model.card.read_card`, and for an ensemble.
    """

    def __init__(self, path: Path):
        self.path = path
        self.card: ModelCard = read_card(path)
        if self.card.members:
            raise TfbindError(
                f"{path}: is an ensemble of {len(self.card.members)} networks, expected one to start from"
            )

    def check_options(self, architecture: str | None, values: Mapping[str, Any]) -> str:
        """Refuse an architecture or sizes that are not the model's own; give its architecture.

        Raises
        ------
        TfbindError
        """
        network = self.card.network
        for name, asked in ({"architecture": architecture} | dict(values)).items():
            if asked is not None and asked != getattr(network, name):
                raise TfbindError(
                    f"{self.path}: its {name} is {getattr(network, name)}, but --{name} is {asked}: the network is"
                    f" taken from --start, so leave --{name} out"
                )
        return network.architecture

    def fit_to(self, tensors: Tensors) -> tuple[NetworkSpec, DnaEncoding]:
        """Give the model's network with as many logits as the tensors have factors, and what it reads.

        Raises
        ------
        TfbindError
            If the tensors are not what the model reads.
        """
        found, wanted = tensors.encoding, self.card.encoding
        if found != wanted and (found.k is not None or found.length != wanted.length):
            raise TfbindError(
                f"{tensors.path}: found {found}, expected {wanted} as {self.path} has, or one-hot of its length"
            )
        stored_as = self.card.training.get("stored_as", found.encoding)
        if stored_as != found.encoding:
            raise TfbindError(
                f"{tensors.path}: holds {found.encoding}, but {self.path} was trained on {stored_as}: expected"
                " the same, as training sequences could not be recognised otherwise; see tfbind encode --encoding"
            )
        return replace(self.card.network, n_tasks=len(tensors.tasks)), wanted

    def refuse_seen(self, tensors: Tensors, *, allow: bool) -> None:
        """Refuse a test set that the model was trained on, and warn of such a validation set.

        Equal sequences are refused, and overlapping ones if they are more than 1%, as by `tfbind evaluate`. Where the
        training and the validation set are those of the model itself, its validation figures hold, and no warning is
        needed.

        Parameters
        ----------
        tensors : Tensors
        allow : bool
            Warn only.

        Raises
        ------
        TfbindError
        """
        test = Part(tensors, TEST)
        seen = self._how_many(test)
        if seen:
            message = (
                f"{tensors.path}: {seen} of its test set were in the training or validation set of {self.path} or"
                " overlap such a sequence"
            )
            if not allow:
                raise TfbindError(
                    f"{message}, expected none, or at most {MOST_OVERLAPPING:.0%} that overlap; --allow-overlap trains"
                    " all the same"
                )
            logger.warning("%s: evaluate on other sequences", message)
        held_out = Part(tensors, VALIDATION)
        if content_digest(Part(tensors, TRAIN), held_out) == self.card.training.get("data"):
            return
        if seen := self._how_many(held_out):
            logger.warning(
                "%s: %s of its validation set were in the training or validation set of %s or overlap such a"
                " sequence: validation figures and probabilities may be too good",
                *(tensors.path, seen, self.path),
            )

    def _how_many(self, part: Part) -> str:
        """Say how many sequences of a part the model has seen; empty if that is to be tolerated."""
        return _told(part, self._seen(part))

    def _seen(self, part: Part) -> np.ndarray:
        """Find the sequences of a part that the model has seen: (n,) bool, none if that is to be tolerated."""
        equal, overlapping = find_seen(self.card, part.codes, part.valid_length)
        seen = equal if overlapping is None else equal | overlapping
        if not equal.any() and not seen.sum() > MOST_OVERLAPPING * len(seen):
            return np.zeros(len(part), bool)
        return seen

    def prior(self, tensors: Tensors) -> Prior | None:
        """Give what the linear model may take from the model's own; None where the network reads no evidence tracks.

        The model's weights know the sequences that it was trained on. Evidence near these weights would look better
        in training than it is on other sequences, and the network would trust it too much. So the training sequences
        that the model has seen get evidence of weights that are fitted without the prior. If it has seen most of them,
        nothing is fitted with the prior.
        """
        tables = self.tables(tensors.tasks)
        if tables is None:
            return None
        part = Part(tensors, TRAIN)
        seen = self._seen(part)
        n = int(seen.sum())
        if not n:
            return Prior(tables, None, 0)
        dropped = n > MOST_SEEN * len(seen)
        logger.warning(
            "%s: %s of its training set were in the training or validation set of %s or overlap such a sequence, so %s",
            *(tensors.path, _told(part, seen), self.path),
            "nothing is taken from its linear model"
            if dropped
            else "they get evidence of a linear model that takes nothing from it",
        )
        return Prior(None, None, n) if dropped else Prior(tables, seen, n)

    def tables(self, tasks: Sequence[str]) -> np.ndarray | None:
        """Give gapped k-mers' weights near which those of factors are: the model's own, or a share for a new factor.

        Returns
        -------
        (tasks, N_FEATURES) float32, or None where the network reads no evidence tracks
            Of a new factor `NEW_FACTOR_SHARE` of the mean of all factors that the model has.
        """
        gkm = self.card.gkm
        if gkm is None:
            return None
        return _by_factor(gkm, 0, self._places(tasks), NEW_FACTOR_SHARE * gkm.mean(axis=0))

    def fill(self, network: Any, spec: NetworkSpec, tasks: Sequence[str]) -> None:
        """Give a Keras network the model's weights.

        The last layer is the model's own for its factors, and stays as it is for new ones. What the network reads of
        a new factor's evidence it reads as the mean of the model's factors. The linear model's slopes stay as they
        are, since another linear model is fitted.

        Parameters
        ----------
        network : keras.Model
            Of `tfbind.networks.build.build`.
        spec : NetworkSpec
        tasks : names of its factors
        """
        from tfbind.networks.build import build_strand

        places = self._places(tasks)
        before = load_network(self.path, self.card.network).get_layer("strand")
        # the axis of factors is the one that is longer here
        wider = build_strand(replace(spec, n_tasks=spec.n_tasks + 1))
        for layer in network.get_layer("strand").layers:
            if layer.name == _EVIDENCE:
                continue
            of_start, of_wider = (each.get_layer(layer.name).weights for each in (before, wider))
            for weight, old, other in zip(layer.weights, of_start, of_wider, strict=True):
                axes = [i for i, (n, m) in enumerate(zip(weight.shape, other.shape, strict=True)) if n != m]
                if not axes:
                    weight.assign(old)
                    continue
                (axis,), found, now = axes, np.asarray(old), np.asarray(weight)
                shared = now.shape[axis] - spec.n_tasks
                both, factors = np.split(found, [shared], axis=axis)
                if layer.name == _HEAD:
                    others = np.split(now, [shared], axis=axis)[1]
                    filled = _by_factor(factors, axis, places, others)
                else:
                    filled = _by_factor(factors, axis, places, factors.mean(axis=axis))
                weight.assign(np.concatenate([both, filled], axis=axis))

    def keeps_head(self, tasks: Sequence[str]) -> bool:
        """Whether the last layer is the model's own for all factors, so that it predicts before any training."""
        return None not in self._places(tasks)

    def _places(self, tasks: Sequence[str]) -> list[int | None]:
        """Where each factor is among the model's; None for a new one."""
        known = list(self.card.tasks)
        return [known.index(task) if task in known else None for task in tasks]

    def join_digests(self, digests: np.ndarray) -> np.ndarray:
        """Add the digests of the model's own training to those of another: (n,) uint64, ascending."""
        return np.union1d(digests, self.card.digests)

    def join_sketches(self, sketches: Sketches) -> Sketches:
        """Add the minimizers of the model's own training, if they are of one scheme."""
        own = self.card.sketches
        if own is None or own.scheme != sketches.scheme:
            logger.warning(
                "%s: holds no minimizers of this tfbind, so evaluate will not find what overlaps its training"
                " sequences",
                self.path,
            )
            return sketches
        return join_sketches([sketches, own])

    def provenance(self) -> dict[str, str]:
        """Say which file it is, for a card: its name and its SHA-256."""
        return {"model": self.path.name, "sha256": sha256(self.path)}


def _told(part: Part, seen: np.ndarray) -> str:
    """Say how many sequences of a part are seen, (n,) bool, and name one; empty if none are."""
    if not seen.any():
        return ""
    return f"{int(seen.sum()):,} of {len(seen):,} sequences (such as {part.id[int(seen.argmax())]!r})"


def _by_factor(known: np.ndarray, axis: int, places: Sequence[int | None], for_new: np.ndarray) -> np.ndarray:
    """Lay out the slices of factors along an axis; a new one's are ``for_new``, the same for each or by factor."""
    of_each = for_new.ndim == known.ndim
    slices = [
        np.take(known, place, axis)
        if place is not None
        else (np.take(for_new, number, axis) if of_each else for_new)
        for number, place in enumerate(places)
    ]
    return np.stack(slices, axis=axis)
