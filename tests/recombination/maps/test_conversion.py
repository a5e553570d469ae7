import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.recombination.maps.conversion import convert_map, length_factors, read_genetic_lengths
from tfbind.steps import StepFunction

RHO = "chrom\tstart\tend\trho_per_bp\n1\t0\t100\t8e-4\n1\t100\t200\t4e-4\n"
RATIO = "# rates are r/mu (no mutation rate was given)\n1\t0\t100\t2\n"
ABSOLUTE = "chrom\tstart\tend\trate_per_bp\n1\t0\t100\t1e-8\n"


def convert(tmp_path, text, **options):
    path = tmp_path / "map.txt"
    path.write_text(text)
    return {name: steps.values.tolist() for name, steps in convert_map(path, **options).items()}


class TestUnits:
    def test_rho_is_divided_by_four_ne(self, tmp_path):
        assert convert(tmp_path, RHO, effective_size=1e4) == {"1": pytest.approx([2e-8, 1e-8])}

    def test_r_over_mu_is_multiplied_by_mu(self, tmp_path):
        assert convert(tmp_path, RATIO, mutation_rate=1.5e-8) == {"1": pytest.approx([3e-8])}

    def test_a_length_is_enough(self, tmp_path):
        # 2:1 over 100 bp each, 3 cM in all
        assert convert(tmp_path, RHO, lengths=3.0) == {"1": pytest.approx([2e-4, 1e-4])}

    @pytest.mark.parametrize(
        ("text", "options", "message"),
        [
            (RHO, {}, "are population-scaled .* give --ne or --genetic-length"),
            (RATIO, {}, "are r/mu; give --mutation-rate or --genetic-length"),
            (ABSOLUTE, {"effective_size": 1e4}, "are not population-scaled, so --ne has no use"),
            (ABSOLUTE, {"mutation_rate": 1e-8}, "are not r/mu, so --mutation-rate has no use"),
            (ABSOLUTE, {"contig": "2"}, r"names its contigs itself \(1\), so --contig has no use"),
        ],
    )
    def test_what_does_not_fit(self, text, options, message, tmp_path):
        with pytest.raises(TfbindError, match=message):
            convert(tmp_path, text, **options)

    def test_a_contig_gets_its_name(self, tmp_path):
        assert list(convert(tmp_path, "0\t100\t1e-8\n", contig="7")) == ["7"]


MAPS = {
    "1": StepFunction([0, 100, 200, 300, 400], [np.nan, 1e-4, np.nan, 3e-4]),
    "2": StepFunction([0, 100], [1e-4]),
    "3": StepFunction([0, 100], [np.nan]),
}


class TestLengths:
    def test_gaps_count_with_the_mean_rate(self):
        # 2e-4 over 300 bp are 6 cM
        assert length_factors(MAPS, {"1": 3.0, "2": 1.0}, "x") == pytest.approx({"1": 0.5, "2": 1.0})

    def test_one_number_is_for_one_contig(self):
        assert length_factors({"2": MAPS["2"]}, 2.0, "x") == pytest.approx({"2": 2.0})
        with pytest.raises(TfbindError, match="one number, but the map has 2 contigs"):
            length_factors(MAPS, 2.0, "x")

    def test_contigs_match_but_for_chr_and_one_without_a_length_is_named(self, caplog):
        assert list(length_factors(MAPS, {"chr1": 3.0}, "x")) == ["1"]
        assert "x: has no length for contig 2, whose rates stay as they are" in caplog.text
        with pytest.raises(TfbindError, match="contigs"):
            length_factors(MAPS, {"X": 3.0}, "x")

    def test_are_read(self, tmp_path):
        assert read_genetic_lengths("12.5") == 12.5
        (tmp_path / "cm").write_text("contig cM\n# sex-averaged\nchr1 270.5\n\nchrX\t180\n")
        assert read_genetic_lengths(str(tmp_path / "cm")) == {"chr1": 270.5, "chrX": 180.0}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "has no rows"),
            ("contig cM\n", "has no rows"),
            ("chr1 2\nchr2 x\n", "line 2: found 'chr2 x', expected a contig and its cM"),
            ("chr1 2\nchr2 -1\n", "line 2: found 'chr2 -1'"),
            ("chr1 2\nchr1 3\n", "line 2: contig 'chr1' is listed twice"),
        ],
    )
    def test_wrong_file(self, text, message, tmp_path):
        (tmp_path / "cm").write_text(text)
        with pytest.raises(TfbindError, match=message):
            read_genetic_lengths(str(tmp_path / "cm"))
