import numpy as np
import pytest

from tfbind.binding.encoding.contig_split import choose_contigs, hold_out_contigs
from tfbind.binding.options import EncodeOptions, genome_ratio
from tfbind.dna.peaks import Window
from tfbind.errors import TfbindError


def windows(**n_of_contig):
    return [
        Window(contig, 100 * at, 100 * at + 50, f"{contig}{at}")
        for contig, n in n_of_contig.items()
        for at in range(n)
    ]


class TestChooseContigs:
    def test_close_to_what_is_wanted(self):
        n_of_contig = dict(zip("abcdefghij", [40, 35, 30, 25, 20, 15, 12, 10, 8, 5], strict=True))
        test, validation = choose_contigs(n_of_contig, (40, 20), seed=0)
        assert not set(test) & set(validation)
        assert sum(n_of_contig[contig] for contig in test) == pytest.approx(40, abs=2)
        assert sum(n_of_contig[contig] for contig in validation) == pytest.approx(20, abs=2)
        assert choose_contigs(n_of_contig, (40, 20), seed=0) == (test, validation)
        assert len({tuple(choose_contigs(n_of_contig, (40, 20), seed=seed)[0]) for seed in range(5)}) > 1

    @pytest.mark.parametrize("n_of_contig", [{"a": 100}, {"a": 50, "b": 50}, {"a": 98, "b": 1, "c": 1}])
    def test_contigs_that_do_not_allow_it(self, n_of_contig):
        assert choose_contigs(n_of_contig, (20, 10), seed=0) is None

    def test_nothing_wanted_of_one_part(self):
        assert choose_contigs({"a": 80, "b": 10}, (0, 10), seed=0) == ([], ["b"])


class TestHoldOutContigs:
    many = windows(a=40, b=30, c=10, d=10, e=10)

    def test_named_contigs_stay(self):
        both = EncodeOptions(test_contigs=("a",), validation_contigs=("b",))
        assert hold_out_contigs(self.many, both) is both
        found = hold_out_contigs(self.many, EncodeOptions(test_contigs=("chrA",)), {"chrA": "a"})
        # as the genome spells them
        assert found.test_contigs == ("a",)
        assert found.validation_contigs in [("c",), ("d",), ("e",)]

    def test_fractions(self):
        found = hold_out_contigs(self.many, EncodeOptions(split=(0.8, 0.1, 0.1)))
        assert len(found.test_contigs) == len(found.validation_contigs) == 1
        assert {*found.test_contigs, *found.validation_contigs} <= {"c", "d", "e"}

    def test_of_few_peaks_more_are_held_out_for_calibration(self):
        few = windows(**{f"c{number}": 10 for number in range(16)})
        found = hold_out_contigs(few, EncodeOptions(test_contigs=("c0", "c1", "c2")))
        assert len(found.validation_contigs) == 3
        # but not if the fractions are given
        found = hold_out_contigs(few, EncodeOptions(test_contigs=("c0", "c1", "c2"), split=(0.8, 0.1, 0.1)))
        assert len(found.validation_contigs) == 1

    def test_many_contigs_take_no_time(self):
        many = windows(**{f"c{number}": 1 + number % 3 for number in range(3_000)})
        found = hold_out_contigs(many, EncodeOptions())
        assert len(found.test_contigs) == pytest.approx(600, rel=0.2)

    def test_few_contigs(self, caplog):
        options = EncodeOptions()
        assert hold_out_contigs(windows(a=40, b=1), options) is options
        assert "the peaks lie on 2 contigs" in caplog.text
        with pytest.raises(TfbindError, match="--split-by contigs: the peaks lie on 2 contigs"):
            hold_out_contigs(windows(a=40, b=1), EncodeOptions(split_by="contigs"))

    def test_records_were_asked_for(self):
        options = EncodeOptions(split_by="records")
        assert hold_out_contigs(self.many, options) is options


@pytest.mark.parametrize(("n", "ratio"), [(10, 20), (2_000, 20), (4_000, 10), (100_000, 1)])
def test_genome_ratio(n, ratio):
    assert genome_ratio(n) == np.float64(ratio)
