import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from tfbind.dna.alphabet import encode_letters
from tfbind.dna.shuffle import dinucleotide_counts, dinucleotide_shuffle
from tfbind.dna.splitmix import seeds_for

SEQUENCES = st.lists(st.integers(0, 4), min_size=1, max_size=40)


def shuffle(sequence, seed, padding=0):
    codes = np.array([[*sequence, *[4] * padding]], np.uint8)
    shuffled = dinucleotide_shuffle(codes, np.array([len(sequence)]), seeds_for(np.array([0]), seed))
    assert (codes[0, : len(sequence)] == sequence).all(), "the argument was changed"
    return shuffled[0].tolist()


def pairs(sequence):
    return Counter(itertools.pairwise(sequence))


def possible_shuffles(sequence):
    """Every sequence with the dinucleotides of ``sequence`` and its first base, by trying them all."""
    found = set()

    def extend(path, left):
        if not left:
            found.add("".join(path))
        for a, b in left:
            if a == path[-1]:
                extend([*path, b], left - Counter([(a, b)]))

    extend([sequence[0]], pairs(sequence))
    return sorted(found)


class TestUniform:
    """Each possible shuffle is equally likely: all of them are listed, drawn and counted."""

    @pytest.mark.parametrize(
        ("sequence", "n_possible"),
        [
            ("ACAGATA", 6),  # starts and ends with the same letter: three loops in any order
            ("AACAGAT", 6),
            ("ACGTACGGTCA", 8),
            ("AAACAACA", 10),  # two letters
            ("ACGACTAGCTA", 15),
            ("AAAACAT", 4),
            ("CCGCGGCAG", 27),
            ("GATTACAGATTACA", 90),
            ("TAATCAAGA", 24),
        ],
    )
    def test_all_possible_shuffles_are_equally_likely(self, sequence, n_possible):
        possible = possible_shuffles(sequence)
        assert len(possible) == n_possible
        draws = 400 * n_possible
        codes = np.tile(encode_letters(sequence), (draws, 1))
        seeds = seeds_for(np.arange(draws), 7)
        shuffled = dinucleotide_shuffle(codes, np.full(draws, len(sequence)), seeds)
        letters = np.frombuffer(b"ACGT", np.uint8)[shuffled]
        counts = Counter(row.tobytes().decode() for row in letters)
        assert sorted(counts) == possible
        assert chisquare([counts[name] for name in possible]).pvalue > 0.001

    @pytest.mark.parametrize(
        "sequence", ["", "A", "AC", "AAAAAA", "ACC", "AACC", "ACGT", "CCCCCCT", "ACACAC"]
    )
    def test_no_other_shuffle(self, sequence):
        codes = encode_letters(sequence).tolist()
        assert all(shuffle(codes, seed) == codes for seed in range(20))

    def test_enumeration_itself(self):
        assert possible_shuffles("ACAGA") == ["ACAGA", "AGACA"]


class TestKept:
    @given(SEQUENCES, st.integers(0, 2**64 - 1), st.integers(0, 5))
    def test_counts_ends_ambiguous_bases_and_padding(self, sequence, seed, padding):
        shuffled = shuffle(sequence, seed, padding)
        assert shuffled[len(sequence) :] == [4] * padding
        shuffled = shuffled[: len(sequence)]
        assert pairs(shuffled) == pairs(sequence)
        assert (shuffled[0], shuffled[-1]) == (sequence[0], sequence[-1])
        assert [base == 4 for base in shuffled] == [base == 4 for base in sequence]

    @given(SEQUENCES, st.integers(0, 100))
    def test_each_run_between_ambiguous_bases_keeps_its_own_counts(self, sequence, seed):
        def runs(bases):
            return [pairs(run) for run in "".join(map(str, bases)).split("4")]

        assert runs(shuffle(sequence, seed)) == runs(sequence)


class TestSeeds:
    def test_same_seed_same_shuffle(self):
        sequence = np.random.default_rng(1).integers(0, 4, 60).tolist()
        assert shuffle(sequence, 5) == shuffle(sequence, 5) != shuffle(sequence, 6)

    def test_independent_of_the_batch(self):
        rng = np.random.default_rng(2)
        codes = rng.integers(0, 4, (20, 50)).astype(np.uint8)
        valid_length = rng.integers(10, 51, 20)
        seeds = seeds_for(np.arange(20), 3)
        together = dinucleotide_shuffle(codes, valid_length, seeds)
        backwards = dinucleotide_shuffle(codes[::-1], valid_length[::-1], seeds[::-1])[::-1]
        one_by_one = [
            dinucleotide_shuffle(codes[i : i + 1], valid_length[i : i + 1], seeds[i : i + 1])[0]
            for i in range(20)
        ]
        assert (together == backwards).all()
        assert (together == one_by_one).all()

    def test_streams_differ(self):
        indexes = np.arange(1000)
        streams = [seeds_for(indexes, *stream) for stream in [(0,), (1,), (-1,), (0, 0), (0, 1), (1, 0)]]
        assert len(np.unique(streams)) == 6000


def test_long_low_complexity_sequence_takes_no_longer_than_another():
    # a last edge drawn blindly for each base would be a loop in all but one of 10**10 draws
    sequence = [0] * 3000 + [1] * 3000 + [2] * 3000 + [3]
    assert shuffle(sequence, 0) == sequence


def test_dinucleotide_counts():
    codes = np.array([[0, 0, 1, 4, 4], [3, 3, 3, 3, 3]], np.uint8)
    counts = dinucleotide_counts(codes, np.array([4, 5])).reshape(2, 5, 5)
    assert {tuple(at): int(counts[tuple(at)]) for at in np.argwhere(counts)} == {
        (0, 0, 0): 1,
        (0, 0, 1): 1,
        (0, 1, 4): 1,
        (1, 3, 3): 4,
    }
