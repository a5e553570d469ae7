"""Ensembles: one model file of several networks, trained here or joined from files."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tfbind.binding.encoding.inputs import EnsembleEncoder
from tfbind.binding.learning.examples import BindingData
from tfbind.binding.learning.parts import Part, content_digest
from tfbind.binding.learning.training import BESIDE, HISTORY, history_to_draw, train
from tfbind.binding.model.calibration import best_f1_threshold, calibrate, fit_platt
from tfbind.binding.model.card import Member, ModelCard, read_card, save_ensemble
from tfbind.binding.model.seen import MOST_OVERLAPPING, find_seen
from tfbind.binding.options import FEW_PEAKS, MOST_MEMBERS, default_architecture, default_members
from tfbind.dna.minimizers import join_sketches
from tfbind.dna.splits import TRAIN, VALIDATION
from tfbind.errors import TfbindError
from tfbind.files import prepare_output, sha256
from tfbind.networks.spec import ARCHITECTURES
from tfbind.tables import write_table
from tfbind.tensors import Tensors, open_tensors
from tfbind.training.data import Examples
from tfbind.training.device import prepare
from tfbind.training.finished import finished_training
from tfbind.training.model_file import load_network
from tfbind.training.options import FitOptions

logger = logging.getLogger(__name__)


def members_for(tensors_path: Path, architecture: str | None, fold: int | None = None) -> int:
    """Give how many networks to train where no number is asked for, and say so if it is more than one.

    Parameters
    ----------
    tensors_path : Path
    architecture : str or None
        None is the default for the tensors' encoding.
    fold : int or None
        See `tfbind.tensors.open_tensors`.

    Raises
    ------
    TfbindError
        If the file is not a tensors file.
    """
    with open_tensors(tensors_path, fold) as tensors:
        chosen = architecture or default_architecture(tensors.encoding.k)
        if tensors.stretches() is None or ARCHITECTURES[chosen].get("layers") == 0:
            return 1
        n_peaks = int((tensors.y[tensors.split == TRAIN] == 1).any(axis=1).sum())
    members = default_members(n_peaks)
    if members > 1:
        logger.info(
            "%s: has %d training peaks, fewer than %s, so %d networks are trained and their logits averaged"
            " (--seeds 1 for one)",
            *(tensors_path, n_peaks, f"{FEW_PEAKS:,}", members),
        )
    return members


def train_ensemble(
    tensors_path: Path,
    output: Path,
    *,
    seeds: Sequence[int],
    options: FitOptions,
    threads: int | None,
    resume: bool,
    fold: int | None = None,
    **arguments: Any,
) -> pd.DataFrame | None:
    """Train one network a seed, and write them as one model.

    Until the ensemble NAME.keras is written, its members are in the folder NAME.members, each as
    `tfbind.binding.learning.training.train` writes it.

    Parameters
    ----------
    tensors_path, output : Path
    seeds : sequence of int
        Two or more, each once.
    options : FitOptions
        Of each member; its seed is not used.
    threads, fold
        See `tfbind.binding.learning.training.train`.
    resume : bool
        Keep the members that are finished, and continue the one that was interrupted. A finished ensemble of the same
        arguments stays as it is.
    arguments
        More of `tfbind.binding.learning.training.train`.

    Returns
    -------
    DataFrame or None
        The members' histories, with columns ``member`` (from 1) and ``seed`` in front. None if there was nothing to
        resume, and all files are there.

    Raises
    ------
    TfbindError
        As `tfbind.binding.learning.training.train`.
    """
    wanted = _arguments(tensors_path, fold, seeds, options, arguments)
    folder = output.with_suffix(".members")
    members = [folder / f"seed{seed}.keras" for seed in seeds]
    if resume and finished_training(
        output,
        "binding",
        wanted,
        lambda card: card["training"].get("ensemble", {}),
        (HISTORY,),
        # one under the name of the ensemble is of another training: members have their own
        checkpoint=None,
        replacing=folder.is_dir() and any(folder.iterdir()),
    ):
        return history_to_draw(output, BESIDE)
    for path in members:
        prepare_output(path)
    histories = []
    for number, (seed, path) in enumerate(zip(seeds, members, strict=True), 1):
        logger.info("member %d of %d, seed %d", number, len(seeds), seed)
        train(
            tensors_path,
            path,
            options=replace(options, seed=seed),
            threads=threads,
            resume=resume,
            fold=fold,
            beside=(HISTORY,),
            **arguments,
        )
        # as text, so that no digit is lost
        history = pd.read_csv(path.with_suffix(HISTORY), sep="\t", dtype=str, keep_default_na=False)
        history.insert(0, "member", str(number))
        history.insert(1, "seed", str(seed))
        histories.append(history)
    write_table(output.with_suffix(HISTORY), pd.concat(histories, ignore_index=True), digits=None)
    join_models(tensors_path, members, output, threads=threads, fold=fold, made_by=wanted)
    for path in members:
        for suffix in (".keras", HISTORY):
            path.with_suffix(suffix).unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()
    return pd.read_csv(output.with_suffix(HISTORY), sep="\t")


def _arguments(
    tensors_path: Path,
    fold: int | None,
    seeds: Sequence[int],
    options: FitOptions,
    arguments: dict[str, Any],
) -> dict[str, Any]:
    """Give what an ensemble depends on, as JSON has it."""
    with open_tensors(tensors_path, fold) as tensors:
        digest = content_digest(Part(tensors, TRAIN), Part(tensors, VALIDATION))
        if arguments.get("architecture") is None and arguments.get("start") is None:
            arguments = arguments | {"architecture": default_architecture(tensors.encoding.k)}
    fit = {name: value for name, value in asdict(options).items() if name != "seed"}
    # what is allowed changes nothing of what is trained
    given = {name: value for name, value in arguments.items() if name != "allow_overlap"}
    if given.get("start") is not None:
        given["start"] = sha256(given["start"])
    found = {"seeds": list(seeds), "options": fit, "data": digest, "fold": fold, **given}
    return json.loads(json.dumps(found, default=str))


def join_models(
    tensors_path: Path,
    sources: Sequence[Path],
    output: Path,
    *,
    threads: int | None,
    fold: int | None = None,
    made_by: dict[str, Any] | None = None,
) -> ModelCard:
    """Join trained models into one: the mean of their logits, calibrated together on the validation set.

    Parameters
    ----------
    tensors_path : Path
        Its validation set calibrates; no model may have been trained on it, unless as its own validation set.
    sources : sequence of Path
        Two models or more, of one encoding and the same factors. An ensemble gives all its members.
    output : Path
    threads : int or None
    fold : int or None
        See `tfbind.tensors.open_tensors`.
    made_by : dict or None
        Arguments that another run must have to take the result for its own.

    Returns
    -------
    ModelCard

    Raises
    ------
    TfbindError
        If they do not go together, or do not suit the tensors.
    """
    cards = [read_card(path) for path in sources]
    with open_tensors(tensors_path, fold) as tensors:
        data = BindingData(tensors, 0, encoding=cards[0].encoding)
        for path, card in zip(sources, cards, strict=True):
            _check(path, card, sources[0], cards[0], tensors, data)
        attributes, folds, stored_as = tensors.attributes, tensors.folds, tensors.encoding.encoding
    members = tuple(member for card in cards for member in card.networks().values())
    if not 2 <= len(members) <= MOST_MEMBERS:
        raise TfbindError(f"{output}: found {len(members)} networks, expected 2 to {MOST_MEMBERS}")
    logits, y, judged = _judge(sources, cards, members, data, threads)
    calibration = fit_platt(logits, y)
    probability = calibrate(logits, calibration)
    sketches = [card.sketches for card in cards if card.sketches is not None]
    alike = len(sketches) == len(cards) and len({each.scheme for each in sketches}) == 1
    if not alike:
        logger.warning(
            "%s: not all models hold minimizers of their training sequences, so evaluate will only find equal ones",
            output,
        )
    card = ModelCard(
        network=members[0].network,
        gkm=members[0].gkm,
        members=members,
        encoding=cards[0].encoding,
        tasks=cards[0].tasks,
        calibration=calibration,
        threshold=tuple(best_f1_threshold(y[:, i], probability[:, i]) for i in range(y.shape[1])),
        negative_method=cards[0].negative_method,
        digests=np.unique(np.concatenate([card.digests for card in cards])),
        sketches=join_sketches(sketches) if alike else None,
        training={
            "tensors": tensors_path.name,
            "stored_as": stored_as,
            "source": str(attributes["source"]),
            "n_train": data.n_train,
            "n_validation": len(data.held_out),
            **judged,
            "data": content_digest(data.train, data.held_out),
            "fold": fold,
            "folds": folds,
            "members": [card.training for card in cards],
        }
        | ({} if made_by is None else {"ensemble": made_by}),
    )
    prepare_output(output)
    save_ensemble(output, sources, card)
    logger.info(
        "%s: %d networks, validation AUROC %.4f (of its models: %s)",
        *(output, len(members), judged["val_auroc"]),
        ", ".join(f"{card.training['val_auroc']:.4f}" for card in cards if "val_auroc" in card.training),
    )
    return card


def _check(
    path: Path, card: ModelCard, first_path: Path, first: ModelCard, tensors: Tensors, data: BindingData
) -> None:
    """Refuse a model that does not go with the first one, or not with the tensors."""
    for what, found, expected, where in (
        ("encoding", card.encoding, first.encoding, first_path),
        ("factors", ", ".join(card.tasks), ", ".join(first.tasks), first_path),
        ("factors", ", ".join(card.tasks), ", ".join(tensors.tasks), tensors.path),
        (
            "negatives",
            card.negative_method,
            str(tensors.attributes.get("negative_method", "given")),
            tensors.path,
        ),
        (
            "tensors",
            card.training.get("stored_as", tensors.encoding.encoding),
            tensors.encoding.encoding,
            tensors.path,
        ),
    ):
        if found != expected:
            raise TfbindError(f"{path}: found {what} {found}, expected {expected} as in {where}")
    if tensors.encoding != card.encoding and (
        tensors.encoding.k is not None or tensors.encoding.length != card.encoding.length
    ):
        raise TfbindError(f"{tensors.path}: found {tensors.encoding}, expected {card.encoding} as in {path}")
    if card.training.get("data") == content_digest(data.train, data.held_out):
        return
    found = find_seen(card, data.held_out.codes, data.held_out.valid_length)
    seen = found.equal if found.overlapping is None else found.equal | found.overlapping
    if found.equal.any() or seen.mean() > MOST_OVERLAPPING:
        raise TfbindError(
            f"{path}: {int(seen.sum()):,} of {len(seen):,} validation sequences of {tensors.path} (such as"
            f" {data.held_out.id[int(seen.argmax())]!r}) are in its training or validation set or overlap it,"
            " expected none, or a model of these tensors: they are to calibrate the ensemble"
        )


class _Validation:
    """The validation set as each network reads it, one network's inputs after another's."""

    def __init__(self, data: BindingData, encoder: EnsembleEncoder):
        self._held_out, self._encoder = data.held_out, encoder

    def validation(self, size: int) -> Iterator[Examples]:
        """Give the examples in their order."""
        part = self._held_out
        for start in range(0, len(part), size):
            rows = slice(start, start + size)
            of_each = self._encoder(part.codes[rows], part.valid_length[rows])
            yield Examples(tuple(values for inputs in of_each for values in inputs), part.y[rows])


def _judge(
    sources: Sequence[Path],
    cards: Sequence[ModelCard],
    members: Sequence[Member],
    data: BindingData,
    threads: int | None,
) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
    """Apply the mean of the networks to the validation set.

    Returns
    -------
    logits, y : (n, tasks) float32
    judged : dict
        ``val_loss`` and ``val_auroc``, as training finds them for one network.
    """
    prepare(threads=threads, deterministic=True)

    from tfbind.training.fit import PREDICTION_BATCH, classification, predict_logits
    from tfbind.training.forward import make_forward

    forwards = [
        make_forward(load_network(path, member.network, folder))
        for path, card in zip(sources, cards, strict=True)
        for folder, member in card.networks().items()
    ]
    n_inputs = [2 if member.gkm is None else 3 for member in members]
    firsts = np.cumsum([0, *n_inputs])

    def forward(*inputs: np.ndarray) -> np.ndarray:
        logits = [
            one(*inputs[first : first + n]) for one, first, n in zip(forwards, firsts, n_inputs, strict=False)
        ]
        return np.stack(logits).mean(axis=0, dtype=np.float64).astype(np.float32)

    validation = _Validation(data, EnsembleEncoder(cards[0].encoding, tuple(one.gkm for one in members)))
    judged = classification(data.class_weights()).validate(forward, validation)
    return *predict_logits(forward, validation.validation(PREDICTION_BATCH)), judged
