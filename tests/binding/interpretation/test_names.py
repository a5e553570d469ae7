import numpy as np
import pytest

from tfbind.binding.interpretation.motifs import Motif
from tfbind.binding.interpretation.names import aligned, benjamini_hochberg, name_motifs
from tfbind.dna.matrices import meme_text, read_matrices, shipped_matrices


def motif_of(counts):
    none = np.zeros(0, np.int64)
    return Motif("motif_1", 1, counts, counts, counts, none, none, none.astype(bool))


class TestNames:
    def test_are_those_of_the_matrix_that_it_is(self, known):
        pytest.importorskip("memelite")
        gabpa = next(matrix for matrix in known if matrix.name == "GABPA")
        inside = gabpa.counts[2:-2]
        rng = np.random.default_rng(1)
        nothing = 10 * rng.dirichlet([20] * 4, 8)
        matches = name_motifs([motif_of(inside), motif_of(inside[::-1, ::-1]), motif_of(nothing)], known, 1)
        assert [match and match.matrix.name for match in matches] == ["GABPA", "GABPA", None]
        for match in matches[:2]:
            assert match.p <= match.q <= 0.05
            assert match.offset == -2
        # drawn as the motif is
        assert (matches[0].matrix.counts == gabpa.counts).all()
        assert (matches[1].matrix.counts == gabpa.counts[::-1, ::-1]).all()

    def test_without_known_matrices_there_are_none(self):
        assert name_motifs([motif_of(np.ones((5, 4)))], []) == [None]


@pytest.mark.parametrize(("offset", "turn"), [(3, False), (-2, False), (1, True)])
def test_a_matrix_is_placed_where_it_agrees(offset, turn):
    rng = np.random.default_rng(2)
    long = 50 * rng.dirichlet([0.2] * 4, 30)
    motif, matrix = long[10:20], long[10 + offset : 18 + offset]
    counts, found = aligned(motif, matrix[::-1, ::-1] if turn else matrix)
    assert found == offset
    assert (counts == matrix).all()


def test_q_values():
    # by hand: .01 * 4 / 1, .02 * 4 / 2, .04 * 4 / 3 and .5, each no greater than the next
    np.testing.assert_allclose(
        benjamini_hochberg(np.array([0.5, 0.02, 0.01, 0.04])), [0.5, 0.04, 0.04, 0.16 / 3]
    )


def test_motifs_are_read_back_from_meme(tmp_path):
    matrices = shipped_matrices()
    (tmp_path / "m.meme").write_text(meme_text(matrices, (0.3, 0.2, 0.2, 0.3)))
    found = read_matrices(tmp_path / "m.meme")
    assert [matrix.id for matrix in found] == [matrix.id for matrix in matrices]
    for one, other in zip(matrices, found, strict=True):
        shares = [each.counts / each.counts.sum(axis=1, keepdims=True) for each in (one, other)]
        np.testing.assert_allclose(*shares, atol=1e-3)
