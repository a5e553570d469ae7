import numpy as np
import pytest

from tfbind.background.markov import MarkovModel
from tfbind.background.stretches import Stretches, judged_batches
from tfbind.dna.alphabet import encode_letters


def stretches(*texts):
    codes = [encode_letters(text) for text in texts]
    return Stretches(np.concatenate(codes), np.cumsum([0, *map(len, codes)]))


def test_order_0_counts_both_strands():
    # AAC and GTT: two A, one C, one G, two T, and a pseudo-count each
    assert MarkovModel(stretches("AAC"), 0).probability.tolist() == [[0.3, 0.2, 0.2, 0.3]]


def test_order_1():
    # AAC and GTT: A before A, A before C; G before T, T before T; nothing across stretches
    found = MarkovModel(stretches("AAC", "A"), 1).probability
    expected = [[2, 2, 1, 1], [1, 1, 1, 1], [1, 1, 1, 2], [1, 1, 1, 2]]
    assert found == pytest.approx(np.array(expected) / np.sum(expected, axis=1, keepdims=True))


def test_bits_are_of_the_base_after_the_context():
    model = MarkovModel(stretches("AAC"), 1)
    (batch,) = judged_batches(stretches("CAA", "GT"), skip=1, size=64)
    # CAA, GT, TTG, AC without their first bases
    expected = [1 / 4, 2 / 6, 2 / 5, 2 / 5, 1 / 5, 2 / 6]
    assert sorted(2 ** -model.bits(batch)) == pytest.approx(sorted(expected))


@pytest.mark.parametrize("order", [0, 3, 5])
def test_judge_the_same_number_of_bases(order):
    held_out = stretches("ACGTTGCATT", "ACGATTGAC", "ACGTA")
    (batch,) = judged_batches(held_out, skip=5, size=64)
    assert len(MarkovModel(held_out, order).bits(batch)) == batch.judged.sum() == 2 * (5 + 4)


def test_the_size_of_batches_does_not_matter():
    rng = np.random.default_rng(3)
    held_out = stretches(*("".join(rng.choice(list("ACGT"), n)) for n in (9, 30, 17, 4, 25)))
    model = MarkovModel(held_out, 3)
    whole, *others = (
        np.sort(np.concatenate([model.bits(batch) for batch in judged_batches(held_out, skip=5, size=size)]))
        for size in (64, 1, 2, 5)
    )
    for bits in others:
        np.testing.assert_array_equal(bits, whole)
