import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tfbind.dna.alphabet import encode_letters, reverse_complement
from tfbind.dna.gkm import (
    MASKS,
    N_FEATURES,
    N_PATTERNS,
    GkmWeights,
    capped_counts,
    evidence_tracks,
    gapped_kmers,
    stacked_tracks,
)

CAP = 2
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
            found.append((number, start, number * N_PATTERNS + min(forward, backward)))
    return found


class TestGappedKmers:
    def test_every_mask_is_a_palindrome_of_six_letters(self):
        assert all(mask == mask[::-1] and mask.count("1") == 6 for mask in MASKS)

    def test_agree_with_naming_them_by_hand(self):
        sequence = "ACGTTGCANCATTTACGGGA"
        features = gapped_kmers(*batch(sequence, length=25))[0]
        expected = np.full(features.shape, -1)
        for mask, start, feature in named_by_hand(sequence):
            expected[mask, start] = feature
        assert (features == expected).all()

    def test_a_gap_may_be_ambiguous(self):
        assert gapped_kmers(*batch("ACGNACG"))[0, 1, 0] >= 0  # 1110111
        assert (gapped_kmers(*batch("ACGNACG"))[0, 0] == -1).all()

    def test_shorter_than_a_mask(self):
        assert (gapped_kmers(*batch("ACGTA", length=30)) == -1).all()

    @settings(max_examples=50, deadline=None)
    @given(SEQUENCES)
    def test_both_strands_have_the_same_counts(self, sequence):
        codes, valid_length = batch(sequence, length=45)
        here = capped_counts(gapped_kmers(codes, valid_length), CAP)
        there = capped_counts(gapped_kmers(reverse_complement(codes, valid_length), valid_length), CAP)
        assert (here - there).nnz == 0


class TestCappedCounts:
    def test_a_feature_counts_at_most_so_often(self):
        features = gapped_kmers(*batch("A" * 12))
        assert capped_counts(features, 100)[0, 0] == 7
        assert capped_counts(features, 2)[0, 0] == 2

    def test_shape(self):
        assert capped_counts(gapped_kmers(*batch("ACGT", "A" * 20)), 2).shape == (2, N_FEATURES)


class TestEvidenceTracks:
    weights = np.random.default_rng(0).normal(size=(2, N_FEATURES)).astype(np.float32)

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.sampled_from([0, 0, 0, 1, 4]), min_size=1, max_size=40))
    def test_sum_to_the_linear_models_logit(self, sequence):
        codes, valid_length = batch(sequence, length=45)
        features = gapped_kmers(codes, valid_length)
        tracks = evidence_tracks(features, self.weights, np.array([1]), CAP)
        expected = capped_counts(features, CAP) @ self.weights[1]
        np.testing.assert_allclose(tracks.sum(axis=(1, 2)), expected, atol=1e-4)

    @settings(max_examples=50, deadline=None)
    @given(SEQUENCES)
    def test_of_the_other_strand_read_backwards(self, sequence):
        codes, valid_length = batch(sequence, length=45)
        gkm = GkmWeights(weights=self.weights, cap=CAP)
        here = gkm.tracks(codes, valid_length)
        there = gkm.tracks(reverse_complement(codes, valid_length), valid_length)
        n = len(sequence)
        np.testing.assert_allclose(there[:, :n], here[:, :n][:, ::-1], atol=1e-5)
        assert not here[:, n:].any()

    def test_each_row_by_its_own_table(self):
        codes, valid_length = batch("ACGTTGCACCATTT", "ACGTTGCACCATTT")
        tracks = evidence_tracks(gapped_kmers(codes, valid_length), self.weights, np.array([0, 1]), CAP)
        assert not np.allclose(tracks[0], tracks[1])

    def test_factors_lie_side_by_side(self):
        codes, valid_length = batch("ACGTTGCACCATTT")
        both = stacked_tracks(codes, valid_length, self.weights[None], np.zeros(1, np.int64), CAP)
        assert both.shape == (1, 14, 2 * len(MASKS))
        second = stacked_tracks(codes, valid_length, self.weights[None, 1:], np.zeros(1, np.int64), CAP)
        assert (both[:, :, len(MASKS) :] == second).all()
