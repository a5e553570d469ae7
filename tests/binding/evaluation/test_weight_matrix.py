import numpy as np
import pytest
from planted import plant

from tfbind.binding.evaluation.weight_matrix import log_odds, matrix_sites, scan_strands
from tfbind.dna.alphabet import encode_letters
from tfbind.dna.matrices import Matrix

SITE = "TACCCAAGC"
MATRIX = Matrix("M1", "X", 100.0 * np.eye(4)[encode_letters(SITE)])


def test_weights_are_log_odds():
    background = np.array([0.3, 0.2, 0.2, 0.3])
    weights = log_odds(Matrix("M", "M", np.array([[3.0, 1.0, 0.0, 0.0]])), background)
    expected = [np.log2((3.3 / 5) / 0.3), np.log2((1.2 / 5) / 0.2), np.log2((0.2 / 5) / 0.2)]
    assert weights[0, :3] == pytest.approx(expected)
    assert weights[0, 4] == 0


def test_strands_are_reverse_complements():
    codes = np.random.default_rng(0).integers(0, 4, 50).astype(np.uint8)
    weights = log_odds(Matrix("M", "M", np.random.default_rng(1).random((7, 4))), np.full(4, 0.25))
    plus, minus = scan_strands(codes, weights)
    other_plus, other_minus = scan_strands(3 - codes[::-1], weights)
    assert minus == pytest.approx(other_plus[::-1])
    assert plus == pytest.approx(other_minus[::-1])
    assert plus[3] == pytest.approx(weights[np.arange(7), codes[3:10]].sum())


def test_planted_sites_are_found_on_their_strand():
    rng = np.random.default_rng(2)
    letters = plant(rng, 2_000, [0, 500, 900, 1991], ["+", "-", "+", "-"], SITE)
    letters = letters[:600] + "N" * 100 + letters[700:]
    record, summit, score, strand = matrix_sites(MATRIX, [("empty", "ACG"), ("a", letters)], 75)
    best = score > score.max() - 1
    assert record[best].tolist() == [1] * 4
    assert summit[best].tolist() == [4, 504, 904, 1995]
    assert strand[best].tolist() == ["+", "-", "+", "-"]
    assert (np.diff(summit) >= 75).all()
    assert not ((summit > 596) & (summit < 700)).any()
