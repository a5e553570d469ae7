import keras
import numpy as np
import pytest

from tfbind.dna.alphabet import kmer_tokens, one_hot, reverse_complement
from tfbind.networks.layers import (
    BlankPadding,
    KmerReverseComplement,
    OneHotReverseComplement,
    PoolValid,
    ReverseValid,
    ValidSteps,
)
from tfbind.networks.recurrent import bidirectional

STEPS = np.array([5, 3, 1, 0], np.int32)


@pytest.fixture
def sequence() -> np.ndarray:
    """(4, 5, 2) float32 with something in the padding."""
    return np.random.default_rng(1).normal(size=(4, 5, 2)).astype(np.float32)


class TestValidSteps:
    def test_one_hot_has_a_step_a_base(self):
        assert np.array(ValidSteps(1, 1)(STEPS)).tolist() == [5, 3, 1, 0]

    def test_only_whole_kmers_count(self):
        # 3-mers every 2 bases of 7 bases start at 0, 2 and 4
        found = ValidSteps(3, 2)(np.array([7, 6, 5, 4, 3, 2, 0], np.int32))
        assert np.array(found).tolist() == [3, 2, 2, 1, 1, 0, 0]

    def test_a_pooling_window_that_reaches_into_the_valid_part_counts(self):
        found = ValidSteps(4, 4, partial=True)(np.array([8, 5, 4, 1, 0], np.int32))
        assert np.array(found).tolist() == [2, 2, 1, 1, 0]


class TestPadding:
    def test_is_blanked(self, sequence):
        found = np.array(BlankPadding()(sequence, STEPS))
        for row, n in enumerate(STEPS):
            assert np.array_equal(found[row, :n], sequence[row, :n])
            assert not found[row, n:].any()

    def test_is_left_on_the_right_when_the_valid_part_is_turned(self, sequence):
        found = np.array(ReverseValid()(sequence, STEPS))
        for row, n in enumerate(STEPS):
            assert np.array_equal(found[row, :n], sequence[row, :n][::-1])
            assert np.array_equal(found[row, n:], sequence[row, n:])

    def test_turning_twice_changes_nothing(self, sequence):
        turn = ReverseValid()
        assert np.array_equal(turn(turn(sequence, STEPS), STEPS), sequence)


class TestReverseComplement:
    codes = np.random.default_rng(2).integers(0, 5, (6, 12)).astype(np.uint8)
    valid_length = np.array([12, 12, 9, 6, 3, 3], np.int32)

    @pytest.fixture
    def padded(self) -> np.ndarray:
        return np.where(np.arange(12) < self.valid_length[:, None], self.codes, 4).astype(np.uint8)

    def test_of_one_hot(self, padded):
        found = OneHotReverseComplement()(one_hot(padded), self.valid_length)
        assert np.array_equal(found, one_hot(reverse_complement(padded, self.valid_length)))

    @pytest.mark.parametrize(("k", "stride"), [(3, 3), (3, 1), (1, 1)])
    def test_of_kmers(self, padded, k, stride):
        # the valid lengths leave no base behind the last k-mer
        steps = (self.valid_length - k) // stride + 1
        tokens = kmer_tokens(padded, k, stride)
        found = KmerReverseComplement(k)(tokens.astype(np.int32), steps)
        turned = kmer_tokens(reverse_complement(padded, self.valid_length), k, stride)
        assert np.array_equal(found, turned)

    def test_of_a_literal_kmer(self):
        # AAC is 1, its reverse complement GTT is 2 * 16 + 3 * 4 + 3; 64 is the ambiguous one
        assert np.array(KmerReverseComplement(3)(np.array([[1, 64]]), np.array([2]))).tolist() == [[64, 47]]


class TestPoolValid:
    def test_is_maximum_and_mean_of_the_valid_steps(self, sequence):
        found = np.array(PoolValid()(sequence, STEPS))
        for row, n in enumerate(STEPS[:3]):
            valid = sequence[row, :n]
            assert found[row] == pytest.approx(np.concatenate([valid.max(axis=0), valid.mean(axis=0)]))

    def test_does_not_see_the_padding(self, sequence):
        other = sequence.copy()
        for row, n in enumerate(STEPS):
            other[row, n:] = 1e6
        assert np.array_equal(PoolValid()(other, STEPS), PoolValid()(sequence, STEPS))

    def test_of_nothing_is_zero(self, sequence):
        # a record shorter than one k-mer has no step
        assert np.array(PoolValid()(sequence, STEPS))[3].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_bidirectional_equals_a_masked_keras_bidirectional(cell):
    steps, features, units = 7, 3, 4
    rng = np.random.default_rng(3)
    valid_length = np.array([7, 4, 1], np.int32)
    mask = np.arange(steps) < valid_length[:, None]
    sequence = (rng.normal(size=(3, steps, features)) * mask[:, :, None]).astype(np.float32)

    x, n = keras.Input((steps, features)), keras.Input((), dtype="int32")
    ours = keras.Model([x, n], bidirectional(x, n, cell, units, "b"))
    layer = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[cell](units, return_sequences=True)
    reference = keras.layers.Bidirectional(layer)
    reference(sequence, mask=mask)
    reference.forward_layer.set_weights(ours.get_layer("b_forward").get_weights())
    reference.backward_layer.set_weights(ours.get_layer("b_backward").get_weights())

    found, expected = np.array(ours([sequence, valid_length])), np.array(reference(sequence, mask=mask))
    assert found[mask] == pytest.approx(expected[mask], abs=1e-6)
    assert np.abs(found[mask]).max() > 0.01
