"""What a motif is worth to a model: what is lost without it, and what it adds to a background."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from tfbind.binding.interpretation.sequences import Sequences
from tfbind.binding.interpretation.sites import Scanner, sites_by_letters
from tfbind.dna.alphabet import AMBIGUOUS
from tfbind.dna.shuffle import dinucleotide_shuffle
from tfbind.dna.splitmix import seeds_for

BACKGROUNDS = 100
# times that the sites of a motif are shuffled
SHUFFLES = 3
# samples of the bootstrap
_SAMPLES = 500
# a motif is trusted if most backgrounds gain at least this from it, in natural logarithms of odds
LEAST_GAIN = 0.2
_NEGATIVES, _BACKGROUNDS = 11, 12


class Logits(Protocol):
    """What is asked of a model: `tfbind.binding.model.model.BindingModel` has it."""

    def logits(self, codes: np.ndarray, valid_length: np.ndarray) -> np.ndarray:
        """Give (n, tasks) float64."""
        ...


class Importance(NamedTuple):
    """What a motif is worth.

    lost : float
        AUROC of bound against unbound sequences, minus what it is with the motif's sites shuffled.
    lost_ci95 : (float, float)
        By the bootstrap over sequences.
    gain, gain_low, gain_high : float
        Median, 5th and 95th percentile of what planting the consensus adds to the logits of the backgrounds.
    trusted : bool
        Whether both say that the model uses the motif.
    """

    lost: float
    lost_ci95: tuple[float, float]
    gain: float
    gain_low: float
    gain_high: float
    trusted: bool


class Judged(NamedTuple):
    """How a model tells the bound sequences from others.

    auroc : float
    auroc_ci95 : (float, float)
        By the bootstrap over sequences.
    made_up : bool
        Whether the others are dinucleotide shuffles.
    motifs : list of Importance
    """

    auroc: float
    auroc_ci95: tuple[float, float]
    made_up: bool
    motifs: list[Importance]

    @property
    def separates(self) -> bool:
        """Whether the model tells them apart at all."""
        return self.auroc_ci95[0] > 0.5


def shuffled(sequences: Sequences, seed: int, stream: int) -> Sequences:
    """Shuffle sequences, keeping their dinucleotides."""
    seeds = seeds_for(np.arange(sequences.n), seed, stream)
    return sequences._replace(codes=dinucleotide_shuffle(sequences.codes, sequences.valid_length, seeds))


def judge(
    model: Logits,
    bound: Sequences,
    unbound: Sequences | None,
    scanners: Sequence[Scanner],
    factor: int = 0,
    seed: int = 0,
) -> Judged:
    """Measure what motifs are worth.

    Parameters
    ----------
    model : Logits
    bound : Sequences
    unbound : Sequences or None
        None for dinucleotide shuffles of the bound ones.
    scanners : sequence of Scanner
        One a motif.
    factor : int
        Number of the task.
    seed : int
    """
    made_up = unbound is None
    others = shuffled(bound, seed, _NEGATIVES) if unbound is None else unbound
    codes = np.concatenate([bound.codes, others.codes])
    valid_length = np.concatenate([bound.valid_length, others.valid_length])
    label = np.arange(len(codes)) < bound.n
    whole = model.logits(codes, valid_length)[:, factor]
    samples = _samples(label, seed)
    auroc = auroc_of(label, whole)
    of_samples = np.array([auroc_of(label[rows], whole[rows]) for rows in samples])
    interval = _interval(of_samples)
    backgrounds = _backgrounds(bound, seed)
    motifs = []
    for number, scanner in enumerate(scanners):
        rng = np.random.default_rng((seed, number))
        lost, lost_samples = 0.0, np.zeros(len(samples))
        for _ in range(SHUFFLES):
            without = _without_sites(scanner, codes, rng)
            logits = model.logits(without, valid_length)[:, factor]
            lost += (auroc - auroc_of(label, logits)) / SHUFFLES
            now = np.array([auroc_of(label[rows], logits[rows]) for rows in samples])
            lost_samples += (of_samples - now) / SHUFFLES
        gains = gained(model, scanner, backgrounds, factor)
        low, median, high = np.quantile(gains, [0.05, 0.5, 0.95])
        trusted = interval[0] > 0.5 and _interval(lost_samples)[0] > 0 and median >= LEAST_GAIN
        motifs.append(
            Importance(lost, _interval(lost_samples), float(median), float(low), float(high), bool(trusted))
        )
    return Judged(auroc, interval, made_up, motifs)


def auroc_of(label: np.ndarray, score: np.ndarray) -> float:
    """Area under the ROC curve, ties half: (n,) bool and (n,) float64; NaN if a class is missing."""
    n_bound = int(label.sum())
    n_unbound = len(label) - n_bound
    if not n_bound or not n_unbound:
        return float("nan")
    _, place, n = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(n) - (n - 1) / 2)[place]
    return float((ranks[label].sum() - n_bound * (n_bound + 1) / 2) / (n_bound * n_unbound))


def _samples(label: np.ndarray, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    classes = [np.flatnonzero(label), np.flatnonzero(~label)]
    return [np.concatenate([rng.choice(rows, len(rows)) for rows in classes]) for _ in range(_SAMPLES)]


def _interval(values: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _without_sites(scanner: Scanner, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shuffle the bases of every site, each by itself."""
    sequence, start = sites_by_letters(scanner, codes)
    place = start[:, None] + np.arange(scanner.motif.width)
    changed = codes.copy()
    changed[sequence[:, None], place] = rng.permuted(codes[sequence[:, None], place], axis=1)
    return changed


def _backgrounds(bound: Sequences, seed: int) -> Sequences:
    """Shuffles of BACKGROUNDS bound sequences, those without ambiguous bases first."""
    clean = (bound.codes != AMBIGUOUS).all(axis=1)
    order = np.random.default_rng((seed, _BACKGROUNDS)).permutation(bound.n)
    order = order[np.argsort(~clean[order], kind="stable")]
    return shuffled(bound.rows(np.resize(order, BACKGROUNDS)), seed, _BACKGROUNDS)


def gained(model: Logits, scanner: Scanner, backgrounds: Sequences, factor: int = 0) -> np.ndarray:
    """Say what the logits gain from the motif's consensus in the middle of backgrounds: (n,) float64."""
    site = scanner.motif.counts.argmax(axis=1).astype(np.uint8)
    with_site = backgrounds.codes.copy()
    start = np.maximum(backgrounds.valid_length - len(site), 0) // 2
    n = np.minimum(len(site), backgrounds.valid_length)
    for row, (first, width) in enumerate(zip(start, n, strict=True)):
        with_site[row, first : first + width] = site[:width]
    before, after = (
        model.logits(codes, backgrounds.valid_length)[:, factor] for codes in (backgrounds.codes, with_site)
    )
    return (after - before) * scanner.motif.sign
