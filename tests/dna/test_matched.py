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
        # with a length of 100 the counts 48 to 52 can stand in for 50: tiles of 51, 48, 53 and 50
        sequence = "N".join("G" * n + "A" * (100 - n) for n in (51, 48, 53, 50))
        genome_path = write_genome(tmp_path, a=sequence)
        found = []
        with Genome(genome_path) as genome:
            for seed in range(300):  # a random start hits one of the tiles now and then
                drawn = draw_matched(
                    genome, {"a": 0}, wanted_at(100, [50] * 4), {}, 100, np.random.default_rng(seed)
                )
                assert len(drawn.windows) + drawn.shortfall[0] == 4
                counts = [gc_count(genome.fetch(*window[:3]), 100) for window in drawn.windows]
                assert drawn.substituted[0] == sum(count != 50 for count in counts)
                found += counts
        assert set(found) == {48, 50, 51}

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
