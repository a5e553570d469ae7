"""Windows of raw sites, as ReLERNN's network reads them (Adrion, Galloway & Kern 2020, Mol Biol Evol 37:1790)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfbind.errors import TfbindError
from tfbind.genotype_tensors import Regions, open_regions
from tfbind.genotypes.contig import MISSING, Genotypes
from tfbind.genotypes.simulation import Region
from tfbind.progress import Progress
from tfbind.training.data import Examples


class SiteWindow(NamedTuple):
    """The sites of a window.

    alleles : (sites, columns) int8, of each haplotype -1 the commoner allele, 1 the rarer one; of an unphased sample
        their mean; 0 also where a call is missing
    places : (sites,) float32, from 0 to 1 along the window
    """

    alleles: np.ndarray
    places: np.ndarray


@dataclass(frozen=True, eq=False)
class KnownWindows:
    """Windows of a simulated region.

    windows : list of SiteWindow
    rate : (windows,) float64, true r/mu
    """

    windows: list[SiteWindow]
    rate: np.ndarray


@dataclass(frozen=True)
class Sample:
    """What a network of raw sites was made for, and reads nothing else: so many columns of such a ploidy."""

    columns: int
    ploidy: int

    @classmethod
    def of(cls, genotypes: Genotypes) -> Sample:
        """Describe the columns of genotypes."""
        return cls(genotypes.calls.shape[1], genotypes.ploidy)

    def __str__(self) -> str:
        return f"{self.columns} {'haplotypes' if self.ploidy == 1 else 'unphased diploids'}"


def cut_windows(genotypes: Genotypes, starts: np.ndarray, width: int) -> list[SiteWindow]:
    """Cut out windows of ``width`` bp. Alleles are folded, so that which one is ancestral is never asked."""
    ones, called = genotypes.allele_counts()
    sign = np.where(2 * ones > called, -1, 1).astype(np.int8)[:, None]

    def alleles(i: int, j: int) -> np.ndarray:
        # of the sites of a window, as all of a contig's would be held several times
        calls = np.asarray(genotypes.calls[i:j])
        return np.where(calls == MISSING, np.int8(0), (calls * 2 // genotypes.ploidy - 1) * sign[i:j])

    first = np.searchsorted(genotypes.positions, starts)
    last = np.searchsorted(genotypes.positions, starts + width)
    return [
        SiteWindow(alleles(i, j), ((genotypes.positions[i:j] - start) / width).astype(np.float32))
        for start, i, j in zip(starts, first, last, strict=True)
    ]


def stack_windows(windows: Sequence[SiteWindow], most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Put windows into the network's inputs; one with more than ``most`` sites keeps so many, evenly spaced.

    Returns
    -------
    alleles : (n, steps, columns) float32, as long as the longest
    places : (n, most) float32
    valid_length : (n,) int32
    """
    valid_length = np.array([min(len(window.places), most) for window in windows], np.int32)
    alleles = np.zeros((len(windows), max(1, valid_length.max()), windows[0].alleles.shape[1]), np.float32)
    places = np.zeros((len(windows), most), np.float32)
    for row, (window, n) in enumerate(zip(windows, valid_length, strict=True)):
        kept = np.linspace(0, len(window.places) - 1, n).round().astype(int)
        alleles[row, :n], places[row, :n] = window.alleles[kept], window.places[kept]
    return alleles, places, valid_length


def region_windows(region: Region, width: int) -> KnownWindows:
    """Tile a simulated region; what is left over at its end is not used."""
    starts = np.arange(0, region.length - width + 1, width)
    total = region.rate_map().get_cumulative_mass(np.append(starts, starts[-1] + width).astype(float))
    return KnownWindows(
        cut_windows(region.genotypes(), starts, width), np.diff(total) / width / region.mutation_rate
    )


def read_windows(paths: Sequence[Path], width: int | None) -> tuple[list[KnownWindows], Sample, int]:
    """Read files of `tfbind recombination simulate` and cut each region into windows.

    Parameters
    ----------
    paths : sequence of Path
    width : int or None
        bp; None for whole regions, of the first one's length.

    Returns
    -------
    regions, sample, width

    Raises
    ------
    TfbindError
        If a file is no simulation or empty, or a region is shorter than ``width``, or of another number of haplotypes
        than the first one, or phased where that is not.
    """
    found: list[KnownWindows] = []
    sample: Sample | None = None
    for path in paths:
        with open_regions(path) as regions:
            if not len(regions):
                raise TfbindError(f"{path}: found no regions, expected some to learn from")
            width = width or int(regions.rows["length"][0])
            sample = _one_sample(path, regions, width, sample)
            with Progress("cutting windows", len(regions), "regions") as progress:
                for index in range(len(regions)):
                    found.append(region_windows(regions.region(index), width))
                    progress.update(1)
    assert sample is not None
    assert width is not None
    return found, sample, width


def _one_sample(path: Path, regions: Regions, width: int, known: Sample | None) -> Sample:
    """Check that windows of this width, of the same columns, can be cut out of each region."""
    rows = regions.rows
    ploidy = np.where((rows["ploidy"] == 2) & (rows["phased"] == 0), 2, 1)
    columns = rows["haplotypes_n"] // ploidy
    known = known or Sample(int(columns[0]), int(ploidy[0]))
    for name, length, *sample in zip(rows["id"], rows["length"], columns, ploidy, strict=True):
        if length < width:
            raise TfbindError(
                f"{path}: found region {name} of {length:,} bp, expected at least the {width:,} of a window"
            )
        here = Sample(*map(int, sample))
        if here != known:
            raise TfbindError(
                f"{path}: found region {name} with {here}, expected {known} as in the first region: this network reads"
                " one kind of sample (see --samples, --ploidy, --perfect and --prior of tfbind recombination simulate)"
            )
    return known


@dataclass(frozen=True)
class Target:
    """Mean and standard deviation of the rates that training has seen, r/mu: what is predicted is scaled by them."""

    mean: float
    sd: float

    @classmethod
    def of(cls, rates: np.ndarray) -> Target:
        """Describe rates, which may be all the same."""
        return cls(float(rates.mean()), float(rates.std()) or 1.0)


class WindowExamples:
    """Windows for `tfbind.training.fit.fit`.

    Parameters
    ----------
    training, validation : list of KnownWindows
        A region each.
    sites : int
        The most that a window keeps.
    seed : int
        Of the windows' order and that of their columns.
    """

    def __init__(
        self, training: list[KnownWindows], validation: list[KnownWindows], *, sites: int, seed: int
    ):
        self._windows = [window for region in training for window in region.windows]
        self._rate = np.concatenate([region.rate for region in training])
        self._held_out = validation
        self.sites, self._seed = sites, seed
        self.target = Target.of(self._rate)
        self.n_train = len(self._windows)

    def batches(self, epoch: int, size: int) -> Iterator[Examples]:
        """Give every window once, its columns in any order, since that means nothing."""
        rng = np.random.default_rng([self._seed, epoch])
        order = rng.permutation(self.n_train)
        columns = self._windows[0].alleles.shape[1]
        for at in range(0, self.n_train, size):
            chosen = order[at : at + size]
            windows = [
                self._windows[i]._replace(alleles=self._windows[i].alleles[:, rng.permutation(columns)])
                for i in chosen
            ]
            yield self._examples(windows, self._rate[chosen])

    def validation(self, size: int) -> Iterator[Examples]:
        """Give the validation regions' windows as they are."""
        windows = [window for region in self._held_out for window in region.windows]
        rate = np.concatenate([region.rate for region in self._held_out])
        for at in range(0, len(windows), size):
            yield self._examples(windows[at : at + size], rate[at : at + size])

    def _examples(self, windows: Sequence[SiteWindow], rate: np.ndarray) -> Examples:
        y = ((rate - self.target.mean) / self.target.sd).astype(np.float32)[:, None]
        return Examples(stack_windows(windows, self.sites), y)
