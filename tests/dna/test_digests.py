import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tfbind.dna.alphabet import reverse_complement
from tfbind.dna.digests import composition_digests, strand_canonical_digests
from tfbind.dna.shuffle import dinucleotide_shuffle

SEQUENCES = st.lists(st.integers(0, 4), min_size=1, max_size=30)


def digest(sequence, padding=0):
    codes = np.array([[*sequence, *[4] * padding]], np.uint8)
    return int(strand_canonical_digests(codes, np.array([len(sequence)], np.int32))[0])


def turned(sequence):
    return reverse_complement(np.array([sequence], np.uint8), np.array([len(sequence)]))[0].tolist()


def test_stored_in_model_files_so_never_to_change():
    assert digest([0, 1, 2, 3]) == 3657943834812517175
    assert digest([0, 0, 4, 3]) == 15567134431960807800


@given(SEQUENCES)
def test_same_on_either_strand(sequence):
    assert digest(sequence) == digest(turned(sequence))


@given(SEQUENCES, st.integers(0, 20))
def test_padding_does_not_count(sequence, padding):
    assert digest(sequence, padding) == digest(sequence)


@given(SEQUENCES, SEQUENCES)
def test_different_sequences_differ(one, other):
    assert (digest(one) == digest(other)) == (other in (one, turned(one)))


def test_an_ambiguous_base_at_the_end_counts():
    assert digest([0, 1, 4]) != digest([0, 1])


def test_all_short_sequences():
    sequences = [list(s) for n in range(1, 6) for s in itertools.product(range(5), repeat=n)]
    pairs = {min(tuple(s), tuple(turned(s))) for s in sequences}
    assert len({digest(s) for s in sequences}) == len(pairs)


class TestCompositionDigests:
    def test_are_shared_by_a_sequence_and_its_shuffles_alone(self):
        codes = np.random.default_rng(0).integers(0, 4, (200, 50)).astype(np.uint8)
        valid_length = np.full(200, 50, np.int32)
        shuffled = dinucleotide_shuffle(codes, valid_length, np.arange(200, dtype=np.uint64))
        digests = composition_digests(codes, valid_length)
        assert (composition_digests(shuffled, valid_length) == digests).all()
        assert len(np.unique(digests)) == 200
