import gzip

import numpy as np
import pytest
from scipy.special import logit

from tfbind.binding.scanning.prediction import predict
from tfbind.binding.scanning.variants import (
    Allele,
    alleles_of,
    effects,
    gather,
    score_variants,
    starts_round,
    trim,
)
from tfbind.binding.scanning.windows import windows_of_fasta
from tfbind.dna.alphabet import decode_letters, encode_letters
from tfbind.dna.genome import Genome
from tfbind.dna.vcf import Variant
from tfbind.errors import TfbindError

LENGTH = 60
STARTS = (-50, -30, -10)  # of the three windows, counted from the first base that differs
HEADER = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
COMPLEMENT = str.maketrans("ACGT", "TGCA")


def sequence(n: int, seed: int) -> str:
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), n))


CHR1 = sequence(400, seed=1)
CONTIGS = {
    "chr1": CHR1,
    "soft": CHR1.lower(),
    "short": CHR1[:40],
    "tiny": "ACGTACGT",
    "holes": "N" * 200 + CHR1[200:] + "N" * 200,
    "other": CHR1[::-1].translate(COMPLEMENT),
}


@pytest.fixture
def genome_path(tmp_path):
    path = tmp_path / "g.fa"
    path.write_text("".join(f">{name}\n{letters}\n" for name, letters in CONTIGS.items()))
    return path


@pytest.fixture
def genome(genome_path):
    with Genome(genome_path) as genome:
        yield genome


@pytest.fixture
def table(genome_path, tmp_path):
    """Score records, (chrom, pos, ref, alt), and give the rows: chrom, pos, id, ref, alt, scores, note."""

    def table(model, *records, stride=None, output="o.tsv") -> list[list[str]]:
        lines = [f"{c}\t{pos}\tv{i}\t{ref}\t{alt}\t.\t.\t.\n" for i, (c, pos, ref, alt) in enumerate(records)]
        (tmp_path / "v.vcf").write_text(HEADER + "".join(lines))
        score_variants(model, tmp_path / "v.vcf", genome_path, tmp_path / output, stride=stride)
        opener = gzip.open if output.endswith(".gz") else open
        with opener(tmp_path / output, "rt") as handle:
            return [line.rstrip("\n").split("\t") for line in handle][1:]

    return table


@pytest.fixture
def by_hand(tmp_path):
    """The score of a sequence, from FASTA by `predict`."""

    def by_hand(model, letters: str) -> float:
        (tmp_path / "hand.fa").write_text(f">a\n{letters}\n")
        windows = windows_of_fasta(tmp_path / "hand.fa", LENGTH, LENGTH)
        predict(model, windows, tmp_path / "hand.tsv", best=False, batch_size=8)
        return float((tmp_path / "hand.tsv").read_text().splitlines()[1].split("\t")[3])

    return by_hand


def windows(genome, contig: str, pos: int, ref: str, *alts: str, stride=20) -> list[Allele]:
    return list(alleles_of(Variant(contig, pos, ".", ref, alts), genome, LENGTH, stride))


def letters(allele: Allele) -> list[list[str]]:
    """The windows of the reference, and those of the allele; a padded base reads N."""
    return [[decode_letters(window) for window in windows] for windows in allele.codes]


class TestTrim:
    @pytest.mark.parametrize(
        ("ref", "alt", "expected"),
        [
            ("A", "G", (0, "A", "G")),
            ("A", "ACC", (1, "", "CC")),
            ("ACC", "A", (1, "CC", "")),
            ("CAT", "CGT", (1, "A", "G")),
            ("CAT", "GAT", (0, "C", "G")),
            ("ACGT", "TGCA", (0, "ACGT", "TGCA")),
            ("AAA", "AA", (0, "A", "")),
            ("CAA", "CAAA", (1, "", "A")),
            ("CAT", "CAT", (0, "", "")),
            ("CTT", "CTGT", (2, "", "G")),
        ],
    )
    def test_takes_off_what_is_shared(self, ref, alt, expected):
        front, ref, alt = trim(encode_letters(ref), encode_letters(alt))
        assert (front, decode_letters(ref), decode_letters(alt)) == expected


class TestStartsRound:
    @pytest.mark.parametrize(
        ("base", "length", "stride", "starts"),
        [
            (500, 101, 33, [417, 450, 483]),
            (500, 60, 20, [450, 470, 490]),
            (500, 60, 60, [470]),
            (500, 5, 1, [496, 497, 498, 499, 500]),
            (500, 6, 2, [495, 497, 499]),
            (10, 101, 33, [0]),
            (60, 101, 33, [0, 10, 43]),
            (990, 101, 33, [899]),
            (5, 2000, 600, [0]),
        ],
    )
    def test_hold_the_base_and_stay_inside(self, base, length, stride, starts):
        assert starts_round(base, 1000, length, stride).tolist() == starts


class TestWindows:
    def test_of_an_snv(self, genome):
        base = CHR1[199]
        alt = "ACGT"[("ACGT".index(base) + 1) % 4]
        (allele,) = windows(genome, "chr1", 200, base, alt)
        ref_windows, alt_windows = letters(allele)
        changed = CHR1[:199] + alt + CHR1[200:]
        assert ref_windows == [CHR1[199 + s : 259 + s] for s in STARTS]
        assert alt_windows == [changed[199 + s : 259 + s] for s in STARTS]
        assert allele.valid_length.tolist() == [[60] * 3] * 2

    def test_of_an_insertion_pushes_out_on_the_right(self, genome):
        anchor = CHR1[199]
        inserted = "C" if CHR1[200] != "C" else "G"
        (allele,) = windows(genome, "chr1", 200, anchor, anchor + inserted * 4)
        ref_windows, alt_windows = letters(allele)
        changed = CHR1[:200] + inserted * 4 + CHR1[200:]
        assert ref_windows == [CHR1[200 + s : 260 + s] for s in STARTS]
        assert alt_windows == [changed[200 + s : 260 + s] for s in STARTS]

    def test_of_a_deletion_pulls_in_on_the_right(self, genome):
        (allele,) = windows(genome, "chr1", 200, CHR1[199:230], CHR1[199])
        ref_windows, alt_windows = letters(allele)
        first = 200 - _shared_behind(CHR1[199:230], CHR1[199])
        changed = CHR1[:200] + CHR1[230:]
        assert ref_windows == [CHR1[first + s : first + 60 + s] for s in STARTS]
        assert alt_windows == [changed[first + s : first + 60 + s] for s in STARTS]

    def test_of_a_deletion_longer_than_a_window(self, genome):
        (allele,) = windows(genome, "chr1", 100, CHR1[99:250], CHR1[99], stride=60)
        first = 100 - _shared_behind(CHR1[99:250], CHR1[99])
        changed = CHR1[:100] + CHR1[250:]
        start = first - 30
        assert letters(allele) == [[CHR1[start : start + 60]], [changed[start : start + 60]]]

    def test_of_an_allele_are_the_same_alone_and_beside_others(self, genome):
        ref = CHR1[199:203]
        alt = "ACGT"[("ACGT".index(ref[0]) + 1) % 4]
        alone = windows(genome, "chr1", 200, ref[0], alt)[0]
        beside = windows(genome, "chr1", 200, ref, alt + ref[1:], ref[0])[0]
        assert np.array_equal(alone.codes, beside.codes)

    def test_at_the_ends_of_a_contig_are_moved_inside(self, genome):
        alt = {"A": "C", "C": "G", "G": "T", "T": "A"}
        (first,) = windows(genome, "chr1", 1, CHR1[0], alt[CHR1[0]])
        assert letters(first) == [[CHR1[:60]], [alt[CHR1[0]] + CHR1[1:60]]]
        (last,) = windows(genome, "chr1", 400, CHR1[-1], alt[CHR1[-1]])
        assert letters(last) == [[CHR1[340:]], [CHR1[340:399] + alt[CHR1[-1]]]]

    def test_that_a_deletion_makes_too_short_at_the_end_are_padded(self, genome):
        (allele,) = windows(genome, "chr1", 390, CHR1[389:], CHR1[389], stride=60)
        assert allele.note == "padded"
        gone = 11 - 1
        assert allele.valid_length.tolist() == [[60], [60 - gone]]

    def test_of_a_short_contig_are_padded(self, genome):
        alt = "A" if CHR1[19] != "A" else "C"
        (allele,) = windows(genome, "short", 20, CHR1[19], alt)
        assert allele.note == "padded"
        assert letters(allele)[1] == [CHR1[:19] + alt + CHR1[20:40] + "N" * 20]
        assert allele.valid_length.tolist() == [[40], [40]]

    def test_take_refs_base_where_the_genome_is_ambiguous(self, genome):
        (allele,) = windows(genome, "holes", 200, "A", "C", stride=60)
        ref, alt = (window for (window,) in letters(allele))
        assert ref == "N" * 30 + "A" + CHR1[200:229]
        assert alt == ref.replace("NA", "NC", 1)

    def test_of_nothing_but_n_are_left_out(self, genome):
        (allele,) = windows(genome, "holes", 160, "N", "C", stride=20)
        assert [window[-1] for window in letters(allele)[0]] == [CHR1[208]]
        assert allele.codes.shape == (2, 1, LENGTH)


def _shared_behind(ref: str, alt: str) -> int:
    """How many bases of a deletion's anchor are trimmed from behind, not in front."""
    return int(ref[-1] == alt[-1])


class TestNotes:
    @pytest.mark.parametrize(
        ("record", "note"),
        [
            (("chr1", 200, "X", "A"), "not_a_sequence"),
            (("chr1", 200, CHR1[199], "<DEL>"), "not_a_sequence"),
            (("chr1", 200, CHR1[199], "*"), "not_a_sequence"),
            (("chr1", 200, CHR1[199], "."), "not_a_sequence"),
            (("chr1", 200, CHR1[199], ""), "not_a_sequence"),
            (("chr1", 200, CHR1[199], "A[chr1:7["), "not_a_sequence"),
            (("chr1", 200, CHR1[199].translate(COMPLEMENT), "A"), "ref_mismatch"),
            (("chr1", 399, CHR1[398:] + "A", "A"), "ref_mismatch"),
            (("chr1", 0, "N", "A"), "ref_mismatch"),
            (("chr1", 9_999_999, "N", "A"), "ref_mismatch"),
            (("2", 200, "A", "C"), "no_contig"),
            (("1", 200, "A", "<DEL>"), "not_a_sequence"),
            (("tiny", 1, "A", "C"), "too_short"),
            (("short", 1, CHR1[:35], CHR1[0]), "too_short"),
            (("holes", 50, "N", "A"), "ambiguous"),
            (("holes", 50, "A", "C"), "ambiguous"),
            (("chr1", 200, CHR1[199], "R"), ""),
            (("chr1", 200, CHR1[199], "u"), ""),
            (("chr1", 200, "N", "A"), ""),
            (("soft", 200, CHR1[199], "acgtn"), ""),
        ],
    )
    def test_say_why(self, genome, record, note):
        contig, pos, ref, alt = record
        (allele,) = windows(genome, contig, pos, ref, alt)
        assert allele.note == note
        assert (allele.codes is None) == bool(note)
        assert allele.fields == (contig, str(pos), ".", ref, alt)


class TestGather:
    def test_counts_both_alleles_windows_and_those_without(self):
        one = Allele((), "", np.zeros((2, 3, 5), np.uint8), np.full((2, 3), 5, np.int32))
        none = Allele((), "ref_mismatch")
        groups = gather([one, one, none, none, one], 13)
        assert [len(group) for group in groups] == [3, 2]


class TestEffects:
    @staticmethod
    def model(*ref_and_alt: tuple[list[float], list[float]]):
        """A stand-in whose factors score the windows of the reference and of the allele as given."""

        class Model:
            class card:
                tasks = tuple(f"f{number}" for number in range(len(ref_and_alt)))

            @staticmethod
            def probabilities(codes, valid_length):
                return np.array([ref + alt for ref, alt in ref_and_alt]).T

        return Model

    @staticmethod
    def allele(n: int) -> Allele:
        return Allele((), "", np.zeros((2, n, 5), np.uint8), np.full((2, n), 5, np.int32))

    def test_the_window_with_the_largest_delta_decides_for_each_factor(self):
        model = self.model(([0.5, 0.5, 0.2], [0.6, 0.1, 0.3]), ([0.1, 0.2, 0.9], [0.1, 0.2, 0.95]))
        found = effects(model, [self.allele(3)])
        assert found[0, 0] == pytest.approx([0.5, 0.1, logit(0.1) - logit(0.5)])
        assert found[0, 1] == pytest.approx([0.9, 0.95, logit(0.95) - logit(0.9)])

    def test_alleles_keep_to_their_own_windows(self):
        model = self.model(([0.5, 0.5, 0.5], [0.6, 0.1, 0.3]))
        found = effects(model, [Allele((), "x"), self.allele(2), Allele((), "x"), self.allele(1)])
        assert found[:, 0, 1] == pytest.approx([np.nan, 0.1, np.nan, 0.3], nan_ok=True)

    def test_a_certain_model_has_a_finite_delta(self):
        assert np.isfinite(effects(self.model(([1.0, 0.0], [0.0, 1.0])), [self.allele(2)])).all()


class TestScoreVariants:
    @pytest.mark.parametrize("which", ["model", "kmer_model"])
    def test_scores_are_those_of_predict_for_the_deciding_window(self, request, which, table, by_hand):
        model = request.getfixturevalue(which)
        ref = CHR1[199:202]
        for alt in ("GATTACA", ref[0], "TTT"):
            (row,) = table(model, ("chr1", 200, ref, alt))
            changed = CHR1[:199] + alt + CHR1[202:]
            front = trim(encode_letters(ref), encode_letters(alt))[0]
            pairs = []
            for start in STARTS:
                begin = 199 + front + start
                pairs.append([by_hand(model, whole[begin : begin + 60]) for whole in (CHR1, changed)])
            deltas = [logit(b) - logit(a) for a, b in pairs]
            best = int(np.abs(deltas).argmax())
            assert [float(cell) for cell in row[5:8]] == pytest.approx([*pairs[best], deltas[best]], abs=2e-5)

    def test_stride_1_looks_at_every_window(self, model, table):
        record = ("chr1", 200, CHR1[199], "A" if CHR1[199] != "A" else "C")
        (coarse,), (fine,) = table(model, record), table(model, record, stride=1)
        assert abs(float(fine[7])) >= abs(float(coarse[7]))

    def test_both_strands_give_the_same(self, model, table):
        """All windows of an SNV, and the same SNV in the reverse complement of its contig."""
        ref = CHR1[199]
        alt = "A" if ref != "A" else "C"
        here = ("chr1", 200, ref, alt)
        there = ("other", 201, ref.translate(COMPLEMENT), alt.translate(COMPLEMENT))
        one, other = table(model, here, there, stride=1)
        assert [float(x) for x in one[5:8]] == pytest.approx([float(x) for x in other[5:8]], abs=2e-5)

    def test_lower_case_is_a_base(self, model, table):
        ref = CHR1[199]
        alt = "A" if ref != "A" else "C"
        one, other = table(model, ("chr1", 200, ref, alt), ("soft", 200, ref, alt.lower()))
        assert one[5:] == other[5:]

    def test_contigs_may_be_spelled_without_chr(self, model, table, caplog):
        caplog.set_level("INFO")
        ref = CHR1[199]
        alt = "A" if ref != "A" else "C"
        one, other = table(model, ("chr1", 200, ref, alt), ("chr1", 200, ref, alt))
        (short,) = table(model, ("1", 200, ref, alt))
        assert short[0] == "1"
        assert short[5:] == one[5:] == other[5:]
        assert "match except for 'chr': 1 = chr1" in caplog.text

    def test_no_change_has_no_effect(self, model, table):
        (row,) = table(model, ("chr1", 200, CHR1[199:203], CHR1[199:203]))
        assert row[5] == row[6]
        assert float(row[7]) == pytest.approx(0, abs=1e-5)

    def test_every_allele_has_a_row_in_order(self, two_factor_model, table, caplog):
        caplog.set_level("INFO")
        rows = table(
            two_factor_model,
            ("chr1", 300, CHR1[299], "GG,<DEL>,*"),
            ("2", 5, "A", "C"),
            ("chr1", 100, "N", "T"),
            ("chr1", 100, CHR1[99].translate(COMPLEMENT), "N"),
        )
        assert [(row[0], row[1], row[2], row[4], row[-1]) for row in rows] == [
            ("chr1", "300", "v0", "GG", ""),
            ("chr1", "300", "v0", "<DEL>", "not_a_sequence"),
            ("chr1", "300", "v0", "*", "not_a_sequence"),
            ("2", "5", "v1", "C", "no_contig"),
            ("chr1", "100", "v2", "T", ""),
            ("chr1", "100", "v3", "N", "ref_mismatch"),
        ]
        assert [row[5:11] == ["NA"] * 6 for row in rows] == [False, True, True, True, False, True]
        assert "6 alleles, of them 2 not_a_sequence, 1 no_contig, 1 ref_mismatch" in caplog.text
        assert "('2') are not in" in caplog.text
        assert "REF often disagrees" in caplog.text

    def test_columns(self, two_factor_model, table, tmp_path):
        assert table(two_factor_model) == []
        header = "chrom pos id ref alt CREB_ref CREB_alt CREB_delta SP1_ref SP1_alt SP1_delta note"
        assert (tmp_path / "o.tsv").read_text() == header.replace(" ", "\t") + "\n"

    def test_gzip_holds_the_same(self, model, table):
        record = ("chr1", 200, "N", "GG")
        assert table(model, record, output="o.tsv.gz") == table(model, record)

    def test_damage_leaves_no_output(self, model, table, tmp_path):
        with pytest.raises(TfbindError, match=r"v\.vcf: line 4: found the position 'x'"):
            table(model, ("chr1", 200, "N", "GG"), ("chr1", "x", "N", "GG"))
        assert not [path for path in tmp_path.iterdir() if "o.tsv" in path.name]
