"""Sites: local maxima of a factor's scores along sequences, at the base, with a strand and a q-value."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit, logit

from tfbind.binding.model.model import BindingModel
from tfbind.binding.scanning.maxima import keep_apart, local_maxima, smoothed
from tfbind.binding.scanning.orientation import FLANK, orient
from tfbind.binding.scanning.summits import CANDIDATES_AT_ONCE, SHIFTS, Candidates, Stretch, refine
from tfbind.dna.alphabet import AMBIGUOUS, encode_any_letters
from tfbind.errors import TfbindError

logger = logging.getLogger(__name__)

FDR = 0.1
# of the score that a site must reach: a base-by-base scan may find that much more, in log odds, than the coarse one
MARGIN = 1.0
# highest local maxima that are refined where a calibration counts on it, for each site that is expected
REFINED = 3
# of records that are refined together
BASES_AT_ONCE = 1 << 24
# share of its length that windows are apart at the most whose scores are averaged, as in `summits.SHIFTS`
NEAR = max(SHIFTS)
# between two scores of one window, as in another precision
MOST_DIFFERENT = 0.05
# a score in a table is rounded, and 1 has no log odds
_HIGHEST = 1 - 1e-7


def default_distance(model: BindingModel) -> int:
    """Bases between the summits of two sites at the least: as calibrated, or three quarters of the model's length."""
    sites = model.card.sites
    return max(3 * model.card.encoding.length // 4, 1) if sites is None else sites.distance


def default_stride(model: BindingModel) -> int:
    """Bases from window to window of the coarse scan: as calibrated, or a tenth of the model's length."""
    sites = model.card.sites
    return max(model.card.encoding.length // 10, 1) if sites is None else sites.stride


def site_probability(
    model: BindingModel, factor: int, prevalence: float | None = None
) -> Callable[[np.ndarray], np.ndarray] | None:
    """Give the function from log odds of windows to probabilities of sites that a model has for genomes, if any.

    A prevalence that was given stands in place of the one that the model knows.
    """
    sites = model.card.sites
    if sites is None or not sites.covers(factor) or prevalence is not None:
        return None
    return lambda log_odds: sites.probability(log_odds, factor)


def log_odds(probability: np.ndarray) -> np.ndarray:
    """Turn probabilities of a table into log odds, NaN where there is none."""
    return logit(np.clip(probability, 1 - _HIGHEST, _HIGHEST))


def q_values(probability: np.ndarray) -> np.ndarray:
    """Expected share of false sites among those that are at least as probable.

    The mean of 1 - p over these sites (Newton et al. 2004, Biostatistics 5:155), made monotone.

    Parameters
    ----------
    probability : (n,) float
        That each site is bound.

    Returns
    -------
    (n,) float64
    """
    order = np.argsort(-probability, kind="stable")
    false = 1 - probability[order]
    share = np.cumsum(false) / np.arange(1, len(order) + 1)
    q = np.empty(len(order))
    # sites of one probability have one q-value
    last = np.searchsorted(-probability[order], -probability[order], side="right") - 1
    q[order] = share[last]
    return q


@dataclass
class Maxima:
    """Local maxima of one factor's scores over many records, gathered record by record.

    distance : int
        Bases to the next one at the least.
    record, start, middle : lists of arrays, int64
        Number of each window's record, its start, and the base in its middle.
    score : list of arrays, float64
        Mean log odds of each window and those up to a tenth of its length away.
    window : list of arrays, float64
        Log odds of each window by itself.
    """

    distance: int
    record: list[np.ndarray] = field(default_factory=list)
    start: list[np.ndarray] = field(default_factory=list)
    middle: list[np.ndarray] = field(default_factory=list)
    score: list[np.ndarray] = field(default_factory=list)
    window: list[np.ndarray] = field(default_factory=list)

    def add(self, record: int, start: np.ndarray, end: np.ndarray, score: np.ndarray) -> None:
        """Take in the windows of a record, by start; scores are log odds, NaN where there is none."""
        reach = int(NEAR * (end - start).max(initial=0))
        mean = smoothed(start, score, reach)
        found = local_maxima(start, mean, self.distance)
        self.record.append(np.full(len(found), record, np.int64))
        self.start.append(start[found])
        self.middle.append((start[found] + end[found]) // 2)
        self.score.append(mean[found])
        self.window.append(score[found].astype(np.float64))

    def joined(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Give record, start, middle, score and window of all of them."""
        none, nothing = [np.empty(0, np.int64)], [np.empty(0)]
        whole = [np.concatenate(none + each) for each in (self.record, self.start, self.middle)]
        scores = [np.concatenate(nothing + each) for each in (self.score, self.window)]
        return *whole, *scores  # type: ignore[return-value]


@dataclass
class Sites:
    """Sites of one factor, by record and summit.

    record : (n,) int64, number of the record
    summit : (n,) int64, the base in the middle of the site; of those that were not refined, the window's middle
    score : (n,) float64, mean log odds of the windows around the site
    probability : (n,) float64
    q : (n,) float64
    refined : (n,) bool, whether the summit was looked for base by base
    strand : (n,) str, of refined sites; else "."
    consensus : str, how a site on the plus strand reads
    n_windows : int, windows that were scored beside the coarse scan
    """

    record: np.ndarray
    summit: np.ndarray
    score: np.ndarray
    probability: np.ndarray
    q: np.ndarray
    refined: np.ndarray
    strand: np.ndarray
    consensus: str
    n_windows: int

    @property
    def expected(self) -> float:
        """Number of bound sites that the probabilities add up to."""
        return float(self.probability.sum())


def find_sites(
    model: BindingModel,
    maxima: Maxima,
    sequences: Callable[[], Iterable[tuple[str, str]]],
    *,
    factor: int,
    stride: int,
    fdr: float | None = FDR,
    n_refined: int | None = 0,
    probability: Callable[[np.ndarray], np.ndarray] = expit,
    batch_size: int = 512,
) -> Sites:
    """Resolve local maxima of a coarse scan to sites.

    Refining costs ``2 * stride - 1`` windows near the candidate, about a fifth of the model's length and 27 more for
    the summit, and 5 for the score. So only sites that are called, or might be, are refined.

    Parameters
    ----------
    model : BindingModel
    maxima : Maxima
        Of the coarse scan.
    sequences : callable
        Gives the records, as name and letters, in the order of their numbers.
    factor : int
        Number of the factor.
    stride : int
        Of the coarse scan.
    fdr : float or None
        Refine whatever has at most this q-value, so that all of these are at the base.
    n_refined : int or None
        Refine at least this many of the highest; None for `REFINED` times as many as there are expected.
    probability : callable
        From log odds of windows to probabilities of sites.
    batch_size : int

    Raises
    ------
    TfbindError
        If the maxima are not of this model's scores.
    """
    record, start, middle, score, window = maxima.joined()
    sites = Sites(
        record,
        middle,
        score,
        probability(score),
        np.empty(0),
        np.zeros(len(record), bool),
        np.full(len(record), ".", dtype=object),
        "",
        0,
    )
    around = np.full((len(record), 2 * FLANK + 1), AMBIGUOUS, np.uint8)
    if n_refined is None:
        n_refined = int(np.ceil(REFINED * sites.expected))
    highest = np.argsort(-score, kind="stable")[:n_refined]
    wanted = np.zeros(len(record), bool)
    wanted[highest] = True
    kept = np.arange(len(record))
    while True:
        sites.q = np.full(len(record), np.nan)
        sites.q[kept] = q_values(sites.probability[kept])
        if fdr is not None:
            called = sites.q <= fdr
            # where nothing is called, the highest are the next to be
            least = sites.score[called].min() if called.any() else sites.score.max(initial=-np.inf)
            wanted[kept] |= sites.score[kept] >= least - MARGIN
        todo = wanted & ~sites.refined
        if not todo.any():
            break
        _refine_these(
            model, sites, np.flatnonzero(todo), start, window, around, sequences, factor, stride, batch_size
        )
        sites.probability[todo] = probability(sites.score[todo])
        kept = keep_apart(record, sites.summit, sites.score, maxima.distance)
    for name in ("record", "summit", "score", "probability", "q", "refined", "strand"):
        setattr(sites, name, getattr(sites, name)[kept])
    at_base = np.flatnonzero(sites.refined)
    oriented = orient(around[kept][at_base], sites.score[at_base])
    sites.strand[at_base], sites.consensus = oriented.strand, oriented.consensus
    return sites


def _refine_these(
    model: BindingModel,
    sites: Sites,
    these: np.ndarray,
    start: np.ndarray,
    window: np.ndarray,
    around: np.ndarray,
    sequences: Callable[[], Iterable[tuple[str, str]]],
    factor: int,
    stride: int,
    batch_size: int,
) -> None:
    """Refine some sites, in place, and read the bases around their summits."""
    by_record = np.split(these, np.flatnonzero(np.diff(sites.record[these])) + 1)
    waiting = {int(sites.record[some[0]]): some for some in by_record}
    taken: list[tuple[str, str, np.ndarray]] = []

    def refine_taken() -> None:
        encoded = [encode_any_letters(letters) for _, letters, _ in taken]
        stretch = Stretch(
            np.concatenate([codes for codes, _ in encoded]), ~np.concatenate([wrong for _, wrong in encoded])
        )
        ends = np.cumsum([len(codes) for codes, _ in encoded])
        rows = np.concatenate([some for _, _, some in taken])
        record = np.repeat(np.arange(len(taken)), [len(some) for _, _, some in taken])
        high = ends[record]
        low = high - np.array([len(codes) for codes, _ in encoded])[record]
        found = refine(
            model,
            stretch,
            Candidates(start[rows] + low, low, high),
            stride=stride,
            factor=factor,
            batch_size=batch_size,
        )
        # the window of the scan is among those that were scored again
        lower = expit(window[rows]) - expit(found.best) > MOST_DIFFERENT
        if lower.any():
            name = taken[record[int(lower.argmax())]][0]
            raise TfbindError(
                f"{model.path}: scores windows of {name!r} lower than the table does, which is not of this model, or of"
                " another --prevalence"
            )
        sites.score[rows], sites.summit[rows] = found.score, found.summit - low
        sites.n_windows += found.n_windows
        near = found.summit[:, None] + np.arange(-FLANK, FLANK + 1)
        inside = (near >= low[:, None]) & (near < high[:, None])
        around[rows] = np.where(inside, stretch.codes[np.clip(near, 0, ends[-1] - 1)], AMBIGUOUS)
        taken.clear()

    n_taken = n_bases = 0
    for number, (name, letters) in enumerate(sequences()):
        some = waiting.pop(number, None)
        if some is None:
            continue
        taken.append((name, letters, some))
        n_taken, n_bases = n_taken + len(some), n_bases + len(letters)
        # short records come many at a time, as a call of the engine takes a while to start
        if not waiting or n_taken >= CANDIDATES_AT_ONCE or n_bases >= BASES_AT_ONCE:
            refine_taken()
            n_taken = n_bases = 0
        if not waiting:
            break
    sites.refined[these] = True
