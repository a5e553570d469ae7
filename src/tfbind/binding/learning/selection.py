"""The best of several models by their validation part, which is all that may choose: the test part judges."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd

from tfbind.binding.model.card import ModelCard, read_card
from tfbind.errors import TfbindError
from tfbind.files import prepare_output, whole_output
from tfbind.tables import table_text

logger = logging.getLogger(__name__)

NETWORK_SETTINGS = ("architecture", "cell", "units", "layers")
FIT_SETTINGS = ("epochs", "batch_size", "learning_rate", "patience", "seed")
COMPANIONS = (".history.tsv", ".learning.svg")


def rank_candidates(paths: Sequence[Path]) -> pd.DataFrame:
    """Compare models of the same training and validation part.

    Parameters
    ----------
    paths : sequence of Path
        Model files, as `tfbind.binding.learning.training.train` writes them.

    Returns
    -------
    DataFrame
        A row for each model, in their order: ``candidate`` (the file's name), ``chosen`` (yes or no),
        ``architecture``, the other settings in which the models differ, ``best_epoch``, ``val_loss``,
        ``val_auroc``. Chosen is the lowest validation loss, which also chose each model's epoch; of equal ones
        the first.

    Raises
    ------
    TfbindError
        If a file is no model, or the models were not trained on the same examples.
    """
    cards = [read_card(path) for path in paths]
    for path, card in zip(paths, cards, strict=True):
        if "val_loss" not in card.training or "data" not in card.training:
            raise TfbindError(
                f"{path}: found no validation loss in it, expected a model that this tfbind trained"
            )
        if card.training["data"] != cards[0].training["data"]:
            raise TfbindError(
                f"{path}: was not trained and validated on the same examples as {paths[0]}, expected candidates"
                " of one tensors file and one fold"
            )
    names = [path.stem for path in paths]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    settings = pd.DataFrame([_settings(card) for card in cards])
    told = [name for name in settings if name == "architecture" or settings[name].nunique() > 1]
    verdict = pd.DataFrame(
        [
            {name: card.training.get(name) for name in ("best_epoch", "val_loss", "val_auroc")}
            for card in cards
        ]
    )
    if verdict["best_epoch"].isna().any():
        # the members of an ensemble have an epoch each
        verdict = verdict.astype({"best_epoch": "Int64"})
    chosen = ["yes" if row == verdict["val_loss"].idxmin() else "no" for row in range(len(cards))]
    return pd.concat([pd.DataFrame({"candidate": names, "chosen": chosen}), settings[told], verdict], axis=1)


def _settings(card: ModelCard) -> dict[str, Any]:
    network = {name: getattr(card.network, name) for name in NETWORK_SETTINGS}
    options = card.training.get("options", {})
    fit = {name: options.get(name) for name in FIT_SETTINGS}
    return network | fit | {"members": len(card.networks())}


def select(paths: Sequence[Path], output: Path) -> pd.DataFrame:
    """Make the best of several models the one under ``output``.

    Beside the model NAME.keras go NAME.grid.tsv, the table of all candidates, and what lies beside the chosen
    one: its history and its learning curves. All are copied first and then renamed, the model last: a failure while
    copying leaves what stood there before.

    Returns
    -------
    DataFrame
        As `rank_candidates` gives it.

    Raises
    ------
    TfbindError
        As `rank_candidates`; if a folder stands where a file is to go.
    """
    for suffix in (".keras", ".grid.tsv", *COMPANIONS):
        prepare_output(output.with_suffix(suffix))
    table = rank_candidates(paths)
    row = table.index[table["chosen"] == "yes"][0]
    best = paths[row]
    with ExitStack() as stack:
        # what is entered first is renamed last: where the new model stands, the rest belongs to it
        shutil.copyfile(best, stack.enter_context(whole_output(output)))
        grid = stack.enter_context(whole_output(output.with_suffix(".grid.tsv")))
        grid.write_text(table_text(table))
        for suffix in COMPANIONS:
            companion = best.with_suffix(suffix)
            if companion.is_file():
                shutil.copyfile(companion, stack.enter_context(whole_output(output.with_suffix(suffix))))
        for suffix in COMPANIONS:
            if not best.with_suffix(suffix).is_file():
                output.with_suffix(suffix).unlink(missing_ok=True)
    logger.info(
        "%s is the best of %d candidates: validation loss %.4f, validation AUROC %.4f",
        *(best, len(paths), table["val_loss"][row], table["val_auroc"][row]),
    )
    return table
