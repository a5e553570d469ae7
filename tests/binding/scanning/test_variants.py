import gzip

import numpy as np
import pytest
from scipy.special import logit

from tfbind.binding.scanning.alleles import Allele, Haplotype
from tfbind.binding.scanning.prediction import predict
from tfbind.binding.scanning.variants import note_what_is_missing, score_variants
from tfbind.binding.scanning.windows import windows_of_fasta
from tfbind.errors import TfbindError

LENGTH = 60
HEADER = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
COMPLEMENT = str.maketrans("ACGT", "TGCA")


def sequence(n: int, seed: int) -> str:
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), n))


CHR1 = sequence(400, seed=1)
CONTIGS = {
    "chr1": CHR1,
    "soft": CHR1.lower(),
    "other": CHR1[::-1].translate(COMPLEMENT),
}


@pytest.fixture
def genome_path(tmp_path):
    path = tmp_path / "g.fa"
    path.write_text("".join(f">{name}\n{letters}\n" for name, letters in CONTIGS.items()))
    return path


@pytest.fixture
def table(genome_path, tmp_path):
    """Score records, (chrom, pos, ref, alt), and give the rows: chrom, pos, id, ref, alt, scores, note."""

    def table(model, *records, output="o.tsv", **options) -> list[list[str]]:
        lines = [f"{c}\t{pos}\tv{i}\t{ref}\t{alt}\t.\t.\t.\n" for i, (c, pos, ref, alt) in enumerate(records)]
        (tmp_path / "v.vcf").write_text(HEADER + "".join(lines))
        score_variants(model, tmp_path / "v.vcf", genome_path, tmp_path / output, **options)
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


def test_an_allele_whose_windows_have_no_usable_counterpart_is_ambiguous():
    nothing = np.empty(0, np.int64)
    windows = Haplotype(np.empty((0, 60), np.uint8), nothing, nothing, nothing.astype(bool), 1)
    alleles = [
        Allele((), "padded", windows, windows),
        Allele((), "", windows, windows),
        Allele((), "no_contig"),
    ]
    found = np.zeros((3, 1, 3))
    found[[0, 2]] = np.nan
    note_what_is_missing(alleles, found)
    assert [allele.note for allele in alleles] == ["ambiguous", "", "no_contig"]


class TestScoreVariants:
    @pytest.mark.parametrize("which", ["model", "kmer_model"])
    def test_scores_are_those_of_predict_for_the_deciding_window(self, request, which, table, by_hand):
        model = request.getfixturevalue(which)
        assert CHR1[199:202] == "GGG"
        # the windows' starts, counted from the first base that differs
        for alt, starts in (("TGG", (-50, -30, -10)), ("TTT", (-50, -30, -8))):
            (row,) = table(model, ("chr1", 200, "GGG", alt))
            changed = CHR1[:199] + alt + CHR1[202:]
            pairs = [[by_hand(model, whole[199 + s : 259 + s]) for whole in (CHR1, changed)] for s in starts]
            deltas = [logit(b) - logit(a) for a, b in pairs]
            best = int(np.abs(deltas).argmax())
            assert [float(cell) for cell in row[5:8]] == pytest.approx([*pairs[best], deltas[best]], abs=2e-5)

    def test_scores_of_a_long_deletion_are_those_of_predict(self, model, table, by_hand):
        """All windows of what is removed, and all of what remains."""
        (row,) = table(model, ("chr1", 100, CHR1[99:250], CHR1[99]), stride=1)
        changed = CHR1[:100] + CHR1[250:]
        before = [by_hand(model, CHR1[start : start + 60]) for start in range(41, 250)]
        after = [by_hand(model, changed[start : start + 60]) for start in range(41, 100)]
        ref, alt, delta = (float(cell) for cell in row[5:8])
        assert min(abs(one - ref) for one in before) < 2e-5
        assert min(abs(one - alt) for one in after) < 2e-5
        assert logit(alt) - logit(ref) == pytest.approx(delta, abs=2e-4)
        # neither haplotype holds a window that leads by more
        assert logit(max(before)) - logit(max(after)) <= abs(delta) + 2e-5

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

    def test_another_genome_is_refused(self, model, table, genome_path):
        with pytest.raises(TfbindError, match=r"v\.vcf: 2 of 2 contigs \('chr7', '8'\) are not in .*g\.fa"):
            table(model, ("chr7", 200, "A", "C"), ("8", 5, "A", "C"), output="none.tsv")
        assert not genome_path.with_name("none.tsv").exists()

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
        assert "REF often differs" in caplog.text

    def test_columns(self, two_factor_model, table, tmp_path):
        assert table(two_factor_model) == []
        header = "chrom pos id ref alt CREB_ref CREB_alt CREB_delta SP1_ref SP1_alt SP1_delta note"
        assert (tmp_path / "o.tsv").read_text() == header.replace(" ", "\t") + "\n"

    def test_gzip_holds_the_same(self, model, table):
        record = ("chr1", 200, "N", "GG")
        assert table(model, record, output="o.tsv.gz") == table(model, record)

    def test_a_malformed_record_keeps_its_rows(self, two_factor_model, table, caplog):
        caplog.set_level("INFO")
        rows = table(
            two_factor_model,
            ("chr1", 200, "N", "GG"),
            ("chr1", "x", "N", "GG,T"),
            ("?", 300, "?", "C"),
            ("chr1", 301, "N", ""),
            ("chr1", 302, "N", "T"),
        )
        assert [(row[1], row[3], row[4], row[-1]) for row in rows] == [
            ("200", "N", "GG", ""),
            ("x", "N", "GG", "malformed"),
            ("x", "N", "T", "malformed"),
            ("300", "?", "C", "malformed"),
            ("301", "N", "", "malformed"),
            ("302", "N", "T", ""),
        ]
        assert all(row[5:11] == ["NA"] * 6 for row in rows[1:5])
        *_, warning, last = caplog.messages
        assert warning.startswith("first malformed record: ")
        assert warning.endswith("v.vcf: line 4: found the position 'x', expected a whole number")
        assert last == "6 alleles, of them 4 malformed"
        assert "are not in" not in caplog.text

    def test_strict_refuses_a_malformed_record(self, model, table, tmp_path):
        with pytest.raises(TfbindError, match=r"v\.vcf: line 4: found the position 'x'"):
            table(model, ("chr1", 200, "N", "GG"), ("chr1", "x", "N", "GG"), strict=True)
        assert not [path for path in tmp_path.iterdir() if "o.tsv" in path.name]

    def test_an_allele_that_is_too_long_is_counted(self, model, table, caplog):
        caplog.set_level("INFO")
        rows = table(model, ("chr1", 100, CHR1[99:250], CHR1[99] + ",N," + CHR1[99:249]), max_allele=149)
        assert [row[-1] for row in rows] == ["too_long", "too_long", ""]
        assert [row[5] == "NA" for row in rows] == [True, True, False]
        assert caplog.messages[-1] == "3 alleles, of them 2 too_long"
