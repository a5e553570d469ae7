"""Recombination maps of the contigs of a VCF."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tfbind.contigs import some_names
from tfbind.dna.vcf import header_contigs
from tfbind.errors import TfbindError
from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.features import COMMON
from tfbind.genotypes.gaps import find_gaps
from tfbind.genotypes.mask import Accessible, Mask, apply_mask
from tfbind.genotypes.ploidy import Ploidies
from tfbind.genotypes.vcf import read_genotypes
from tfbind.recombination.checks.inbreeding import UNMEASURED, Outcrossing, find_outcrossing
from tfbind.recombination.checks.pseudo_haploid import warn_of_pseudo_haploids
from tfbind.recombination.checks.relatives import Closeness, closeness
from tfbind.recombination.checks.samples import (
    is_clonal,
    warn_of_no_recombination,
    warn_of_relatives,
    warn_of_structure,
)
from tfbind.recombination.checks.sex_chromosomes import note_of_inheritance
from tfbind.recombination.mapping.contig_map import ContigMap
from tfbind.recombination.mapping.hotspots import Hotspot
from tfbind.recombination.mapping.limits import find_signs, note_blocks
from tfbind.recombination.mapping.posterior import TokenPosterior
from tfbind.recombination.mapping.rate_model import RateModel
from tfbind.recombination.mapping.relernn import RelernnModel
from tfbind.recombination.maps.table import CM_PER_MB, RATES

logger = logging.getLogger(__name__)

FEWEST_CHROMOSOMES = 4
# a token holds four: with fewer there is no landscape to speak of
FEWEST_COMMON_SITES = 20


@dataclass(frozen=True, eq=False)
class PredictedMap:
    """Rates along every contig.

    table : DataFrame
        As `tfbind.recombination.maps.table` describes it.
    hotspots : list of Hotspot
        Rates in the table's unit.
    """

    table: pd.DataFrame
    hotspots: list[Hotspot]


def predict_map(
    vcf: Path,
    model: RateModel | RelernnModel,
    resolutions: Sequence[int],
    *,
    samples: Path | None = None,
    mask: Mask | None = None,
    mutation_rate: float | None = None,
    diversity: float | None = None,
    unphased: bool = False,
    hotspot_factor: float | None = None,
    inbreeding: float | str | None = None,
    strict: bool = False,
    ploidies: Ploidies | None = None,
) -> PredictedMap:
    """Predict the recombination rates along every contig of a VCF; memory holds one contig.

    Contigs of the mask match those of the VCF as `tfbind.contigs.Contigs` says; one that the mask lacks is masked
    wholly. What stands against a map of a contig is warned about by name
    (`tfbind.recombination.checks.samples`); where the data differ from the training simulations its rows say so too,
    and a contig that nothing can be said of has rows without rates.

    Parameters
    ----------
    vcf : Path
    model : RateModel or RelernnModel
    resolutions : sequence of int
        Widths of windows, bp.
    samples : Path or None
        A file with a name on each line.
    mask : Mask or None
        What is accessible.
    mutation_rate : float or None
        Per bp per generation; where None, rates are r/mu.
    diversity : float or None
        Pairwise differences per bp, where the VCF's sites do not tell it.
    unphased : bool
        Do not use the phase.
    hotspot_factor : float or None
        Also look for hotspots, whose rate is so many times that of their surroundings.
    inbreeding : float, "auto" or None
        The inbreeding coefficient F of a population that selfs, or "auto" to take the deficit of heterozygotes for it:
        rates are divided by 1 - F (Nordborg 2000, Genetics 154:923). Otherwise a deficit is warned about.
    strict : bool
        Refuse the file if a record cannot be read.
    ploidies : Ploidies or None
        What is stated of the samples' ploidies and of pseudoautosomal regions. A contig is mapped region by region
        where they change; its rows follow each other.

    Raises
    ------
    TfbindError
        As `tfbind.genotypes.vcf.read_genotypes` and the model's ``read``; if there is no record, no contig has sites
        that can be used, the mask has none of the contigs, or hotspots are to be found by a model without intervals.
    """
    if hotspot_factor is not None and isinstance(model, RelernnModel):
        raise TfbindError(
            "--hotspots needs intervals, which a relernn model has not, expected another --model"
        )
    if mask is not None:
        mask.names.expect(header_contigs(vcf))
    tables: list[pd.DataFrame] = []
    hotspots: list[Hotspot] = []
    together: list[Closeness] = []
    told: set[str] = set()
    contigs: list[str] = []
    is_unmeasured: list[bool] = []
    n_used, account = 0, None
    for genotypes in read_genotypes(vcf, samples, unphased=unphased, strict=strict, ploidies=ploidies):
        where = f"{vcf}: contig {genotypes.place}"
        # nothing more is asked of the calls, which fill most of the memory
        contig = map_contig(genotypes, model, where, mask, diversity, told, keep_calls=False)
        contigs.append(genotypes.contig)
        factor, note = Outcrossing(1.0, "")
        if contig.tokens is not None:
            factor, note = find_outcrossing(genotypes, inbreeding, where)
            contig = contig.with_note(note)
            is_unmeasured.append(note == UNMEASURED)
        n_used += len(genotypes.positions)
        account = genotypes.account if account is None else account + genotypes.account
        _report(contig, where, factor, mutation_rate, min(resolutions))
        _gather(together, contig)
        tables += [_times(contig.table(resolution), factor) for resolution in resolutions]
        if hotspot_factor is not None:
            hotspots += [spot._replace(rate=spot.rate * factor) for spot in contig.hotspots(hotspot_factor)]
        # or memory would hold it while the next one is read
        del genotypes, contig
    if not tables:
        raise TfbindError(f"{vcf}: has no records, expected the genotypes of one contig at least")
    if mask is not None:
        _check_contigs(mask, contigs, vcf)
    if not n_used:
        raise TfbindError(f"{vcf}: has no site that can be used: {account}")
    if is_unmeasured and all(is_unmeasured):
        raise TfbindError(
            f"{vcf}: --inbreeding auto: F cannot be measured on any contig: either no sample is diploid, or hardly a"
            " genotype is heterozygous; name F, such as --inbreeding 0.9"
        )
    # of all contigs, since on one of them chance may make relatives of strangers
    for found in together:
        warn_of_relatives(found, str(vcf))
    table = pd.concat(tables, ignore_index=True)
    if mutation_rate is not None:
        table[list(RATES)] *= mutation_rate
        hotspots = [spot._replace(rate=spot.rate * mutation_rate) for spot in hotspots]
    if len(resolutions) == 1:
        del table["scale"]
    return PredictedMap(table, hotspots)


def _times(table: pd.DataFrame, factor: float) -> pd.DataFrame:
    table[list(RATES)] *= factor
    return table


def map_contig(
    genotypes: Genotypes,
    model: RateModel | RelernnModel,
    where: str,
    mask: Mask | None = None,
    diversity: float | None = None,
    told: set[str] | None = None,
    *,
    keep_calls: bool = True,
) -> ContigMap:
    """Check a contig's genotypes, and let the network read them if they can be read.

    Parameters
    ----------
    genotypes : Genotypes
    model : RateModel or RelernnModel
    where : str
        What warnings begin with.
    mask : Mask or None
    diversity : float or None
    told : set of str or None
        What was warned about on other contigs and need not be said again; grows.
    keep_calls : bool
        Whether the calls can be read afterwards; if not, packed ones are let go while the network reads them.
    """
    told = set() if told is None else told
    accessible = None
    if mask is not None:
        genotypes, accessible = apply_mask(genotypes, mask), mask.on(genotypes.contig)
    calibration = model.card.calibration
    if mask is not None and mask.names.find(genotypes.contig) is None:
        return ContigMap(genotypes, accessible, None, calibration, "masked")
    refusal, why = _why_not(genotypes, accessible)
    if refusal:
        logger.warning("%s: %s: its rates are NA", where, why)
        note = ",".join(filter(None, [refusal, genotypes.inheritance]))
        return ContigMap(genotypes, accessible, None, calibration, note)
    warn_of_no_recombination(genotypes, where)
    if "structure" not in told and warn_of_structure(genotypes, where):
        told.add("structure")
    close = closeness(genotypes)
    others = [
        note_of_inheritance(genotypes, where),
        warn_of_pseudo_haploids(genotypes, where, accessible),
    ]
    signs = find_signs(genotypes, model, accessible, diversity)
    tokens, note = _read(genotypes, model, where, accessible, diversity, keep_calls)
    if tokens is None:
        return ContigMap(genotypes, accessible, None, calibration, note)
    note = ",".join(filter(None, [note, *others]))
    noted = note_blocks(signs, tokens, model, where)
    return ContigMap(genotypes, accessible, tokens, calibration, note, noted, close)


def _gather(together: list[Closeness], contig: ContigMap) -> None:
    """Add how close the samples are on a contig to what is known of the same samples."""
    here = contig.closeness
    if here is None:
        return
    if together and (together[-1].samples, len(together[-1].singletons)) == (
        here.samples,
        len(here.singletons),
    ):
        here = together.pop() + here
    together.append(here)


def _why_not(genotypes: Genotypes, mask: Accessible | None) -> tuple[str, str]:
    """Say why nothing can be said of a contig, as a note and in words; both are empty if something can."""
    n = genotypes.n_chromosomes
    if n < FEWEST_CHROMOSOMES:
        return "too_few_samples", f"found {n} chromosomes, expected at least {FEWEST_CHROMOSOMES}"
    ones, called = genotypes.allele_counts()
    common = int((np.minimum(ones, called - ones) >= COMMON).sum())
    if common < FEWEST_COMMON_SITES:
        reason = genotypes.account.main_reason()
        return f"too_few_sites,{reason}" if reason else "too_few_sites", (
            f"found {common} sites whose rarer allele was seen {COMMON} times or more, expected at least"
            f" {FEWEST_COMMON_SITES} ({genotypes.account})"
        )
    if is_clonal(genotypes, mask):
        return "clonal", (
            "found hardly any recombination between distant sites, as among clones or on a chromosome that does not"
            " recombine"
        )
    return "", ""


def _read(
    genotypes: Genotypes,
    model: RateModel | RelernnModel,
    where: str,
    mask: Accessible | None,
    diversity: float | None,
    keep_calls: bool,
) -> tuple[TokenPosterior | None, str]:
    """Let the network read a contig; the note tells why it cannot, or that it lies outside what training has seen."""
    tokens, unlike = model.read(genotypes, mask, diversity, keep_calls=keep_calls)
    if tokens is None:
        logger.warning("%s: %s: its rates are NA", where, unlike)
        return None, "too_short"
    if unlike:
        logger.warning(
            "%s: the data lie outside what the network has learnt from (%s): neither rates nor intervals are to be"
            " trusted; see tfbind recombination simulate and train",
            where,
            unlike,
        )
    return tokens, "outside_training" if unlike else ""


def _check_contigs(mask: Mask, contigs: list[str], vcf: Path) -> None:
    """Refuse a mask of other contigs, and name those that it lacks."""
    mask.names.match(contigs, vcf, among=header_contigs(vcf))
    lacking = [contig for contig in contigs if mask.names.find(contig) is None]
    if lacking:
        logger.warning(
            "%s: has no intervals on %s, which is masked wholly: its rates are NA",
            mask.path,
            some_names(lacking),
        )


def _report(
    contig: ContigMap, where: str, factor: float, mutation_rate: float | None, resolution: int
) -> None:
    """Say what was used, what was taken for a gap, and what the mean rate is."""
    if contig.tokens is None:
        return
    found = contig.genotypes
    _report_gaps(contig, where)
    unit = "r/mu" if mutation_rate is None else "cM/Mb"
    factor *= 1.0 if mutation_rate is None else mutation_rate * CM_PER_MB
    rate, lower, upper = (x * factor for x in contig.mean_rate(resolution))
    logger.info(
        "%s: %d samples (%d chromosomes, %s), %s sites in %.2f Mb, mean rate %.3g%s %s",
        where,
        len(found.samples) or len(set(found.sample_of_column().tolist())),
        found.n_chromosomes,
        "haploid or phased" if found.ploidy == 1 else "unphased",
        f"{len(found.positions):,}",
        contig.accessible.n_bases / 1e6,
        rate,
        "" if np.isnan(lower) else f" ({lower:.3g} to {upper:.3g})",
        unit,
    )


def _report_gaps(contig: ContigMap, where: str) -> None:
    """Say how much is taken for inaccessible though no mask says so."""
    starts, ends = find_gaps(contig.genotypes, contig.mask)
    if len(starts):
        logger.info(
            "%s: %s bp in %d stretch%s without a site, too long for chance, are taken for inaccessible",
            where,
            f"{(ends - starts).sum():,}",
            len(starts),
            "es" if len(starts) > 1 else "",
        )
