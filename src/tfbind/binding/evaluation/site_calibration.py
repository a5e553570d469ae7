"""Probabilities of sites that hold in a genome, fitted on whole contigs that were held out for validation."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfbind.binding.evaluation.genome_sites import TOLERANCE, GenomeTruth, read_truth, sites_on
from tfbind.binding.evaluation.site_metrics import average_precision, match_peaks, precision_recall
from tfbind.binding.learning.parts import Part, content_digest
from tfbind.binding.model.calibration import SiteCalibration, fit_sites
from tfbind.binding.model.card import save_site_calibration
from tfbind.binding.model.model import BindingModel
from tfbind.binding.scanning.sites import Sites, default_distance, default_stride
from tfbind.dna.genome import Genome
from tfbind.dna.splits import TEST, TRAIN, VALIDATION
from tfbind.errors import TfbindError
from tfbind.tensors import Tensors, open_tensors

logger = logging.getLogger(__name__)

FEWEST_PEAKS = 20
# share of a contig's records in one part, if it is held out whole
WHOLE = 0.8


class HeldOut(NamedTuple):
    """Contigs of a tensors file: those that validated the model, those that trained or validated it, and the rest."""

    validation: list[str]
    known: list[str]
    test: list[str]


def contigs_of_tensors(path: Path, model: BindingModel) -> HeldOut:
    """Find the contigs that were held out for the validation of a model.

    Raises
    ------
    TfbindError
        If the model was trained on another file, or no contig is held out whole.
    """
    training = model.card.training
    with open_tensors(path, training.get("fold")) as tensors:
        if content_digest(Part(tensors, TRAIN), Part(tensors, VALIDATION)) != training.get("data"):
            raise TfbindError(f"{path}: is not the tensors file that {model.path} was trained on")
        held_out = _parts_of_contigs(tensors)
    if not held_out.validation:
        raise TfbindError(
            f"{path}: no contig was held out for validation, expected whole contigs held out: tfbind encode --peaks"
            " --genome with --validation-contigs and --test-contigs"
        )
    return held_out


def contigs_of_test_part(path: Path) -> list[str]:
    """Find the contigs that a tensors file holds out whole for the test; none if its parts are not by contig."""
    with open_tensors(path) as tensors:
        return _parts_of_contigs(tensors).test


def _parts_of_contigs(tensors: Tensors) -> HeldOut:
    split = tensors.split
    places = [interval[0] if interval else "" for interval in tensors.intervals()]
    contigs, of_contig = np.unique(np.array(places, dtype=str), return_inverse=True)
    n = np.zeros((len(contigs), 3), np.int64)
    np.add.at(n, (of_contig, np.minimum(split, TEST)), 1)
    share = n / n.sum(axis=1, keepdims=True)
    # a sequence that is on a held-out contig, too, is held out with it: a contig of which most went elsewhere counts
    # for nothing
    part = np.where((share.max(axis=1) >= WHOLE) & (contigs != ""), share.argmax(axis=1), -1)
    if "" in contigs or (part == TRAIN).sum() == 0:
        return HeldOut([], [], [])
    validation, test = (contigs[part == number].tolist() for number in (VALIDATION, TEST))
    return HeldOut(validation, contigs[(part == TRAIN) | (part == VALIDATION)].tolist(), test)


def label_sites(sites: Sites, truth: GenomeTruth, tolerance: int) -> np.ndarray:
    """Say which local maxima are peaks: (n,) bool, one for each peak.

    A peak is the highest site within the tolerance, as in `match_peaks`. One without any is the nearest site that is
    not a peak yet, so that the peaks that a model misses count, too.
    """
    match = match_peaks(sites.record, sites.summit, sites.score, truth.peaks, tolerance)
    is_site = match.peak >= 0
    found = set(match.peak.tolist())
    number = 0
    for contig, of_contig in enumerate(truth.peaks):
        here = np.flatnonzero(sites.record == contig)
        for at in of_contig.tolist():
            if number not in found:
                free = here[~is_site[here]]
                if len(free):
                    is_site[free[np.abs(sites.summit[free] - at).argmin()]] = True
            number += 1
    return is_site


def calibrate_sites(
    model: BindingModel,
    tensors: Path,
    genome_path: Path,
    peaks: Path,
    output: Path,
    *,
    factor: int,
    tolerance: int,
    peak_format: str = "auto",
) -> SiteCalibration:
    """Calibrate a model for scans of a genome, and write it with the calibration.

    The validation contigs are scanned whole. How the probability of a site depends on its score is fitted there, and
    how many sites there are is taken from the peaks of all contigs but those of the test set.

    Parameters
    ----------
    model : BindingModel
    tensors : Path
        What the model was trained on; it says which contigs were held out.
    genome_path, peaks : Path
    output : Path
        The model file with the calibration.
    factor : int
        Number of the factor; calibrations of others are kept.
    tolerance : int
        Bases from a site to its peak at the most.
    peak_format : str

    Raises
    ------
    TfbindError
        As `contigs_of_tensors` and `read_truth`, and if there are too few peaks.
    """
    held_out = contigs_of_tensors(tensors, model)
    with Genome(genome_path) as genome:
        truth = read_truth(peaks, genome, held_out.validation, peak_format)
        if truth.n_peaks < FEWEST_PEAKS:
            raise TfbindError(
                f"{peaks}: has {truth.n_peaks} peaks on the validation contigs ({', '.join(held_out.validation)}),"
                f" expected at least {FEWEST_PEAKS}: hold out more by tfbind encode --validation-contigs"
            )
        names = genome.match_contigs(held_out.known, tensors, need_all=True)
        known = {names[contig] for contig in held_out.known}
        n_known = len({(peak.contig, peak.summit) for peak in truth.placed if peak.contig in known})
        density = n_known / sum(genome.contigs[contig] for contig in known)
        return _calibrate(model, output, truth, 1e6 * density, factor=factor, tolerance=tolerance)


def calibrate_trained(
    path: Path, tensors_path: Path, *, threads: int | None = None
) -> SiteCalibration | None:
    """Calibrate a model for scans of a genome by the stretches that its tensors hold; the file is written again.

    Parameters
    ----------
    path : Path
        The model.
    tensors_path : Path
        What it was trained on.
    threads : int or None

    Returns
    -------
    SiteCalibration or None
        None, and nothing is done, if the tensors have no stretches, or too few peaks are on them, or the model is
        calibrated already.
    """
    with open_tensors(tensors_path) as tensors:
        stretches = tensors.stretches()
    if stretches is None:
        return None
    if len(stretches.peaks) < FEWEST_PEAKS:
        logger.warning(
            "%s: has %d peaks on the validation contigs, and at least %d are needed to calibrate for genomes:"
            " probabilities of sites hold among sequences such as the training's alone",
            tensors_path,
            len(stretches.peaks),
            FEWEST_PEAKS,
        )
        return None
    model = BindingModel(path, threads=threads)
    if model.card.sites is not None:
        return None
    truth = GenomeTruth(stretches, stretches.peaks_by_stretch())
    try:
        return _calibrate(model, path, truth, stretches.peaks_per_mb, factor=0, tolerance=TOLERANCE)
    except TfbindError as error:
        # the model is whole, only not ready for genomes
        logger.warning("%s; the model is not calibrated for genomes", error)
        return None


def _calibrate(
    model: BindingModel,
    output: Path,
    truth: GenomeTruth,
    peaks_per_mb: float,
    *,
    factor: int,
    tolerance: int,
) -> SiteCalibration:
    """Scan what the truth is known of, fit, and write the model with the calibration."""
    stride, distance = default_stride(model), default_distance(model)
    sites = sites_on(model, truth, factor, stride=stride, distance=distance, fdr=None)
    n_bases = sum(len(letters) for _, letters in truth.letters())
    expected = 1e-6 * peaks_per_mb * n_bases
    if expected >= len(sites.score):
        raise TfbindError(
            f"{model.path}: found {len(sites.score):,} local maxima on the validation contigs and {expected:,.0f}"
            " expected sites, expected more maxima than sites: peaks are too dense there for windows of this length"
        )
    slope, intercept = fit_sites(sites.score, label_sites(sites, truth, tolerance), expected)
    match = match_peaks(sites.record, sites.summit, sites.score, truth.peaks, tolerance)
    precision = average_precision(precision_recall(sites.score, match.peak >= 0, truth.n_peaks))
    before, n = model.card.sites, len(model.card.tasks)

    def changed(old: tuple[float | None, ...] | None, new: float) -> tuple[float | None, ...]:
        return tuple(new if number == factor else (old[number] if old else None) for number in range(n))

    calibration = SiteCalibration(
        slope=changed(before.slope if before else None, slope),
        intercept=changed(before.intercept if before else None, intercept),
        expected_per_mb=changed(before.expected_per_mb if before else None, peaks_per_mb),
        stride=stride,
        distance=distance,
        contigs=tuple(truth.letters.contigs),
    )
    save_site_calibration(model.path, output, calibration)
    shown = ", ".join(truth.letters.contigs[:5]) + (", ..." if len(truth.letters.contigs) > 5 else "")
    logger.info(
        "%s: %.3g peaks per Mb; on the validation contigs (%s) %s peaks, %.0f expected, average precision of sites"
        " %.3f; site's log odds = %.3g * window's %+.3g",
        *(model.card.tasks[factor], peaks_per_mb, shown),
        *(f"{truth.n_peaks:,}", expected, precision, slope, intercept),
    )
    return calibration
