"""From simulated regions to ReLERNN's network of one rate a window."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from tfbind.networks.spec import check_sizes
from tfbind.recombination.learning.training import (
    fingerprint,
    finished_rates,
    hold_out,
    read_settings,
    write_beside,
)
from tfbind.recombination.mapping.relernn import RelernnCard, RelernnModel, save_relernn
from tfbind.recombination.mapping.site_windows import WindowExamples, read_windows
from tfbind.recombination.options import RelernnOptions
from tfbind.resume.checkpoint import checkpointed
from tfbind.tensors import describe_sources
from tfbind.training.device import prepare, seeded
from tfbind.training.options import FitOptions

logger = logging.getLogger(__name__)

VALIDATION_BATCH = 64


def train_relernn(
    simulations: Sequence[Path],
    output: Path,
    *,
    options: RelernnOptions,
    fitting: FitOptions,
    threads: int | None,
    resume: bool,
) -> dict[str, Any]:
    """Train ReLERNN's network (Adrion, Galloway & Kern 2020, Mol Biol Evol 37:1790) on windows of simulated regions.

    Parameters, result and files are those of `tfbind.recombination.learning.training.train_rates`.

    Raises
    ------
    TfbindError
        As `train_rates`, and as `tfbind.recombination.mapping.site_windows.read_windows`.
    """
    settings, source = read_settings(simulations), describe_sources(simulations)
    if resume and (done := finished_rates(output, options, fitting, source)):
        return done
    regions, sample, width = read_windows(simulations, options.window)
    training, held_out = hold_out(regions, fitting.seed, simulations[0])
    sites = [[len(window.places) for window in region.windows] for region in regions]
    data = WindowExamples(training, held_out, sites=max(map(max, sites)) or 1, seed=fitting.seed)
    check_sizes(units=options.units, columns=sample.columns, sites=data.sites)
    device = prepare(threads=threads, deterministic=True)

    from tfbind.networks.relernn import relernn_network
    from tfbind.recombination.learning.objective import mean_squared_error
    from tfbind.training.fit import fit
    from tfbind.training.forward import make_forward

    with seeded(fitting.seed):
        network = relernn_network(columns=sample.columns, sites=data.sites, units=options.units)
    logger.info(
        "training ReLERNN's network (%s parameters) on %s windows of %s bp with %s and up to %s sites, on the %s",
        f"{network.count_params():,}",
        f"{data.n_train:,}",
        f"{width:,}",
        sample,
        f"{data.sites:,}",
        device,
    )
    objective = mean_squared_error(VALIDATION_BATCH)
    with checkpointed(output, fingerprint(options, fitting, source), resume=resume) as checkpoint:
        history = fit(network, network, data, objective, fitting, checkpoint=checkpoint)
        best = min(history, key=lambda row: row["val_loss"])
        means = [float(np.mean(each)) for each in sites]
        card = RelernnCard(
            units=options.units,
            window=width,
            sample=sample,
            sites=data.sites,
            mean_sites=(min(means), max(means)),
            target=data.target,
            training={},
        )
        model = RelernnModel(card, make_forward(network))
        found = model.rates([window for region in held_out for window in region.windows])
        true = np.concatenate([region.rate for region in held_out])
        summary = {
            "regions": {"train": len(training), "validation": len(held_out)},
            "windows": {"train": data.n_train, "validation": len(true)},
            "epochs": history[-1]["epoch"],
            "best_epoch": best["epoch"],
            "validation_loss": best["val_loss"],
            "validation": {"pearson": best["val_pearson"], "bias_ratio": float(found.sum() / true.sum())},
            "parameters": network.count_params(),
            "options": asdict(options) | asdict(fitting),
        }
        card.training.update(summary | {"source": source, "settings": settings})
        save_relernn(output, network, card)
        write_beside(output, history, summary)
    return summary
