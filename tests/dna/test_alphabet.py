import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tfbind.cli.encode import MAX_K as CLI_MAX_K
from tfbind.dna.alphabet import (
    AMBIGUOUS,
    MAX_K,
    codes_from_kmers,
    codes_from_one_hot,
    decode_letters,
    encode_letters,
    kmer_tokens,
    n_tokens,
    one_hot,
    reverse_complement,
)
from tfbind.errors import TfbindError

BATCHES = arrays(np.uint8, st.tuples(st.integers(1, 4), st.integers(7, 25)), elements=st.integers(0, 4))


def codes(*sequences, length=None):
    """Pad with 4 on the right."""
    length = length or max(map(len, sequences))
    return np.array([[*encode_letters(s), *[4] * (length - len(s))] for s in sequences], np.uint8)


class TestLetters:
    def test_either_case_and_u(self):
        assert encode_letters("ACGTUacgtu").tolist() == [0, 1, 2, 3, 3, 0, 1, 2, 3, 3]

    def test_iupac_letters_are_ambiguous(self):
        assert set(encode_letters("RYSWKMBDHVNryswkmbdhvn")) == {AMBIGUOUS}

    @pytest.mark.parametrize("wrong", ["X", "x", "-", "*", ".", " ", "?", "0", "\x00", "\t", "é", "你", "🧬"])
    def test_anything_else_is_an_error_with_its_position(self, wrong):
        with pytest.raises(TfbindError, match="at position 4, expected A, C, G, T, U or an IUPAC") as caught:
            encode_letters(f"ACN{wrong}ACX")
        assert str(caught.value).startswith(f"found {wrong!r} ")

    def test_every_other_character_of_latin_1_is_refused(self):
        for character in set(map(chr, range(256))) - set("ACGTURYSWKMBDHVNacgturyswkmbdhvn"):
            with pytest.raises(TfbindError):
                encode_letters(character)

    def test_empty(self):
        assert encode_letters("").shape == (0,)

    @given(st.text("ACGTN"))
    def test_round_trip(self, sequence):
        assert decode_letters(encode_letters(sequence)) == sequence


class TestOneHot:
    def test_literal(self):
        x = one_hot(codes("ACGTN"))
        assert x.dtype == np.uint8
        assert x.tolist() == [[[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]]]

    @given(BATCHES)
    def test_round_trip(self, batch):
        back = codes_from_one_hot(one_hot(batch))
        assert back.dtype == np.uint8
        assert (back == batch).all()


class TestKmers:
    def test_literal(self):
        tokens = kmer_tokens(codes("ACGTNACG"), k=2, stride=1)
        assert tokens.dtype == np.uint16
        # AC=0*4+1, CG=1*4+2, GT=2*4+3, then 4**2 wherever N is touched
        assert tokens.tolist() == [[1, 6, 11, 16, 16, 1, 6]]

    def test_stride(self):
        assert kmer_tokens(codes("AAATTTCA"), k=3, stride=3).tolist() == [[0, 63]]

    def test_padding_is_the_sentinel(self):
        assert kmer_tokens(codes("TTT", length=6), k=2, stride=2).tolist() == [[15, 16, 16]]

    def test_longest_k_mer_fits_16_bits(self):
        assert kmer_tokens(codes("TTTTTTT", "TTTTTTN"), k=7, stride=1).tolist() == [[16383], [16384]]

    def test_limit_of_k_is_the_command_lines(self):
        assert MAX_K == CLI_MAX_K == 7

    @given(BATCHES, st.integers(1, 7), st.data())
    def test_number_of_tokens(self, batch, k, data):
        stride = data.draw(st.integers(1, k))
        assert kmer_tokens(batch, k, stride).shape[1] == n_tokens(batch.shape[1], k, stride)

    @given(BATCHES, st.integers(1, 7), st.data())
    def test_round_trip(self, batch, k, data):
        """What comes back is right, and every base in an unambiguous k-mer does come back."""
        stride = data.draw(st.integers(1, k))
        length = batch.shape[1]
        back = codes_from_kmers(kmer_tokens(batch, k, stride), k, stride, length)
        told = np.zeros(batch.shape, bool)
        for start in range(0, length - k + 1, stride):
            told[:, start : start + k] |= (batch[:, start : start + k] != AMBIGUOUS).all(axis=1)[:, None]
        assert (back == np.where(told, batch, AMBIGUOUS)).all()

    @given(st.integers(1, 7), st.data())
    def test_unambiguous_sequence_comes_back_whole(self, k, data):
        stride = data.draw(st.integers(1, k))
        length = k + stride * data.draw(st.integers(0, 5))
        batch = data.draw(arrays(np.uint8, (2, length), elements=st.integers(0, 3)))
        assert (codes_from_kmers(kmer_tokens(batch, k, stride), k, stride, length) == batch).all()


class TestReverseComplement:
    def test_only_the_valid_part_turns_round(self):
        batch = codes("AACGN", "TTTC", "G", length=6)
        turned = reverse_complement(batch, np.array([5, 4, 1], np.int32))
        assert turned.dtype == np.uint8
        assert [decode_letters(row) for row in turned] == ["NCGTTN", "GAAANN", "CNNNNN"]

    def test_full_length(self):
        assert decode_letters(reverse_complement(codes("AACCG"), np.array([5]))[0]) == "CGGTT"

    def test_nothing_valid(self):
        assert reverse_complement(np.full((1, 3), 4, np.uint8), np.array([0])).tolist() == [[4, 4, 4]]

    @given(BATCHES, st.data())
    def test_twice_is_the_same(self, batch, data):
        n, length = batch.shape
        valid_length = np.array(data.draw(st.lists(st.integers(0, length), min_size=n, max_size=n)))
        batch[np.arange(length) >= valid_length[:, None]] = AMBIGUOUS
        assert (reverse_complement(reverse_complement(batch, valid_length), valid_length) == batch).all()
