import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import auc, average_precision_score, roc_auc_score

from tfbind.binding.evaluation.bootstrap import area_intervals, descending, weighted_areas
from tfbind.binding.evaluation.metrics import curves, score_metrics


def normal_scores(n, shift, seed=1):
    """n positives and n negatives whose scores are normal, the positives' mean higher by shift."""
    rng = np.random.default_rng(seed)
    label = np.repeat([1.0, 0.0], n)
    return label, rng.normal(size=2 * n) + shift * label


examples = st.lists(
    st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=60
).filter(lambda rows: {label for label, _, weight in rows if weight} == {True, False})


class TestWeightedAreas:
    @given(examples)
    @settings(deadline=None)
    def test_equal_scikit_learn_with_ties_and_weights(self, rows):
        label, score, weight = (np.array(column, float) for column in zip(*rows, strict=True))
        order, ends = descending(score)
        auroc, ap = weighted_areas(label[order] > 0, ends, weight[order])
        assert auroc == pytest.approx(roc_auc_score(label, score, sample_weight=weight))
        assert ap == pytest.approx(average_precision_score(label, score, sample_weight=weight))

    def test_all_tied_is_a_coin_toss(self):
        label = np.array([True, False, False, False])
        assert weighted_areas(label, np.array([3]), np.ones(4)) == (0.5, 0.25)


class TestScoreMetrics:
    def test_literal_example(self):
        metrics = score_metrics([1, 1, 0, 1, 0], [0.9, 0.8, 0.7, 0.6, 0.1], threshold=0.65)
        assert metrics["auroc"] == pytest.approx(5 / 6)
        assert metrics["auprc"] == pytest.approx((1 + 1 + 3 / 4) / 3)
        assert metrics["brier"] == pytest.approx((0.01 + 0.04 + 0.49 + 0.16 + 0.01) / 5)
        assert (metrics["n_positive"], metrics["n_negative"]) == (3, 2)
        assert metrics["recall_at_fpr01"] == pytest.approx(2 / 3)
        assert metrics["recall_at_fdr10"] == pytest.approx(2 / 3)
        assert metrics["recall_at_fdr50"] == 1.0
        assert metrics["precision_at_threshold"] == pytest.approx(2 / 3)
        assert metrics["recall_at_threshold"] == pytest.approx(2 / 3)

    def test_a_tie_between_classes_is_not_split(self):
        metrics = score_metrics([1, 0], [0.5, 0.5])
        assert (metrics["auroc"], metrics["auprc"], metrics["recall_at_fpr01"]) == (0.5, 0.5, 0.0)

    @pytest.mark.parametrize("label", [[1, 1], [0, 0], [], [np.nan, 1]])
    def test_a_single_class_has_no_areas(self, label):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            metrics = score_metrics(label, [0.2] * len(label), threshold=0.5)
        assert (
            metrics["auroc"]
            is metrics["auroc_ci95"]
            is metrics["auprc"]
            is metrics["recall_at_fdr10"]
            is None
        )
        json.dumps(metrics, allow_nan=False)

    def test_is_json_from_float32_and_numpy_integers(self):
        label, score = normal_scores(20, 1)
        text = json.dumps(
            score_metrics(label.astype("f4"), score.astype("f4"), np.arange(40) % 20, np.float32(0)),
            allow_nan=False,
        )
        assert json.loads(text)["n_positive"] == 20

    def test_unknown_labels_and_missing_scores_are_left_out(self):
        metrics = score_metrics([1, 0, np.nan, 1], [0.9, 0.1, 0.5, np.nan])
        assert (metrics["n_positive"], metrics["n_negative"], metrics["n_not_scored"]) == (1, 1, 1)
        assert metrics["auroc"] == 1.0

    @pytest.mark.parametrize("name", ["brier", "ece", "ece_perfect", "ece_perfect_q95"])
    def test_calibration_needs_probabilities(self, name):
        assert score_metrics([1, 0], [3.0, -2.0])[name] is None
        assert 0 < score_metrics([1, 0, 1], [0.9, 0.1, 0.8])[name] < 1

    def test_calibration_error_beside_a_perfect_models(self):
        metrics = score_metrics([1, 0], [1.0, 0.25])
        assert metrics["ece"] == 0.125
        # the first label never varies; the second misses by 1/4 three times of four, by 3/4 else, over 2
        assert metrics["ece_perfect"] == pytest.approx(0.1875, abs=0.02)
        assert metrics["ece_perfect_q95"] == 0.375

    def test_nothing_called_has_no_precision(self):
        metrics = score_metrics([1, 0], [0.2, 0.1], threshold=0.9)
        assert (metrics["precision_at_threshold"], metrics["recall_at_threshold"]) == (None, 0.0)

    def test_refuses_other_labels(self):
        with pytest.raises(ValueError, match="labels other than"):
            score_metrics([1, 2], [0.1, 0.2])


class TestIntervals:
    def test_width_agrees_with_hanley_and_mcneil(self):
        label, score = normal_scores(200, 1)
        low, high = area_intervals(label, score).auroc
        area = roc_auc_score(label, score)
        q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
        variance = (area * (1 - area) + 199 * (q1 + q2 - 2 * area**2)) / 200**2
        assert low < area < high
        assert high - low == pytest.approx(2 * 1.96 * variance**0.5, rel=0.15)

    def test_cover_the_true_area_about_nineteen_times_in_twenty(self):
        truth = 0.7602  # of normal scores one standard deviation apart: Phi(1 / sqrt 2)
        covered = 0
        for seed in range(100):
            low, high = area_intervals(*normal_scores(60, 1, seed), replicates=200).auroc
            covered += low <= truth <= high
        assert 88 <= covered <= 100

    def test_same_seed_same_intervals(self):
        label, score = normal_scores(50, 1)
        assert area_intervals(label, score, seed=3) == area_intervals(label, score, seed=3)
        assert area_intervals(label, score, seed=3) != area_intervals(label, score, seed=4)

    def test_copies_within_a_cluster_do_not_narrow_the_interval(self):
        label, score = normal_scores(50, 1)
        single = area_intervals(label, score).auroc
        copied = area_intervals(np.tile(label, 20), np.tile(score, 20), np.tile(np.arange(100), 20))
        fooled = area_intervals(np.tile(label, 20), np.tile(score, 20)).auroc
        assert "100 clusters" in copied.method
        assert copied.auroc[1] - copied.auroc[0] == pytest.approx(single[1] - single[0], rel=0.2)
        assert fooled[1] - fooled[0] < 0.5 * (single[1] - single[0])

    def test_few_clusters_fall_back_to_examples_and_say_so(self):
        label, score = normal_scores(50, 1)
        few = area_intervals(label, score, np.arange(100) % 9)
        assert few.auroc == area_intervals(label, score).auroc
        assert "single examples" in few.method
        assert "only 9 clusters" in few.method

    def test_many_clusters_but_all_positives_in_one(self):
        label, score = normal_scores(50, 1)
        cluster = np.where(label > 0, 0, np.arange(100) // 2)
        assert "only 1 clusters" in area_intervals(label, score, cluster).method


class TestCurves:
    def test_literal_example(self):
        roc, pr = curves([1, 1, 0, 1, 0], [0.9, 0.8, 0.7, 0.6, 0.1])
        assert roc[:, :2].tolist() == [[0, 0], [0, 1 / 3], [0, 2 / 3], [0.5, 2 / 3], [0.5, 1], [1, 1]]
        assert roc[1:, 2].tolist() == [0.9, 0.8, 0.7, 0.6, 0.1]
        assert 0.9 < roc[0, 2] < 0.9001
        assert pr[-1].tolist() == [1, 0.6, 0.1]
        assert pr[0].tolist() == [1 / 3, 1, 0.9]

    def test_a_single_class_has_no_curve(self):
        roc, pr = curves([1, 1], [0.1, 0.2])
        assert roc.shape == pr.shape == (0, 3)

    def test_many_examples_give_a_bounded_table_with_the_same_area(self):
        label, score = normal_scores(100_000, 1)
        roc, pr = curves(label, score)
        assert len(roc) <= 10_002
        assert len(pr) <= 10_001
        assert np.isfinite(roc).all()
        assert np.isfinite(pr).all()
        assert roc[0, :2].tolist() == [0, 0]
        assert roc[-1, :2].tolist() == [1, 1]
        assert auc(roc[:, 0], roc[:, 1]) == pytest.approx(roc_auc_score(label, score), abs=1e-4)
        assert auc(pr[:, 0], pr[:, 1]) == pytest.approx(average_precision_score(label, score), abs=1e-3)


def test_a_single_example_of_a_class_has_no_interval():
    """One positive above one negative is no certainty."""
    metrics = score_metrics(np.array([1.0, 0.0]), np.array([0.9, 0.1]))
    assert metrics["auroc"] == 1.0
    assert metrics["auroc_ci95"] is None
    assert metrics["ci_method"] == "none: needs 2 positives and negatives at least"


class TestLimitsByHand:
    """From the highest score on: 8 bound, 1 unbound, 1 bound, 9 unbound, 1 bound, 90 unbound and 10 bound sequences."""

    LABEL = np.repeat([1.0, 0, 1, 0, 1, 0, 1], [8, 1, 1, 9, 1, 90, 10])
    SCORE = np.linspace(1, 0, 120)

    def test_recall_up_to_a_limit_that_is_met_exactly(self):
        metrics = score_metrics(self.LABEL, self.SCORE)
        # with 9 of 20 found, 1 of 100 unbound ones is called, and 1 of 10 called ones is wrong
        assert metrics["recall_at_fpr01"] == metrics["recall_at_fdr10"] == 9 / 20
        # with 10 of 20 found, 10 of 20 called ones are wrong
        assert metrics["recall_at_fdr50"] == 10 / 20

    def test_what_is_called_has_the_threshold_at_least(self):
        metrics = score_metrics(self.LABEL, self.SCORE, threshold=self.SCORE[9])
        assert metrics["threshold"] == self.SCORE[9]
        assert metrics["precision_at_threshold"] == 9 / 10
        assert metrics["recall_at_threshold"] == 9 / 20

    @pytest.mark.parametrize("n", [9_999, 20_002])
    def test_curves_of_some_ten_thousand_points_are_whole(self, n):
        # each point is a corner: bound and unbound sequences by turns
        label = np.arange(n) % 2
        roc, pr = curves(label, np.linspace(1, 0, n))
        if n < 10_000:
            assert (len(roc), len(pr)) == (n + 1, n)
        else:
            # one each 1/5,000 of either rate, and one each 1/10,000 of recall
            assert 9_000 <= len(roc) <= 10_002
            assert 5_000 <= len(pr) <= 10_001
        assert roc[0, :2].tolist() == [0, 0]
        assert roc[-1, :2].tolist() == [1, 1]


def test_single_examples_are_drawn_where_fewer_than_ten_clusters_hold_a_class():
    label, score = normal_scores(50, 1)
    for n_clusters, unit in ((9, "single examples"), (10, "10 clusters")):
        assert unit in area_intervals(label, score, np.arange(100) % n_clusters).method


def test_the_interval_is_that_of_the_middle_95_percent():
    # The area of one negative below n of 1,000 positives is a share of the positives, which are drawn anew: its
    # standard error is sqrt(0.8 x 0.2 / 1,000)
    label = np.append(np.ones(1_000), np.zeros(2))
    score = np.append(np.repeat([1.0, 0.0], [800, 200]), [0.5, 0.5])
    low, high = area_intervals(label, score, replicates=2_000).auroc
    assert [low, high] == pytest.approx([0.8 - 1.96 * 0.01265, 0.8 + 1.96 * 0.01265], abs=0.002)


def test_two_of_a_class_have_an_interval_of_a_thousand_replicates():
    found = area_intervals(np.array([1.0, 1, 0, 0]), np.array([0.9, 0.2, 0.3, 0.1]))
    assert found.method.startswith("percentile bootstrap, 1000 replicates of single examples")
    # one of 16 draws has .2 and .3 alone, an area of 0
    assert found.auroc == (0.0, 1.0)
