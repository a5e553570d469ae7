import logging

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tfbind.binding.learning import gkm as binding_gkm
from tfbind.binding.learning.examples import BindingData
from tfbind.binding.learning.gkm import N_FOLDS, cross_fit, deal_folds
from tfbind.binding.learning.parts import Part
from tfbind.binding.learning.training import train
from tfbind.binding.model.model import BindingModel
from tfbind.dna.gkm import ABSENT, FIRST, N_FEATURES, gapped_kmers, weight_sums
from tfbind.dna.splits import TRAIN
from tfbind.errors import TfbindError
from tfbind.tensors import open_tensors
from tfbind.training.model_file import load_network
from tfbind.training.options import FitOptions

NONE = np.empty(0, np.uint64)
SMALL = {"units": 4, "filters": 6, "kernel_size": 9}


def fit(tensors, path, architecture, options, values):
    """Train on one thread."""
    return train(
        tensors,
        path,
        architecture=architecture,
        network_values=values,
        options=options,
        threads=1,
        resume=False,
    )


@pytest.fixture
def part(given_tensors):
    with open_tensors(given_tensors) as tensors:
        return Part(tensors, TRAIN)


class TestDealFolds:
    def test_related_examples_share_a_fold(self):
        group = np.repeat(np.arange(40), 3)
        fold = deal_folds(group, 0).reshape(40, 3)
        assert (fold == fold[:, :1]).all()
        assert sorted(np.bincount(fold[:, 0])) == [10] * N_FOLDS

    def test_another_seed_deals_otherwise(self):
        group = np.arange(40)
        assert (deal_folds(group, 0) != deal_folds(group, 1)).any()
        assert (deal_folds(group, 0) == deal_folds(group, 0)).all()


class TestCrossFit:
    def test_weights_that_the_data_say_nothing_of_are_the_priors(self, part):
        """The prior's mean is where they start and what they are drawn to."""
        group, nobody = np.arange(len(part)), np.empty(0, np.int64)
        prior = np.full((1, N_FEATURES), 0.25, np.float32)
        found = cross_fit(part, group, nobody, NONE, 0, prior)
        none = cross_fit(part, group, nobody, NONE, 0, np.zeros_like(prior))
        patterns = gapped_kmers(part.codes, part.valid_length)
        used = np.zeros(N_FEATURES, bool)
        for mask, first in enumerate(FIRST):
            met = patterns[:, mask][patterns[:, mask] != ABSENT]
            used[first + met.astype(np.int64)] = True
        assert 0.01 < used.mean() < 0.9
        np.testing.assert_array_equal(found.tables[:, 0, ~used], 0.25)
        assert (none.tables[:, 0, ~used] == 0).all()
        assert np.abs(found.tables[:, 0, used] - 0.25).max() > 0.01
        np.testing.assert_array_equal(none.tables, cross_fit(part, group, nobody, NONE, 0).tables)

    def test_examples_that_the_prior_has_seen_get_weights_without_it(self, part, monkeypatch):
        """What a prior knows of an example must not be in the example's evidence."""
        monkeypatch.setattr(binding_gkm, "VARIANCES", (0.01,))
        group, nobody, rows = np.arange(len(part)), np.empty(0, np.int64), np.arange(len(part))
        prior = np.random.default_rng(1).normal(0, 0.01, (1, N_FEATURES)).astype(np.float32)
        seen = rows % 3 == 0
        found = cross_fit(part, group, nobody, NONE, 0, prior, seen)
        every, none = cross_fit(part, group, nobody, NONE, 0, prior), cross_fit(part, group, nobody, NONE, 0)
        tracks = found.tracks(part.codes, part.valid_length, rows)
        for some, expected in ((seen, none), (~seen, every)):
            np.testing.assert_array_equal(
                tracks[some], expected.tracks(part.codes[some], part.valid_length[some], rows[some])
            )
        # what predicts later is one linear model, with the prior
        np.testing.assert_array_equal(found.mean(), every.mean())
        np.testing.assert_array_equal(found.intercepts, every.intercepts)
        assert (tracks[seen] != every.tracks(part.codes[seen], part.valid_length[seen], rows[seen])).any()

    def test_a_folds_weights_have_not_seen_its_examples(self, part, monkeypatch):
        monkeypatch.setattr(binding_gkm, "VARIANCES", (0.01,))
        group = np.arange(len(part))
        before = cross_fit(part, group, np.empty(0, np.int64), NONE, 0)
        own = before.fold == 1
        part.y[own] = 1 - part.y[own]
        after = cross_fit(part, group, np.empty(0, np.int64), NONE, 0)
        assert (before.tables[1] == after.tables[1]).all()
        assert (before.tables[0] != after.tables[0]).any()

    def test_scores_what_it_has_not_seen_better_than_chance(self, part):
        linear = cross_fit(part, np.arange(len(part)), np.empty(0, np.int64), NONE, 0)
        margin = linear.tracks(part.codes, part.valid_length, np.arange(len(part))).sum(axis=(1, 2))
        y = part.y[:, 0]
        assert np.mean(margin[y == 1][:, None] > margin[y == 0]) > 0.7

    def test_is_a_logistic_regression_on_counts(self, part, monkeypatch):
        monkeypatch.setattr(binding_gkm, "VARIANCES", (0.01,))
        linear = cross_fit(part, np.arange(len(part)), np.empty(0, np.int64), NONE, 0)
        inside = linear.fold != 2
        patterns = gapped_kmers(part.codes, part.valid_length)[inside]
        features = patterns + FIRST[:, None]
        counts = np.zeros((len(features), N_FEATURES))
        for row, there, found in zip(counts, features, patterns != ABSENT, strict=True):
            np.add.at(row, there[found], 1)
        y = part.y[inside, 0]
        peer = LogisticRegression(C=0.01, class_weight="balanced", tol=1e-3).fit(counts, y)
        np.testing.assert_allclose(
            counts @ linear.tables[2, 0] + linear.intercepts[2, 0], peer.decision_function(counts), atol=0.05
        )

    def test_related_examples_alone_are_refused(self, part):
        with pytest.raises(TfbindError, match=r"\.h5: nearly all training sequences of .* are related"):
            cross_fit(part, np.zeros(len(part), int), np.empty(0, np.int64), NONE, 0)

    def test_labels_known_in_one_fold_only(self, part):
        group = np.arange(len(part))
        fold = deal_folds(group, 0)
        part.y[fold > 1] = np.nan
        linear = cross_fit(part, group, np.empty(0, np.int64), NONE, 0)
        assert (linear.tables[2] == linear.tables[3]).all()
        assert np.isfinite(linear.tables).all()

    def test_a_shuffle_that_is_its_parent_is_left_out(self, part):
        positives = np.flatnonzero(part.y[:, 0] == 1)
        part.codes[positives] = np.tile([0, 1], part.codes.shape[1])[: part.codes.shape[1]]
        # all shuffles of ACACAC... are ACACAC...
        with_them = cross_fit(part, np.arange(len(part)), positives, NONE, 0)
        without = cross_fit(part, np.arange(len(part)), positives[:0], NONE, 0)
        assert (without.tables == with_them.tables).all()

    def test_more_shuffles_go_into_the_fit(self, part):
        positives = np.flatnonzero(part.y[:, 0] == 1)
        without = cross_fit(part, np.arange(len(part)), positives[:0], NONE, 0)
        with_them = cross_fit(part, np.arange(len(part)), positives, NONE, 0)
        assert (without.tables != with_them.tables).any()


class TestTraining:
    def test_shuffles_share_their_parents_fold(self, shuffle_tensors):
        with open_tensors(shuffle_tensors) as tensors:
            data = BindingData(tensors, 0, tracks=True)
            ids, parents = (tensors.text(name)[data.train.rows] for name in ("id", "parent"))
        fold = dict(zip(ids, data.linear.fold, strict=True))
        made = [(name, parent) for name, parent in zip(ids, parents, strict=True) if parent]
        assert made
        assert all(fold[name] == fold[parent] for name, parent in made)

    def test_the_hybrid_starts_as_the_linear_model(self, given_tensors, tmp_path, part):
        options = FitOptions(epochs=1, learning_rate=1e-12)
        scores = {}
        for architecture, values in (("gkm-linear", {}), ("gkm-bilstm", SMALL)):
            path = tmp_path / f"{architecture}.keras"
            history = fit(given_tensors, path, architecture, options, values)
            assert history["epoch"][0] == 0
            scores[architecture] = BindingModel(path).probabilities(part.codes, part.valid_length)
        np.testing.assert_allclose(scores["gkm-bilstm"], scores["gkm-linear"], atol=1e-5)

    def test_gkm_linear_is_the_mean_of_the_folds_linear_models(self, given_tensors, tmp_path, part):
        path = tmp_path / "linear.keras"
        fit(given_tensors, path, "gkm-linear", FitOptions(), {})
        with open_tensors(given_tensors) as tensors:
            linear = BindingData(tensors, 0, tracks=True).linear
        patterns, rows = gapped_kmers(part.codes, part.valid_length), np.arange(len(part))
        margin = np.mean(
            [
                weight_sums(patterns, rows, table[0]) + intercept[0]
                for table, intercept in zip(linear.tables, linear.intercepts, strict=True)
            ],
            axis=0,
        )
        model = BindingModel(path)
        calibration = model.card.calibration
        z = margin * calibration["slope"][0] + calibration["intercept"][0]
        scores = model.probabilities(part.codes, part.valid_length)[:, 0]
        np.testing.assert_allclose(scores, 1 / (1 + np.exp(-z)), atol=1e-5)

    @pytest.mark.parametrize("architecture", ["gkm-bilstm", "gkm-bigru"])
    def test_both_strands_score_the_same(self, architecture, given_tensors, tmp_path, part):
        from tfbind.dna.alphabet import reverse_complement

        path = tmp_path / "hybrid.keras"
        fit(given_tensors, path, architecture, FitOptions(epochs=2), SMALL)
        model = BindingModel(path)
        here = model.probabilities(part.codes, part.valid_length)
        there = model.probabilities(reverse_complement(part.codes, part.valid_length), part.valid_length)
        np.testing.assert_allclose(here, there, atol=1e-5)
        assert here.std() > 0

    def test_several_factors(self, data, tmp_path, caplog):
        from tfbind.binding.encoding.from_labels import encode_labelled
        from tfbind.binding.options import EncodeOptions

        tensors = tmp_path / "two.h5"
        encode_labelled(
            tensors, data / "both.fa", data / "labels.tsv", EncodeOptions(length=60, split=(0.6, 0.3, 0.1))
        )
        path = tmp_path / "two.keras"
        with caplog.at_level(logging.INFO):
            fit(tensors, path, "gkm-bilstm", FitOptions(epochs=1), SMALL)
        card = BindingModel(path).card
        assert card.gkm.shape[0] == len(card.tasks) == 2
        # the tables of both factors count
        n_parameters = 2 * N_FEATURES + load_network(path, card.network).count_params()
        assert f"training gkm-bilstm ({n_parameters:,} parameters, one-hot) on " in caplog.text

    def test_kmer_tensors_are_refused(self, kmer_tensors, tmp_path):
        with pytest.raises(TfbindError, match="expects one-hot"):
            fit(kmer_tensors, tmp_path / "m.keras", "gkm-bilstm", FitOptions(), {})
