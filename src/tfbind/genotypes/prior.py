"""What regions are simulated for training: every range in one table, with the reason for each.

Only two compounds of population size, mutation rate and recombination rate show in genotypes: the diversity
4 N mu and the ratio r/mu (Hudson 1983, Theor. Popul. Biol. 23:183). So the mutation rate here is a unit, and a
network trained on these regions serves mutation rates from 1e-9 to 1e-7 alike: lengths are counted in expected
pairwise differences, and what is learnt is r/mu.
"""

# ruff: noqa: RUF009 - the rows are made by functions, and hold nothing that changes

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML, YAMLError

from tfbind.errors import TfbindError
from tfbind.yaml_files import read_yaml_text


@dataclass(frozen=True)
class Range:
    """From ``low`` to ``high``, drawn evenly, or evenly in logarithms; ``most`` is the highest that makes sense."""

    low: float
    high: float
    log: bool = False
    most: float = np.inf

    def draw(self, rng: np.random.Generator) -> float:
        """Draw one value."""
        if self.low == self.high:
            return self.low
        if self.log:
            return float(np.exp(rng.uniform(np.log(self.low), np.log(self.high))))
        return float(rng.uniform(self.low, self.high))

    def draw_int(self, rng: np.random.Generator) -> int:
        """Draw one whole number."""
        return round(self.draw(rng))


def _even(low: float, high: float, why: str, most: float = np.inf) -> Any:
    return field(default=Range(low, high, most=most), metadata={"why": why})


def _log(low: float, high: float, why: str, most: float = np.inf) -> Any:
    return field(default=Range(low, high, log=True, most=most), metadata={"why": why})


def _share(value: float, why: str) -> Any:
    return field(default=value, metadata={"why": why})


def _weights(why: str, **weights: float) -> Any:
    return field(default_factory=lambda: dict(weights), metadata={"why": why})


@dataclass(frozen=True, kw_only=True)
class Prior:
    """The table. Ranges are drawn for each region on its own; a share is that of the regions which have it.

    Times are in units of 2 N generations and sizes in units of N, the size at present (of `growth`: before the
    bottleneck); N itself follows from the diversity. Lengths are in bp, at the diversity that is drawn.
    """

    # sample
    haplotypes: Range = _log(4, 400, "from two diploids to a population of the 1000 Genomes (2015)")
    haploid: float = _share(
        0.1, "inbred lines, haploid embryos, microbes: one haplotype a sample, phase known"
    )
    diversity: Range = _log(
        2e-4, 1.5e-3, "pairwise differences per bp; sets how fine a landscape's steps are against the SNPs'"
    )
    mutation_rate: float = _share(1.25e-8, "a unit, see above; this one is human (Scally & Durbin 2012)")

    # size history
    demographies: dict[str, float] = _weights(
        "human and Drosophila populations have grown, most have shrunk at some time; growth gets the most",
        constant=0.1,
        bottleneck=0.2,
        expansion=0.15,
        decline=0.1,
        random_walk=0.2,
        growth=0.25,
    )
    bottleneck_end: Range = _log(0.003, 0.3, "60 to 6,000 generations ago at N = 10,000")
    bottleneck_duration: Range = _log(0.005, 0.3, "100 to 6,000 generations at N = 10,000")
    bottleneck_size: Range = _log(0.02, 0.5, "deeper and longer ones leave hardly a SNP")
    change_time: Range = _log(0.003, 0.5, "of expansion or decline: later none shows, earlier it is the past")
    change_factor: Range = _log(2, 30, "size after over size before an expansion; a decline is its reverse")
    walk_epochs: Range = _even(5, 20, "between 0.002 and 3, evenly in logarithms")
    walk_step: Range = _log(0.1, 0.6, "standard deviation of the log size from epoch to epoch")
    growth_bottleneck_time: Range = _log(
        0.06, 0.5, "out of Africa: 0.38 in Gutenkunst 2009, 0.07 to 0.14 in Tennessen 2012"
    )
    growth_bottleneck_size: Range = _log(0.05, 0.4, "0.17 in Gutenkunst 2009, 0.13 in Tennessen 2012")
    growth_start: Range = _even(0.1, 0.6, "over the bottleneck's time: 0.15 and 0.45", most=1)
    growth_start_size: Range = _even(0.4, 1.0, "over the bottleneck's size: 0.48 and 0.55")
    growth_factor: Range = _log(5, 500, "size at present over size when growth starts: 30 and 500")
    growth_acceleration: Range = _even(1, 4.5, "1 is exponential; 4 bends like Tennessen 2012's two speeds")
    growth_ancient_size: Range = _log(
        0.3, 2.0, "before an ancient expansion: 0.59 and 0.50; a decline above 1"
    )
    growth_ancient_time: Range = _even(0.1, 0.5, "of it, before the bottleneck")
    structure: float = _share(
        0.2, "two populations that had parted and met again: their LD is long, their diversity uneven"
    )
    structure_meeting: Range = _log(
        0.02,
        0.6,
        "0.07 for Neanderthals and humans (Green 2010), 0.35 for the deep structure of Cousins 2025",
    )
    structure_parted: Range = _log(0.3, 3.0, "how long until then: 0.6 and 1.4 of the same")
    structure_share: Range = _log(0.02, 0.4, "that came from the other: 0.02 and 0.2", most=1)
    structure_size: Range = _log(0.1, 2.0, "of the other")

    # recombination
    rate_ratio: Range = _log(
        0.03, 10, "a region's mean r/mu: 0.8 in humans, 2 to 8 in Drosophila, 0.05 in human deserts"
    )
    largest_events: float = _share(
        10_000,
        "cap of expected crossovers and conversions on a region's trees: the time goes with its square",
    )
    largest_ratio: Range = _log(
        13,
        200,
        "cap of r/mu anywhere: hotspots of the deCODE map (Halldorsson 2019) reach 100 at mu = 1.25e-8",
    )
    landscapes: dict[str, float] = _weights(
        "half hotspots in one form or another; smooth ones are Drosophila's and birds'",
        hotspots=0.37,
        autoregressive=0.3,
        heavy_tails=0.2,
        piecewise=0.07,
        flat=0.06,
    )
    hotspot_spacing: Range = _log(10_000, 200_000, "one in 50 to 100 kb in humans (Myers 2005)")
    hotspot_width: Range = _log(700, 8_000, "1 to 2 kb in humans, blurred maps show up to 5 kb")
    hotspot_share: Range = _even(0.3, 0.95, "of the genetic length: 60 to 80% in humans (Myers 2005)", most=1)
    hotspot_spread: Range = _even(0.5, 1.5, "standard deviation of log heat")
    hotspot_background: Range = _even(0, 1.0, "standard deviation of the log rate between hotspots")
    step: Range = _log(500, 30_000, "bp between changes of an autoregressive or heavy-tailed rate")
    correlation: Range = _even(0.5, 0.99, "of the log rate from step to step", most=1)
    spread: Range = _even(0.3, 2.1, "standard deviation of the log rate, smooth landscapes")
    heavy_step: Range = _log(500, 5_000, "bp; the HapMap (2007) and deCODE (2019) maps change each 1 to 5 kb")
    heavy_spread: Range = _even(1.5, 2.5, "80% of the length in 10 to 20% of the sequence (McVean 2004)")
    pieces: Range = _log(2, 12, "levels of a piecewise constant region")
    gene_conversion: float = _share(0.1, "costs three to ten times the time, and only short distances see it")
    conversion_ratio: Range = _log(0.5, 8, "over crossovers: 2 to 10 in mammals, 3 to 5 in Drosophila")
    conversion_tract: Range = _log(
        50, 1_000, "bp: 100 in mammals (Cole 2014), 500 in Drosophila (Miller 2016)"
    )

    # mutation
    uneven_mutation: float = _share(
        0.3, "diversity that differs along a contig though recombination does not"
    )
    mutation_step: Range = _log(3_000, 100_000, "bp between changes")
    mutation_spread: Range = _even(
        0.1,
        0.5,
        "standard deviation of the log rate: little at 1 Mb, more in short stretches (Hodgkinson 2011)",
    )

    # observation
    unphased: float = _share(0.2, "genotypes without phase")
    switches: float = _share(0.2, "phase from a program that errs")
    switch_rate: Range = _log(
        1e-3, 0.05, "per heterozygous site: 0.006 for common ones in 1000 Genomes (2015)", most=1
    )
    errors: float = _share(0.15, "wrong alleles")
    error_rate: Range = _log(1e-5, 1e-2, "per allele: 1e-4 in deep, 1e-2 in shallow sequencing", most=1)
    missing: float = _share(0.2, "calls that are not there")
    missing_rate: Range = _log(2e-3, 0.2, "of the calls; sites differ", most=1)
    dropout: float = _share(0.2, "variants that were not found")
    dropout_singletons: Range = _even(
        0, 0.6, "of the singletons, of doubletons half of it, and so on", most=1
    )
    dropout_variants: Range = _log(0.005, 0.2, "of all variants: filters", most=1)
    chip: float = _share(0.06, "an array's variants alone")
    chip_spacing: Range = _log(1_000, 15_000, "bp between its SNPs: 0.2 to 3 million on a human genome")
    chip_panel: Range = _log(4, 40, "haplotypes in which its SNPs had been found")

    def changed(self, changes: Mapping[str, Any]) -> Prior:
        """Change rows of the table.

        Parameters
        ----------
        changes : mapping
            ``[low, high]`` or one number for a range; a number for a share; a mapping for weights, where what
            is left out has weight 0.

        Raises
        ------
        TfbindError
            If a row is unknown or a value cannot stand in it.
        """
        known = {row.name for row in fields(self)}
        if unknown := [name for name in changes if name not in known]:
            raise TfbindError(f"prior: found {_shown(unknown[0])}, expected rows of the table of priors")
        return replace(
            self,
            **{name: _changed(name, getattr(self, name), value) for name, value in changes.items()},
        )


def read_prior(paths: Sequence[Path]) -> Prior:
    """Change the table by YAML files, one after the other; see `Prior.changed`.

    Raises
    ------
    TfbindError
        If a file is missing, no YAML or no mapping, or a row is wrong.
    """
    prior = Prior()
    for path in paths:
        changes = _read_yaml(path)
        if not isinstance(changes, dict):
            raise TfbindError(f"{path}: found no rows, expected lines such as 'haplotypes: [20, 40]'")
        try:
            prior = prior.changed(changes)
        except TfbindError as error:
            raise TfbindError(f"{path}: {error}") from None
    return prior


def _read_yaml(path: Path) -> Any:
    text = read_yaml_text(path)
    try:
        return YAML(typ="safe", pure=True).load(text)
    # a number, date or key that is none raises other errors inside of the library
    except (YAMLError, ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        raise TfbindError(f"{path}: is not YAML ({error})") from None


_SHOWN = reprlib.Repr()


def _shown(value: Any) -> str:
    """Show what was found, however much it is."""
    try:
        return _SHOWN.repr(value)
    except ValueError:  # a whole number of thousands of digits has no decimal text
        return "a number of thousands of digits"


LARGEST = 1e300  # of any number in the table
_NO_SHARES = ("mutation_rate", "largest_events")


def _is_number(value: Any) -> bool:
    # compared, not converted: a whole number may be beyond float64
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST


def _changed(name: str, default: Any, value: Any) -> Any:
    if isinstance(default, Range):
        low, high = value if isinstance(value, (list, tuple)) and len(value) == 2 else (value, value)
        is_range = _is_number(low) and _is_number(high) and 0 <= low <= high <= default.most
        if not is_range or (default.log and low == 0):
            least = "above 0" if default.log else "of at least 0"
            most = f" and at most {default.most}" if np.isfinite(default.most) else ""
            raise TfbindError(
                f"prior: {name}: found {_shown(value)}, expected [low, high], numbers {least}{most}"
            )
        return replace(default, low=low, high=high)
    if isinstance(default, dict):
        if not isinstance(value, Mapping) or not set(value) <= set(default) or not value:
            raise TfbindError(
                f"prior: {name}: found {_shown(value)}, expected weights of {', '.join(default)}"
            )
        if not all(_is_number(v) and v >= 0 for v in value.values()) or not sum(value.values()) > 0:
            raise TfbindError(
                f"prior: {name}: found {_shown(value)}, expected weights of at least 0, one above 0"
            )
        return dict(value)
    if name in _NO_SHARES:
        if not _is_number(value) or value <= 0:
            raise TfbindError(f"prior: {name}: found {_shown(value)}, expected a number above 0")
    elif not _is_number(value) or not 0 <= value <= 1:
        raise TfbindError(f"prior: {name}: found {_shown(value)}, expected a share from 0 to 1")
    return float(value)


def choose(rng: np.random.Generator, weights: Mapping[str, float]) -> str:
    """Draw one of the names, each as often as its weight says."""
    names = sorted(weights)
    share = np.array([weights[name] for name in names], float)
    return names[int(rng.choice(len(names), p=share / share.sum()))]
