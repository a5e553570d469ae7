import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfbind.dna.alphabet import reverse_complement
from tfbind.dna.digests import strand_canonical_digests
from tfbind.dna.splits import (
    LEFT_OUT,
    TEST,
    TRAIN,
    VALIDATION,
    folds_at_random,
    group_related,
    split_at_random,
    split_by_contig,
)
from tfbind.errors import TfbindError

GROUPS = st.lists(st.integers(0, 30), min_size=1, max_size=80).map(np.array)


def partition(group):
    """Sets of rows, whatever their numbers are."""
    return sorted(np.flatnonzero(group == number).tolist() for number in np.unique(group))


class TestGroupRelated:
    def test_planted_duplicate_and_reverse_complement(self):
        codes = np.random.default_rng(0).integers(0, 4, (6, 40)).astype(np.uint8)
        valid_length = np.full(6, 40)
        codes[4] = codes[1]
        codes[5] = reverse_complement(codes[2:3], valid_length[:1])[0]
        group = group_related(strand_canonical_digests(codes, valid_length), [None] * 6)
        assert partition(group) == [[0], [1, 4], [2, 5], [3]]

    def test_shuffles_are_known_by_their_composition(self):
        group = group_related(np.array([1, 2, 3], np.uint64), [None] * 3, np.array([7, 8, 7], np.uint64))
        assert group[0] == group[2] != group[1]

    def test_shared_content(self):
        content = np.array([0, 1, 0, 3])
        group = group_related(np.arange(4, dtype=np.uint64), [None] * 4, content=content)
        assert partition(group) == [[0, 2], [1], [3]]

    def test_overlapping_coordinates(self):
        intervals = [("1", 0, 10), ("1", 9, 20), ("1", 20, 30), ("2", 5, 15), None, ("1", 2, 5)]
        group = group_related(np.arange(6, dtype=np.uint64), intervals)
        assert partition(group) == [[0, 1, 5], [2], [3], [4]]

    def test_an_interval_over_several_that_do_not_touch_one_another(self):
        intervals = [("1", 0, 100), ("1", 10, 20), ("1", 30, 40), ("1", 99, 120), ("1", 120, 130)]
        group = group_related(np.arange(5, dtype=np.uint64), intervals)
        assert partition(group) == [[0, 1, 2, 3], [4]]

    def test_relations_of_relations(self):
        # 0 = 3 in sequence, 3 overlaps 1, 1 = 4 in sequence
        digests = np.array([7, 8, 9, 7, 8], np.uint64)
        intervals = [("1", 0, 10), ("2", 0, 10), None, ("2", 5, 15), None]
        assert partition(group_related(digests, intervals)) == [[0, 1, 3, 4], [2]]

    @given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2), st.integers(0, 30), st.integers(1, 8))))
    def test_like_all_pairs(self, records):
        digests = np.array([digest for digest, *_ in records], np.uint64)
        intervals = [(str(c), s, s + n) if c else None for _, c, s, n in records]
        expected = list(range(len(records)))
        for i, a in enumerate(intervals):
            for j, b in enumerate(intervals[:i]):
                overlap = a and b and a[0] == b[0] and a[1] < b[2] and b[1] < a[2]
                if digests[i] == digests[j] or overlap:
                    expected = [expected[i] if number == expected[j] else number for number in expected]
        assert partition(group_related(digests, intervals)) == partition(np.array(expected))


class TestSplitAtRandom:
    @given(GROUPS, st.integers(0, 5), st.data())
    def test_no_group_straddles_parts(self, group, seed, data):
        stratum = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(group), max_size=len(group))))
        part = split_at_random(group, stratum, (0.5, 0.25, 0.25), seed)
        assert part.dtype == np.uint8
        assert all(len(set(part[group == number])) == 1 for number in group)

    @given(
        st.lists(st.integers(0, 300), min_size=1, max_size=4),
        st.sampled_from(
            [(0.8, 0.1, 0.1), (0.5, 0.25, 0.25), (0.98, 0.01, 0.01), (0.6, 0.4, 0.0), (1.0, 0, 0)]
        ),
        st.integers(0, 20),
    )
    def test_fractions_within_a_few_records_in_every_stratum(self, sizes, fractions, seed):
        stratum = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))
        part = split_at_random(np.arange(len(stratum)), stratum, fractions, seed)
        for number, size in enumerate(sizes):
            counts = np.bincount(part[stratum == number], minlength=3)
            assert np.abs(counts - np.array(fractions) * size).max() < 3
            assert all(count == 0 for count, fraction in zip(counts, fractions, strict=True) if not fraction)

    def test_deterministic_and_another_seed_another_split(self):
        group, stratum = np.arange(500), np.arange(500) % 2
        one, again, other = (split_at_random(group, stratum, (0.8, 0.1, 0.1), seed) for seed in (0, 0, 1))
        assert (one == again).all()
        assert (one != other).mean() > 0.1

    def test_every_record_may_come_into_every_part(self):
        parts = [split_at_random(np.arange(9), np.zeros(9), (0.5, 0.25, 0.25), seed) for seed in range(100)]
        assert all(set(column) == {0, 1, 2} for column in np.transpose(parts))


class TestFoldsAtRandom:
    @given(GROUPS, st.integers(2, 5), st.integers(0, 5))
    def test_no_group_straddles_folds(self, group, n_folds, seed):
        group = np.concatenate([group, 100 + np.arange(n_folds)])
        fold = folds_at_random(group, np.zeros(len(group), int), n_folds, seed)
        assert fold.dtype == np.uint8
        assert set(fold) == set(range(1, n_folds + 1))
        assert all(len(set(fold[group == number])) == 1 for number in group)

    @pytest.mark.parametrize("n_folds", [2, 3, 5, 7])
    def test_strata_and_folds_are_even(self, n_folds):
        stratum = np.repeat([0, 1, 2, 3], [53, 29, 11, 2])
        fold = folds_at_random(np.arange(95), stratum, n_folds, seed=0)
        for rows in (fold, *(fold[stratum == number] for number in range(4))):
            assert np.ptp(np.bincount(rows, minlength=n_folds + 1)[1:]) <= 1

    def test_a_large_group_leaves_the_other_folds_the_rest(self):
        group = np.concatenate([np.zeros(500, int), 1 + np.arange(500)])
        fold = folds_at_random(group, np.zeros(1000, int), 5, seed=0)
        assert sorted(np.bincount(fold)[1:]) == [125, 125, 125, 125, 500]

    def test_records_are_counted_not_groups(self):
        group = np.repeat(np.arange(6), [4, 3, 3, 2, 2, 4])
        fold = folds_at_random(group, np.zeros(18, int), 3, seed=0)
        assert np.bincount(fold)[1:].tolist() == [6, 6, 6]

    def test_another_seed_deals_otherwise(self):
        one, same, other = (folds_at_random(np.arange(50), np.zeros(50, int), 5, seed) for seed in (0, 0, 1))
        assert (one == same).all()
        assert (one != other).any()

    def test_more_folds_than_groups(self):
        with pytest.raises(
            TfbindError, match="found 2 groups of related records, expected one at least for each of 3"
        ):
            folds_at_random(np.array([0, 0, 1, 1]), np.zeros(4, int), 3, seed=0)


class TestSplitByContig:
    contig = np.array(["1", "2", "3", "1", "2", "3"])

    def test_whole_contigs(self):
        part = split_by_contig(self.contig, np.arange(6), test=["2"], validation=["3"])
        assert part.tolist() == [TRAIN, TEST, VALIDATION, TRAIN, TEST, VALIDATION]

    def test_a_duplicate_across_contigs_goes_to_the_most_held_out(self):
        group = np.array([0, 0, 1, 2, 3, 2])
        part = split_by_contig(self.contig, group, test=["2"], validation=["3"])
        assert part.tolist() == [TEST, TEST, VALIDATION, VALIDATION, TEST, VALIDATION]

    def test_one_name_is_no_prefix_of_another(self):
        part = split_by_contig(np.array(["chr1", "chr10"]), np.arange(2), test=["chr1"], validation=[])
        assert part.tolist() == [TEST, TRAIN]

    def test_may_be_spelled_with_or_without_chr(self):
        part = split_by_contig(self.contig, np.arange(6), test=["chr2"], validation=["3"])
        assert part.tolist() == split_by_contig(self.contig, np.arange(6), ["2"], ["3"]).tolist()

    @pytest.mark.parametrize(("test", "validation"), [(["4"], []), (["1"], ["4"])])
    def test_unknown_contig_lists_what_there_is(self, test, validation):
        with pytest.raises(
            TfbindError, match=r"\('4'\) are not in the records \(its contigs: '1', '2', '3'\)$"
        ):
            split_by_contig(self.contig, np.arange(6), test, validation)

    def test_long_lists_are_cut(self):
        names = np.array([f"c{i:02}" for i in range(20)])
        with pytest.raises(TfbindError, match=r"its contigs: 'c00', 'c01', 'c02', \.\.\.\)$"):
            split_by_contig(names, np.arange(20), ["x"], [])

    def test_a_contig_asked_for_twice(self):
        with pytest.raises(TfbindError, match="contig '1' is asked for both as test and as validation"):
            split_by_contig(self.contig, np.arange(6), ["1"], ["1"])


class TestFoldsOfUnequalGroups:
    @staticmethod
    def dealt(sizes_by_stratum, seed):
        """Records of each stratum in each of two folds, for groups of the sizes given."""
        sizes = [(stratum, size) for stratum, sizes in enumerate(sizes_by_stratum) for size in sizes]
        group = np.repeat(np.arange(len(sizes)), [size for _, size in sizes])
        stratum = np.repeat([stratum for stratum, _ in sizes], [size for _, size in sizes])
        fold = folds_at_random(group, stratum, 2, seed)
        return [np.bincount(fold[stratum == each], minlength=3)[1:].tolist() for each in np.unique(stratum)]

    @pytest.mark.parametrize("seed", range(5))
    def test_a_stratum_is_even_though_another_one_cannot_be(self, seed):
        # by the number of all records the second stratum would go whole to the fold with one record
        first, second = self.dealt([[4, 1], [2, 2]], seed)
        assert sorted(first) == [1, 4]
        assert second == [2, 2]

    @pytest.mark.parametrize("seed", range(5))
    def test_records_of_a_stratum_are_counted(self, seed):
        # 3 to one fold, 2 and 2 to the other one, and 1 to the first
        first, second = self.dealt([[5], [3, 2, 2, 1]], seed)
        assert sorted(first) == [0, 5]
        assert second == [4, 4]


def test_what_is_in_no_part_has_the_highest_byte():
    # as tensors files hold it
    assert np.iinfo(np.uint8).max == LEFT_OUT
