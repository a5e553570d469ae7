import numpy as np
import pytest

from tfbind.binding.evaluation.reliability import (
    are_probabilities,
    calibration_error,
    equal_mass_bins,
    reliability,
)


class TestBins:
    def test_hold_equally_many(self):
        score = np.random.default_rng(0).random(200) ** 5
        bins = equal_mass_bins(score)
        assert np.bincount(bins).tolist() == [20] * 10
        assert (np.diff(bins[np.argsort(score)]) >= 0).all()

    def test_ties_share_a_bin(self):
        assert equal_mass_bins(np.full(7, 0.3)).tolist() == [5] * 7

    def test_fewer_scores_than_bins(self):
        assert equal_mass_bins(np.array([0.2, 0.9, 0.4])).tolist() == [1, 8, 5]


class TestCalibrationError:
    def test_worked_by_hand(self):
        # two scores a bin: nine bins that are right, and one of mean .95 of which none is bound
        score = np.append(np.repeat([0.0], 18), [0.94, 0.96])
        score[:18] = np.repeat(np.arange(9) * 1e-9, 2)
        assert calibration_error(np.zeros(20), score).ece == pytest.approx(0.095)

    def test_of_constant_scores_does_not_hang_on_the_order_of_labels(self):
        label = np.repeat([1.0, 0.0], 50)
        assert calibration_error(label, np.full(100, 0.5)).ece == 0

    def test_of_a_perfect_model_is_within_its_own_95_percent(self):
        rng = np.random.default_rng(1)
        inside = []
        for _ in range(100):
            score = rng.beta(0.5, 0.5, 300)
            found = calibration_error((rng.random(300) < score).astype(float), score)
            inside.append(found.ece <= found.ece_perfect_q95)
        assert 88 <= sum(inside) <= 99

    def test_of_a_perfect_model_falls_with_the_number_of_examples(self):
        rng = np.random.default_rng(2)
        few, many = (calibration_error(np.zeros(n), rng.random(n)).ece_perfect for n in (100, 10_000))
        assert many == pytest.approx(few / 10, rel=0.2)

    def test_overconfident_scores_are_found_out(self):
        rng = np.random.default_rng(3)
        truth = rng.random(1000)
        label = (rng.random(1000) < truth).astype(float)
        sure = calibration_error(label, (truth > 0.5) * 0.98 + 0.01)
        assert sure.ece == pytest.approx(0.24, abs=0.03)
        assert sure.ece > sure.ece_perfect_q95

    def test_same_seed_same_draws(self):
        label, score = np.array([1.0, 0, 1]), np.array([0.7, 0.2, 0.6])
        assert calibration_error(label, score, 3) == calibration_error(label, score, 3)


class TestReliability:
    def test_literal_example(self):
        label = np.repeat([0.0, 1.0, np.nan], [10, 10, 1])
        table = reliability(label, np.append(np.repeat([0.1, 0.8], 10), 0.5))
        assert table["bin"].tolist() == [3, 8]
        assert table["n"].tolist() == [10, 10]
        assert table["mean_score"].tolist() == pytest.approx([0.1, 0.8])
        assert table["observed"].tolist() == [0, 1]
        # Wilson's interval of 0 of 10
        assert table["ci95_low"].tolist() == pytest.approx([0, 0.722467], abs=1e-6)
        assert table["ci95_high"].tolist() == pytest.approx([0.277533, 1], abs=1e-6)

    @pytest.mark.parametrize("score", [[0.2, 1.5], [np.nan, np.nan]])
    def test_of_no_probabilities_is_empty(self, score):
        table = reliability([1, 0], score)
        assert len(table) == 0
        assert list(table) == ["bin", "n", "mean_score", "observed", "ci95_low", "ci95_high"]


@pytest.mark.parametrize(
    ("score", "expected"),
    [([0.0, 1.0], True), ([0.0, 1.01], False), ([-0.01, 1.0], False), ([0.5, np.nan], False), ([], False)],
)
def test_probabilities_are_from_0_to_1(score, expected):
    assert are_probabilities(np.array(score)) == expected


def test_the_default_seed_is_0():
    label, score = np.array([1.0, 0, 1]), np.array([0.7, 0.2, 0.6])
    assert calibration_error(label, score) == calibration_error(label, score, seed=0)


def test_the_error_of_a_perfect_model_is_drawn_200_times():
    # one score of 1/8 misses by 1/8, or by 7/8 if it is bound: the mean of 200 draws is 1/8 + 3/4 x k / 200
    means = np.array(
        [calibration_error(np.zeros(1), np.array([0.125]), seed).ece_perfect for seed in range(20)]
    )
    bound = (means - 0.125) / 0.75 * 200
    np.testing.assert_allclose(bound, bound.round(), atol=1e-9)
    # of half as many draws every k would be even
    assert (bound.round() % 2 == 1).any()
