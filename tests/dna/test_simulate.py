import numpy as np
import pytest

from tfbind.dna.matrices import Matrix, find_matrix
from tfbind.dna.simulate import (
    background,
    dinucleotide_frequencies,
    draw_sites,
    plant_sites,
    write_simulation,
)
from tfbind.errors import TfbindError

# always AACG, and its reverse complement is another word
AACG = Matrix("TOY1", "TOY", np.array([[1e9, 0, 0, 0], [1e9, 0, 0, 0], [0, 1e9, 0, 0], [0, 0, 1e9, 0]]))


class TestBackground:
    @pytest.mark.parametrize(("gc", "ratio"), [(0.41, 0.2), (0.6, 0.2), (0.5, 1.0), (0.35, 1.5), (0.4, 0.0)])
    def test_frequencies_are_those_asked_for(self, gc, ratio):
        pairs = dinucleotide_frequencies(gc, ratio)
        base = pairs.sum(axis=1)
        assert base == pytest.approx([(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2])
        assert pairs.sum(axis=0) == pytest.approx(base)
        assert pairs[1, 2] / (base[1] * base[2]) == pytest.approx(ratio)
        assert (pairs >= 0).all()

    def test_strands_are_alike(self):
        pairs = dinucleotide_frequencies()
        assert pairs == pytest.approx(pairs[::-1, ::-1].T)

    def test_ratio_one_is_independence(self):
        pairs = dinucleotide_frequencies(0.5, 1.0)
        assert pairs == pytest.approx(np.full((4, 4), 1 / 16))

    @pytest.mark.parametrize(("gc", "ratio"), [(0.41, 0.2), (0.6, 0.8)])
    def test_sequences_have_them(self, gc, ratio):
        codes = background(np.random.default_rng(0), 2000, 200, dinucleotide_frequencies(gc, ratio))
        is_c, is_g = codes == 1, codes == 2
        assert (is_c | is_g).mean() == pytest.approx(gc, abs=0.005)
        cpg = (is_c[:, :-1] & is_g[:, 1:]).mean() / (is_c.mean() * is_g.mean())
        assert cpg == pytest.approx(ratio, abs=0.02)
        # from the first base on
        assert (is_c | is_g)[:, 0].mean() == pytest.approx(gc, abs=0.05)

    @pytest.mark.parametrize(
        ("gc", "ratio", "message"),
        [
            (0, 0.2, "G.C content: found 0"),
            (1.0, 0.2, "G.C content"),
            (0.5, -1, "CpG ratio"),
            (0.5, 4, "below 4"),
        ],
    )
    def test_refuses_what_cannot_be(self, gc, ratio, message):
        with pytest.raises(TfbindError, match=message):
            dinucleotide_frequencies(gc, ratio)


class TestSites:
    def test_letters_come_as_often_as_the_matrix_says(self):
        matrix = find_matrix("GABPA")
        sites = draw_sites(np.random.default_rng(0), 20_000, matrix)
        seen = np.stack([(sites == letter).mean(axis=0) for letter in range(4)], axis=1)
        expected = matrix.counts / matrix.counts.sum(axis=1, keepdims=True)
        assert np.abs(seen - expected).max() < 0.015

    def test_no_letter_is_impossible(self):
        sites = draw_sites(np.random.default_rng(0), 5000, Matrix("a", "a", np.array([[1.0, 0, 0, 0]])))
        assert set(sites.ravel()) == {0, 1, 2, 3}

    def test_are_where_and_how_they_say(self):
        codes = np.full((1000, 9), 3, np.uint8)
        start, is_reverse = plant_sites(np.random.default_rng(0), codes, AACG)
        for row, at, reverse in zip(codes, start, is_reverse, strict=True):
            assert row[at : at + 4].tolist() == ([1, 2, 3, 3] if reverse else [0, 0, 1, 2])
            assert (np.delete(row, np.arange(at, at + 4)) == 3).all()
        assert np.bincount(start, minlength=6).min() > 120
        assert 430 < is_reverse.sum() < 570

    def test_may_fill_the_record(self):
        codes = np.full((10, 4), 3, np.uint8)
        assert plant_sites(np.random.default_rng(0), codes, AACG)[0].tolist() == [0] * 10


def records(path):
    lines = path.read_text().splitlines()
    return dict(zip([line[1:] for line in lines[::2]], lines[1::2], strict=True))


class TestWriteSimulation:
    def test_truth_points_at_the_sites(self, tmp_path):
        write_simulation(AACG, 50, 30, tmp_path / "new" / "folder")
        positives = records(tmp_path / "new" / "folder" / "positives.fa")
        negatives = records(tmp_path / "new" / "folder" / "negatives.fa")
        assert list(positives) == [f"TOY_positive_{i}" for i in range(1, 51)]
        assert list(negatives) == [f"TOY_negative_{i}" for i in range(1, 51)]
        assert {len(sequence) for sequence in (positives | negatives).values()} == {30}
        rows = [line.split("\t") for line in (tmp_path / "new/folder/truth.bed").read_text().splitlines()]
        assert [row[0] for row in rows] == list(positives)
        for name, start, end, identifier, score, strand in rows:
            assert positives[name][int(start) : int(end)] == {"+": "AACG", "-": "CGTT"}[strand]
            assert (identifier, score) == ("TOY1", "0")

    def test_same_seed_same_files(self, tmp_path):
        for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
            write_simulation(AACG, 20, 30, tmp_path / folder, seed=seed)
        for name in ("positives.fa", "negatives.fa", "truth.bed"):
            a, b, c = ((tmp_path / folder / name).read_bytes() for folder in "abc")
            assert a == b != c

    def test_positives_and_negatives_are_drawn_apart(self, tmp_path):
        write_simulation(AACG, 20, 30, tmp_path, fraction=0)
        positives, negatives = records(tmp_path / "positives.fa"), records(tmp_path / "negatives.fa")
        assert not set(positives.values()) & set(negatives.values())

    @pytest.mark.parametrize(("fraction", "sites"), [(0, 0), (0.3, 6), (1, 20)])
    def test_a_fraction_of_the_positives(self, fraction, sites, tmp_path):
        write_simulation(AACG, 20, 30, tmp_path, fraction=fraction)
        assert len((tmp_path / "truth.bed").read_text().splitlines()) == sites
        assert len(records(tmp_path / "positives.fa")) == 20

    def test_blocks_number_on(self, tmp_path, monkeypatch):
        monkeypatch.setattr("tfbind.dna.simulate.BLOCK_RECORDS", 7)
        write_simulation(AACG, 20, 30, tmp_path)
        assert list(records(tmp_path / "positives.fa")) == [f"TOY_positive_{i}" for i in range(1, 21)]
        assert len((tmp_path / "truth.bed").read_text().splitlines()) == 20

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"length": 3}, r"length: found 3, expected at least 4, the width of TOY1 \(TOY\)"),
            ({"fraction": 1.1}, "fraction: found 1.1"),
            ({"fraction": float("nan")}, "fraction: found nan"),
        ],
    )
    def test_refuses_and_writes_nothing(self, options, message, tmp_path):
        with pytest.raises(TfbindError, match=message):
            write_simulation(AACG, 5, **({"length": 30} | options), output=tmp_path / "out")
        assert not (tmp_path / "out").exists()


class TestDefaults:
    def test_the_background_has_the_gc_content_and_the_rare_cpg_of_the_human_genome(self):
        pairs = dinucleotide_frequencies()
        base = pairs.sum(axis=1)
        assert base == pytest.approx([0.295, 0.205, 0.205, 0.295])
        assert pairs[1, 2] / (base[1] * base[2]) == pytest.approx(0.2)

    def test_one_more_site_is_spread_over_the_four_letters(self):
        # of one site that was seen with A: A has 1.25 of 2, the others 0.25 each
        sites = draw_sites(np.random.default_rng(0), 40_000, Matrix("a", "a", np.array([[1.0, 0, 0, 0]])))
        assert np.bincount(sites.ravel()) / 40_000 == pytest.approx([0.625, 0.125, 0.125, 0.125], abs=0.01)
