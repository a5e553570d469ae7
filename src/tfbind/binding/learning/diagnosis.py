"""Gradients through time and a learning-rate range test on a tensors file."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from tfbind.binding.learning.examples import BindingData
from tfbind.binding.learning.training import spec_for, start_from_evidence
from tfbind.binding.options import default_architecture
from tfbind.errors import TfbindError
from tfbind.tensors import open_tensors
from tfbind.training.device import prepare, seeded
from tfbind.training.options import FitOptions

logger = logging.getLogger(__name__)


class Diagnosis(NamedTuple):
    """What `diagnose` finds.

    gradients : DataFrame, cell, step, norm, n, as `tfbind.training.diagnosis.gradient_norms` gives them
    learning_rate : DataFrame, rate, loss, smoothed, as `tfbind.training.diagnosis.learning_rate_range` does
    summary : for JSON: the proposed rate, None where the loss did not fall, and how far back each cell's gradient
        reaches
    """

    gradients: pd.DataFrame
    learning_rate: pd.DataFrame
    summary: dict[str, Any]


def diagnose(
    tensors_path: Path,
    *,
    cells: Sequence[str],
    units: int,
    architecture: str | None,
    options: FitOptions,
    n_steps: int,
    threads: int | None,
) -> Diagnosis:
    """Follow each cell's gradient back through time, and find a learning rate for an architecture.

    Parameters
    ----------
    tensors_path : Path
    cells : sequence of str
        Out of `tfbind.networks.spec.CELLS`; each is diagnosed as if it were the only one.
    units : int
        Of each cell's network.
    architecture : str or None
        What the learning rate is for; None for what `tfbind.binding.learning.training.train` takes by default.
    options : FitOptions
        Of the cells' training; the range test takes all but the epochs and the learning rate.
    n_steps : int
        Of the range test.
    threads : int or None

    Raises
    ------
    TfbindError
        Where the architecture cannot read the tensors, or no loss was finite.
    """
    with open_tensors(tensors_path) as tensors:
        if architecture is None:
            architecture = default_architecture(tensors.encoding.k)
        spec, encoding = spec_for(tensors, architecture)
        plain_specs = {cell: spec_for(tensors, "bilstm", cell=cell, units=units)[0] for cell in cells}
        plain = BindingData(tensors, options.seed)
        data = plain
        if spec.tracks or encoding != tensors.encoding:
            data = BindingData(tensors, options.seed, encoding=encoding, tracks=spec.tracks)
    device = prepare(threads=threads, deterministic=True)
    logger.info("diagnosing on the %s", device)

    from tfbind.networks.build import build
    from tfbind.training.diagnosis import gradient_norms, learning_rate_range, propose_rate, reach

    tables = []
    for cell in cells:
        tables.append(gradient_norms(plain_specs[cell], plain, options))
        logger.info(
            "%s: the gradient is above a hundredth of its greatest norm for %d steps of %d",
            *(cell, reach(tables[-1]), len(tables[-1])),
        )

    with seeded(options.seed):
        network = build(spec)
    start_from_evidence(network, data)
    rates = learning_rate_range(network.get_layer("strand"), data, options, n_steps)
    if not len(rates):
        raise TfbindError(f"{tensors_path}: the loss of {architecture} is not finite, expected a finite one")
    proposed = propose_rate(rates)
    if proposed is None:
        logger.warning(
            "no learning rate can be proposed for %s: its loss did not fall by more than batches differ"
            " in the range test of %d steps; try more --steps",
            *(architecture, n_steps),
        )
    else:
        logger.info("proposed for %s: --learning-rate %.2g", architecture, proposed)
    summary = {
        "architecture": architecture,
        "proposed_learning_rate": None if proposed is None else float(f"{proposed:.2g}"),
        "lowest_loss": float(rates["smoothed"].min()),
        "gradient": {
            cell: {
                "first_norm": float(table["norm"].iloc[0]),
                "last_norm": float(table["norm"].iloc[-1]),
                "reach": reach(table),
            }
            for cell, table in zip(cells, tables, strict=True)
        },
    }
    return Diagnosis(pd.concat(tables, ignore_index=True), rates, summary)
