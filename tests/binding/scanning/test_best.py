import numpy as np
import pytest

from tfbind.binding.scanning.best import Best, BestOfRecord, Ends
from tfbind.binding.scanning.windows import Windows

NAN = float("nan")


class TestBestOfRecord:
    @staticmethod
    def windows(*starts_and_names) -> Windows:
        names, starts = zip(*[(text[0], int(text[1:])) for text in starts_and_names], strict=True)
        start = np.array(starts)
        codes = np.zeros((len(names), 5), np.uint8)
        return Windows(list(names), start, start + 5, codes, [""] * len(names))

    @staticmethod
    def best(*groups) -> list[tuple[str, str]]:
        """Name and start of the kept windows, of groups of windows and their scores."""
        keeper, lines = BestOfRecord(np.array(groups[0][1]).reshape(len(groups[0][0].id), -1).shape[1]), []
        for windows, scores in groups:
            for some in keeper.keep(windows, np.array(scores, float).reshape(len(windows.id), -1)):
                lines += some
        return [tuple(line.split("\t")[:2]) for line in lines + keeper.finish()]

    def test_keeps_the_highest_of_each(self):
        windows = self.windows("a0", "a5", "a9", "b0", "c0", "c5")
        assert self.best((windows, [1, 3, 2, 0, 5, 4])) == [("a", "5"), ("b", "0"), ("c", "0")]

    @pytest.mark.parametrize("scores", [[3, 1, 2, 1], [1, 3, 2, 1], [1, 2, 3, 1], [1, 2, 2, 3]])
    def test_of_a_record_in_several_groups(self, scores):
        groups = [self.windows("a0", "a5"), self.windows("a10"), self.windows("a15")]
        parts = [scores[:2], scores[2:3], scores[3:]]
        expected = [("a", str(5 * int(np.argmax(scores))))]
        assert self.best(*zip(groups, parts, strict=True)) == expected

    def test_two_records_of_one_name_are_two(self):
        assert self.best((self.windows("a0", "a0"), [1, 2]), (self.windows("a0", "a5"), [1, 2])) == [
            ("a", "0"),
            ("a", "0"),
            ("a", "5"),
        ]

    def test_of_what_has_no_score_keeps_the_first(self):
        assert self.best((self.windows("a0", "a5", "b0", "b5"), [NAN, NAN, NAN, 0.1])) == [
            ("a", "0"),
            ("b", "5"),
        ]

    def test_judges_by_the_highest_factor(self):
        assert self.best((self.windows("a0", "a5"), [[0.5, 0.6], [0.1, 0.7]])) == [("a", "5")]

    def test_of_a_record_that_began_before_is_told_from_the_others(self):
        keeper = BestOfRecord(1)
        ended = [
            keeper.keep(self.windows(*names), np.zeros((len(names), 1)))
            for names in (("a0", "b0", "c0"), ("c5", "d0", "e0"), ("f0",))
        ]
        names = [[[line[0] for line in lines] for lines in each] for each in ended]
        assert names == [[[], ["a", "b"]], [["c"], ["d"]], [["e"], []]]

    def test_of_a_piece_that_begins_within_a_record(self):
        keeper = BestOfRecord(1)
        before, others = keeper.keep(
            self.windows("a5", "b0", "b5", "c0"), np.array([[0.3], [0.1], [0.2], [0.4]])
        )
        assert (before, [line[:3] for line in others]) == ([], ["b\t5"])
        continues, first, last = keeper.ends
        assert (continues, first.score, first.line[:3]) == (True, 0.3, "a\t5")
        assert (last.score, last.line[:3]) == (0.4, "c\t0")

    def test_of_a_piece_within_a_record(self):
        keeper = BestOfRecord(1)
        for name, score in (("a5", 0.3), ("a10", 0.7), ("a15", 0.7)):
            assert keeper.keep(self.windows(name), np.array([[score]])) == ([], [])
        assert keeper.ends == Ends(True, None, Best(0.7, "a\t10\t15\t0.7\t\n"))


class TestEnds:
    @pytest.mark.parametrize(
        "ends",
        [
            Ends(False, None, None),
            Ends(True, Best(1 / 3, "a\t1\n"), Best(-1.0, "é\t1\n")),
            Ends(True, None, Best(0.1 + 0.2, "")),
        ],
    )
    def test_are_read_back(self, ends):
        assert Ends.read(ends.text()) == ends
        assert ends.text().isascii()

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[]",
            "{}",
            '{"continues": 1, "first": null, "last": null}',
            '{"continues": true, "first": [1], "last": null}',
        ],
    )
    def test_something_else_is_refused(self, text):
        with pytest.raises(ValueError, match=r"Expecting value|not written by"):
            Ends.read(text)


def test_the_first_of_equal_windows_is_kept():
    one, same, better = Best(0.5, "1"), Best(0.5, "2"), Best(0.6, "3")
    assert one.or_better(same) is one
    assert one.or_better(better) is better
    assert one.or_better(None) is one
