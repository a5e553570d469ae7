"""The folder that an interpretation leaves: contributions, motifs, their names and logos."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfbind.binding.interpretation.contributions import write_contributions, write_npz
from tfbind.binding.interpretation.mutagenesis import mutagenesis, one_hot_bases
from tfbind.binding.interpretation.sequences import Chosen, Sequences
from tfbind.binding.interpretation.study import Study, study_motifs
from tfbind.binding.model.model import BindingModel
from tfbind.dna.matrices import Matrix, meme_text
from tfbind.files import sha256, whole_folder, write_text
from tfbind.progress import Progress
from tfbind.report.logos import motif_logo
from tfbind.tables import write_json, write_table

logger = logging.getLogger(__name__)

METHODS = ("ism", "gradients")
SUMMARY = "summary.json"


@dataclass(frozen=True, kw_only=True)
class InterpretOptions:
    """How a model is interpreted.

    factor : number of the task
    methods : of METHODS; motifs are found in the contributions of the first one
    npz : whether contributions are also written as .npz
    motifs : whether to find motifs
    known : matrices that give motifs their names
    seed : of shuffles and samples
    threads : cores to use, or None for all
    """

    factor: int = 0
    methods: tuple[str, ...] = ("ism",)
    npz: bool = False
    motifs: bool = True
    known: Sequence[Matrix] = ()
    seed: int = 0
    threads: int | None = None


def write_interpretation(
    folder: Path, model: BindingModel, chosen: Chosen, options: InterpretOptions
) -> dict[str, Any]:
    """Interpret a model and write what is found into ``folder``.

    The folder is written whole or not at all, ``summary.json`` last (`tfbind.files.whole_folder`).

    Returns
    -------
    dict
        What is in ``summary.json``.
    """
    with whole_folder(folder, last=SUMMARY) as temporary:
        scores = {
            method: _contributions(temporary, model, chosen.bound, method, options)
            for method in options.methods
        }
        first = options.methods[0]
        summary: dict[str, Any] = {
            "model": model.path.name,
            "factor": model.card.tasks[options.factor],
            "methods": list(options.methods),
            "n_found": chosen.n_found,
            "n_sequences": chosen.bound.n,
            "left_out": chosen.left_out,
            "correlation": {
                method: correlation(scores[first], scores[method], chosen.bound)
                for method in options.methods[1:]
            },
        }
        if options.motifs:
            study = study_motifs(
                model,
                chosen,
                scores[first],
                options.known,
                factor=options.factor,
                seed=options.seed,
                threads=options.threads,
            )
            _write_motifs(temporary, study, chosen.bound)
            summary |= study.summary()
        write_json(temporary / SUMMARY, summary)
    for note in summary.get("notes", []):
        logger.warning("%s", note)
    return summary


def _write_motifs(folder: Path, study: Study, sequences: Sequences) -> None:
    write_table(folder / "motifs.tsv", study.table())
    matrices = [motif.matrix for motif in study.motifs]
    write_text(folder / "motifs.meme", meme_text(matrices, study.background.tolist()))
    write_text(folder / "hits.bed", study.bed_lines(sequences))
    np.savez(
        folder / "motifs.npz",
        **{
            f"{motif.name}/{kind}": getattr(motif, kind)
            for motif in study.motifs
            for kind in ("counts", "contributions", "hypothetical")
        },
    )
    (folder / "logos").mkdir()
    for motif, match in zip(study.motifs, study.matches, strict=True):
        known = (None, 0, "") if match is None else (match.matrix.counts, match.offset, match.matrix.name)
        motif_logo(folder / "logos" / f"{motif.name}.svg", motif.contributions, motif.counts, *known)


def file_of(method: str, methods: tuple[str, ...]) -> str:
    """Name the file of a method's contributions, without its suffix: the first one's is ``contributions``."""
    return "contributions" if method == methods[0] else f"contributions.{method}"


def _contributions(
    folder: Path, model: BindingModel, sequences: Sequences, method: str, options: InterpretOptions
) -> np.ndarray:
    """Compute contributions, (n, length, 4) float32, and write them as they come."""
    attributes = {
        "factor": model.card.tasks[options.factor],
        "method": method,
        "model": model.path.name,
        "model_sha256": sha256(model.path),
        "unit": "natural logarithm of odds",
    }
    name, length = file_of(method, options.methods), sequences.codes.shape[1]
    found = []
    with (
        write_contributions(folder / f"{name}.h5", length, attributes) as append,
        Progress(f"contributions by {method}", total=sequences.n, unit="sequences") as progress,
    ):
        for some, scores, logit in _stream(model, sequences, method, options):
            append(some, scores, logit)
            found.append(scores)
            progress.update(some.n)
    scores = np.concatenate(found)
    if options.npz:
        write_npz(folder / f"{name}.npz", scores)
        if method == options.methods[0]:
            write_npz(folder / "sequences.npz", one_hot_bases(sequences.codes).astype(np.int8))
    return scores


def _stream(
    model: BindingModel, sequences: Sequences, method: str, options: InterpretOptions
) -> Iterator[tuple[Sequences, np.ndarray, np.ndarray]]:
    if method == "ism":
        return mutagenesis(model, sequences, options.factor)
    from tfbind.binding.interpretation.gradients import expected_gradients

    return expected_gradients(model, sequences, options.factor, seed=options.seed, threads=options.threads)


def correlation(one: np.ndarray, other: np.ndarray, sequences: Sequences) -> float | None:
    """Pearson's correlation of the contributions of the bases that are there; None if either does not vary."""
    bases = one_hot_bases(sequences.codes).astype(bool)
    x, y = one[bases].astype(np.float64), other[bases].astype(np.float64)
    if len(x) < 2 or x.std() == 0 or y.std() == 0:
        return None
    return float(np.corrcoef(x, y)[0, 1])
