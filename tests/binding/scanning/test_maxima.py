import numpy as np

from tfbind.binding.scanning.maxima import keep_apart, local_maxima, smoothed

NAN = float("nan")


def maxima(scores, distance, step=10):
    return local_maxima(np.arange(len(scores)) * step, np.array(scores, float), distance).tolist()


def test_smoothed_scores_are_means_of_those_near():
    position = np.array([0, 10, 20, 30, 35])
    score = np.array([1.0, 3.0, NAN, 6.0, 8.0])
    assert smoothed(position, score, 10)[[0, 1, 3, 4]].tolist() == [2.0, 2.0, 7.0, 7.0]
    assert np.isnan(smoothed(position, score, 10)[2])
    assert smoothed(position, score, 4)[[0, 1, 3, 4]].tolist() == [1.0, 3.0, 6.0, 8.0]
    assert smoothed(position[:0], score[:0], 10).tolist() == []


class TestLocalMaxima:
    def test_a_score_that_no_other_one_near_reaches(self):
        assert maxima([0, 3, 1, 2, 0, 0, 1], 20) == [1, 3, 6]
        # 20 bases away is far enough, 10 are not
        assert maxima([0, 3, 1, 2, 0, 0, 1], 21) == [1, 6]
        assert maxima([0, 3, 1, 2, 0, 0, 1], 60) == [1]

    def test_what_has_no_score_is_not_one(self):
        assert maxima([NAN, NAN, NAN], 20) == []
        assert maxima([NAN, 1, NAN, NAN, 2], 20) == [1, 4]
        assert maxima([], 20) == []

    def test_of_equal_neighbours_the_middle_counts(self):
        assert maxima([0, 5, 5, 5, 0, 0, 5, 0], 25) == [2, 6]
        assert maxima([1] * 101, 30) == [50]

    def test_one_window(self):
        assert maxima([0.2], 75) == [0]

    def test_base_by_base(self):
        assert maxima([0, 1, 0, 2], 3, step=1) == [3]
        assert maxima([0, 1, 0, 2], 2, step=1) == [1, 3]


class TestKeepApart:
    def test_the_higher_one_of_two_that_are_close(self):
        record, position = np.array([0, 0, 0]), np.array([100, 40, 174])
        assert keep_apart(record, position, np.array([1.0, 2.0, 3.0]), 75).tolist() == [1, 2]
        assert keep_apart(record, position, np.array([3.0, 2.0, 1.0]), 75).tolist() == [0]
        assert keep_apart(record, position, np.array([3.0, 2.0, 1.0]), 60).tolist() == [1, 0, 2]

    def test_what_was_dropped_drops_nothing(self):
        record, position = np.zeros(3, int), np.array([0, 50, 100])
        assert keep_apart(record, position, np.array([3.0, 2.0, 1.0]), 75).tolist() == [0, 2]

    def test_records_do_not_touch(self):
        record, position = np.array([1, 0]), np.array([10, 10])
        assert keep_apart(record, position, np.array([1.0, 1.0]), 75).tolist() == [1, 0]

    def test_many(self):
        rng = np.random.default_rng(0)
        position, score = rng.integers(0, 10_000, 500), rng.random(500)
        kept = keep_apart(np.zeros(500, int), position, score, 75)
        assert (np.diff(position[kept]) >= 75).all()
        # what is missing is close to something higher
        for at in set(range(500)) - set(kept.tolist()):
            near = kept[abs(position[kept] - position[at]) < 75]
            assert (score[near] > score[at]).any()
