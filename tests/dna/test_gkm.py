import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from tfbind.dna.alphabet import encode_letters, reverse_complement
from tfbind.dna.gkm import (
    ABSENT,
    FIRST,
    MASKS,
    N_FEATURES,
    WIDEST,
    evidence_tracks,
    gapped_kmers,
    palindromic_masks,
    value_sums,
    weight_sums,
)

SEQUENCES = st.lists(st.integers(0, 4), min_size=1, max_size=40)


def batch(*sequences, length=None):
    """Codes and valid lengths of sequences given as letters or codes."""
    coded = [encode_letters(s) if isinstance(s, str) else np.array(s, np.uint8) for s in sequences]
    codes = np.full((len(coded), length or max(map(len, coded))), 4, np.uint8)
    for row, sequence in zip(codes, coded, strict=True):
        row[: len(sequence)] = sequence
    return codes, np.array([len(sequence) for sequence in coded], np.int32)


def named_by_hand(sequence):
    """Features of one sequence, mask by mask, the slow and plain way."""
    found = []
    for number, mask in enumerate(MASKS):
        for start in range(len(sequence) - len(mask) + 1):
            window = sequence[start : start + len(mask)]
            letters = [base for base, kept in zip(window, mask, strict=True) if kept == "1"]
            if "N" in letters:
                continue
            forward = int("".join(str("ACGT".index(base)) for base in letters), 4)
            backward = int("".join(str(3 - "ACGT".index(base)) for base in reversed(letters)), 4)
            found.append((number, start, min(forward, backward)))
    return found


def counted_by_hand(sequences):
    """(n, N_FEATURES) counts."""
    counts = np.zeros((len(sequences), N_FEATURES))
    for row, sequence in zip(counts, sequences, strict=True):
        for mask, _, pattern in named_by_hand(sequence):
            row[FIRST[mask] + pattern] += 1
    return counts


class TestMasks:
    def test_of_one_width(self):
        assert palindromic_masks(6, 8) == ["11100111", "11011011", "10111101"]
        assert palindromic_masks(7, 9) == ["111010111", "110111011", "101111101"]
        assert palindromic_masks(6, 6) == ["111111"]

    def test_are_all_palindromes_of_six_or_seven_letters(self):
        assert len(set(MASKS)) == len(MASKS) == 18
        assert all(mask == mask[::-1] and mask.count("1") in (6, 7) for mask in MASKS)
        assert max(map(len, MASKS)) == WIDEST

    def test_have_features_of_their_own(self):
        assert FIRST[:3].tolist() == [0, 4096, 8192]
        assert FIRST[-1] + 4**7 == N_FEATURES


class TestGappedKmers:
    def test_agree_with_naming_them_by_hand(self):
        sequence = "ACGTTGCANCATTTACGGGA"
        patterns = gapped_kmers(*batch(sequence, length=25))[0]
        expected = np.full(patterns.shape, ABSENT)
        for mask, start, pattern in named_by_hand(sequence):
            expected[mask, start] = pattern
        assert (patterns == expected).all()

    def test_a_gap_may_be_ambiguous(self):
        assert gapped_kmers(*batch("ACGNACG"))[0, MASKS.index("1110111"), 0] != ABSENT
        assert (gapped_kmers(*batch("ACGNACG"))[0, 0] == ABSENT).all()

    def test_shorter_than_a_mask(self):
        assert (gapped_kmers(*batch("ACGTA", length=30)) == ABSENT).all()

    def test_bases_behind_the_valid_ones_count_nothing(self):
        codes, _ = batch("ACGTTGCAACATTTACGGGA")
        assert (gapped_kmers(codes, np.array([5])) == ABSENT).all()

    @settings(max_examples=50, deadline=None)
    @given(SEQUENCES)
    def test_both_strands_have_the_same_counts(self, sequence):
        codes, valid_length = batch(sequence, length=45)
        here = gapped_kmers(codes, valid_length)
        there = gapped_kmers(reverse_complement(codes, valid_length), valid_length)
        assert (np.sort(here, axis=2) == np.sort(there, axis=2)).all()


class TestSums:
    sequences = ("ACGTTGCANCATTTACGGGA", "AAAAAAAAAAAAAAAA", "TTGCA")
    patterns = gapped_kmers(*batch(*sequences))
    counts = counted_by_hand(sequences)
    random = np.random.default_rng(0)

    def test_of_weights(self):
        weights = self.random.normal(size=N_FEATURES)
        sums = weight_sums(self.patterns, np.array([2, 0, 1]), weights)
        np.testing.assert_allclose(sums, (self.counts @ weights)[[2, 0, 1]])

    def test_of_values(self):
        values = np.array([2.0, -3.0])
        sums = value_sums(self.patterns, np.array([1, 0]), values)
        np.testing.assert_allclose(sums, values @ self.counts[[1, 0]])


class TestEvidenceTracks:
    tables = np.random.default_rng(0).normal(size=(2, 2, N_FEATURES)).astype(np.float32)

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.sampled_from([0, 0, 0, 1, 4]), min_size=1, max_size=40))
    def test_sum_to_the_linear_models_logit(self, sequence):
        codes, valid_length = batch(sequence, length=45)
        tracks = evidence_tracks(codes, valid_length, self.tables, np.array([1]))
        expected = [
            weight_sums(gapped_kmers(codes, valid_length), np.array([0]), weights)[0]
            for weights in self.tables[1]
        ]
        np.testing.assert_allclose(tracks.sum(axis=1)[0], expected, atol=1e-4)

    @settings(max_examples=50, deadline=None)
    @given(SEQUENCES)
    def test_of_the_other_strand_read_backwards(self, sequence):
        codes, valid_length = batch(sequence, length=45)
        here = evidence_tracks(codes, valid_length, self.tables)
        there = evidence_tracks(reverse_complement(codes, valid_length), valid_length, self.tables)
        n = len(sequence)
        np.testing.assert_allclose(there[:, :n], here[:, :n][:, ::-1], atol=1e-5)
        assert not here[:, n:].any()

    def test_of_a_window_differ_near_its_ends_alone(self):
        codes, valid_length = batch("ACGTTGCACCATTTACGGGATTACATTGACCAGTACGATTTACG")
        whole = evidence_tracks(codes, valid_length, self.tables)
        window = evidence_tracks(codes[:, 5:38].copy(), np.array([33]), self.tables)
        np.testing.assert_allclose(window[:, WIDEST:-WIDEST], whole[:, 5 + WIDEST : 38 - WIDEST], atol=1e-5)
        assert not np.allclose(window[:, :2], whole[:, 5:7])

    @settings(max_examples=50, deadline=None)
    @given(
        st.lists(st.sampled_from([0, 0, 0, 1, 2, 3, 4]), min_size=60, max_size=90),
        st.integers(1, 30),
        st.integers(1, 30),
    )
    def test_of_windows_that_overlap_are_those_of_each_alone_to_the_last_bit(self, record, length, stride):
        codes = sliding_window_view(np.array(record, np.uint8), length)[::stride].copy()
        valid_length = np.full(len(codes), length)
        # two that are padded, and some that are scored by other weights
        valid_length[2:4] = length // 2
        table = np.arange(len(codes)) // 5 % 2
        self.check_each_alone(codes, valid_length, table)

    @settings(max_examples=50, deadline=None)
    @given(
        st.lists(st.sampled_from([0, 0, 0, 1, 2, 3, 4]), min_size=1, max_size=50),
        st.lists(st.tuples(st.integers(0, 9), st.integers(0, 49), st.integers(0, 4)), max_size=30),
    )
    def test_so_are_those_that_differ_in_some_bases(self, record, changes):
        codes = np.repeat(np.array([record], np.uint8), 10, axis=0)
        for row, at, base in changes:
            codes[row, at % len(record)] = base
        valid_length = np.full(len(codes), len(record))
        valid_length[4:6] = len(record) // 2
        self.check_each_alone(codes, valid_length, np.arange(10) // 8)

    def check_each_alone(self, codes, valid_length, table):
        together = evidence_tracks(codes, valid_length, self.tables, table)
        for row, track in enumerate(together):
            some = slice(row, row + 1)
            alone = evidence_tracks(codes[some], valid_length[some], self.tables, table[some])
            assert (alone[0] == track).all()

    def test_each_row_by_its_own_table(self):
        codes, valid_length = batch("ACGTTGCACCATTT", "ACGTTGCACCATTT")
        tracks = evidence_tracks(codes, valid_length, self.tables, np.array([0, 1]))
        assert not np.allclose(tracks[0], tracks[1])

    def test_factors_lie_side_by_side(self):
        codes, valid_length = batch("ACGTTGCACCATTT")
        both = evidence_tracks(codes, valid_length, self.tables)
        assert both.shape == (1, 14, 2)
        second = evidence_tracks(codes, valid_length, self.tables[:, 1:])
        assert (both[:, :, 1:] == second).all()
