"""Judge models by the sites that they find on whole contigs, against peaks and beside a weight matrix."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit

from tfbind.binding.evaluation.contig_leakage import refuse_trained_contigs
from tfbind.binding.evaluation.site_metrics import (
    average_precision,
    match_peaks,
    median_offset,
    precision_recall,
)
from tfbind.binding.evaluation.weight_matrix import matrix_sites
from tfbind.binding.model.model import BindingModel
from tfbind.binding.scanning.genome_scan import ContigLetters, Letters, scan
from tfbind.binding.scanning.site_files import genome_note
from tfbind.binding.scanning.sites import REFINED, Sites, default_stride, find_sites, site_probability
from tfbind.dna.genome import Genome
from tfbind.dna.matrices import Matrix
from tfbind.dna.peaks import BadLine, Peak, describe_unplaced, place_peaks, read_peaks
from tfbind.errors import TfbindError

logger = logging.getLogger(__name__)

TOLERANCE = 50
# the q-value that recall is measured at
Q = 0.1
PWM = "pwm"
SITE_COLUMNS = ["scanner", "chrom", "summit", "strand", "score", "probability", "q", "peak", "offset"]
INCOMPLETE_NOTE = (
    "A site without a peak counts as wrong, though peaks are never all sites: precision is a lower bound."
)


class GenomeTruth(NamedTuple):
    """Peaks on the contigs that are scanned.

    letters : ContigLetters, or Letters of stretches that need no check of leakage
    peaks : list of (m,) int64, ascending positions on each contig
    placed : peaks on all contigs of the genome
    """

    letters: Letters
    peaks: list[np.ndarray]
    placed: Sequence[Peak] = ()

    @property
    def n_peaks(self) -> int:
        """How many peaks there are."""
        return sum(map(len, self.peaks))


class SiteEvaluation(NamedTuple):
    """What was found, and how well it agrees with the peaks.

    metrics : dict of scanner to metrics: ``n_peaks``, ``n_sites``, ``average_precision``, ``recall_at_q10``,
        ``precision_at_q10``, ``called_at_q10``, ``median_offset``, ``expected``, ``observed``; None where undefined
    pr : dict of scanner to curve, see `tfbind.binding.evaluation.site_metrics.precision_recall`
    sites : DataFrame with columns scanner, chrom, summit, strand, score, probability, q, peak (its position), offset
    offsets : DataFrame with columns scanner, offset, n: right sites at each distance from their peaks
    notes : plain sentences that belong beside the figures
    """

    metrics: dict[str, dict[str, Any]]
    pr: dict[str, np.ndarray]
    sites: pd.DataFrame
    offsets: pd.DataFrame
    notes: list[str]


def nothing_scanned(tensors: Path) -> SiteEvaluation:
    """Give the evaluation of models whose tensors hold no contig out whole, with a note that says so."""
    note = (
        f"{tensors.name} holds no contig out for the test, so that no contig can be scanned that the models have not"
        " seen. tfbind encode --test-contigs names some."
    )
    logger.warning("%s", note)
    sites = pd.DataFrame(columns=SITE_COLUMNS)
    return SiteEvaluation({}, {}, sites, pd.DataFrame(columns=["scanner", "offset", "n"]), [note])


def read_truth(
    peaks: Path,
    genome: Genome,
    contigs: Sequence[str],
    peak_format: str = "auto",
    *,
    skip_invalid: bool = False,
) -> GenomeTruth:
    """Read the peaks on some contigs of a genome.

    Raises
    ------
    TfbindError
        If the genome has no such contig, or there is no peak on one of them.
    """
    names = genome.match_contigs(contigs, "--contigs")
    bad_lines: list[BadLine] = []
    found = read_peaks(peaks, peak_format, bad_lines if skip_invalid else None)
    if bad_lines:
        logger.warning("%s: left out %s lines that are not peaks", peaks, f"{len(bad_lines):,}")
    placed, unplaced = place_peaks(found, genome, peaks)
    if unplaced:
        logger.warning("%s: left out: %s", peaks, describe_unplaced(unplaced, len(found), genome.path))
    chosen = [names[contig] for contig in contigs]
    by_contig = [
        np.unique(np.array([peak.summit for peak in placed if peak.contig == contig], np.int64))
        for contig in chosen
    ]
    for contig, of_contig in zip(chosen, by_contig, strict=True):
        if not len(of_contig):
            raise TfbindError(
                f"{peaks}: has no peak on contig {contig!r}, expected some on each contig to be scanned"
            )
    return GenomeTruth(ContigLetters(genome, chosen), by_contig, placed)


def evaluate_sites(
    models: dict[str, BindingModel],
    truth: GenomeTruth,
    *,
    factors: dict[str, int],
    matrix: Matrix | None,
    stride: int | None,
    distance: int,
    tolerance: int,
    allow_overlap: bool = False,
) -> SiteEvaluation:
    """Find the sites of each model, and compare them with the peaks.

    Parameters
    ----------
    models : dict of name to BindingModel
    truth : GenomeTruth
    factors : dict of model's name to number of the factor
    matrix : Matrix or None
        Is scanned with, too, under the name `PWM`.
    stride : int or None
        Of the scan; None for a tenth of each model's length.
    distance : int
        Bases between two sites at the least, the same for all.
    tolerance : int
        Bases from summit to peak at the most.
    allow_overlap : bool
        See `refuse_trained_contigs`.
    """
    notes = [INCOMPLETE_NOTE]
    if not isinstance(truth.letters, ContigLetters):
        raise TypeError(
            "expected whole contigs: only they can be checked for sequences that a model has seen"
        )
    for model in models.values():
        notes += refuse_trained_contigs(model, truth.letters, truth.peaks, allow=allow_overlap)
    metrics, pr, tables = {}, {}, []
    for name, model in models.items():
        table, expected = _model_sites(model, truth, factors[name], stride, distance)
        notes += [f"{name}: {genome_note(model, factors[name])}"]
        metrics[name], pr[name] = _judge(table, truth, tolerance, expected)
        tables.append(table.assign(scanner=name))
        logger.info("%s: %s", name, _describe(metrics[name]))
    if matrix is not None:
        record, summit, score, strand = matrix_sites(matrix, truth.letters(), distance)
        table = pd.DataFrame({"record": record, "summit": summit, "strand": strand, "score": score})
        table["probability"] = table["q"] = np.nan
        metrics[PWM], pr[PWM] = _judge(table, truth, tolerance, None)
        metrics[PWM] = {"matrix": matrix.id, "name": matrix.name} | metrics[PWM]
        tables.append(table.assign(scanner=PWM))
        logger.info("%s (%s): %s", PWM, matrix.id, _describe(metrics[PWM]))
    sites = pd.concat(tables, ignore_index=True)
    sites["chrom"] = np.array(truth.letters.contigs, dtype=object)[sites["record"]]
    right = sites[sites["peak"].notna()]
    offsets = right.groupby(["scanner", "offset"], sort=True).size().rename("n").reset_index()
    return SiteEvaluation(metrics, pr, sites[SITE_COLUMNS], offsets, notes)


def sites_on(
    model: BindingModel,
    truth: GenomeTruth,
    factor: int,
    *,
    stride: int,
    distance: int,
    fdr: float | None,
    probability: Callable[[np.ndarray], np.ndarray] = expit,
) -> Sites:
    """Scan what the truth is known of, and resolve the local maxima to sites; see `find_sites`."""
    maxima, _ = scan(model, truth.letters(), stride=stride, distance=distance)
    return find_sites(
        model,
        maxima[factor],
        truth.letters,
        factor=factor,
        stride=stride,
        fdr=fdr,
        n_refined=REFINED * truth.n_peaks,
        probability=probability,
    )


def _model_sites(
    model: BindingModel, truth: GenomeTruth, factor: int, stride: int | None, distance: int
) -> tuple[pd.DataFrame, float]:
    sites = sites_on(
        model,
        truth,
        factor,
        stride=stride or default_stride(model),
        distance=distance,
        fdr=Q,
        probability=site_probability(model, factor) or expit,
    )
    names = ("record", "summit", "strand", "score", "probability", "q")
    return pd.DataFrame({name: getattr(sites, name) for name in names}), sites.expected


def _judge(
    table: pd.DataFrame, truth: GenomeTruth, tolerance: int, expected: float | None
) -> tuple[dict[str, Any], np.ndarray]:
    """Measure sites, and note in their table which peak each is and how far from it."""
    score = table["score"].to_numpy(np.float64)
    match = match_peaks(table["record"].to_numpy(), table["summit"].to_numpy(), score, truth.peaks, tolerance)
    position = np.append(np.concatenate(truth.peaks), 0)[match.peak]
    found = match.peak >= 0
    table["peak"] = pd.array(np.where(found, position, 0), dtype="Int64")
    table["offset"] = pd.array(np.where(found, match.offset, 0).astype(np.int64), dtype="Int64")
    table.loc[~found, ["peak", "offset"]] = pd.NA
    curve = precision_recall(score, found, truth.n_peaks)
    called = table["q"].to_numpy(np.float64) <= Q
    has_q = expected is not None
    metrics = {
        "n_peaks": truth.n_peaks,
        "n_sites": len(table),
        "average_precision": average_precision(curve),
        "recall_at_q10": float(found[called].sum() / truth.n_peaks) if has_q else None,
        "precision_at_q10": float(found[called].mean()) if called.any() else None,
        "called_at_q10": int(called.sum()) if has_q else None,
        "median_offset": median_offset(score, match, truth.n_peaks),
        "expected": expected,
        "observed": truth.n_peaks,
    }
    return metrics, curve


def _describe(metrics: dict[str, Any]) -> str:
    text = (
        f"average precision {metrics['average_precision']:.3f}, median offset {metrics['median_offset']:g} bp"
    )
    if metrics["expected"] is not None:
        text += (
            f", recall {metrics['recall_at_q10']:.3f} at q <= {Q:g}"
            f" ({metrics['called_at_q10']:,} sites), expected {metrics['expected']:,.0f} sites, observed"
            f" {metrics['observed']:,} peaks"
        )
    return text
