"""The linear model of gapped k-mers, and its weights for examples that it was fitted to.

A network that reads the linear model's evidence must not learn to trust it more than it deserves. So training
examples are scored by weights that have never seen them or their relatives: the training part is dealt into
folds, and each fold's weights are fitted on the others. Everything else is scored by the mean of the folds'
weights.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, vstack
from sklearn.linear_model import LogisticRegression

from tfbind.binding.parts import Part
from tfbind.dna.gkm import N_FEATURES, GkmWeights, capped_counts, gapped_kmers, stacked_tracks
from tfbind.dna.shuffle import dinucleotide_shuffle
from tfbind.dna.splitmix import seeds_for
from tfbind.progress import Progress

logger = logging.getLogger(__name__)

N_FOLDS = 4
CAP = 2
EXTRA_SHUFFLES = 2
# candidates for sklearn's C, the inverse strength of the L2 penalty
STRENGTHS = (0.03, 0.01, 0.003, 0.001)
_SHUFFLE_STREAM = 2**32  # no epoch has this number: shuffles for the linear model are none of the network's


class CrossFit(NamedTuple):
    """A linear model of each fold.

    tables : (N_FOLDS, tasks, N_FEATURES) float32
    intercepts : (N_FOLDS, tasks) float64
    fold : (n,) int, of each training example; its fold's model has not seen it
    """

    tables: np.ndarray
    intercepts: np.ndarray
    fold: np.ndarray

    def tracks(self, codes: np.ndarray, valid_length: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Lay the tracks of training examples ``rows``, each by the weights that have not seen it.

        Returns
        -------
        (n, length, tasks * masks) float32
        """
        return stacked_tracks(codes, valid_length, self.tables, self.fold[rows], CAP)

    def mean(self) -> GkmWeights:
        """The weights for sequences that no fold has seen."""
        return GkmWeights(weights=self.tables.mean(axis=0), cap=CAP)


def deal_folds(group: np.ndarray, seed: int) -> np.ndarray:
    """Deal whole groups of related examples to folds at random: (n,) int to (n,) int."""
    n_groups = int(group.max()) + 1
    return (np.random.default_rng(seed).permutation(n_groups) % N_FOLDS)[group]


def cross_fit(part: Part, group: np.ndarray, shuffled: np.ndarray, seed: int) -> CrossFit:
    """Fit a linear model on each fold's complement.

    Parameters
    ----------
    part : Part
        The training part.
    group : (n,) int
        Related examples share a number, see `tfbind.dna.splits.group_related`.
    shuffled : (m,) int
        Rows whose shuffles are negatives: each gives `EXTRA_SHUFFLES` more, in its own fold.
    seed : int

    Returns
    -------
    CrossFit
    """
    fold = deal_folds(group, seed)
    counts, y, fold_of_row = [_counts(part.codes, part.valid_length)], [part.y], [fold]
    for number in range(1, 1 + EXTRA_SHUFFLES if len(shuffled) else 1):
        codes, valid_length = part.codes[shuffled], part.valid_length[shuffled]
        made = dinucleotide_shuffle(codes, valid_length, seeds_for(shuffled, seed, _SHUFFLE_STREAM, number))
        counts.append(_counts(made, valid_length))
        y.append(np.zeros((len(shuffled), part.y.shape[1]), np.float32))
        fold_of_row.append(fold[shuffled])
    all_counts, labels, folds = csr_array(vstack(counts)), np.concatenate(y), np.concatenate(fold_of_row)
    n_tasks = labels.shape[1]
    tables = np.zeros((N_FOLDS, n_tasks, N_FEATURES), np.float32)
    intercepts = np.zeros((N_FOLDS, n_tasks))
    with Progress("fitting gapped k-mers", total=n_tasks * N_FOLDS, unit="models") as progress:
        for task in range(n_tasks):
            known = np.isfinite(labels[:, task])
            strength = None
            for number in range(N_FOLDS):
                inside, outside = known & (folds != number), known & (folds == number)
                if strength is None:
                    strength = _choose_strength(all_counts, labels[:, task], inside, outside)
                model = _fit(all_counts[inside], labels[inside, task], strength)
                tables[number, task], intercepts[number, task] = model.coef_[0], model.intercept_[0]
                progress.update(1)
    return CrossFit(tables, intercepts, fold)


def _counts(codes: np.ndarray, valid_length: np.ndarray) -> csr_array:
    return capped_counts(gapped_kmers(codes, valid_length), CAP)


def _class_weights(y: np.ndarray) -> np.ndarray:
    bound = y == 1
    return np.where(bound, len(y) / (2 * max(bound.sum(), 1)), len(y) / (2 * max((~bound).sum(), 1)))


def _fit(counts: csr_array, y: np.ndarray, strength: float) -> LogisticRegression:
    model = LogisticRegression(C=strength, max_iter=200, tol=1e-3)
    return model.fit(counts, y, sample_weight=_class_weights(y))


def _choose_strength(counts: csr_array, y: np.ndarray, inside: np.ndarray, outside: np.ndarray) -> float:
    """The strength whose model of the other folds has the lowest loss on the first one."""
    weight = _class_weights(y[outside])
    losses = {}
    for strength in STRENGTHS:
        margin = _fit(counts[inside], y[inside], strength).decision_function(counts[outside])
        losses[strength] = float(
            np.average(np.logaddexp(0, np.where(y[outside] == 1, -margin, margin)), weights=weight)
        )
    return min(losses, key=losses.__getitem__)
