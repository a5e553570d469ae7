"""From simulated regions to a model of rates."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from tfbind.errors import TfbindError
from tfbind.genotype_tensors import open_regions
from tfbind.genotypes.features import FEATURES
from tfbind.networks.spec import check_sizes
from tfbind.recombination.learning.calibration import calibrate
from tfbind.recombination.learning.examples import (
    RateExamples,
    RegionTokens,
    read_grids,
    read_regions,
)
from tfbind.recombination.mapping.card import RateCard, Seen, read_rate_card, save_rate_model, settings_of
from tfbind.recombination.mapping.posterior import Calibration, TokenPosterior, window_rates
from tfbind.recombination.mapping.rate_model import SHIFTS, rates_of_grids
from tfbind.recombination.mapping.relernn import KIND
from tfbind.recombination.mapping.scaling import region_values
from tfbind.recombination.options import OUTPUTS, RateOptions, RelernnOptions
from tfbind.resume.checkpoint import checkpointed
from tfbind.tables import write_json, write_table
from tfbind.tensors import describe_sources
from tfbind.training.device import available_cores, prepare, seeded
from tfbind.training.finished import finished_training
from tfbind.training.model_file import fill
from tfbind.training.options import FitOptions
from tfbind.training.stored_network import read_network

logger = logging.getLogger(__name__)

OneRegion = TypeVar("OneRegion")

# of the regions; they choose the epoch and calibrate the intervals
VALIDATION_SHARE = 0.06
FEWEST_REGIONS = 20
VALIDATION_BATCH = 64
# bp; what the summary reports
JUDGED_SCALES = (25_000, 100_000)


def train_rates(
    simulations: Sequence[Path],
    output: Path,
    *,
    options: RateOptions,
    fitting: FitOptions,
    threads: int | None,
    resume: bool,
    start: Path | None = None,
    left_out: Path | None = None,
) -> dict[str, Any]:
    """Train a network of rates on simulated regions, and calibrate its intervals.

    Beside the model file NAME.keras go NAME.history.tsv (one row an epoch), NAME.summary.json and, until the model
    is safe, NAME.checkpoint.

    Parameters
    ----------
    simulations : sequence of Path
        From `tfbind recombination simulate`, each with a seed of its own.
    output : Path
    options : RateOptions
    fitting : FitOptions
    threads : int or None
    resume : bool
        Continue from the checkpoint of an interrupted run, if there is one. A finished model of the same arguments
        stays as it is.
    start : Path or None
        A model of this function whose network training starts from; it has the ``options`` given here, the crop
        excepted. It is a candidate for the best epoch, too.
    left_out : Path or None
        Simulations of histories that training has not, which the model is judged on when it is done.

    Returns
    -------
    dict
        The summary.

    Raises
    ------
    TfbindError
        If a file is no simulation, two are the same, the network to start from has learnt from one of them, or the
        regions are too few; if a finished model of other arguments was to be resumed.
    """
    check_sizes(units=options.units, layers=options.layers)
    begun = read_rate_card(start) if start else None
    if start and begun:
        read_network(start, begun.outline)
    others = [left_out] if left_out else []
    known = settings_of(begun.training) if begun else []
    settings = read_settings([*simulations, *others], known)[: len(simulations)]
    source, begun_source = describe_sources(simulations), describe_sources([start] if start else [])
    reading: dict[str, Any] = {"seed": fitting.seed, "threads": threads or available_cores()}
    if resume and (
        done := finished_rates(output, options, fitting, source, begun_source, describe_sources(others))
    ):
        return done
    regions = read_regions(simulations, **reading)
    unlike = read_grids(others, SHIFTS, **reading) if others else []
    training, held_out = hold_out(regions, fitting.seed, simulations[0])
    scaling = begun.scaling if begun else None
    data = RateExamples(training, held_out, crop=options.crop, seed=fitting.seed, scaling=scaling)
    device = prepare(threads=threads, deterministic=True)

    from tfbind.recombination.learning.objective import rate_posterior
    from tfbind.training.fit import fit
    from tfbind.training.forward import make_forward

    with seeded(fitting.seed):
        network = _make_network(options, start)
    logger.info(
        "training a model of rates (%s, %s parameters%s) on %s crops of %s regions, on the %s",
        options.cell,
        f"{network.count_params():,}",
        f", from {start}" if start else "",
        f"{data.n_train:,}",
        f"{len(data.training):,}",
        device,
    )
    objective = rate_posterior(VALIDATION_BATCH)
    with checkpointed(
        output, fingerprint(options, fitting, source + begun_source), resume=resume
    ) as checkpoint:
        history = fit(
            network,
            network,
            data,
            objective,
            fitting,
            checkpoint=checkpoint,
            judge_start=bool(start),
        )
        rates = partial(rates_of_grids, make_forward(network), data.scaling)
        judges = read_grids(simulations, SHIFTS, chosen=held_out, **reading)
        predicted, held_out = rates(judges), unshifted(judges)
        if len(held_out) < FEWEST_REGIONS:
            logger.warning(
                "%s: only %d regions are held out to calibrate the intervals, which say little then: simulate more, or"
                " calibrate on others with tfbind recombination calibrate",
                output,
                len(held_out),
            )
        calibration = calibrate(predicted, held_out)
        best = min(history, key=lambda row: row["val_loss"])
        summary = {
            "regions": {"train": len(data.training), "validation": len(held_out)},
            "epochs": history[-1]["epoch"],
            "best_epoch": best["epoch"],
            "validation_loss": best["val_loss"],
            "validation_length_ratio": best["val_length_ratio"],
            "validation": judge_scales(held_out, predicted, calibration),
            "left_out": judge_scales(unshifted(unlike), rates(unlike), calibration),
            "parameters": network.count_params(),
            "options": asdict(options) | asdict(fitting),
        }
        provenance: dict[str, Any] = {
            "source": source,
            "settings": settings,
            "left_out_source": describe_sources(others),
        }
        if begun:
            provenance["start"] = begun_source[0] | {"training": begun.training}
        card = RateCard(
            network=options,
            scaling=data.scaling,
            seen=Seen.from_values(np.stack([region_values(tokens.x) for tokens in data.training])),
            calibration=calibration,
            training=summary | provenance,
        )
        save_rate_model(output, network, card)
        write_beside(output, history, summary)
    return summary


def _make_network(options: RateOptions, start: Path | None) -> Any:
    from tfbind.networks.rates import rate_network

    network = rate_network(
        features=len(FEATURES),
        outputs=OUTPUTS,
        cell=options.cell,
        units=options.units,
        layers=options.layers,
    )
    if start:
        fill(network, start)
    return network


def fingerprint(
    options: RateOptions | RelernnOptions, fitting: FitOptions, source: list[dict[str, Any]]
) -> dict[str, Any]:
    """What a checkpoint must have been made with for training to continue from it."""
    return {"network": asdict(options), "options": asdict(fitting), "data": digest(source)}


def finished_rates(
    output: Path,
    options: RateOptions | RelernnOptions,
    fitting: FitOptions,
    source: list[dict[str, Any]],
    start: Sequence[dict[str, Any]] = (),
    left_out: Sequence[dict[str, Any]] = (),
) -> dict[str, Any] | None:
    """Give what a finished model says of its training; see `tfbind.training.finished.finished_training`.

    ``source``, ``start`` and ``left_out`` describe the simulations, the model that training starts from, and the
    simulations that it is judged on.
    """

    def digests(files: Sequence[dict[str, Any]]) -> list[str]:
        return [file["sha256"] for file in files]

    def of_card(card: dict[str, Any]) -> dict[str, Any]:
        training = card["training"]
        return {
            "options": training["options"],
            "data": digests(training["source"]),
            "start": digests([training["start"]] if "start" in training else []),
            "left_out": digests(training.get("left_out_source", [])),
        }

    wanted = {
        "options": asdict(options) | asdict(fitting),
        "data": digests(source),
        "start": digests(start),
        "left_out": digests(left_out),
    }
    beside = (".history.tsv", ".summary.json")
    checkpoint = fingerprint(options, fitting, [*source, *start])
    card = finished_training(output, KIND, wanted, of_card, beside, checkpoint)
    return card["training"] if card else None


def unshifted(regions: Sequence[Sequence[RegionTokens]]) -> list[RegionTokens]:
    """Of regions at SHIFTS, the first: what is judged is counted in its tokens."""
    return [grids[0] for grids in regions]


def judge_scales(
    regions: Sequence[RegionTokens], predicted: Sequence[TokenPosterior], calibration: Calibration
) -> dict[str, dict[str, float]]:
    """What `judge` says at each of JUDGED_SCALES."""
    return {str(scale): judge(regions, predicted, calibration, scale) for scale in JUDGED_SCALES}


def judge(
    regions: Sequence[RegionTokens], predicted: Sequence[TokenPosterior], calibration: Calibration, scale: int
) -> dict[str, float]:
    """Compare windows of ``scale`` bp with the truth, over all regions together.

    Returns
    -------
    dict
        windows; pearson_log, of the log rates; bias_ratio, predicted over true length; coverage95, the share of
        windows whose interval holds the truth.
    """
    rates, truths, inside = [], [], []
    for tokens, found in zip(regions, predicted, strict=True):
        starts = np.arange(tokens.start[0], tokens.end[-1] - scale + 1, scale)
        if not len(starts):
            continue
        rate, lower, upper = window_rates(found, starts, starts + scale, calibration)
        truth = tokens.true_rate().means(starts, starts + scale)
        rates.append(rate)
        truths.append(truth)
        inside.append((lower <= truth) & (truth <= upper))
    if not rates:
        return {"windows": 0}
    rate, truth = np.concatenate(rates), np.concatenate(truths)
    return {
        "windows": len(rate),
        "pearson_log": float(np.corrcoef(np.log(rate + 1e-9), np.log(truth + 1e-9))[0, 1]),
        "bias_ratio": float(rate.sum() / truth.sum()),
        "coverage95": float(np.concatenate(inside).mean()),
    }


def hold_out(
    regions: Sequence[OneRegion], seed: int, source: Path
) -> tuple[list[OneRegion], list[OneRegion]]:
    """Split regions into those to train on and those held out.

    Raises
    ------
    TfbindError
        If they are fewer than FEWEST_REGIONS; it names ``source``.
    """
    if len(regions) < FEWEST_REGIONS:
        raise TfbindError(
            f"{source}: found {len(regions)} regions with sites enough, expected at least {FEWEST_REGIONS}"
        )
    order = np.random.default_rng([seed, len(regions)]).permutation(len(regions))
    n_held_out = max(2, round(VALIDATION_SHARE * len(regions)))
    return [regions[i] for i in order[n_held_out:]], [regions[i] for i in order[:n_held_out]]


def write_beside(output: Path, history: list[dict[str, float]], summary: dict[str, Any]) -> None:
    """Write NAME.history.tsv and NAME.summary.json beside a model file."""
    write_table(output.with_suffix(".history.tsv"), pd.DataFrame(history), digits=None)
    write_json(output.with_suffix(".summary.json"), summary)


def read_settings(simulations: Sequence[Path], known: Sequence[dict[str, Any]] = ()) -> list[dict[str, Any]]:
    """Read what each file was simulated from.

    Parameters
    ----------
    simulations : sequence of Path
    known : sequence of dict
        What the regions were simulated from that the network has learnt from before.

    Raises
    ------
    TfbindError
        If two are the same, or one is known: their regions would be training and validation at once.
    """
    settings: list[dict[str, Any]] = []
    for path in simulations:
        with open_regions(path) as regions:
            setting = regions.setting
        if setting in known:
            raise TfbindError(
                f"{path}: the network has learnt from these regions, expected others: simulate with another --seed"
            )
        if setting in settings:
            raise TfbindError(
                f"{path}: was simulated with the setting and the seed of {simulations[settings.index(setting)]},"
                " expected a --seed of its own for each file"
            )
        settings.append(setting)
    return settings


def digest(source: list[dict[str, Any]]) -> str:
    """SHA-256 over those of the files."""
    return hashlib.sha256(json.dumps([entry["sha256"] for entry in source]).encode()).hexdigest()
