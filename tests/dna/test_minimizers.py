from itertools import chain

import numpy as np
import pytest

from tfbind.dna.alphabet import encode_letters, reverse_complement
from tfbind.dna.minimizers import (
    COMMON,
    Scheme,
    Sketches,
    find_overlaps,
    join_sketches,
    overlap_groups,
    scheme_for,
    sketch,
)
from tfbind.dna.shuffle import dinucleotide_shuffle

RNG = np.random.default_rng(3)
LENGTH = 101


@pytest.fixture(autouse=True)
def same_numbers():
    RNG.bit_generator.state = np.random.default_rng(3).bit_generator.state


def random_codes(*shape):
    return RNG.integers(0, 4, shape).astype(np.uint8)


def windows(locus, starts, length=LENGTH):
    return np.stack([locus[start : start + length] for start in starts])


def lengths(codes):
    return np.full(len(codes), codes.shape[1], np.int32)


def groups_of(codes, valid_length=None, placed=False):
    sketches = sketch(codes, lengths(codes) if valid_length is None else valid_length)
    return overlap_groups(sketches, np.full(len(codes), placed))


def sets(sketches):
    return [set(part.tolist()) for part in np.split(sketches.hashes, np.cumsum(sketches.counts)[:-1])]


def made(counts, hashes):
    return Sketches(Scheme(24, 15), np.array(hashes, np.uint32), np.array(counts, np.int32))


class TestScheme:
    @pytest.mark.parametrize(
        ("length", "expected"),
        [
            (10, (16, 1)),
            (30, (16, 3)),
            (40, (20, 4)),
            (101, (24, 15)),
            (200, (24, 17)),
            (1000, (24, 62)),
        ],
    )
    def test_suits_the_length(self, length, expected):
        assert scheme_for(length) == expected


class TestSketch:
    def test_by_hand(self):
        # ten 16-mers in windows of three: the lowest hash of each window, each once
        sequence = encode_letters("ACGTTGCATTGACCTAGGATCCATG")
        single = [
            int(sketch(sequence[None, i : i + 16], np.array([16]), Scheme(16, 1)).hashes[0])
            for i in range(10)
        ]
        expected = list(dict.fromkeys(min(single[i : i + 3]) for i in range(8)))
        found = sketch(sequence[None], np.array([25]), Scheme(16, 3))
        assert found.hashes.tolist() == expected
        assert found.counts.tolist() == [len(expected)]
        assert found.hashes.dtype == np.uint32

    @pytest.mark.parametrize("length", [24, 30, 60, 101, 400])
    def test_is_the_same_on_either_strand(self, length):
        codes = random_codes(50, length)
        codes[::5, length // 2] = 4
        turned = reverse_complement(codes, lengths(codes))
        assert sets(sketch(codes, lengths(codes))) == sets(sketch(turned, lengths(codes)))

    def test_every_shared_stretch_of_k_and_window_shares_one(self):
        k, window = scheme_for(LENGTH)
        codes = random_codes(200, LENGTH)
        codes[1::2, 60 : 60 + k + window - 1] = codes[::2, 3 : 3 + k + window - 1]
        found = sets(sketch(codes, lengths(codes)))
        assert all(one & other for one, other in zip(found[::2], found[1::2], strict=True))

    def test_padding_and_ambiguous_bases_are_in_no_kmer(self):
        codes = random_codes(1, LENGTH)
        codes[0, 40:] = 4
        padded = sets(sketch(codes, np.array([40])))[0]
        assert padded == sets(sketch(codes[:, :40].copy(), np.array([40]), scheme_for(LENGTH)))[0]
        codes[0, 20] = 4
        assert sketch(codes, np.array([40])).counts.tolist() == [0]

    @pytest.mark.parametrize("unit", ["A", "AC", "AAG", "ACGT", "AACCT", "ACGGTT"])
    def test_low_complexity_has_none(self, unit):
        codes = encode_letters((unit * LENGTH)[:LENGTH])[None]
        assert sketch(codes, np.array([LENGTH])).counts.tolist() == [0]

    def test_a_sequence_beside_low_complexity_has_its_own(self):
        codes = np.tile(encode_letters(("AC" * LENGTH)[:LENGTH]), (1, 1))
        codes[0, 50:80] = random_codes(30)
        assert sketch(codes, np.array([LENGTH])).counts[0] > 0

    def test_shorter_than_a_kmer(self):
        assert sketch(random_codes(2, 12), np.array([12, 3])).counts.tolist() == [0, 0]

    def test_batches_do_not_matter(self):
        codes = random_codes(10, LENGTH)
        whole = sketch(codes, lengths(codes))
        parts = join_sketches(
            [sketch(codes[rows], lengths(codes[rows])) for rows in (slice(0, 3), slice(3, 10))]
        )
        assert parts.scheme == whole.scheme
        assert parts.hashes.tolist() == whole.hashes.tolist()
        assert parts.counts.tolist() == whole.counts.tolist()


class TestOverlapGroups:
    @pytest.mark.parametrize("length", [30, 60, 101, 500])
    def test_windows_that_share_three_quarters_on_either_strand(self, length):
        locus = random_codes(300, 2 * length)
        codes = np.concatenate([locus[:, :length], locus[:, length // 4 : length // 4 + length]])
        codes[300:] = reverse_complement(codes[300:], lengths(codes[300:]))
        group = groups_of(codes)
        assert (group[:300] == group[300:]).mean() > 0.97
        assert len(np.unique(group)) <= 310
        assert len(np.unique(group)) >= 300

    def test_windows_of_101_that_share_half(self):
        locus = random_codes(300, 2 * LENGTH)
        group = groups_of(np.concatenate([locus[:, :LENGTH], locus[:, 50 : 50 + LENGTH]]))
        assert (group[:300] == group[300:]).mean() > 0.8

    def test_windows_of_101_whose_coordinates_say_that_they_do_not_overlap(self):
        locus = random_codes(300, 2 * LENGTH)
        half, three_quarters = (
            np.concatenate([locus[:, :LENGTH], locus[:, s : s + LENGTH]]) for s in (50, 25)
        )
        group = groups_of(half, placed=True)
        assert (group[:300] == group[300:]).mean() < 0.2
        # copies of a repeat
        group = groups_of(three_quarters, placed=True)
        assert (group[:300] == group[300:]).mean() > 0.97

    def test_overlaps_of_overlaps_count(self):
        locus = random_codes(300)
        assert len(np.unique(groups_of(windows(locus, range(0, 200, 25))))) == 1

    def test_unrelated_sequences_are_alone(self):
        for length in (24, 30, 60, 101):
            group = groups_of(random_codes(2000, length))
            assert len(np.unique(group)) == 2000

    def test_a_short_sequence_inside_a_long_one(self):
        codes = random_codes(2, 200)
        codes[1, :80] = codes[0, 70:150]
        codes[1, 80:] = 4
        assert len(np.unique(groups_of(codes, np.array([200, 80])))) == 1

    def test_more_windows_of_a_locus_than_are_compared(self):
        # 400 windows, one every base, in random order, beside another locus
        codes = np.concatenate([windows(random_codes(500), RNG.permutation(400)) for _ in range(2)])
        assert np.unique(groups_of(codes), return_counts=True)[1].tolist() == [400, 400]

    def test_many_windows_of_a_locus_in_a_larger_data_set(self):
        # each base is in 300 of 1,300 windows
        codes = random_codes(1300, LENGTH)
        codes[:300] = windows(random_codes(160), RNG.integers(0, 50, 300))
        assert np.unique(groups_of(codes), return_counts=True)[1].max() == 300

    def test_diverged_copies_of_a_repeat_do_not_weld(self):
        # each copy has 12% of its bases changed, as old Alus have
        repeat = random_codes(LENGTH)
        codes = np.tile(repeat, (3000, 1))
        changed = RNG.random(codes.shape) < 0.12
        codes[changed] = (codes[changed] + RNG.integers(1, 4, changed.sum())) % 4
        assert np.unique(groups_of(codes), return_counts=True)[1].max() < 100

    def test_a_constant_part_does_not_weld(self):
        codes = random_codes(1000, LENGTH)
        codes[:, :50] = codes[0, :50]
        # a k-mer with a base or two of the other part is in a quarter of the sequences or a sixteenth
        assert np.unique(groups_of(codes), return_counts=True)[1].max() < 20
        # in a data set too small to tell, it does
        assert len(np.unique(groups_of(codes[:COMMON]))) < COMMON

    def test_microsatellites_do_not_weld(self):
        codes = random_codes(100, LENGTH)
        codes[:, 20:90] = encode_letters("AC" * 35)
        assert len(np.unique(groups_of(codes))) == 100

    def test_shuffles_are_alone(self):
        codes = random_codes(300, LENGTH)
        shuffled = dinucleotide_shuffle(codes, lengths(codes), np.arange(300, dtype=np.uint64))
        assert len(np.unique(groups_of(np.concatenate([codes, shuffled])))) == 600

    @pytest.mark.parametrize(
        ("shared", "of", "expected"),
        [(2, 8, True), (1, 8, False), (2, 9, False), (3, 10, True), (1, 2, False)],
    )
    def test_a_quarter_that_is_rare(self, shared, of, expected):
        one, other = list(range(of)), [*range(shared), *range(100, 100 + 20 - shared)]
        group = overlap_groups(made([of, 20], one + other), np.array([True, False]))
        assert (group[0] == group[1]) == expected

    @pytest.mark.parametrize(("shared", "expected"), [(3, False), (4, True)])
    def test_half_if_it_is_not_rare(self, shared, expected):
        # nine other sequences hold each of the shared ones, among many others of their own
        one, other = list(range(8)), [*range(shared), *range(100, 108 - shared)]
        rest = [[*range(shared), *range(1000 * i, 1000 * i + 40)] for i in range(1, 10)]
        counts = [8, 8, *map(len, rest)]
        group = overlap_groups(made(counts, [*one, *other, *chain(*rest)]), np.zeros(11, bool))
        assert (group[0] == group[1]) == expected

    def test_what_is_found_is_kept_together_however_few_minimizers_there_are(self):
        # two of four, which ten other sequences have too
        rest = [[0, 1, *range(1000 * i, 1000 * i + 40)] for i in range(1, 11)]
        one, other = [0, 1, 2, 3], [0, 1, 4, 5]
        group = overlap_groups(
            made([4, 4, *map(len, rest)], [*one, *other, *chain(*rest)]), np.zeros(12, bool)
        )
        assert group[0] == group[1]
        assert find_overlaps(made([4], one), made([4], other)).tolist() == [True]

    def test_nothing(self):
        assert overlap_groups(made([0, 0], []), np.zeros(2, bool)).tolist() == [0, 1]
        assert overlap_groups(made([], []), np.zeros(0, bool)).tolist() == []


class TestFindOverlaps:
    def test_shifted_windows_are_found_and_others_are_not(self):
        locus = random_codes(200, 150)
        known = sketch(locus[:, :LENGTH], np.full(200, LENGTH))
        shifted = locus[:, 10 : 10 + LENGTH]
        codes = np.concatenate(
            [shifted, reverse_complement(shifted, lengths(shifted)), random_codes(200, LENGTH)]
        )
        found = find_overlaps(sketch(codes, lengths(codes)), known)
        assert found.tolist() == [True] * 400 + [False] * 200

    @pytest.mark.parametrize(
        ("shared", "of", "expected"), [(3, 6, True), (3, 7, False), (4, 7, True), (2, 4, True), (1, 2, False)]
    )
    def test_half_of_the_one_with_fewer(self, shared, of, expected):
        queries = made([of], range(of))
        known = made([3, 20], [500, 501, 502, *range(shared), *range(100, 120 - shared)])
        assert find_overlaps(queries, known).tolist() == [expected]
        known = made([of], [*range(shared), *range(100, 100 + of - shared)])
        assert find_overlaps(made([20], range(20)), known).tolist() == [expected]

    def test_two_known_ones_do_not_add_up(self):
        known = made([10, 10], [*range(4), *range(100, 106), *range(4, 8), *range(200, 206)])
        assert find_overlaps(made([10], range(10)), known).tolist() == [False]

    def test_what_is_kept_apart_is_not_found(self):
        # repeats of any age: whatever overlaps a sequence of another group by half would be a contradiction
        repeat = random_codes(300)
        codes = random_codes(2000, LENGTH)
        codes[:600] = windows(repeat, RNG.integers(0, 200, 600))
        share = np.resize([0.02, 0.05, 0.1, 0.2], (2000, 1))
        changed = RNG.random(codes.shape) < share
        codes[changed] = (codes[changed] + RNG.integers(1, 4, changed.sum())) % 4
        group = groups_of(codes)
        held_out = np.isin(group, RNG.choice(np.unique(group), len(np.unique(group)) // 5, replace=False))
        assert 20 < held_out[:600].sum() < 580
        parts = [sketch(codes[rows], lengths(codes[rows])) for rows in (held_out, ~held_out)]
        assert not find_overlaps(*parts).any()

    def test_what_no_known_one_has_counts_against_it(self):
        # 45 is in no known sequence, and the next minimizer, 50, is in nearly all
        known = made([1] * 300 + [20], [*[50] * 300, 1, 2, 3, *range(100, 117)])
        assert find_overlaps(made([8], [1, 2, 3, 45, 46, 47, 48, 49]), known).tolist() == [False]
        assert find_overlaps(made([4], [1, 2, 3, 50]), known).tolist() == [True]

    def test_nothing_known(self):
        assert find_overlaps(made([2, 0], [1, 2]), made([0], [])).tolist() == [False, False]
        assert find_overlaps(made([], []), made([1], [1])).tolist() == []

    def test_sketches_of_other_schemes_are_a_fault(self):
        with pytest.raises(ValueError, match="cannot be compared"):
            find_overlaps(made([0], []), made([0], [])._replace(scheme=Scheme(20, 4)))
