import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.genotypes import mask as masks
from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.mask import Accessible, apply_mask, read_mask

BED = "1\t40\t50\tx\n1\t10\t20\n1\t18\t30\n1\t30\t32\nX\t0\t5\n"


@pytest.fixture
def mask(tmp_path):
    (tmp_path / "m.bed").write_text(BED)
    return read_mask(tmp_path / "m.bed")


def genotypes(positions, contig="1"):
    calls = np.tile(np.array([[0, 1, 1]], np.int8), (len(positions), 1))
    return Genotypes(contig, np.array(positions), calls, 1, 0, 60).recounted()


class TestIntervals:
    def test_are_sorted_and_merged(self, mask):
        assert mask.on("1").starts.tolist() == [10, 40]
        assert mask.on("1").ends.tolist() == [32, 50]

    def test_are_half_open(self, mask):
        inside = mask.on("1").contains(np.array([0, 9, 10, 31, 32, 39, 40, 49, 50]))
        assert inside.tolist() == [False, False, True, True, False, False, True, True, False]

    def test_count_accessible_bases(self, mask):
        before = mask.on("1").bases_before(np.array([0, 10, 11, 32, 35, 40, 45, 50, 99]))
        assert before.tolist() == [0, 0, 1, 22, 22, 22, 27, 32, 32]

    def test_agree_with_a_mask_of_single_bases(self, monkeypatch):
        rng = np.random.default_rng(3)
        starts = rng.integers(0, 480, 30)
        ends = starts + rng.integers(1, 20, 30)
        by_base = np.zeros(500, bool)
        for start, end in zip(starts, ends, strict=True):
            by_base[start:end] = True
        found = Accessible.merged(starts, ends)
        np.testing.assert_array_equal(found.contains(np.arange(500)), by_base)
        np.testing.assert_array_equal(found.bases_before(np.arange(500)), np.cumsum(by_base) - by_base)
        # in portions, of any shape
        monkeypatch.setattr(masks, "POSITIONS_AT_ONCE", 7)
        expected = (np.cumsum(by_base) - by_base).reshape(2, 250)
        np.testing.assert_array_equal(found.bases_before(np.arange(500).reshape(2, 250)), expected)

    def test_the_base_with_so_many_in_front(self, mask):
        found = mask.on("1").position_of(np.array([0, 1, 21, 22, 31]))
        assert found.tolist() == [10, 11, 31, 40, 49]

    def test_are_cut(self, mask):
        part = mask.on("1").within(15, 41)
        assert list(zip(part.starts.tolist(), part.ends.tolist(), strict=True)) == [(15, 32), (40, 41)]
        assert part.n_bases == 18

    def test_without_stretches(self, mask):
        left = mask.on("1").without(np.array([5, 20, 31]), np.array([12, 22, 45]))
        assert list(zip(left.starts.tolist(), left.ends.tolist(), strict=True)) == [
            (12, 20),
            (22, 31),
            (45, 50),
        ]

    def test_of_a_contig_match_but_for_chr(self, mask):
        assert [mask.names.find(name) for name in ("chr1", "X", "chr2")] == ["1", "X", None]
        assert mask.on("chr1").starts.tolist() == [10, 40]

    def test_of_an_unnamed_contig_are_none(self, mask):
        assert not mask.on("2").contains(np.arange(60)).any()
        assert mask.on("2").bases_before(np.arange(60)).tolist() == [0] * 60


class TestMasking:
    def test_sites_outside_are_left_out_and_counted(self, mask):
        masked = apply_mask(genotypes([5, 12, 35, 41]), mask)
        assert masked.positions.tolist() == [12, 41]
        assert masked.calls.shape == (2, 3)
        assert (masked.account.used, masked.account.masked, masked.account.calls) == (2, 2, 6)

    def test_a_mask_that_leaves_nothing_is_named(self, mask, caplog):
        assert apply_mask(genotypes([5, 6]), mask).account.masked == 2
        assert (
            "none of the 2 sites on contig 1 is accessible: do its intervals list inaccessible" in caplog.text
        )

    def test_a_contig_named_with_chr_is_masked_alike(self, mask, caplog):
        assert apply_mask(genotypes([12, 35], contig="chr1"), mask).positions.tolist() == [12]
        assert not caplog.records


def test_beyond_64_bits_is_one_line(tmp_path):
    (tmp_path / "m.bed").write_text("1\t10\t99999999999999999999\n")
    with pytest.raises(TfbindError, match=r"m\.bed: line 1: found end '9{20}', which is too large"):
        read_mask(tmp_path / "m.bed")


def test_a_line_that_is_no_interval(tmp_path):
    (tmp_path / "m.bed").write_text("1\t10\t5\n")
    with pytest.raises(TfbindError, match=r"m\.bed: line 1: end \(5\) must be greater than start \(10\)"):
        read_mask(tmp_path / "m.bed")
