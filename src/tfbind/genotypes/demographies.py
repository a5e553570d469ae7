"""Histories of population size, drawn from the prior or read from a demes file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import demes
import msprime
import numpy as np

from tfbind.errors import TfbindError
from tfbind.genotypes.prior import Prior, choose
from tfbind.yaml_files import read_yaml_text

GROWTH_STEPS = 24
WALK_SPAN = (0.002, 3.0)
WALK_LIMIT = np.log(30)
SAMPLED = "sampled"


class SampledDemography(NamedTuple):
    """A demographic model, times in generations, and what is sampled of it at present.

    model : msprime.Demography
    deme : str
    mean_coalescence_time : float
        Of two lineages in the deme, generations; msprime integrates it to within a thousandth.
    """

    model: msprime.Demography
    deme: str
    mean_coalescence_time: float


@dataclass(frozen=True)
class Structure:
    """Another population, which had parted from the one that is sampled and met it again.

    meeting, parting : float
        Times backwards from the present; before ``parting`` they are one.
    share : float
        Of the sampled population's ancestors at ``meeting``, those from the other one.
    size : float
        Of the other one, diploid individuals.
    """

    meeting: float
    parting: float
    share: float
    size: float


@dataclass(frozen=True)
class SizeHistory:
    """One population whose size is constant between times.

    times : tuple of float
        Where each epoch begins, backwards from the present: 0 first, ascending.
    sizes : tuple of float
        Diploid individuals in each.
    structure : Structure or None

    Units are generations and individuals, or 2 N generations and N; which, whoever makes it says.
    """

    times: tuple[float, ...]
    sizes: tuple[float, ...]
    structure: Structure | None = None

    def mean_coalescence_time(self, per_size: float = 2.0) -> float:
        """Mean time to the common ancestor of two lineages, in units of ``times``.

        Parameters
        ----------
        per_size : float
            Mean time of a population of size 1: 2 where time is in generations, 1 where it is in 2 N generations.

        Notes
        -----
        The sum over epochs of the chance to reach one, times the mean time spent in it (Griffiths & Tavare
        1994, Phil. Trans. R. Soc. B 344:403); with a structure msprime integrates, to within a thousandth.
        """
        if self.structure is not None:
            # in thousands of generations, which msprime's steps are made for
            size = 1e4 if per_size == 1 else 1.0
            generations = 2 / per_size * size
            model = self._scaled(generations, size).to_model()
            return float(model.debug().mean_coalescence_time({SAMPLED: 2})) / generations
        scale = per_size * np.array(self.sizes)
        rest = np.exp(-np.diff(self.times) / scale[:-1])
        reached = np.concatenate([[1.0], np.cumprod(rest)])
        return float((reached * scale * (1 - np.append(rest, 0.0))).sum())

    def mean_tree_length(self, n: int) -> float:
        """Mean length of all branches above ``n`` lineages, times in generations, to within a tenth or so.

        The number of lineages A is followed as if it fell steadily, dA/dt = -A (A - 1) / (4 N); what is integrated is
        A - 1. Where N is constant that gives 4 N ln(n), for 4 N (1 + 1/2 + ... + 1/(n-1)). A structure is left out.
        """
        scale = 4 * np.array(self.sizes)
        decay = np.append(np.exp(-np.diff(self.times) / scale[:-1]), 0.0)
        begin = (1 - 1 / n) * np.concatenate([[1.0], np.cumprod(decay[:-1])])
        return float((scale * np.log((1 - begin * decay) / (1 - begin))).sum())

    def in_generations(self, diversity: float, mutation_rate: float) -> SizeHistory:
        """Scale a history in units of N to one in generations with the expected ``diversity`` per bp."""
        n = diversity / (4 * mutation_rate * self.mean_coalescence_time(per_size=1.0))
        return self._scaled(2 * n, n)

    def to_demography(self) -> SampledDemography:
        """Give the history, in generations, as msprime's."""
        return SampledDemography(self.to_model(), SAMPLED, self.mean_coalescence_time())

    def _scaled(self, time: float, size: float) -> SizeHistory:
        structure = self.structure and replace(
            self.structure,
            meeting=self.structure.meeting * time,
            parting=self.structure.parting * time,
            size=self.structure.size * size,
        )
        return SizeHistory(
            tuple(time * t for t in self.times), tuple(size * s for s in self.sizes), structure
        )

    def to_model(self) -> msprime.Demography:
        """Give the history, in generations, as msprime's; what is sampled is its population SAMPLED."""
        model = msprime.Demography()
        model.add_population(name=SAMPLED, initial_size=self.sizes[0])
        for time, size in zip(self.times[1:], self.sizes[1:], strict=True):
            model.add_population_parameters_change(time=time, population=SAMPLED, initial_size=size)
        if self.structure is not None:
            meeting, parting, share = self.structure.meeting, self.structure.parting, self.structure.share
            model.add_population(name="other", initial_size=self.structure.size)
            model.add_mass_migration(time=meeting, source=SAMPLED, dest="other", proportion=share)
            model.add_mass_migration(time=parting, source="other", dest=SAMPLED, proportion=1.0)
            model.sort_events()
        return model


def draw_history(rng: np.random.Generator, prior: Prior) -> tuple[str, SizeHistory]:
    """Draw a history: its name in the prior, and sizes and times in units of N and 2 N generations."""
    name, history = _draw_sizes(rng, prior)
    has_structure, meeting = rng.random() < prior.structure, prior.structure_meeting.draw(rng)
    parting = meeting + prior.structure_parted.draw(rng)
    structure = Structure(meeting, parting, prior.structure_share.draw(rng), prior.structure_size.draw(rng))
    return name, replace(history, structure=structure if has_structure else None)


def _draw_sizes(rng: np.random.Generator, prior: Prior) -> tuple[str, SizeHistory]:
    name = choose(rng, prior.demographies)
    if name == "bottleneck":
        end, size = prior.bottleneck_end.draw(rng), prior.bottleneck_size.draw(rng)
        return name, SizeHistory((0.0, end, end + prior.bottleneck_duration.draw(rng)), (1.0, size, 1.0))
    if name in ("expansion", "decline"):
        time, factor = prior.change_time.draw(rng), prior.change_factor.draw(rng)
        return name, SizeHistory((0.0, time), (1.0, 1 / factor if name == "expansion" else factor))
    if name == "random_walk":
        epochs = max(2, prior.walk_epochs.draw_int(rng))
        log_size = np.cumsum(rng.normal(0, prior.walk_step.draw(rng), epochs)).clip(-WALK_LIMIT, WALK_LIMIT)
        times = [0.0, *np.geomspace(*WALK_SPAN, epochs - 1).tolist()]
        return name, SizeHistory(tuple(times), tuple(np.exp(log_size).tolist()))
    if name == "growth":
        return name, _growth(rng, prior)
    return name, SizeHistory((0.0,), (1.0,))


def _growth(rng: np.random.Generator, prior: Prior) -> SizeHistory:
    """Growth in the spectrum and a bottleneck in the LD, as Europeans have.

    The shape is that of Gutenkunst 2009 (PLoS Genet. 5:e1000695) and Tennessen 2012 (Science 337:64): an ancient
    expansion, a long bottleneck, a second dip when growth starts, and growth that may quicken.
    """
    bottleneck = prior.growth_bottleneck_time.draw(rng)
    size = prior.growth_bottleneck_size.draw(rng)
    start = bottleneck * prior.growth_start.draw(rng)
    start_size = size * prior.growth_start_size.draw(rng)
    log_factor = np.log(prior.growth_factor.draw(rng))
    acceleration = prior.growth_acceleration.draw(rng)
    # finer towards the present, where an accelerated growth is
    edges = start * np.linspace(0, 1, GROWTH_STEPS + 1) ** 2
    elapsed = 1 - (edges[:-1] + edges[1:]) / (2 * start)
    growing = start_size * np.exp(log_factor * elapsed**acceleration)
    ancient = bottleneck + prior.growth_ancient_time.draw(rng)
    return SizeHistory(
        (*edges[:-1].tolist(), start, bottleneck, ancient),
        (*growing.tolist(), size, 1.0, prior.growth_ancient_size.draw(rng)),
    )


def read_demography(path: Path, deme: str | None = None) -> SampledDemography:
    """Read a demes file (Gower 2022, Genetics 222:iyac131).

    Parameters
    ----------
    path : Path
        YAML (or JSON). Times in years are turned into generations.
    deme : str, optional
        The deme that is sampled; may be left out where only one lives to the present.

    Raises
    ------
    TfbindError
        If the file is missing or no demographic model, or the deme is unknown, extinct or not named where there
        are several.
    """
    text = read_yaml_text(path)
    try:
        graph = demes.loads(text).in_generations()
        model = msprime.Demography.from_demes(graph)
    except Exception as error:  # the readers of YAML and of models raise errors of a dozen types
        reason = " ".join(str(error).split())
        raise TfbindError(f"{path}: not a demographic model that demes can read ({reason})") from None
    living = [d.name for d in graph.demes if d.end_time == 0]
    if deme is None and len(living) == 1:
        deme = living[0]
    if deme is None or deme not in living:
        found = f"{len(living)} demes at present" if deme is None else f"no deme {deme!r} at present"
        raise TfbindError(
            f"{path}: found {found}, expected --deme with one of {', '.join(living) or '(none)'}"
        )
    return SampledDemography(model, deme, _mean_coalescence_time(path, model, deme))


def _mean_coalescence_time(path: Path, model: msprime.Demography, deme: str) -> float:
    try:
        # sizes and times near the limits of float64 give NaN, and a warning
        with np.errstate(all="ignore"):
            mean = float(model.debug().mean_coalescence_time({deme: 2}))
    except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        raise TfbindError(
            f"{path}: the mean coalescence time in deme {deme!r} has no value ({error})"
        ) from None
    if not 0 < mean < np.inf:
        raise TfbindError(
            f"{path}: the mean coalescence time in deme {deme!r} is {mean:g} generations, expected a finite number"
            " above 0; check its sizes and times"
        )
    return mean
