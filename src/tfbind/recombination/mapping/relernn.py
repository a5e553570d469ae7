"""The model file of ReLERNN's network, and the network out of it at work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfbind.errors import TfbindError
from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.mask import Accessible
from tfbind.networks.outlines import relernn_outline
from tfbind.recombination.mapping.posterior import Calibration, TokenPosterior
from tfbind.recombination.mapping.schema import check_site_card
from tfbind.recombination.mapping.site_windows import Sample, SiteWindow, Target, cut_windows, stack_windows
from tfbind.recombination.options import SCALES
from tfbind.training.device import prepare
from tfbind.training.model_file import fill, write_model
from tfbind.training.stored_network import check_outputs, read_network

KIND, ARCHITECTURE = "rates", "relernn"
WINDOWS_AT_ONCE = 64
NO_INTERVALS = Calibration((np.nan,) * len(SCALES), (np.nan,) * len(SCALES))


@dataclass(frozen=True, kw_only=True)
class RelernnCard:
    """What the model file says of itself.

    units : of the network
    window : bp
    sample : Sample
    sites : the most that a window keeps
    mean_sites : the fewest and the most that a training region's windows have on average
    target : Target
    training : provenance: options, sources, the prior, figures, epochs
    """

    units: int
    window: int
    sample: Sample
    sites: int
    mean_sites: tuple[float, float]
    target: Target
    training: dict[str, Any]

    @property
    def calibration(self) -> Calibration:
        """Of intervals, which this network has none of."""
        return NO_INTERVALS


def save_relernn(path: Path, network: Any, card: RelernnCard) -> None:
    """Write the model file of a Keras network, whole or not at all."""
    write_model(path, network, {"kind": KIND, "architecture": ARCHITECTURE, **asdict(card)})


class RelernnModel:
    """ReLERNN's network, ready to read contigs: one rate a window, without an interval.

    card : RelernnCard
    """

    def __init__(self, card: RelernnCard, outputs: Callable[..., np.ndarray]):
        self.card = card
        self._outputs = outputs

    def read(
        self,
        genotypes: Genotypes,
        mask: Accessible | None = None,
        diversity: float | None = None,
        *,
        keep_calls: bool = True,
    ) -> tuple[TokenPosterior | None, str]:
        """Predict the rates along a contig; its windows stand for `posterior.TokenPosterior`' tokens.

        The last window ends where the contig does and overlaps the one before. Unless ``keep_calls``, packed calls can
        not be read afterwards, as those of `tfbind.recombination.mapping.rate_model.RateModel.read`.

        Returns
        -------
        tokens : TokenPosterior or None
            Without spreads. None where the contig is shorter than a window.
        unlike : str
            How the data differ from those of training; empty if they do not.

        Raises
        ------
        TfbindError
            If the sample is not of the kind that the network reads, or a mask or diversity is given, for neither of
            which raw sites have a place.
        """
        if mask is not None or diversity is not None:
            raise TfbindError(
                f"found {'a mask' if mask is not None else 'a diversity'}, expected none: a relernn model takes the"
                " sites as they are"
            )
        card, sample = self.card, Sample.of(genotypes)
        if sample != card.sample:
            raise TfbindError(
                f"contig {genotypes.contig}: found {sample}, expected {card.sample} as in the simulations that the"
                " relernn model was trained on"
            )
        edges = np.append(np.arange(genotypes.start, genotypes.end, card.window), genotypes.end)
        starts = np.minimum(edges[:-1], genotypes.end - card.window)
        if starts[0] < genotypes.start:
            return None, f"found {genotypes.end - genotypes.start:,} bp, expected a window of {card.window:,}"
        windows = cut_windows(genotypes, starts, card.window)
        if not keep_calls:
            genotypes.let_go()
        spread = np.full((len(windows), len(SCALES)), np.nan)
        tokens = TokenPosterior.from_edges(edges, self.rates(windows), spread)
        return tokens, self._unlike(np.array([len(window.places) for window in windows]))

    def rates(self, windows: list[SiteWindow]) -> np.ndarray:
        """Predict the r/mu of windows: (windows,) float64, 0 where less is predicted."""
        found = [
            self._outputs(*stack_windows(windows[at : at + WINDOWS_AT_ONCE], self.card.sites))[:, 0]
            for at in range(0, len(windows), WINDOWS_AT_ONCE)
        ]
        target = self.card.target
        return np.maximum(np.concatenate(found).astype(float) * target.sd + target.mean, 0.0)

    def _unlike(self, sites: np.ndarray) -> str:
        low, high = self.card.mean_sites
        if (sites > self.card.sites).any():
            return (
                f"{(sites > self.card.sites).sum()} of {len(sites)} windows have more than {self.card.sites:,} sites,"
                " the most of training, and are thinned"
            )
        if not low <= sites.mean() <= high:
            return f"windows have {sites.mean():,.0f} sites on average, in training {low:,.0f} to {high:,.0f}"
        return ""


def load_relernn(path: Path, values: dict[str, Any], *, threads: int | None = None) -> RelernnModel:
    """Load the network of a model file, whose card holds ``values``; needs TensorFlow.

    Raises
    ------
    TfbindError
        If the card is damaged or the weights do not fit it.
    """
    found = check_site_card(path, values)
    card = RelernnCard(
        units=found.units,
        window=found.window,
        sample=Sample(found.sample.columns, found.sample.ploidy),
        sites=found.sites,
        mean_sites=found.mean_sites,
        target=Target(mean=found.target.mean, sd=found.target.sd),
        training=values["training"],
    )
    read_network(path, relernn_outline(columns=card.sample.columns, sites=card.sites, units=card.units))
    prepare(threads=threads)

    from tfbind.networks.relernn import relernn_network
    from tfbind.training.forward import make_forward

    network = relernn_network(columns=card.sample.columns, sites=card.sites, units=card.units)
    fill(network, path)
    forward = make_forward(network)
    return RelernnModel(card, lambda *inputs: check_outputs(path, forward(*inputs)))
