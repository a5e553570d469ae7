from collections import Counter
from dataclasses import fields

import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.genotypes.prior import Prior, Range, choose, read_prior


def test_every_row_has_a_reason():
    assert all(len(row.metadata["why"]) > 5 for row in fields(Prior))


class TestRange:
    def test_even(self):
        values = [Range(2, 4).draw(np.random.default_rng(i)) for i in range(200)]
        assert 2 <= min(values) < 2.1
        assert 3.9 < max(values) <= 4

    def test_even_in_logarithms(self):
        rng = np.random.default_rng(0)
        values = [Range(1, 10_000, log=True).draw(rng) for _ in range(1000)]
        assert 60 < np.median(values) < 160

    def test_one_value(self):
        assert Range(3, 3, log=True).draw(np.random.default_rng(0)) == 3


class TestChanges:
    def test_of_each_kind(self):
        prior = Prior().changed(
            {"haplotypes": [10, 20], "switch_rate": 0.01, "chip": 0, "demographies": {"growth": 2}}
        )
        assert prior.haplotypes == Range(10, 20, log=True)
        assert (prior.switch_rate.low, prior.switch_rate.high) == (0.01, 0.01)
        assert prior.chip == 0
        assert prior.demographies == {"growth": 2}
        assert prior.missing == Prior().missing

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"haplotype": 3}, "found 'haplotype', expected rows"),
            ({"haplotypes": [20, 10]}, r"haplotypes: found \[20, 10\]"),
            ({"haplotypes": 0}, "haplotypes: found 0, expected .* above 0"),
            ({"haplotypes": "many"}, "haplotypes: found 'many'"),
            ({"missing_rate": [0.1, 2]}, "numbers above 0 and at most 1"),
            ({"missing": 1.5}, "missing: found 1.5, expected a share from 0 to 1"),
            ({"missing": True}, "missing: found True"),
            ({"mutation_rate": 0}, "mutation_rate: found 0, expected a number above 0"),
            ({"landscapes": {"hills": 1}}, "landscapes: found .*, expected weights of hotspots"),
            ({"landscapes": {"flat": 0}}, "one above 0"),
        ],
    )
    def test_that_cannot_be(self, changes, message):
        with pytest.raises(TfbindError, match=message):
            Prior().changed(changes)

    def test_from_a_file(self, tmp_path):
        path = tmp_path / "prior.yaml"
        path.write_text("haplotypes: [20, 40]\r\ndemographies: {constant: 1}\r\n")
        assert read_prior([path]).haplotypes.high == 40

    def test_of_a_row_in_several_files_the_last_counts(self, tmp_path):
        first, last = tmp_path / "first.yaml", tmp_path / "last.yaml"
        first.write_text("haplotypes: [20, 40]\nchip: 0\n")
        last.write_text("haplotypes: 8\n")
        prior = read_prior([first, last])
        assert prior.haplotypes == Range(8, 8, log=True)
        assert prior.chip == 0
        assert read_prior([]) == Prior()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("{", "is not YAML"),
            ("- 1\n", "found no rows"),
            ("chip: 2\n", "prior.yaml: prior: chip: found 2"),
            (f"haploid: 1{'0' * 400}\n", "haploid: found 1000.*, expected a share from 0 to 1"),
            (f"mutation_rate: 1{'0' * 400}\n", "mutation_rate: found 1000.*, expected a number above 0"),
            (f"haplotypes: [4, 0x{'f' * 5000}]\n", "found a number of thousands of digits, expected"),
            (f"landscapes: {{flat: 1{'0' * 400}}}\n", "landscapes: found"),
            (f"1{'0' * 400}: 1\n", "found 1000.*, expected rows"),
            ("haploid: 2001-99-99\n", "prior.yaml: is not YAML"),
            ("? [a, {b: 1}]\n: 1\n", "prior.yaml: is not YAML"),
        ],
    )
    def test_from_a_wrong_file(self, tmp_path, text, message):
        path = tmp_path / "prior.yaml"
        path.write_text(text)
        with pytest.raises(TfbindError, match=message):
            read_prior([path])


def test_choice_follows_the_weights():
    rng = np.random.default_rng(0)
    drawn = Counter(choose(rng, {"a": 3, "b": 1, "c": 0}) for _ in range(400))
    assert 270 < drawn["a"] < 330
    assert drawn["c"] == 0
