import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfbind.dna import matched
from tfbind.dna.genome import Genome
from tfbind.dna.matched import (
    draw_matched,
    gc_count,
    intervals_by_contig,
    join_intervals,
    read_intervals,
)
from tfbind.dna.peaks import Peak, Window
from tfbind.errors import TfbindError


def write_genome(folder, **contigs):
    path = folder / "genome.fa"
    path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in contigs.items()))
    return path


def letters(seed, n, alphabet="ACGT"):
    return "".join(np.random.default_rng(seed).choice(list(alphabet), n))


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    folder = tmp_path_factory.mktemp("genome")
    a = letters(1, 30_000) + "N" * 500 + letters(2, 5_000, "acgtNRY") + letters(3, 10_000, "acgt")
    with Genome(write_genome(folder, a=a, b=letters(4, 20_000), tiny="ACGTA", c=letters(5, 9_000))) as genome:
        yield genome


def wanted_at(length, *counts):
    return np.stack([np.bincount(list(of_stratum), minlength=length + 1) for of_stratum in counts])


def histogram(genome, windows, length):
    return np.bincount(
        [gc_count(genome.fetch(*window[:3]), length) for window in windows], minlength=length + 1
    )


class TestDrawMatched:
    @settings(max_examples=25, deadline=None)
    @given(
        st.lists(
            st.tuples(st.sampled_from("abc"), st.integers(0, 45_000), st.integers(1, 3_000)), max_size=12
        ),
        st.integers(10, 60),
        st.integers(0, 1000),
    )
    def test_no_window_touches_what_it_must_not(self, genome, places, length, seed):
        forbidden = intervals_by_contig((contig, start, start + size) for contig, start, size in places)
        wanted = np.full((1, length + 1), 20)
        drawn = draw_matched(
            genome, dict.fromkeys(genome.contigs, 0), wanted, forbidden, length, np.random.default_rng(seed)
        )
        assert len(drawn.windows) + drawn.shortfall.sum() == wanted.sum()
        for contig, start, end, name in drawn.windows:
            assert end - start == length
            assert name == ""
            assert set(genome.fetch(contig, start, end).upper()) <= set("ACGT")
            assert not any(at == contig and start < a + size and a < end for at, a, size in places)
        for left, right in itertools.pairwise(drawn.windows):
            assert left.contig != right.contig or left.end <= right.start

    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.integers(15, 25), min_size=1, max_size=60), st.integers(0, 1000))
    def test_same_gc_content_where_windows_abound(self, genome, counts, seed):
        wanted = wanted_at(40, counts)
        drawn = draw_matched(
            genome, dict.fromkeys(genome.contigs, 0), wanted, {}, 40, np.random.default_rng(seed)
        )
        np.testing.assert_array_equal(histogram(genome, drawn.windows, 40), wanted[0])
        assert drawn.shortfall.tolist() == drawn.substituted.tolist() == [0]

    def test_each_stratum_has_its_contigs(self, genome):
        wanted = wanted_at(50, [25] * 20 + [24] * 5, [26] * 10)
        drawn = draw_matched(genome, {"b": 0, "c": 1}, wanted, {}, 50, np.random.default_rng(0))
        assert drawn.stratum.tolist() == [0] * 25 + [1] * 10
        assert [window.contig for window in drawn.windows] == ["b"] * 25 + ["c"] * 10
        np.testing.assert_array_equal(histogram(genome, drawn.windows[:25], 50), wanted[0])
        np.testing.assert_array_equal(histogram(genome, drawn.windows[25:], 50), wanted[1])

    def test_same_generator_same_windows_whatever_the_piece_and_pool(self, genome, monkeypatch):
        def draw(seed):
            wanted = np.full((1, 21), 30)
            return draw_matched(genome, {"a": 0, "b": 0}, wanted, {}, 20, np.random.default_rng(seed)).windows

        first = draw(0)
        assert first != draw(1)
        monkeypatch.setattr(matched, "BASES_AT_A_TIME", 999)
        monkeypatch.setattr(matched, "POOL_AT_LEAST", -2 * 21 * 30 + 50)
        assert draw(0) == first

    def test_every_window_is_as_likely(self, tmp_path):
        # 8 tiles of the same G+C count wherever they begin, of which 2 are drawn
        with Genome(write_genome(tmp_path, a="AC" * 44 + "A")) as genome:
            rng = np.random.default_rng(0)
            starts = [
                window.start // 10
                for _ in range(2000)
                for window in draw_matched(genome, {"a": 0}, wanted_at(10, [5, 5]), {}, 10, rng).windows
            ]
        times = np.bincount(starts, minlength=8)
        assert times.min() > 400
        assert times.max() < 600

    def test_neighbouring_counts_stand_in_and_the_rest_is_told(self, tmp_path):
        # With a length of 100 the counts 48 to 52 can replace 50. Each contig is one tile, so that all are found
        counts = (51, 48, 53, 50, 47)
        contigs = {f"gc{n}": "G" * n + "A" * (100 - n) for n in counts}
        with Genome(write_genome(tmp_path, **contigs)) as genome:
            drawn = draw_matched(
                genome, dict.fromkeys(contigs, 0), wanted_at(100, [50] * 5), {}, 100, np.random.default_rng(0)
            )
        assert {window.contig for window in drawn.windows} == {"gc48", "gc50", "gc51"}
        assert drawn.substituted.tolist() == [2]
        assert drawn.shortfall.tolist() == [2]

    def test_no_contig_is_long_enough(self, genome):
        drawn = draw_matched(genome, {"tiny": 0}, wanted_at(6, [3, 3]), {}, 6, np.random.default_rng(0))
        assert drawn.windows == []
        assert drawn.stratum.shape == (0,)
        assert drawn.shortfall.tolist() == [2]


class TestAllot:
    def test_nearest_first_then_the_fuller_side(self):
        wanted = np.array([[0, 0, 0, 6, 0, 0, 0]])
        available = np.array([[9, 9, 1, 1, 2, 9, 9]])
        take, missing, substituted = matched._allot(wanted, available, 2)
        assert take.tolist() in ([[0, 2, 1, 1, 2, 0, 0]], [[0, 0, 1, 1, 2, 2, 0]])
        assert missing.tolist() == [0]
        assert substituted.tolist() == [5]

    def test_strata_are_apart(self):
        take, missing, _ = matched._allot(np.array([[2, 0], [0, 1]]), np.array([[1, 0], [5, 1]]), 1)
        assert take.tolist() == [[1, 0], [0, 1]]
        assert missing.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("sequence", "length", "expected"),
    [
        ("ACGT", 4, 2),
        ("acgu", 4, 2),
        ("GGNN", 4, 4),
        ("GA", 101, 50),
        ("GGA", 30, 20),
        ("NRY", 3, None),
        ("", 3, None),
    ],
)
def test_gc_count(sequence, length, expected):
    assert gc_count(sequence, length) == expected


@pytest.mark.parametrize(
    ("start", "expected"),
    [(0, False), (1, True), (15, True), (29, True), (30, False), (41, True), (60, False)],
)
def test_touching_is_sharing_a_base(start, expected):
    intervals = np.array([[50, 60], [10, 30], [12, 14]])
    assert matched.touches(np.array([start]), 10, intervals).tolist() == [expected]


class TestIntervals:
    def test_read_exclude_bed(self, tmp_path):
        path = tmp_path / "exclude.bed"
        path.write_bytes(b"# blacklist\r\nb\t5\t9\tHigh Signal\r\na 0   7000\r\nb\t1\t2\r\n")
        found = read_intervals(path)
        assert {contig: bounds.tolist() for contig, bounds in found.items()} == {
            "b": [[5, 9], [1, 2]],
            "a": [[0, 7000]],
        }

    def test_nothing_to_exclude(self, tmp_path):
        (tmp_path / "none.bed").write_text("")
        assert read_intervals(tmp_path / "none.bed") == {}

    def test_error_names_the_line(self, tmp_path):
        (tmp_path / "bad.bed").write_text("a\t1\t2\na\tx\t2\n")
        with pytest.raises(TfbindError, match=r"bad\.bed: line 2: found start 'x'"):
            read_intervals(tmp_path / "bad.bed")

    def test_join(self):
        peaks = intervals_by_contig([Peak("a", 1, 5, "", 1.0, 3)])
        windows = intervals_by_contig([Window("a", 0, 9), Window("b", 2, 4)])
        joined = join_intervals(peaks, windows, {})
        assert {contig: bounds.tolist() for contig, bounds in joined.items()} == {
            "a": [[1, 5], [0, 9]],
            "b": [[2, 4]],
        }


class TestWindowsThatAreAllFound:
    """Contigs of 100 bases are one window each, so that chance has no part in which there are."""

    @staticmethod
    def draw(folder, of_count, wanted):
        contigs = {
            f"gc{count}n{number}": "G" * count + "A" * (100 - count)
            for count, n in of_count.items()
            for number in range(n)
        }
        with Genome(write_genome(folder, **contigs)) as genome:
            drawn = draw_matched(
                genome, dict.fromkeys(contigs, 0), wanted_at(100, wanted), {}, 100, np.random.default_rng(0)
            )
        counts = np.array([int(window.contig[2:4]) for window in drawn.windows])
        return {int(count): int((counts == count).sum()) for count in np.unique(counts)}, drawn

    def test_a_count_gives_away_what_it_does_not_need_itself(self, tmp_path):
        found, drawn = self.draw(tmp_path, {50: 5}, [50] * 3 + [51] * 4)
        assert found == {50: 5}
        assert (drawn.substituted.tolist(), drawn.shortfall.tolist()) == ([2], [2])

    @pytest.mark.parametrize("fuller", [49, 51])
    def test_of_two_as_near_the_one_with_more_to_spare_stands_in_first(self, tmp_path, fuller):
        found, _ = self.draw(tmp_path, {100 - fuller: 1, fuller: 5}, [50] * 3)
        assert found == {fuller: 3}

    def test_the_nearest_stand_in_first(self, tmp_path):
        found, _ = self.draw(tmp_path, {49: 1, 48: 9, 52: 5}, [50] * 3)
        assert found == {48: 2, 49: 1}

    @pytest.mark.parametrize(("count", "n"), [(47, 0), (48, 1), (52, 1), (53, 0)])
    def test_two_hundredths_of_the_length_higher_or_lower_stand_in(self, tmp_path, count, n):
        assert len(self.draw(tmp_path, {count: 1}, [50])[1].windows) == n


def test_a_long_forbidden_interval_may_hold_others(tmp_path):
    forbidden = intervals_by_contig([("a", 3, 4), ("a", 40, 41), ("a", 0, 50)])
    with Genome(write_genome(tmp_path, a="AC" * 40)) as genome:
        for seed in range(20):
            drawn = draw_matched(
                genome, {"a": 0}, wanted_at(10, [5] * 9), forbidden, 10, np.random.default_rng(seed)
            )
            assert drawn.windows
            assert min(window.start for window in drawn.windows) >= 50
