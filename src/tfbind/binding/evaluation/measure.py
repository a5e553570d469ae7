"""Judge a model on sequences that it has never seen."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from tfbind.binding.encoding.names import unique_names
from tfbind.binding.encoding.shuffles import shuffle_families
from tfbind.binding.evaluation.metrics import curves, score_metrics
from tfbind.binding.learning.parts import Part, content_digest
from tfbind.binding.model.model import BindingModel
from tfbind.binding.model.seen import MOST_OVERLAPPING, find_seen
from tfbind.binding.scanning.windows import MIN_BASES
from tfbind.dna.alphabet import AMBIGUOUS
from tfbind.dna.digests import composition_digests, strand_canonical_digests
from tfbind.dna.fasta import read_batches
from tfbind.dna.splits import PARTS, TEST, TRAIN, VALIDATION
from tfbind.errors import TfbindError
from tfbind.tensors import open_tensors

logger = logging.getLogger(__name__)

SHUFFLES_NOTE = (
    "The model was trained against dinucleotide shuffles. Part of what it knows is how natural DNA differs from"
    " shuffled DNA: unbound windows of a genome score an AUROC of .61 to .64 against their own shuffles."
    " Against real unbound sequence expect less."
)
BACKGROUND_NOTE = (
    "The model was trained against sequences drawn from a background model. Part of what it knows is how natural DNA"
    " differs from these. Against real unbound sequence expect less."
)
NEGATIVES_NOTES = {"dinucleotide": SHUFFLES_NOTE, "background": BACKGROUND_NOTE}
PAIRED_NOTE = (
    "The negatives of this test are dinucleotide shuffles of its positives; intervals resample them together."
)


class EvaluationSet(NamedTuple):
    """Sequences to judge a model on.

    id : (n,) str
    codes : (n, length) uint8
    valid_length : (n,) int32
    y : (n, tasks) float32
    split : (n,) str
    cluster : (n,) int or None
        Examples that are not independent share a number.
    paired : bool
        Whether negatives are shuffles of positives.
    n_folds : int or None
        Of the cross-validation, where this is one of its folds.
    seen : (n,) bool or None
        Which sequences were in the training or validation set of the model or overlap one of them; None if that is
        not known. See `refuse_seen`.
    keep_seen : bool
        Whether to measure on those, too.
    """

    id: np.ndarray
    codes: np.ndarray
    valid_length: np.ndarray
    y: np.ndarray
    split: np.ndarray
    cluster: np.ndarray | None
    paired: bool
    n_folds: int | None = None
    seen: np.ndarray | None = None
    keep_seen: bool = False


class Evaluation(NamedTuple):
    """A model's verdict on examples, and ours on the model.

    metrics : dict of factor to metrics, see `tfbind.binding.evaluation.metrics.score_metrics`; also ``n_seen``, how
        many of the labelled sequences the model has seen (None if not known), and for a fold ``n_folds``
    roc, pr : dict of factor to curve, see `tfbind.binding.evaluation.metrics.curves`
    predictions : DataFrame with columns id, factor, label, score, split, cluster (text, empty where independent)
    notes : plain sentences that belong beside the figures
    """

    metrics: dict[str, dict]
    roc: dict[str, np.ndarray]
    pr: dict[str, np.ndarray]
    predictions: pd.DataFrame
    notes: list[str]


def examples_from_tensors(path: Path, split: str, model: BindingModel) -> EvaluationSet:
    """Read one part of a tensors file that the model can read.

    For a model of a cross-validation, of the file that it was trained on, the test part is the fold that was held out
    from it, and goes by the name ``fold3``: tables of different folds are then no tables of the same examples, and
    nothing can pool them. Of any other file the parts are the file's own.

    Raises
    ------
    TfbindError
        If the part is empty, or the file's encoding or factors are not the model's; a single factor's name may differ.
    """
    fold = _held_out_fold(path, model)
    with open_tensors(path, fold) as tensors:
        found, wanted = tensors.encoding, model.card.encoding
        if found != wanted and (found.k is not None or found.length != wanted.length):
            raise TfbindError(
                f"{path}: found {found}, expected {wanted} as {model.path} has, or one-hot of its length"
            )
        _compare_factors(tensors.tasks, path, model)
        part = Part(tensors, PARTS.index(split))
        if not len(part):
            why = (
                ""
                if fold == model.card.training.get("fold")
                else ", and it is not the file whose fold the model left out"
            )
            raise TfbindError(
                f"{path}: its {split} part is empty{why}, expected sequences to evaluate on: encode some for it, or"
                " name another part with --split"
            )
        id, parent, group = part.id, part.parent, tensors.text("group")[part.rows]
    held_out = fold is not None and split == PARTS[TEST]
    names = np.full(len(part), f"fold{fold}" if held_out else split, dtype=object)
    cluster: np.ndarray | None
    if (parent != "").any():
        cluster, paired = np.unique(np.where(parent == "", id, parent), return_inverse=True)[1], True
    else:
        cluster, paired = _families(part.codes, part.valid_length, part.y), True
        if cluster is None:
            cluster, paired = np.unique(group, return_inverse=True)[1] if (group != "").all() else None, False
    n_folds = tensors.folds if held_out else None
    return EvaluationSet(id, part.codes, part.valid_length, part.y, names, cluster, paired, n_folds)


def _compare_factors(found: tuple[str, ...], path: Path, model: BindingModel) -> None:
    """Refuse other factors than the model's; one alone goes by a name that may be no more than a file's."""
    known = model.card.tasks
    if found == known:
        return
    if len(found) == len(known) == 1:
        logger.warning(
            "%s: its factor is %s, the model's is %s: taken for the same one", path, found[0], known[0]
        )
        return
    raise TfbindError(
        f"{path}: found factors {', '.join(found)}, expected {', '.join(known)} as {model.path} has: several must go by"
        " the same names, which tfbind encode takes from --labels, or for one from --factor"
    )


def _held_out_fold(path: Path, model: BindingModel) -> int | None:
    """The fold that a model has left out, where the file is the one that it was trained on."""
    training = model.card.training
    if training.get("fold") is None:
        return None
    with open_tensors(path) as tensors:
        if tensors.attributes.get("folds") != training.get("folds"):
            return None
    with open_tensors(path, training["fold"]) as tensors:
        same = content_digest(Part(tensors, TRAIN), Part(tensors, VALIDATION)) == training.get("data")
    return training["fold"] if same else None


def _families(codes: np.ndarray, valid_length: np.ndarray, y: np.ndarray) -> np.ndarray | None:
    compositions = composition_digests(codes, valid_length)
    return shuffle_families(compositions, strand_canonical_digests(codes, valid_length), y)


def examples_from_fasta(positives: Path, negatives: Path, model: BindingModel) -> EvaluationSet:
    """Read bound and unbound sequences for a model of one factor.

    Negatives that are exact dinucleotide shuffles of positives are known by their counts, and clustered with
    them. A negative that has the name of a positive gets the suffix ``_negative``, as in `tfbind encode`.
    """
    if len(model.card.tasks) != 1:
        raise TfbindError(
            f"{model.path} knows {len(model.card.tasks)} factors: --positives and --negatives judge a model of one,"
            " use --tensors"
        )
    files: list[tuple[Path, list[str]]] = [(positives, []), (negatives, [])]
    codes, lengths, labels = [], [], []
    for (path, names), label in zip(files, (1, 0), strict=True):
        for batch in read_batches(path, model.card.encoding.length):
            names.extend(batch.names)
            codes.append(batch.codes)
            lengths.append(batch.valid_length)
            labels.append(np.full((len(batch.names), 1), label, np.float32))
    all_codes, valid_length, y = map(np.concatenate, (codes, lengths, labels))
    cluster = _families(all_codes, valid_length, y)
    new_names = unique_names(files)
    ids = [new.get(name, name) for (_, names), new in zip(files, new_names, strict=True) for name in names]
    return EvaluationSet(
        np.array(ids, dtype=object),
        all_codes,
        valid_length,
        y,
        np.full(len(y), "given", dtype=object),
        cluster,
        cluster is not None,
    )


def refuse_seen(
    examples: EvaluationSet, model: BindingModel, source: str, *, allow: bool = False
) -> EvaluationSet:
    """Find the examples that the model was trained or validated on, or that overlap such a sequence.

    Equal sequences, on either strand, are refused. Overlapping ones (see `tfbind.dna.minimizers.find_overlaps`) are
    refused if they are more than 1% of the examples. Fewer are marked, and `evaluate` leaves them out: copies of a
    repeat look like overlapping windows.

    Parameters
    ----------
    examples : EvaluationSet
    model : BindingModel
    source : str
        Where the examples come from, for messages.
    allow : bool
        Refuse nothing, and have `evaluate` measure on all of them.

    Raises
    ------
    TfbindError
        Naming how many there are and the first one.
    """
    equal, overlapping = find_seen(model.card, examples.codes, examples.valid_length)
    if equal.any() and not allow:
        raise TfbindError(
            f"{source}: {_how_many(equal, examples)} or their reverse complements were in the training or validation"
            f" set of {model.path}, expected none; --allow-overlap evaluates all the same"
        )
    if overlapping is None:
        logger.info(
            "%s: holds no minimizers of its training sequences, so only equal sequences were looked for",
            model.path,
        )
        return examples._replace(seen=equal if equal.any() else None, keep_seen=allow)
    if overlapping.mean() > MOST_OVERLAPPING and not allow:
        raise TfbindError(
            f"{source}: {_how_many(overlapping, examples)} overlap sequences in the training or validation set of"
            f" {model.path}, expected at most {MOST_OVERLAPPING:.0%}; --allow-overlap evaluates all the same"
        )
    return examples._replace(seen=equal | overlapping, keep_seen=allow)


def _how_many(chosen: np.ndarray, examples: EvaluationSet) -> str:
    first = examples.id[int(chosen.argmax())]
    return f"{int(chosen.sum()):,} of {len(chosen):,} sequences, such as {first!r},"


def _seen_note(examples: EvaluationSet) -> list[str]:
    if examples.seen is None or not examples.seen.any():
        return []
    what = (
        f"{int(examples.seen.sum()):,} of {len(examples.seen):,} sequences were in the training or validation set of"
        " the model or overlap a sequence in it."
    )
    if examples.keep_seen:
        return [f"{what} They were evaluated because of --allow-overlap: the figures may be too good."]
    return [f"{what} They have no score and are left out of all figures."]


def evaluate(model: BindingModel, examples: EvaluationSet, seed: int) -> Evaluation:
    """Score examples and measure how well the scores tell bound from unbound.

    What `tfbind.binding.scanning.prediction` gives no score to has none here: too short, or without a base. Nor has
    what `refuse_seen` has marked, unless it is to be kept.

    Parameters
    ----------
    model : BindingModel
    examples : EvaluationSet
    seed : int
        Of the bootstrap.
    """
    probability = model.probabilities(examples.codes, examples.valid_length)
    too_short = examples.valid_length < min(MIN_BASES, model.card.encoding.length)
    probability[too_short | (examples.codes == AMBIGUOUS).all(axis=1)] = np.nan
    if examples.seen is not None and not examples.keep_seen:
        probability[examples.seen] = np.nan
    metrics, roc, pr, tables = {}, {}, {}, []
    for index, factor in enumerate(model.card.tasks):
        label, score = examples.y[:, index], probability[:, index]
        metrics[factor] = score_metrics(label, score, examples.cluster, model.card.threshold[index], seed)
        metrics[factor]["n_seen"] = (
            None if examples.seen is None else int((examples.seen & ~np.isnan(label)).sum())
        )
        metrics[factor] |= {} if examples.n_folds is None else {"n_folds": examples.n_folds}
        roc[factor], pr[factor] = curves(label, score)
        tables.append(
            pd.DataFrame(
                {
                    "id": examples.id,
                    "factor": factor,
                    "label": pd.array(np.where(np.isfinite(label), label, -1), dtype="Int8"),
                    "score": score,
                    "split": examples.split,
                    "cluster": "" if examples.cluster is None else examples.cluster.astype(str),
                }
            )
        )
    predictions = pd.concat(tables, ignore_index=True)
    predictions["label"] = predictions["label"].mask(predictions["label"] < 0)
    note = NEGATIVES_NOTES.get(model.card.negative_method)
    notes = (
        ([] if note is None else [note]) + ([PAIRED_NOTE] if examples.paired else []) + _seen_note(examples)
    )
    return Evaluation(metrics, roc, pr, predictions, notes)
