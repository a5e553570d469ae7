"""From a model of rates to the same network with intervals that hold on other simulations."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfbind.errors import TfbindError
from tfbind.recombination.learning.calibration import calibrate
from tfbind.recombination.learning.examples import read_grids
from tfbind.recombination.learning.training import (
    FEWEST_REGIONS,
    judge_scales,
    read_settings,
    unshifted,
)
from tfbind.recombination.mapping.card import read_rate_card, save_calibration, settings_of
from tfbind.recombination.mapping.rate_model import SHIFTS, RateModel, load_rate_model
from tfbind.tensors import describe_sources
from tfbind.training.device import available_cores

logger = logging.getLogger(__name__)


def recalibrate(
    simulations: Sequence[Path],
    model: Path,
    output: Path,
    *,
    seed: int,
    threads: int | None,
    left_out: Path | None = None,
) -> dict[str, Any]:
    """Calibrate a model's intervals anew on simulated regions, and write it; the network stays as it is.

    Parameters
    ----------
    simulations : sequence of Path
        From `tfbind recombination simulate`, each with a seed of its own; none that the network has learnt from.
    model, output : Path
    seed : int
        Of the error in the diversity that chip data are given with.
    threads : int or None
    left_out : Path or None
        Simulations of other histories, which the model is judged on.

    Returns
    -------
    dict
        ``before``, ``validation`` and ``left_out``: as `tfbind.recombination.learning.training.judge_scales` gives
        them, of the old intervals and the new ones on ``simulations``, and of the new ones on ``left_out``.

    Raises
    ------
    TfbindError
        As `tfbind.recombination.learning.training.read_settings` and
        `tfbind.recombination.mapping.card.read_rate_card`, and if the regions are too few.
    """
    card = read_rate_card(model)
    others = [left_out] if left_out else []
    settings = read_settings([*simulations, *others], settings_of(card.training))[: len(simulations)]
    reading: dict[str, Any] = {"seed": seed, "threads": threads or available_cores()}
    grids = read_grids(simulations, SHIFTS, **reading)
    regions = unshifted(grids)
    if len(regions) < FEWEST_REGIONS:
        raise TfbindError(
            f"{simulations[0]}: found {len(regions)} regions with sites enough, expected at least {FEWEST_REGIONS}"
        )
    loaded = load_rate_model(model, threads=threads)
    assert isinstance(loaded, RateModel)
    predicted = loaded.rates(grids)
    calibration = calibrate(predicted, regions)
    before, after = (judge_scales(regions, predicted, each) for each in (card.calibration, calibration))
    unlike = read_grids(others, SHIFTS, **reading) if others else []
    judged = {
        "before": before,
        "validation": after,
        "left_out": judge_scales(unshifted(unlike), loaded.rates(unlike), calibration),
    }
    for scale, now in after.items():
        if now["windows"]:
            logger.info(
                "windows of %s bp: %.1f%% of the true rates lie inside the intervals, before %.1f%%",
                f"{int(scale):,}",
                100 * now["coverage95"],
                100 * before[scale]["coverage95"],
            )
    provenance = {
        "regions": len(regions),
        "source": describe_sources(simulations),
        "left_out_source": describe_sources(others),
        "settings": settings,
        "model": describe_sources([model])[0],
    }
    save_calibration(model, output, calibration, card.training | judged | {"calibrated_on": provenance})
    return judged
