"""Trainings that are finished, of which nothing is left to resume."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from glob import escape
from pathlib import Path
from typing import Any

from tfbind.errors import TfbindError
from tfbind.resume.fingerprint import difference, told
from tfbind.resume.journal import aside, read_head
from tfbind.training.model_file import read_values

logger = logging.getLogger(__name__)


def finished_training(
    output: Path,
    kind: str,
    wanted: Mapping[str, Any],
    of_card: Callable[[dict[str, Any]], dict[str, Any]],
    beside: Sequence[str],
    checkpoint: Mapping[str, Any] | None,
    *,
    replacing: bool = False,
) -> dict[str, Any] | None:
    """Give the card of the model of a finished training; None if there is something to train.

    That is so if the model or a file beside it is missing or cannot be read, or if the training has a checkpoint. The
    checkpoint of another training, which it may have set aside, says nothing of this one.

    Parameters
    ----------
    output : Path
        The model.
    kind : str
        Of the model: see `tfbind.training.model_file.MADE_BY`.
    wanted : mapping of str to what JSON can hold
        What the training depends on.
    of_card : callable
        Finds the same in a card.
    beside : sequence of str
        Suffixes of the files that go beside the model.
    checkpoint : mapping of str to what JSON can hold, or None
        The fingerprint of the training's checkpoint; None if it has no checkpoint of its own.
    replacing : bool
        Whether a training that is to replace the model has begun, which a checkpoint tells, too.

    Raises
    ------
    TfbindError
        If the model is of a training that depended on something else.
    """
    files = [output, *(output.with_suffix(suffix) for suffix in beside)]
    if not all(path.is_file() for path in files):
        return None
    if checkpoint is not None and _has_checkpoint(output, json.loads(json.dumps(checkpoint))):
        return None
    try:
        values = read_values(output, kind)
        found = of_card(values)
    except (TfbindError, KeyError, TypeError):
        return None
    if differs := difference(found, json.loads(json.dumps(wanted))):
        if replacing or any(output.parent.glob(f"{escape(output.with_suffix('.checkpoint').name)}*")):
            return None
        raise TfbindError(
            "{}: is finished, and was trained with {}, found {}; rerun without --resume to train it again".format(
                output, *told(differs)
            )
        )
    logger.info("%s: is finished, so there is nothing to resume", output)
    return values


def _has_checkpoint(output: Path, fingerprint: dict[str, Any]) -> bool:
    """Tell whether a checkpoint is of this training, or may be as it cannot be read."""
    path = output.with_suffix(".checkpoint")
    if aside(path, fingerprint).exists():
        return True
    try:
        found, _ = read_head(path)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return found is None or difference(found, fingerprint) is None
