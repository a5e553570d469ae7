"""From a tensors file to a model file."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tfbind.binding.learning.examples import BindingData
from tfbind.binding.learning.parts import content_digest
from tfbind.binding.learning.start import Start
from tfbind.binding.model.calibration import best_f1_threshold, calibrate, fit_platt
from tfbind.binding.model.card import ModelCard, save_model
from tfbind.binding.model.schema import check_tasks
from tfbind.binding.options import default_architecture, peak_rate, started_rate
from tfbind.dna.encoding import DnaEncoding
from tfbind.errors import TfbindError
from tfbind.networks.spec import ARCHITECTURES, NetworkSpec, check_options, make_spec
from tfbind.resume.checkpoint import checkpointed
from tfbind.tables import write_table
from tfbind.tensors import Tensors, open_tensors
from tfbind.training.device import prepare, seeded
from tfbind.training.finished import finished_training
from tfbind.training.options import FitOptions

logger = logging.getLogger(__name__)

# what goes beside a model: the history, and the learning curves that the command draws of it
HISTORY = ".history.tsv"
BESIDE = (HISTORY, ".learning.svg")


def train(
    tensors_path: Path,
    output: Path,
    *,
    architecture: str | None,
    network_values: dict[str, Any],
    options: FitOptions,
    threads: int | None,
    resume: bool,
    fold: int | None = None,
    start: Path | None = None,
    allow_overlap: bool = False,
    beside: Sequence[str] = BESIDE,
) -> pd.DataFrame | None:
    """Train a network on a tensors file.

    Beside the model file NAME.keras go NAME.history.tsv (one row an epoch) and, until the model is safe,
    NAME.checkpoint.

    Parameters
    ----------
    tensors_path, output : Path
    architecture : str or None
        A name out of `tfbind.networks.spec.ARCHITECTURES`; None takes the default for the tensors' encoding.
    network_values : dict
        Fields of `tfbind.networks.spec.NetworkSpec` that differ from the architecture's own; None keeps those.
        What a user may set must be of use: see `tfbind.networks.spec.check_options`.
    options : FitOptions
        From your own program, the same seed gives the same model only if you make TensorFlow's operations
        deterministic first: see `tfbind.training.device.prepare`.
    threads : int or None
    resume : bool
        Continue from the checkpoint of an interrupted run, if there is one. A finished model of the same arguments
        stays as it is.
    fold : int or None
        Train on the other folds of a cross-validation: see `tfbind.tensors.open_tensors`.
    start : Path or None
        A model file whose weights training starts from: see `tfbind.binding.learning.start`. The architecture is its
        own, and the learning rate, if none is asked for, lower.
    allow_overlap : bool
        Train even if the model to start from has seen sequences of the test set.
    beside : sequence of str
        Suffixes of the files that a finished model has beside it.

    Returns
    -------
    DataFrame or None
        The history: see `tfbind.training.fit.fit`. None if there was nothing to resume, and all files are there.

    Raises
    ------
    TfbindError
        If the file is no tensors file, or the architecture does not suit it, or an option not the architecture; if a
        finished model of other arguments was to be resumed.
    """
    with open_tensors(tensors_path, fold) as tensors:
        tasks, attributes, folds = tensors.tasks, tensors.attributes, tensors.folds
        check_tasks(tensors_path, tasks)
        before = None if start is None else Start(start)
        if before is not None:
            architecture = before.check_options(architecture, network_values)
            spec, encoding = before.fit_to(tensors)
            before.refuse_seen(tensors, allow=allow_overlap)
            options = replace(options, learning_rate=started_rate(options, architecture))
        else:
            architecture = architecture or default_architecture(tensors.encoding.k)
            check_options(architecture, network_values)
            options = replace(options, learning_rate=peak_rate(options, architecture))
            spec, encoding = spec_for(tensors, architecture, **network_values)
        prior = None if before is None else before.prior(tensors)
        data = BindingData(
            tensors,
            options.seed,
            encoding=encoding,
            tracks=spec.tracks,
            prior=None if prior is None else prior.tables,
            seen=None if prior is None else prior.seen,
        )
        # what predicts before any training is a candidate itself
        fitted = data.linear is not None or (before is not None and before.keeps_head(tasks))
        stored_as = tensors.encoding.encoding
        most_epochs = options.most_epochs(data.n_train, fitted=fitted)
        options = replace(options, epochs=most_epochs)
    if not spec.layers:
        # the linear model is all there is, and it is fitted by now
        options = replace(options, epochs=0)

    started: dict[str, Any] = {}
    if before is not None:
        # what an earlier tfbind began is not of this fingerprint where it took a prior that had seen the examples
        n_seen = {"seen": prior.n_seen} if prior is not None and prior.n_seen else {}
        started = {"start": before.provenance() | n_seen}
    fingerprint = {
        "network": spec.to_dict(),
        "options": asdict(options),
        "data": content_digest(data.train, data.held_out),
    } | started
    if resume and finished_training(output, "binding", fingerprint, _fingerprint_of, (HISTORY,), fingerprint):
        return history_to_draw(output, beside)
    device = prepare(threads=threads, deterministic=True)

    from tfbind.networks.build import build
    from tfbind.training.fit import PREDICTION_BATCH, classification, fit, predict_logits
    from tfbind.training.forward import make_forward

    with seeded(options.seed):
        network = build(spec)
    if before is not None:
        before.fill(network, spec, tasks)
    start_from_evidence(network, data)
    table_size = 0 if data.encoder.gkm is None else data.encoder.gkm.size
    logger.info(
        "training %s (%s parameters, %s) on %s examples, on the %s",
        architecture,
        f"{network.count_params() + table_size:,}",
        f"{encoding.k}-mers" if encoding.k is not None else "one-hot",
        f"{data.n_train:,}",
        device,
    )
    digests = np.unique(np.concatenate([data.train.digests(), data.held_out.digests()]))
    sketches = data.sketches()
    if before is not None:
        digests, sketches = before.join_digests(digests), before.join_sketches(sketches)
    with checkpointed(output, fingerprint, resume=resume) as checkpoint:
        # each example is shown on one strand at a time, which is half the work; what is judged, kept and used
        # later scores both
        history = fit(
            network,
            network.get_layer("strand"),
            data,
            classification(data.class_weights()),
            options,
            checkpoint=checkpoint,
            judge_start=fitted,
        )
        logits, y = predict_logits(make_forward(network), data.validation(PREDICTION_BATCH))
        calibration = fit_platt(logits, y)
        probability = calibrate(logits, calibration)
        best = min(history, key=lambda row: row["val_loss"])
        card = ModelCard(
            network=spec,
            encoding=encoding,
            tasks=tasks,
            calibration=calibration,
            threshold=tuple(best_f1_threshold(y[:, i], probability[:, i]) for i in range(len(tasks))),
            negative_method=str(attributes.get("negative_method", "given")),
            gkm=data.encoder.gkm,
            digests=digests,
            sketches=sketches,
            training={
                "options": asdict(options),
                "tensors": tensors_path.name,
                "stored_as": stored_as,
                "source": str(attributes["source"]),
                "n_train": data.n_train,
                "n_validation": len(data.held_out),
                "epochs": history[-1]["epoch"],
                "best_epoch": best["epoch"],
                "val_loss": best["val_loss"],
                "val_auroc": best["val_auroc"],
                "data": fingerprint["data"],
                "fold": fold,
                "folds": folds,
            }
            | started,
        )
        save_model(output, network, card)
        table = pd.DataFrame(history)
        write_table(output.with_suffix(HISTORY), table, digits=None)
    logger.info(
        "best epoch %d of %d, validation AUROC %.4f", best["epoch"], history[-1]["epoch"], best["val_auroc"]
    )
    return table


def history_to_draw(output: Path, beside: Sequence[str]) -> pd.DataFrame | None:
    """Give the history of a finished training whose curves are still to be drawn; None if no file is missing."""
    if all(output.with_suffix(suffix).is_file() for suffix in beside):
        return None
    return pd.read_csv(output.with_suffix(HISTORY), sep="\t")


def _fingerprint_of(card: dict[str, Any]) -> dict[str, Any]:
    training = card["training"]
    if "members" in card:
        return {"members": len(card["members"])}
    found = {"network": card["network"], "options": training["options"], "data": training["data"]}
    return found | ({"start": training["start"]} if "start" in training else {})


def spec_for(tensors: Tensors, architecture: str, **values: Any) -> tuple[NetworkSpec, DnaEncoding]:
    """Fit an architecture to tensors.

    Parameters
    ----------
    tensors : Tensors
    architecture : str
    values : of `NetworkSpec`'s fields, as in `make_spec`

    Returns
    -------
    spec : NetworkSpec
    encoding : DnaEncoding
        What the network reads: what the tensors hold, or, of one-hot tensors, an architecture's own k-mers.

    Raises
    ------
    TfbindError
        If evidence tracks would have to lie on k-mers.
    """
    encoding, preset = tensors.encoding, ARCHITECTURES[architecture]
    if "k" in preset and encoding.k is None:
        encoding = DnaEncoding(
            encoding="kmer", length=encoding.length, k=preset["k"], stride=preset["stride"]
        )
    spec = make_spec(
        architecture,
        length=encoding.shape[0],
        n_tasks=len(tensors.tasks),
        vocabulary=4**encoding.k + 1 if encoding.k is not None else None,
        k=encoding.k,
        stride=encoding.stride,
        **values,
    )
    if spec.tracks and encoding.k is not None:
        raise TfbindError(f"{tensors.path}: found {encoding.k}-mers, {architecture} expects one-hot tensors")
    return spec, encoding


def start_from_evidence(network: Any, data: BindingData) -> None:
    """Give a Keras network that reads evidence tracks the linear model's intercept; leave any other as it is."""
    if data.linear is not None:
        evidence = network.get_layer("strand").get_layer("evidence")
        evidence.intercept.assign(data.linear.intercepts.mean(axis=0))
