"""Sites as narrowPeak, read off the finished table of a scan, with a JSON file beside it that says what holds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit

from tfbind.binding.model.model import BindingModel
from tfbind.binding.options import MADE_UP
from tfbind.binding.scanning.score_table import Rows, read_blocks, records_of
from tfbind.binding.scanning.sites import FDR, Maxima, Sites, find_sites, log_odds, site_probability
from tfbind.dna.fasta import read_fasta
from tfbind.files import whole_output
from tfbind.tables import LineWriter, open_table, write_json

logger = logging.getLogger(__name__)

DIGITS = 9  # significant ones of a probability
# how a note begins where the figures hold
HOLDS = "probabilities and q-values of sites hold"
# -log10 of the lowest q-value that is written
MOST_SIGNIFICANT = 300.0


@dataclass(frozen=True)
class SiteOptions:
    """Which sites to write, and where.

    path : the narrowPeak file to write; with several factors one each, see `site_paths`
    fasta : the sequences that were scanned
    stride : bases from window to window of the scan
    distance : bases between two summits at the least
    fdr : highest q-value of a site
    prevalence : the bound share that was given for what is scanned, if any
    """

    path: Path
    fasta: Path
    stride: int
    distance: int
    fdr: float = FDR
    prevalence: float | None = None


def site_paths(path: Path, factors: Sequence[str]) -> list[Path]:
    """Give a file a factor: ``sites.bed``, or ``sites.CREB.bed`` and ``sites.SP1.bed``."""
    if len(factors) == 1:
        return [path]
    packed = path.suffix if path.suffix in (".gz", ".bgz") else ""
    plain = Path(path.name.removesuffix(packed))
    return [
        path.with_name(f"{plain.stem}.{factor.replace('/', '_')}{plain.suffix}{packed}") for factor in factors
    ]


def summary_path(path: Path) -> Path:
    """Name the JSON file beside a file of sites."""
    return path.with_name(f"{path.name}.json")


def read_maxima(blocks: Iterable[Rows], n_factors: int, distance: int) -> tuple[list[Maxima], int]:
    """Find the local maxima of each factor in a table of windows, and count the windows.

    Parameters
    ----------
    blocks : iterable of Rows
        A record's first window starts at base 0, and the others follow by their start.
    n_factors, distance : int
    """
    maxima = [Maxima(distance) for _ in range(n_factors)]
    n_windows = 0
    for number, record in enumerate(records_of(blocks)):
        n_windows += len(record.start)
        scores = log_odds(record.scores)
        for factor, one in enumerate(maxima):
            one.add(number, record.start, record.end, scores[:, factor])
    return maxima, n_windows


def open_site_files(together: ExitStack, path: Path) -> tuple[LineWriter, Callable[[dict[str, Any]], None]]:
    """Open a file of sites and its summary, which get their names with all else that ``together`` holds."""
    lines = together.enter_context(open_table(path))
    beside = together.enter_context(whole_output(summary_path(path)))
    return lines, lambda found: write_json(beside, found)


def write_sites(
    table: Path,
    model: BindingModel,
    options: SiteOptions,
    batch_size: int,
    files: Sequence[tuple[LineWriter, Callable[[dict[str, Any]], None]]],
) -> None:
    """Find the sites in a finished table, and write them.

    Parameters
    ----------
    table : Path
        Of the windows of ``options.fasta``, every ``options.stride`` bases.
    model : BindingModel
    options : SiteOptions
    batch_size : int
    files : sequence of pairs, one a factor
        Where its narrowPeak rows go, and a function that writes its summary.
    """
    factors = model.card.tasks
    maxima, n_windows = read_maxima(read_blocks(table, len(factors)), len(factors), options.distance)
    for note in dict.fromkeys(
        genome_note(model, number, options.prevalence) for number in range(len(factors))
    ):
        logger.log(logging.INFO if note.startswith(HOLDS) else logging.WARNING, "%s", note)
    others = (note for number in range(len(factors)) for note in other_scan_note(model, number, options))
    for note in dict.fromkeys(others):
        logger.warning("%s", note)
    for number, (factor, (lines, write_summary)) in enumerate(zip(factors, files, strict=True)):
        note = genome_note(model, number, options.prevalence)
        calibrated = site_probability(model, number, options.prevalence)
        sites = find_sites(
            model,
            maxima[number],
            lambda: read_fasta(options.fasta),
            factor=number,
            stride=options.stride,
            fdr=options.fdr,
            n_refined=0 if calibrated is None else None,
            probability=calibrated or expit,
            batch_size=batch_size,
        )
        called = sites.q <= options.fdr
        lengths = _lengths(options.fasta, set(sites.record[called].tolist()))
        lines.writelines(narrow_peaks(sites, called, lengths, factor, options.distance))
        found = summary(sites, called, options) | {
            "factor": factor,
            "model": model.path.name,
            "windows": n_windows,
            "calibrated_for_genomes": calibrated is not None,
            "notes": [note, *other_scan_note(model, number, options)],
        }
        write_summary(found)
        _say(found, options)


def genome_note(model: BindingModel, factor: int, prevalence: float | None = None) -> str:
    """Say what probabilities and q-values of sites mean; it starts with `HOLDS` where they hold in a genome."""
    if prevalence is not None:
        return f"{HOLDS} where {prevalence:g} of the windows are bound, as given by --prevalence"
    sites = model.card.sites
    if sites is not None and sites.covers(factor):
        return (
            f"{HOLDS} for genomes with {sites.expected_per_mb[factor]:.3g} sites of {model.card.tasks[factor]} per Mb"
            f" (calibrated on {_some(sites.contigs)}) and scans every {sites.stride} bases"
        )
    method = model.card.negative_method
    of_what = f", of which the unbound are {MADE_UP[method]}" if method in MADE_UP else ""
    return (
        f"{model.path.name} knows nothing of how many sites a genome has: its probabilities hold among sequences such"
        f" as those it was trained on{of_what}. In a genome far more windows are unbound, so that q-values are too low"
        " and the expected number of sites is too high. If it was trained on peaks, tfbind calibrate mends that"
    )


def _some(contigs: Sequence[str]) -> str:
    more = f" and {len(contigs) - 5} more" if len(contigs) > 5 else ""
    return ", ".join(contigs[:5]) + more


def other_scan_note(model: BindingModel, factor: int, options: SiteOptions) -> list[str]:
    """Say where the scan is not the one that the model was calibrated for."""
    sites = model.card.sites
    if sites is None or not sites.covers(factor) or options.prevalence is not None:
        return []
    if (sites.stride, sites.distance) == (options.stride, options.distance):
        return []
    return [
        f"this scan has windows every {options.stride} bases and sites {options.distance} apart, the calibration"
        f" {sites.stride} and {sites.distance}: q-values are approximate"
    ]


def _lengths(fasta: Path, records: set[int]) -> dict[int, tuple[str, int]]:
    """Name and length of some records, by number."""
    found = {}
    for number, (name, letters) in enumerate(read_fasta(fasta)):
        if number in records:
            found[number] = name, len(letters)
            if len(found) == len(records):
                break
    return found


def narrow_peaks(
    sites: Sites, called: np.ndarray, lengths: dict[int, tuple[str, int]], factor: str, distance: int
) -> Iterator[str]:
    """Format sites as narrowPeak: a row a site, ``distance`` bases wide, so that no two overlap.

    The columns are contig, start, end, name, score from 0 to 1000, strand, signalValue (the probability), pValue (-1),
    qValue (-log10 of the q-value), and the summit, counted from the start.
    """
    for number, at in enumerate(np.flatnonzero(called).tolist(), start=1):
        name, length = lengths[int(sites.record[at])]
        summit, probability, q = int(sites.summit[at]), float(sites.probability[at]), float(sites.q[at])
        start = max(summit - distance // 2, 0)
        end = max(min(summit - distance // 2 + distance, length), summit + 1)
        minus_log = MOST_SIGNIFICANT if q <= 10**-MOST_SIGNIFICANT else max(-np.log10(q), 0.0)
        yield (
            f"{name}\t{start}\t{end}\t{factor}_{number}\t{round(1000 * probability)}\t{sites.strand[at]}"
            f"\t{probability:.{DIGITS}g}\t-1\t{minus_log:.6g}\t{summit - start}\n"
        )


def summary(sites: Sites, called: np.ndarray, options: SiteOptions) -> dict[str, Any]:
    """What the JSON file beside the sites says of them."""
    strand = sites.strand[called]
    return {
        "fdr": options.fdr,
        "sites": int(called.sum()),
        "lowest_probability": float(sites.probability[called].min()) if called.any() else None,
        "expected_in_all": sites.expected,
        "stride": options.stride,
        "distance": options.distance,
        "local_maxima": len(sites.record),
        "refined": int(sites.refined.sum()),
        "windows_to_refine": sites.n_windows,
        "plus_strand": sites.consensus or None,
        "strands": {name: int((strand == name).sum()) for name in "+-."},
    }


def _say(found: dict[str, Any], options: SiteOptions) -> None:
    logger.info(
        "%s: %s sites at q <= %g, of %s local maxima at least %d bases apart; refining %s of them took %s windows"
        " beside the %s of the scan",
        found["factor"],
        f"{found['sites']:,}",
        options.fdr,
        f"{found['local_maxima']:,}",
        options.distance,
        f"{found['refined']:,}",
        f"{found['windows_to_refine']:,}",
        f"{found['windows']:,}",
    )
    if found["plus_strand"]:
        logger.info(
            "%s: strand: + where the site reads %s; which of the two directions is + is a convention",
            *(found["factor"], found["plus_strand"]),
        )
    elif found["sites"]:
        logger.info(
            "%s: strand: '.' throughout, as too few sites were found to align them, or no motif reads one way",
            found["factor"],
        )
