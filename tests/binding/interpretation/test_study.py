"""Planted motifs, in a model that is the weight matrix itself: no network is trained."""

import numpy as np
import pytest
from scipy.special import logsumexp

from tfbind.binding.evaluation.weight_matrix import log_odds
from tfbind.binding.interpretation.importance import auroc_of, judge
from tfbind.binding.interpretation.motifs import Motif
from tfbind.binding.interpretation.mutagenesis import mutagenesis
from tfbind.binding.interpretation.sequences import Chosen
from tfbind.binding.interpretation.sites import Scanner, base_frequencies
from tfbind.binding.interpretation.study import study_motifs
from tfbind.dna.matrices import find_matrix
from tfbind.dna.simulate import background, dinucleotide_frequencies, plant_sites

LENGTH = 101
N = 150


class MatrixModel:
    """Log odds that a site of the matrix is somewhere in a sequence; a matrix of None knows nothing."""

    def __init__(self, matrix, seed=0):
        self.weights = None if matrix is None else log_odds(matrix, np.full(4, 0.25))[:, :4] * np.log(2)
        self.noise = np.random.default_rng(seed).normal(0, 0.05, 4**5)

    def logits(self, codes, valid_length):
        if self.weights is None:
            # what 5-mers weigh by chance
            words = sum(codes[:, at : codes.shape[1] - 4 + at].astype(int) * 4 ** (4 - at) for at in range(5))
            return self.noise[words].sum(axis=1, keepdims=True)
        scores = []
        for weights in (self.weights, self.weights[::-1, ::-1]):
            n = codes.shape[1] - len(weights) + 1
            scores.append(sum(row[codes[:, at : at + n]] for at, row in enumerate(weights)))
        return logsumexp(np.concatenate(scores, axis=1), axis=1, keepdims=True) - np.log(codes.shape[1])

    def stream_logits(self, batches):
        for batch in batches:
            yield self.logits(*batch)


@pytest.fixture(scope="module")
def planted(make_sequences):
    """Sequences with a site of GABPA each, those without, and where the sites start."""
    rng = np.random.default_rng(0)
    pairs = dinucleotide_frequencies()
    codes = background(rng, N, LENGTH, pairs)
    start, _ = plant_sites(rng, codes, find_matrix("GABPA"))
    return make_sequences(codes), make_sequences(background(rng, N, LENGTH, pairs)), start


def study(model, bound, unbound, known):
    pytest.importorskip("modiscolite")
    pytest.importorskip("memelite")
    scores = np.concatenate([scores for _, scores, _ in mutagenesis(model, bound)])
    return study_motifs(model, Chosen(bound, unbound, bound.n, {}), scores, known, threads=1)


def test_a_planted_motif_is_found_and_named(planted, known):
    bound, unbound, start = planted
    found = study(MatrixModel(find_matrix("GABPA")), bound, unbound, known)
    assert found.matches[0].matrix.name == "GABPA"
    assert found.matches[0].q < 1e-3
    assert found.judged.motifs[0].trusted
    assert found.judged.motifs[0].lost > 0.2
    assert found.judged.motifs[0].gain > 2
    assert [match and match.matrix.name for match in found.matches[1:]] == [None] * (len(found.motifs) - 1)
    table = found.table()
    assert table.loc[0, "sites"] >= 0.7 * N
    near = np.abs(found.sites.start - start[found.sites.sequence])[found.sites.motif == 0] <= 5
    assert near.mean() > 0.9
    lines = list(found.bed_lines(bound))
    assert len(lines) == found.sites.n
    assert lines[0].split("\t")[3] == "motif_1"
    assert found.summary()["notes"] == []


def test_a_model_that_knows_nothing_has_no_trustworthy_motif(planted, known):
    bound, unbound, _ = planted
    found = study(MatrixModel(None), bound, unbound, known)
    assert not any(worth.trusted for worth in found.judged.motifs)
    (note,) = found.summary()["notes"]
    assert "none of its motifs is trustworthy" in note


class TestImportance:
    def judged(self, model, planted, unbound=True):
        bound, others, start = planted
        matrix = find_matrix("GABPA")
        none = np.zeros(N, bool)
        motif = Motif("motif_1", 1, matrix.counts, matrix.counts, matrix.counts, np.arange(N), start, none)
        scanner = Scanner(motif, bound, base_frequencies(bound.codes))
        return judge(model, bound, others if unbound else None, [scanner])

    def test_of_what_the_model_is_made_of(self, planted):
        judged = self.judged(MatrixModel(find_matrix("GABPA")), planted)
        assert judged.auroc > 0.9
        assert not judged.made_up
        (worth,) = judged.motifs
        low, high = worth.lost_ci95
        assert 0.1 < low < worth.lost < high
        assert 1 < worth.gain_low < worth.gain < worth.gain_high

    def test_of_what_the_model_does_not_read(self, planted):
        judged = self.judged(MatrixModel(find_matrix("REST")), planted)
        (worth,) = judged.motifs
        assert not worth.trusted
        assert worth.lost < 0.05

    def test_without_unbound_sequences_shuffles_are_compared(self, planted):
        judged = self.judged(MatrixModel(find_matrix("GABPA")), planted, unbound=False)
        assert judged.made_up
        assert judged.separates
        assert judged.auroc > 0.9


def test_auroc():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    label, score = rng.random(50) < 0.4, rng.integers(0, 9, 50).astype(float)
    assert auroc_of(label, score) == pytest.approx(roc_auc_score(label, score))
    assert np.isnan(auroc_of(np.ones(3, bool), np.arange(3.0)))
