"""From a genome to a background model."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tfbind.background.data import BackgroundData, judged_examples
from tfbind.background.markov import MarkovModel
from tfbind.background.model import BackgroundCard, save_background
from tfbind.background.options import BackgroundOptions
from tfbind.background.stretches import STRETCHES_A_BATCH, Stretches, judged_batches, read_stretches
from tfbind.networks.spec import check_sizes
from tfbind.resume.checkpoint import checkpointed
from tfbind.tables import write_json, write_table
from tfbind.tensors import describe_sources
from tfbind.training.device import prepare, seeded
from tfbind.training.options import FitOptions

logger = logging.getLogger(__name__)

MARKOV_ORDERS = (0, 3, 5)


def fit_background(
    genome: Path,
    output: Path,
    *,
    options: BackgroundOptions,
    fitting: FitOptions,
    threads: int | None,
    resume: bool,
) -> dict[str, Any]:
    """Learn the next base of a genome, on both strands.

    Beside the model file NAME.keras go NAME.history.tsv (one row an epoch), NAME.summary.json and, until the
    model is safe, NAME.checkpoint. Blocks of the genome are held out whole: the validation part chooses the
    epoch, and the test part is judged once, at the end.

    Parameters
    ----------
    genome, output : Path
    options : BackgroundOptions
    fitting : FitOptions
    threads : int or None
    resume : bool
        Continue from the checkpoint of an interrupted run, if there is one.

    Returns
    -------
    dict
        The summary: bits per base of the network and of the Markov models on the same bases of the test part, among
        others.
    """
    check_sizes(units=options.units, layers=options.layers)
    training, validation, test = read_stretches(genome)
    skip = max(MARKOV_ORDERS)
    data = BackgroundData(
        training,
        validation,
        window=options.window,
        epoch_bases=options.epoch_bases,
        skip=skip,
        seed=fitting.seed,
    )
    device = prepare(threads=threads, deterministic=True)

    from tfbind.background.objective import bits_per_base, next_base
    from tfbind.networks.next_base import next_base_network
    from tfbind.training.fit import fit
    from tfbind.training.forward import make_forward

    with seeded(fitting.seed):
        network = next_base_network(cell=options.cell, units=options.units, layers=options.layers)
    logger.info(
        "training a background model (%s, %s parameters) on %s windows of %d bases an epoch, on the %s",
        options.cell,
        f"{network.count_params():,}",
        f"{data.n_train:,}",
        options.window,
        device,
    )
    fingerprint = {
        "network": asdict(options),
        "options": asdict(fitting),
        "data": _digest(training),
    }
    with checkpointed(output, fingerprint, resume=resume) as checkpoint:
        history = fit(
            network,
            network,
            data,
            next_base(STRETCHES_A_BATCH),
            fitting,
            checkpoint=checkpoint,
        )
        bits = {f"order-{order}": markov_bits(training, test, order, skip) for order in MARKOV_ORDERS}
        bits["network"] = bits_per_base(make_forward(network), judged_examples(test, skip, STRETCHES_A_BATCH))
        best = min(history, key=lambda row: row["val_loss"])
        summary = {
            "bits_per_base": bits,
            "validation_bits_per_base": best["val_loss"],
            "judged_bases": n_judged(test, skip),
            "bases": {
                "train": len(training.codes),
                "validation": len(validation.codes),
                "test": len(test.codes),
            },
            "epochs": history[-1]["epoch"],
            "best_epoch": best["epoch"],
            "parameters": network.count_params(),
            "options": asdict(options) | asdict(fitting),
        }
        card = BackgroundCard(
            cell=options.cell,
            units=options.units,
            layers=options.layers,
            training=summary | {"source": describe_sources([genome])},
        )
        save_background(output, network, card)
        write_table(output.with_suffix(".history.tsv"), pd.DataFrame(history), digits=None)
        write_json(output.with_suffix(".summary.json"), summary)
    for name, value in bits.items():
        logger.info("bits per base of the test part, %s: %.4f", name, value)
    return summary


def markov_bits(training: Stretches, test: Stretches, order: int, skip: int) -> float:
    """Bits per base of a Markov model of ``training`` on the judged bases of ``test``."""
    model = MarkovModel(training, order)
    return float(
        np.concatenate([model.bits(batch) for batch in judged_batches(test, skip, STRETCHES_A_BATCH)]).mean()
    )


def n_judged(stretches: Stretches, skip: int) -> int:
    """How many bases count, on both strands."""
    return sum(int(batch.judged.sum()) for batch in judged_batches(stretches, skip, STRETCHES_A_BATCH))


def _digest(stretches: Stretches) -> str:
    """SHA-256 of the bases and where they break, without a copy of them."""
    content = hashlib.sha256(stretches.codes.data)
    content.update(stretches.bounds.data)
    return content.hexdigest()
