import sys

import numpy as np
import pytest

from tfbind.dna.matrices import UNIFORM_BACKGROUND, find_matrix, shipped_matrices
from tfbind.errors import MissingDependencyError, TfbindError

MEME = """MEME version 4

ALPHABET= ACGT

MOTIF MA9999.1 TOY
letter-probability matrix: alength= 4 w= 2 nsites= 10 E= 0
 1.0 0.0 0.0 0.0
 0.0 0.5 0.5 0.0
"""
JASPAR = ">MA9999.1\tTOY\nA [ 10 0 ]\nC [ 0 5 ]\nG [ 0 5 ]\nT [ 0 0 ]\n"


class TestShippedMatrices:
    def test_are_those_of_jaspar(self):
        widths = {(matrix.id, matrix.name): len(matrix.counts) for matrix in shipped_matrices()}
        assert widths[("MA0139.2", "CTCF")] == 15
        assert widths[("MA1723.2", "PRDM9")] == 20
        assert widths[("MA0062.4", "GABPA")] == 10

    def test_consensus_of_ctcf(self):
        consensus = "".join("ACGT"[letter] for letter in find_matrix("CTCF").counts.argmax(axis=1))
        assert consensus == "GCCACCAGGGGGCGC"

    @pytest.mark.parametrize("motif", ["MA0139.2", "ma0139.2", "CTCF", "ctcf"])
    def test_are_found_by_identifier_and_name_in_either_case(self, motif):
        assert find_matrix(motif).id == "MA0139.2"


class TestFiles:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            (JASPAR, "TOY"),
            (JASPAR.replace("\n", "\r\n"), "TOY"),
            (MEME, "MA9999.1"),
            (MEME.replace("MOTIF", f"{UNIFORM_BACKGROUND}\n\nMOTIF"), "MA9999.1"),
        ],
    )
    def test_jaspar_and_meme(self, text, name, tmp_path):
        path = tmp_path / "toy"
        path.write_bytes(text.encode())
        matrix = find_matrix(str(path))
        assert (matrix.id, matrix.name) == ("MA9999.1", name)
        assert matrix.counts.tolist() == [[10, 0, 0, 0], [0, 5, 5, 0]]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "starts with '', expected JASPAR"),
            ("ACGT\n", "starts with 'ACGT', expected JASPAR"),
            (JASPAR + JASPAR, "holds 2 matrices, expected one"),
            (">x y\n", "holds 0 matrices"),
            (JASPAR.replace("[ 0 5 ]", "[ 0 -5 ]"), "matrix MA9999.1: found a position"),
            (JASPAR.replace("10 0", "0 0"), "matrix MA9999.1: found a position without counts"),
            (JASPAR.replace("10 0", "ten 0"), "no matrix can be read"),
            (JASPAR.replace("10 0", "10"), "no matrix can be read"),
            (
                "MEME version 4\n\nMOTIF x\nletter-probability matrix: alength= 4 w= 9\n0.1\n",
                "no matrix can be read",
            ),
        ],
    )
    def test_damaged_files_are_named(self, text, message, tmp_path):
        path = tmp_path / "bad.txt"
        path.write_text(text)
        with pytest.raises(TfbindError, match=rf"bad\.txt: .*{message}|bad\.txt: {message}"):
            find_matrix(str(path))


class TestOtherIdentifiers:
    def test_unknown_words_list_what_ships(self):
        with pytest.raises(
            TfbindError, match=r"'NOSUCH': no such file and no JASPAR identifier.*MA0139\.2 \(CTCF\)"
        ):
            find_matrix("NOSUCH")

    def test_without_pyjaspar_says_what_to_install(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "pyjaspar", None)
        with pytest.raises(MissingDependencyError, match=r"pip install .* '\.\[jaspar\]'"):
            find_matrix("MA0004.1")

    @pytest.mark.filterwarnings("ignore:Failed to fetch")
    def test_through_pyjaspar(self):
        pytest.importorskip("pyjaspar")
        matrix = find_matrix("MA0004.1")
        assert (matrix.id, matrix.name) == ("MA0004.1", "Arnt")
        assert matrix.counts.shape == (6, 4)
        with pytest.raises(TfbindError, match="JASPAR has no such matrix"):
            find_matrix("MA9999.9")

    def test_shipped_matrices_are_unchanged(self):
        jaspardb = pytest.importorskip("pyjaspar").jaspardb
        for matrix in shipped_matrices():
            original = jaspardb().fetch_motif_by_id(matrix.id)
            assert np.array_equal(matrix.counts, np.array([original.counts[letter] for letter in "ACGT"]).T)
