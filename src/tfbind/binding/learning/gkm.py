"""The linear model of gapped k-mers, and its weights for examples that it was fitted to.

A network that reads the linear model's evidence must not learn to trust it more than it deserves. So training
examples are scored by weights that have never seen them or their relatives: the training part is dealt into
folds, and each fold's weights are fitted on the others. Everything else is scored by the mean of the folds'
weights.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from tfbind.binding.learning.parts import Part, useful_shuffles
from tfbind.dna.gkm import N_FEATURES, evidence_tracks, gapped_kmers, value_sums, weight_sums
from tfbind.dna.shuffle import dinucleotide_shuffle
from tfbind.dna.splitmix import seeds_for
from tfbind.errors import TfbindError
from tfbind.progress import Progress

N_FOLDS = 4
EXTRA_SHUFFLES = 2
# variances of the weights' normal prior: the inverse strengths of the L2 penalty
VARIANCES = (0.001, 0.003, 0.01)
_SHUFFLE_STREAM = 2**32  # no epoch has this number: shuffles for the linear model are none of the network's


class CrossFit(NamedTuple):
    """A linear model of each fold.

    tables : (N_FOLDS or twice as many, tasks, N_FEATURES) float32
        The second half is fitted without a prior.
    intercepts : (N_FOLDS, tasks) float64
    fold : (n,) int, of each training example; its fold's model has not seen it, nor has the prior, if any
    """

    tables: np.ndarray
    intercepts: np.ndarray
    fold: np.ndarray

    def tracks(self, codes: np.ndarray, valid_length: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Lay the tracks of training examples ``rows``, each by the weights that have not seen it.

        Returns
        -------
        (n, length, tasks) float32
        """
        return evidence_tracks(codes, valid_length, self.tables, self.fold[rows])

    def mean(self) -> np.ndarray:
        """The weights for sequences that no fold has seen: (tasks, N_FEATURES) float32."""
        return self.tables[:N_FOLDS].mean(axis=0)


def deal_folds(group: np.ndarray, seed: int) -> np.ndarray:
    """Deal whole groups of related examples to folds at random: (n,) int to (n,) int."""
    n_groups = int(group.max()) + 1
    return (np.random.default_rng(seed).permutation(n_groups) % N_FOLDS)[group]


def cross_fit(
    part: Part,
    group: np.ndarray,
    shuffled: np.ndarray,
    held_out: np.ndarray,
    seed: int,
    prior: np.ndarray | None = None,
    seen: np.ndarray | None = None,
) -> CrossFit:
    """Fit a linear model on each fold's complement.

    A prior that was fitted to an example, or to a relative of it, knows the example, whatever its fold. So such
    examples get the weights of a second fit, without the prior.

    Parameters
    ----------
    part : Part
        The training part.
    group : (n,) int
        Related examples share a number, see `tfbind.dna.splits.group_related`.
    shuffled : (m,) int
        Rows whose shuffles are negatives: each gives `EXTRA_SHUFFLES` more, in its own fold.
    held_out : (k,) uint64
        Digests of the sequences that no shuffle may equal.
    seed : int
    prior : (tasks, N_FEATURES) float32 or None
        The mean of the weights' normal prior, from another model; None for zero.
    seen : (n,) bool or None
        The examples that the prior's own training has seen; None if it has seen none.

    Returns
    -------
    CrossFit

    Raises
    ------
    TfbindError
        If so many examples of a factor are related that without one fold a class is missing.
    """
    fold = deal_folds(group, seed)
    codes, valid_length, y, folds = [part.codes], [part.valid_length], [part.y], [fold]
    for number in range(1, 1 + EXTRA_SHUFFLES if len(shuffled) else 1):
        parents, lengths = part.codes[shuffled], part.valid_length[shuffled]
        made = dinucleotide_shuffle(parents, lengths, seeds_for(shuffled, seed, _SHUFFLE_STREAM, number))
        useful = useful_shuffles(made, parents, lengths, held_out)
        codes.append(made[useful])
        valid_length.append(lengths[useful])
        y.append(np.zeros((useful.sum(), part.y.shape[1]), np.float32))
        folds.append(fold[shuffled][useful])
    sequences = _Sequences(gapped_kmers(np.concatenate(codes), np.concatenate(valid_length)))
    labels, fold_of_row = np.concatenate(y), np.concatenate(folds)
    tables, intercepts = _fit_folds(part, sequences, labels, fold_of_row, prior)
    if prior is None or seen is None or not seen.any():
        return CrossFit(tables, intercepts, fold)
    without = _fit_folds(part, sequences, labels, fold_of_row, None)[0]
    return CrossFit(np.concatenate([tables, without]), intercepts, np.where(seen, fold + N_FOLDS, fold))


def _fit_folds(
    part: Part, sequences: _Sequences, labels: np.ndarray, fold_of_row: np.ndarray, prior: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Fit a linear model on each fold's complement: the weights and the intercepts, as in `CrossFit`."""
    n_tasks = labels.shape[1]
    tables = np.zeros((N_FOLDS, n_tasks, N_FEATURES), np.float32)
    intercepts = np.zeros((N_FOLDS, n_tasks))
    with Progress("fitting gapped k-mers", total=n_tasks * N_FOLDS, unit="models") as progress:
        for task, factor in enumerate(part.tasks):
            known, variance = np.isfinite(labels[:, task]), None
            mean = np.zeros(N_FEATURES) if prior is None else prior[task].astype(np.float64)
            rows = [np.flatnonzero(known & (fold_of_row == number)) for number in range(N_FOLDS)]
            judges = [number for number in range(N_FOLDS) if _has_both(labels[rows[number], task])]
            # the variance is chosen on a fold that can judge it
            for number in sorted(range(N_FOLDS), key=lambda number: number not in judges):
                inside = np.concatenate([rows[other] for other in range(N_FOLDS) if other != number])
                if not _has_both(labels[inside, task]):
                    raise TfbindError(
                        f"{part.path}: nearly all training sequences of {factor} are related (they overlap, or one"
                        " was made from another), expected unrelated ones to fit gapped k-mers on and to judge them"
                        " by; an architecture without gapped k-mers, such as conv-bilstm, needs none"
                    )
                if variance is None and judges:
                    variance, solution = _choose_variance(
                        sequences, labels[:, task], inside, rows[number], mean
                    )
                else:
                    solution = sequences.fit(inside, labels[inside, task], variance or VARIANCES[1], mean)
                tables[number, task], intercepts[number, task] = solution[:-1], solution[-1]
                progress.update(1)
    return tables, intercepts


def _has_both(y: np.ndarray) -> bool:
    return len(np.unique(y)) == 2


class _Sequences(NamedTuple):
    """What occurs in sequences, and logistic regression on it.

    A solution is (N_FEATURES + 1,) float64: the weights, and the intercept as the last one.
    """

    patterns: np.ndarray

    def margins(self, rows: np.ndarray, solution: np.ndarray) -> np.ndarray:
        """(m,) float64 logits of sequences ``rows``."""
        return weight_sums(self.patterns, rows, solution[:-1].astype(np.float32)) + solution[-1]

    def fit(
        self,
        rows: np.ndarray,
        y: np.ndarray,
        variance: float,
        mean: np.ndarray,
        start: np.ndarray | None = None,
    ) -> np.ndarray:
        """Find the most probable weights under a normal prior round ``mean``, both classes having the same say.

        A general solver would hold every count: here the counts' two products are summed from the patterns,
        in an eighth of the memory.
        """
        sign = np.where(y == 1, 1.0, -1.0)
        weight = _class_weights(y) / len(y)
        penalty = 1 / (variance * len(y))

        def loss(solution):
            margin = sign * self.margins(rows, solution)
            slope = -weight * sign * expit(-margin)
            excess = solution[:-1] - mean
            value = weight @ np.logaddexp(0, -margin) + penalty / 2 * excess @ excess
            weights_slope = value_sums(self.patterns, rows, slope) + penalty * excess
            return value, np.append(weights_slope, slope.sum())

        if start is None:
            start = np.append(mean, 0.0)
        return minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200, "gtol": 1e-3}).x


def _class_weights(y: np.ndarray) -> np.ndarray:
    bound = y == 1
    return np.where(bound, len(y) / (2 * max(bound.sum(), 1)), len(y) / (2 * max((~bound).sum(), 1)))


def _choose_variance(
    sequences: _Sequences, y: np.ndarray, inside: np.ndarray, outside: np.ndarray, mean: np.ndarray
) -> tuple[float, np.ndarray]:
    """The variance whose model of the other folds has the lowest loss on the first one, and that model."""
    weight, sign = _class_weights(y[outside]), np.where(y[outside] == 1, 1.0, -1.0)
    best, solution = (np.inf, VARIANCES[0], np.zeros(N_FEATURES + 1)), None
    for variance in VARIANCES:
        # each is near the one before it, and beyond the best one they only get worse
        solution = sequences.fit(inside, y[inside], variance, mean, solution)
        loss = float(
            np.average(np.logaddexp(0, -sign * sequences.margins(outside, solution)), weights=weight)
        )
        if loss > best[0]:
            break
        best = loss, variance, solution
    return best[1:]
