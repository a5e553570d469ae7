import numpy as np
import pytest

from tfbind.binding.model.calibration import (
    SiteCalibration,
    best_f1_threshold,
    calibrate,
    fit_platt,
    fit_sites,
)

NAN = float("nan")


class TestPlatt:
    def test_recovers_a_known_sigmoid(self):
        rng = np.random.default_rng(1)
        logits = rng.normal(size=(40_000, 2)).astype(np.float32)
        z = logits * [2.0, 0.5] + [-1.0, 0.3]
        y = (rng.random(z.shape) < 1 / (1 + np.exp(-z))).astype(np.float32)
        found = fit_platt(logits, y)
        assert found["method"] == "platt"
        assert found["slope"] == pytest.approx([2.0, 0.5], abs=0.06)
        assert found["intercept"] == pytest.approx([-1.0, 0.3], abs=0.06)

    def test_leaves_unknown_labels_out(self):
        logits = np.array([[-1], [0], [1], [2], [50]], np.float32)
        y = np.array([[0], [1], [0], [1], [NAN]], np.float32)
        assert fit_platt(logits, y) == fit_platt(logits[:4], y[:4])

    @pytest.mark.parametrize("sign", [-1, 0], ids=["turned round", "constant"])
    def test_never_turns_the_ranking_round(self, sign):
        label = np.repeat([1.0, 0.0], [30, 10])[:, None].astype(np.float32)
        logits = (sign * (label + np.linspace(0, 0.5, 40)[:, None])).astype(np.float32)
        found = fit_platt(logits, label)
        assert found["slope"][0] > 0
        # a network that knows nothing gives the share of bound examples
        assert calibrate(np.zeros((1, 1), np.float32), found) == pytest.approx(0.74, abs=0.02)

    def test_keeps_apart_what_the_network_tells_apart_without_a_mistake(self):
        logits = np.linspace(-6, 6, 40)[:, None].astype(np.float32)
        found = fit_platt(logits, (logits > 0).astype(np.float32))
        probability = calibrate(logits, found)[:, 0]
        assert (np.diff(probability) > 0).all()
        # Platt's targets: 20 bound examples without a miss say 21 / 22, not 1
        assert probability[-1] == pytest.approx(21 / 22, abs=0.05)


class TestCalibrate:
    def test_literal_values(self):
        calibration = {"method": "platt", "slope": [1.0, 2.0], "intercept": [0.0, -1.0]}
        found = calibrate(np.array([[0, 0.5], [np.log(3), 0]], np.float32), calibration)
        assert found.dtype == np.float64
        assert found == pytest.approx(np.array([[0.5, 0.5], [0.75, 1 / (1 + np.e)]]))

    def test_keeps_the_ranking_of_very_low_scores(self):
        found = calibrate(np.arange(-300, -30, 10, np.float32)[:, None], {"slope": [1.0], "intercept": [0.0]})
        assert (np.diff(found[:, 0]) > 0).all()


class TestBestF1Threshold:
    def test_literal_example(self):
        # at .6: 3 of 3 found, 3 of 4 right, F1 6/7; at .8: 2 of 3 found, none wrong, F1 4/5
        label, score = np.array([1, 1, 0, 1, 0]), np.array([0.9, 0.8, 0.7, 0.6, 0.1])
        assert best_f1_threshold(label, score) == 0.6

    def test_leaves_unknown_labels_out(self):
        label, score = np.array([1, NAN, 0, NAN]), np.array([0.9, 0.95, 0.7, 0.1])
        assert best_f1_threshold(label, score) == 0.9

    def test_of_scores_that_are_all_alike(self):
        assert best_f1_threshold(np.array([1, 0]), np.array([0.5, 0.5])) == 0.5


class TestPrevalence:
    calibration = {"slope": [2.0], "intercept": [0.0], "prevalence": [0.5]}  # noqa: RUF012

    def test_literal_value(self):
        # even odds among as many bound as unbound are odds of 1 to 99 where one in a hundred is bound
        found = calibrate(np.zeros((1, 1), np.float32), self.calibration, prevalence=0.01)
        assert found == pytest.approx(0.01)

    def test_that_of_the_training_changes_nothing(self):
        logits = np.linspace(-3, 3, 7, dtype=np.float32)[:, None]
        assert calibrate(logits, self.calibration, 0.5) == pytest.approx(calibrate(logits, self.calibration))

    def test_is_stored(self):
        y = np.array([[1.0], [0.0], [0.0], [0.0], [np.nan]], np.float32)
        assert fit_platt(np.arange(5, dtype=np.float32)[:, None], y)["prevalence"] == [0.25]

    @pytest.mark.parametrize(("trained", "asked"), [(0.2, 0.01), (0.2, 0.6), (0.02, 0.5)])
    def test_a_sequence_without_evidence_has_the_prevalence_that_was_asked_for(self, trained, asked):
        # its probability is the share that calibration saw, so the evidence is worth a likelihood ratio of 1
        odds = trained / (1 - trained)
        calibration = {"slope": [1.0], "intercept": [np.log(odds)], "prevalence": [trained]}
        assert calibrate(np.zeros((1, 1), np.float32), calibration, asked) == pytest.approx(asked)

    def test_odds_are_multiplied_by_the_ratio_of_the_odds_of_both_prevalences(self):
        # even odds where one in five is bound are a likelihood ratio of 4: odds of 4 to 99 where one in 100 is
        calibration = {"slope": [1.0, 1.0], "intercept": [0.0, 0.0], "prevalence": [0.2, 0.5]}
        found = calibrate(np.zeros((1, 2), np.float32), calibration, prevalence=0.01)
        assert found == pytest.approx(np.array([[4 / 103, 1 / 100]]))


class TestPlattByHand:
    def test_two_scores(self):
        # With two scores the sigmoid meets the mean target of each. Six bound and three unbound examples have the
        # targets 7/8 and 1/5, so these means are (2 * 7/8 + 2 * 1/5) / 4 and (4 * 7/8 + 1/5) / 5
        logits = np.repeat([0.0, 1.0], [4, 5])[:, None].astype(np.float32)
        label = np.array([1, 1, 0, 0, 1, 1, 1, 1, 0], np.float32)[:, None]
        found = fit_platt(logits, label)
        assert calibrate(np.array([[0], [1]], np.float32), found)[:, 0] == pytest.approx(
            [0.5375, 0.74], abs=1e-4
        )

    def test_the_smallest_slope_is_a_thousandth(self):
        label = np.repeat([1.0, 0.0], [6, 3])[:, None].astype(np.float32)
        found = fit_platt(-label, label)
        assert found["slope"] == [0.001]
        # the intercept then gives the mean target, (6 * 7/8 + 3 * 1/5) / 9 = 0.65
        assert found["intercept"] == pytest.approx([np.log(0.65 / 0.35)])


def test_the_best_f1_may_have_a_low_precision_and_a_low_recall():
    # the second bound example: 2 of 5 called and 2 of 5 found, F1 2/5; the first alone has F1 2 * 1/5 / (1 + 1/5) = 1/3
    label = np.array([1, 0, 0, 0, 1] + [0] * 30 + [1] * 3)
    score = np.linspace(1, 0, len(label))
    assert best_f1_threshold(label, score) == score[4]


class TestFitSites:
    def test_probabilities_are_shares_and_add_up_to_what_is_expected(self):
        rng = np.random.default_rng(0)
        z = rng.normal(-2, 2, 20_000)
        is_site = rng.random(20_000) < 1 / (1 + np.exp(-(1.5 * z - 1)))
        slope, intercept = fit_sites(z, is_site, float(is_site.sum()))
        assert (slope, intercept) == pytest.approx((1.5, -1), abs=0.1)
        slope, intercept = fit_sites(z, is_site, 500.0)
        assert (1 / (1 + np.exp(-(slope * z + intercept)))).sum() == pytest.approx(500, rel=1e-6)

    def test_without_a_single_site_nothing_breaks(self):
        slope, intercept = fit_sites(np.linspace(-3, 3, 50), np.zeros(50, bool), 0.5)
        assert slope > 0
        assert np.isfinite(intercept)


class TestSiteCalibration:
    CALIBRATION = SiteCalibration(
        slope=(2.0, None),
        intercept=(-1.0, None),
        expected_per_mb=(60.0, None),
        stride=10,
        distance=75,
        contigs=("I",),
    )

    def test_probability(self):
        found = self.CALIBRATION.probability(np.array([0.5, 1.5]), 0)
        assert found == pytest.approx([0.5, 1 / (1 + np.exp(-2))])

    def test_a_factor_without(self):
        assert [self.CALIBRATION.covers(factor) for factor in (0, 1)] == [True, False]
        with pytest.raises(ValueError, match="no calibration of factor 1"):
            self.CALIBRATION.probability(np.array([0.5]), 1)
