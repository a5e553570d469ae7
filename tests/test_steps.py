import numpy as np
import pytest

from tfbind import steps as step_functions
from tfbind.steps import StepFunction

STEPS = StepFunction.from_intervals(
    np.array([100, 200, 300, 500]), np.array([200, 300, 400, 600]), np.array([1.0, 3.0, np.nan, 5.0])
)


class TestMeans:
    @pytest.mark.parametrize(
        ("start", "end", "mean"),
        [
            (100, 200, 1.0),
            (100, 300, 2.0),
            (150, 250, 2.0),
            (175, 275, 2.5),
            (200, 300, 3.0),
            (510, 520, 5.0),
        ],
    )
    def test_are_weighted_by_length(self, start, end, mean):
        assert STEPS.means([start], [end], covered=0.9).tolist() == [mean]

    @pytest.mark.parametrize(
        ("start", "end", "mean"),
        [
            (210, 310, 3.0),  # 90 of 100 bases
            (211, 311, np.nan),
            (90, 190, 1.0),
            (89, 189, np.nan),
            (400, 500, np.nan),
            (0, 50, np.nan),
            (700, 800, np.nan),
        ],
    )
    def test_need_nine_tenths_of_the_window(self, start, end, mean):
        np.testing.assert_array_equal(STEPS.means([start], [end], covered=0.9), [mean])

    def test_agree_with_a_sum_over_bases(self):
        rng = np.random.default_rng(0)
        edges = np.cumsum(rng.integers(1, 30, 201))
        rate = np.where(rng.random(200) < 0.05, np.nan, rng.lognormal(size=200))
        bases = np.full(edges[-1] + 100, np.nan)
        for start, end, value in zip(edges[:-1], edges[1:], rate, strict=True):
            bases[start:end] = value
        starts = rng.integers(0, edges[-1], 300)
        ends = starts + rng.integers(1, 90, 300)
        expected = []
        for start, end in zip(starts, ends, strict=True):
            known = bases[start:end][~np.isnan(bases[start:end])]
            expected.append(known.mean() if len(known) >= 0.9 * (end - start) else np.nan)
        assert 20 < np.isnan(expected).sum() < 280
        np.testing.assert_allclose(
            StepFunction(edges, rate).means(starts, ends, covered=0.9), expected, rtol=1e-9
        )

    def test_take_what_is_known_if_no_share_is_asked_for(self):
        np.testing.assert_array_equal(
            STEPS.means([390, 0, 0], [590, 50, 101], covered=0.0), [5.0, np.nan, 1.0]
        )

    def test_of_several_columns_are_those_of_each(self):
        columns = np.stack([STEPS.values, [2.0, np.nan, 4.0, 0.0, 1.0]], axis=1)
        both = StepFunction(STEPS.edges, columns).means([100, 250], [300, 400])
        np.testing.assert_array_equal(both, [[2.0, 2.0], [3.0, 4.0]])

    def test_are_never_below_0_by_rounding(self):
        steps = StepFunction(np.arange(100_001) * 7, np.append(np.full(99_999, 0.1), 0.0))
        assert steps.means([7 * 99_999], [7 * 100_000])[0] == 0


class TestFromIntervals:
    def test_fills_gaps_with_missing_values(self):
        assert STEPS.edges.tolist() == [100, 200, 300, 400, 500, 600]
        np.testing.assert_array_equal(STEPS.values, [1.0, 3.0, np.nan, np.nan, 5.0])

    def test_of_none_is_empty(self):
        empty = StepFunction.from_intervals([], [], [])
        assert len(empty) == 0
        assert empty.integral([0, 5], [10, 6]).tolist() == [0.0, 0.0]
        assert np.isnan(empty.means([0], [10])).all()


class TestWindows:
    def test_integrals_count_what_is_known(self):
        assert STEPS.integral([0, 150, 350], [1_000, 250, 510]).tolist() == [900.0, 200.0, 50.0]
        assert STEPS.known_bases([0, 150, 350], [1_000, 250, 510]).tolist() == [300.0, 100.0, 10.0]

    def test_parts_of_steps_count_as_parts(self):
        assert STEPS.steps_within([0, 150, 275], [1_000, 250, 275]).tolist() == [5.0, 1.0, 0.0]

    @pytest.mark.parametrize("at_once", [1, 2, 7, 99])
    def test_portions_of_steps_do_not_matter_to_the_last_bit(self, monkeypatch, at_once):
        rng = np.random.default_rng(1)
        # some steps have no length, and of some the value is missing
        edges = np.cumsum(rng.integers(1, 30, 101))
        values = np.where(rng.random((100, 3)) < 0.2, np.nan, rng.random((100, 3)))
        steps = StepFunction(edges, values).warped(edges - edges % 10)
        (one, *_) = columns = [StepFunction.sharing(steps.edges, column) for column in values.T]
        starts = np.append(rng.integers(0, edges[-1] + 50, 500), steps.edges)
        ends = np.append(starts[:500] + rng.integers(0, 300, 500), np.full(101, edges[-1] + 5))
        whole = {
            what: [getattr(each, what)(starts, ends) for each in columns]
            for what in ("integral", "known_bases", "means", "steps_within")
        }
        of_all = steps.means(starts, ends)
        monkeypatch.setattr(step_functions, "STEPS_AT_ONCE", at_once)
        for what, expected in whole.items():
            again = [getattr(StepFunction.sharing(c.edges, c.values), what)(starts, ends) for c in columns]
            np.testing.assert_array_equal(again, expected)
        np.testing.assert_array_equal(steps.means(starts, ends), of_all)
        assert one.known_bases(0, 10_000).shape == ()
        np.testing.assert_array_equal(one.known_bases(0, ends), one.known_bases(np.zeros(601), ends))

    def test_a_single_window_may_be_a_number(self):
        assert STEPS.known_bases(0, 150) == 50


class TestEdges:
    def test_the_value_at_a_position_is_that_of_its_step(self):
        np.testing.assert_array_equal(STEPS.at([100, 199, 200, 599]), [1.0, 1.0, 3.0, 5.0])

    def test_can_be_moved(self):
        # steps 2 and 5, of no length, count for nothing
        warped, without = STEPS.warped([0, 10, 10, 30, 40, 40]), StepFunction([0, 10, 30], [1.0, np.nan])
        assert np.shares_memory(warped.values, STEPS.values)
        starts, ends = np.array([0, 5, 10, 0, 10, 25]), np.array([5, 10, 30, 30, 12, 29])
        for what in ("means", "integral", "known_bases", "steps_within"):
            np.testing.assert_array_equal(
                getattr(warped, what)(starts, ends), getattr(without, what)(starts, ends)
            )
        assert warped.steps_within([0], [40]).tolist() == [3.0]

    def test_cannot_be_written_to(self):
        with pytest.raises(ValueError, match="read-only"):
            STEPS.values[0] = 2
        with pytest.raises(ValueError, match="read-only"):
            STEPS.edges[0] = 2

    @pytest.mark.parametrize(
        ("edges", "values", "message"),
        [
            ([0, 10], [1, 2], "2 edges bound 1 steps, not 2"),
            ([0, 10, 10], [1, 2], r"edges \[1\] do not lie before"),
            ([0, 10], [-1], "values of -1, expected at least 0"),
        ],
    )
    def test_that_are_no_step_function_are_refused(self, edges, values, message):
        with pytest.raises(ValueError, match=message):
            StepFunction(edges, values)


@pytest.mark.parametrize(
    ("where", "runs"),
    [
        ([0, 1, 1, 0, 1], [[1, 3], [4, 5]]),
        ([1, 1, 1, 1, 1], [[0, 5]]),
        ([0, 0, 0, 0, 0], []),
        ([1, 0, 0, 0, 1], [[0, 1], [4, 5]]),
    ],
)
def test_runs_of_steps(where, runs):
    found = StepFunction.runs(np.array(where, bool))
    assert found.shape == (len(runs), 2)
    assert found.tolist() == runs


def test_columns_have_the_means_that_each_would_have_alone():
    rng = np.random.default_rng(1)
    values = np.where(rng.random((40, 3)) < 0.2, np.nan, rng.random((40, 3)))
    edges = np.r_[0, np.cumsum(rng.integers(1, 9, 40))]
    start, end = np.array([0, 13, 50]), np.array([7, 80, int(edges[-1]) + 5])
    found = StepFunction(edges, values).means(start, end, covered=0.3)
    alone = [StepFunction(edges, column).means(start, end, covered=0.3) for column in values.T]
    np.testing.assert_array_equal(found, np.stack(alone, axis=-1))


def test_warped_steps_cannot_be_written_to():
    steps = StepFunction([0, 10, 20], [1.0, 2.0]).warped([0, 5, 30])
    assert not steps.edges.flags.writeable
    assert not steps.values.flags.writeable
