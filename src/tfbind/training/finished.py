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
from tfbind.training.model_file import read_values

logger = logging.getLogger(__name__)


def finished_training(
    output: Path,
    kind: str,
    wanted: Mapping[str, Any],
    of_card: Callable[[dict[str, Any]], dict[str, Any]],
    beside: Sequence[str],
) -> dict[str, Any] | None:
    """Give the card of the model of a finished training; None if there is something to train.

    That is so if a checkpoint is there, or the model or a file beside it is missing or cannot be read.

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

    Raises
    ------
    TfbindError
        If the model is of a training that depended on something else.
    """
    files = [output, *(output.with_suffix(suffix) for suffix in beside)]
    if not all(path.is_file() for path in files):
        return None
    if any(output.parent.glob(f"{escape(output.with_suffix('.checkpoint').name)}*")):
        return None
    try:
        values = read_values(output, kind)
        found = of_card(values)
    except (TfbindError, KeyError, TypeError):
        return None
    if differs := difference(found, json.loads(json.dumps(wanted))):
        raise TfbindError(
            "{}: is finished, and was trained with {}, found {}; rerun without --resume to train it again".format(
                output, *told(differs)
            )
        )
    logger.info("%s: is finished, so there is nothing to resume", output)
    return values
