import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfbind.binding.scanning.alleles import Allele, Haplotype, alleles_of, trim, window_offsets
from tfbind.dna.alphabet import decode_letters, encode_letters
from tfbind.dna.genome import Genome
from tfbind.dna.vcf import Variant

LENGTH = 60
STARTS = (-50, -30, -10)  # of the three windows that hold a base, counted from it
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
    "repeat": CHR1[:100] + "CAG" * 10 + "T" + CHR1[100:],
}


@pytest.fixture
def genome(tmp_path):
    path = tmp_path / "g.fa"
    path.write_text("".join(f">{name}\n{letters}\n" for name, letters in CONTIGS.items()))
    with Genome(path) as genome:
        yield genome


def windows(genome, contig: str, pos: int, ref: str, *alts: str, stride=20) -> list[Allele]:
    return list(alleles_of(Variant(contig, pos, ".", ref, alts), genome, LENGTH, stride))


def letters(haplotype: Haplotype) -> list[str]:
    """The windows of a haplotype; a padded base reads N."""
    return [decode_letters(window) for window in haplotype.codes]


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


class TestWindowOffsets:
    @pytest.mark.parametrize(
        ("length", "stride", "n_changed", "offsets"),
        [
            (101, 33, 1, [-83, -50, -17]),
            (60, 20, 1, [-50, -30, -10]),
            (60, 60, 1, [-30]),
            (60, 999, 1, [-30]),
            (5, 1, 1, [-4, -3, -2, -1, 0]),
            (6, 2, 1, [-5, -3, -1]),
            (1, 1, 1, [0]),
            (60, 20, 0, [-50, -30, -11]),
            (60, 20, 11, [-50, -30, 0]),
            (60, 20, 12, [-50, -30, -15, 1]),
            (60, 20, 61, [-50, -30, -10, 10, 30, 50]),
            (5, 1, 3, [-4, -3, -2, -1, 0, 1, 2]),
            (60, 60, 91, [-30, 7, 45, 82]),
        ],
    )
    def test_literal_examples(self, length, stride, n_changed, offsets):
        assert window_offsets(length, stride, n_changed).tolist() == offsets

    @given(st.integers(2, 130), st.integers(1, 200), st.integers(0, 400))
    def test_windows_hold_the_change_and_leave_no_base_of_it_out(self, length, stride, n_changed):
        offsets = window_offsets(length, stride, n_changed)
        assert (offsets + length > 0).all()
        assert (offsets < n_changed).all()
        gaps = np.diff(offsets)
        assert (gaps >= 0).all()
        assert gaps.max(initial=0) <= max(1.5 * stride, length)
        seen = (offsets[:, None] + np.arange(length)).ravel()
        assert set(range(n_changed)) <= set(seen.tolist())

    @pytest.mark.parametrize("n_changed", [0, 1, 2, 59, 60, 61, 300])
    def test_stride_1_takes_every_window(self, n_changed):
        expected = range(-59, n_changed)
        assert np.unique(window_offsets(60, 1, n_changed)).tolist() == list(expected)

    def test_their_number_grows_with_the_allele(self):
        sizes = [len(window_offsets(101, 33, n)) for n in (0, 1, 17, 1000, 10_000)]
        assert sizes == [3, 3, 3, 33, 306]


class TestWindows:
    def test_of_an_snv(self, genome):
        base = CHR1[199]
        alt = "ACGT"[("ACGT".index(base) + 1) % 4]
        (allele,) = windows(genome, "chr1", 200, base, alt)
        changed = CHR1[:199] + alt + CHR1[200:]
        assert letters(allele.ref) == [CHR1[199 + s : 259 + s] for s in STARTS]
        assert letters(allele.alt) == [changed[199 + s : 259 + s] for s in STARTS]
        for haplotype in (allele.ref, allele.alt):
            assert haplotype.start.tolist() == list(STARTS)
            assert haplotype.valid_length.tolist() == [60] * 3
            assert haplotype.n_changed == 1

    def test_of_a_short_insertion_are_as_many_as_of_an_snv(self, genome):
        assert CHR1[195:204] == "GTCAGGGAC"
        (allele,) = windows(genome, "chr1", 200, "G", "GTTTT")
        changed = CHR1[:200] + "TTTT" + CHR1[200:]
        assert allele.alt.n_changed == 4
        assert letters(allele.ref) == [CHR1[200 + s : 260 + s] for s in (-50, -30, -11)]
        assert letters(allele.alt) == [changed[200 + s : 260 + s] for s in (-50, -30, -7)]

    def test_of_a_deletion_longer_than_a_window(self, genome):
        assert (CHR1[99], CHR1[100], CHR1[249], CHR1[250]) == ("T", "A", "C", "G")
        (allele,) = windows(genome, "chr1", 100, CHR1[99:250], CHR1[99])
        assert (allele.ref.n_changed, allele.alt.n_changed) == (150, 0)
        changed = CHR1[:100] + CHR1[250:]
        starts = allele.ref.start.tolist()
        assert starts == [-50, -30, -9, 12, 33, 54, 75, 96, 117, 139]
        assert letters(allele.ref) == [CHR1[100 + s : 160 + s] for s in starts]
        assert letters(allele.alt) == [changed[100 + s : 160 + s] for s in (-50, -30, -11)]

    def test_of_an_insertion_longer_than_a_window(self, genome):
        inserted = sequence(150, seed=2)
        assert (inserted[0], inserted[-1], CHR1[99], CHR1[100]) == ("T", "G", "T", "A")
        (allele,) = windows(genome, "chr1", 100, CHR1[99], CHR1[99] + inserted, stride=1)
        changed = CHR1[:100] + inserted + CHR1[100:]
        assert letters(allele.ref) == [CHR1[100 + s : 160 + s] for s in range(-59, 0)]
        assert letters(allele.alt) == [changed[100 + s : 160 + s] for s in range(-59, 150)]

    def test_of_an_allele_are_the_same_alone_and_beside_others(self, genome):
        ref = CHR1[199:203]
        alt = "ACGT"[("ACGT".index(ref[0]) + 1) % 4]
        alone = windows(genome, "chr1", 200, ref[0], alt)[0]
        beside = windows(genome, "chr1", 200, ref, alt + ref[1:], ref[0])[0]
        for one, other in ((alone.ref, beside.ref), (alone.alt, beside.alt)):
            assert np.array_equal(one.codes, other.codes)
            assert np.array_equal(one.start, other.start)

    def test_do_not_depend_on_where_in_a_repeat_a_deletion_is_written(self, genome):
        repeat = CONTIGS["repeat"]
        assert (repeat[99:107], repeat[127:131]) == ("TCAGCAGC", "CAGT")
        alleles = [
            windows(genome, "repeat", at, repeat[at - 1 : at + 6], repeat[at - 1])[0]
            for at in (100, 101, 107, 124)
        ]
        for allele in alleles:
            assert (allele.ref.n_changed, allele.alt.n_changed) == (30, 24)
            assert letters(allele.ref) == letters(alleles[0].ref)
            assert letters(allele.alt) == letters(alleles[0].alt)
        assert letters(alleles[0].ref)[0] == repeat[50:110]

    def test_at_the_ends_of_a_contig_are_moved_inside(self, genome):
        alt = {"A": "C", "C": "G", "G": "T", "T": "A"}
        (first,) = windows(genome, "chr1", 1, CHR1[0], alt[CHR1[0]])
        assert [letters(first.ref), letters(first.alt)] == [[CHR1[:60]], [alt[CHR1[0]] + CHR1[1:60]]]
        (last,) = windows(genome, "chr1", 400, CHR1[-1], alt[CHR1[-1]])
        assert [letters(last.ref), letters(last.alt)] == [[CHR1[340:]], [CHR1[340:399] + alt[CHR1[-1]]]]

    @pytest.mark.parametrize("stride", [1, 20, 60])
    def test_of_a_deletion_at_the_end_of_a_contig(self, genome, stride):
        (allele,) = windows(genome, "chr1", 250, CHR1[249:], CHR1[249], stride=stride)
        assert allele.note == ""
        assert letters(allele.alt) == [CHR1[190:250]]
        assert letters(allele.ref)[-1] == CHR1[340:]

    @pytest.mark.parametrize("stride", [1, 20, 60])
    def test_of_a_deletion_at_the_beginning_of_a_contig(self, genome, stride):
        # the base after the deleted ones is the anchor (VCF 4.2, section 1.4.1)
        (allele,) = windows(genome, "chr1", 1, CHR1[:151], CHR1[150], stride=stride)
        assert allele.note == ""
        assert letters(allele.alt) == [CHR1[150:210]]
        assert letters(allele.ref)[0] == CHR1[:60]

    def test_of_a_contig_that_a_deletion_makes_too_short_are_padded(self, genome):
        (allele,) = windows(genome, "chr1", 30, CHR1[29:], CHR1[29])
        assert allele.note == "padded"
        assert allele.alt.valid_length.tolist() == [30]
        assert letters(allele.alt) == [CHR1[:30] + "N" * 30]

    def test_of_a_short_contig_are_padded(self, genome):
        alt = "A" if CHR1[19] != "A" else "C"
        (allele,) = windows(genome, "short", 20, CHR1[19], alt)
        assert allele.note == "padded"
        assert letters(allele.alt) == [CHR1[:19] + alt + CHR1[20:40] + "N" * 20]
        assert allele.ref.valid_length.tolist() == allele.alt.valid_length.tolist() == [40]

    def test_of_a_short_contig_with_a_long_insertion(self, genome):
        inserted = sequence(150, seed=2)
        (allele,) = windows(genome, "short", 20, CHR1[19], CHR1[19] + inserted, stride=1)
        changed = CHR1[:20] + inserted + CHR1[20:40]
        assert letters(allele.ref) == [CHR1[:40] + "N" * 20]
        assert letters(allele.alt) == [changed[s : s + 60] for s in range(len(changed) - 59)]

    def test_take_refs_base_where_the_genome_is_ambiguous(self, genome):
        (allele,) = windows(genome, "holes", 200, "A", "C", stride=60)
        (ref,), (alt,) = letters(allele.ref), letters(allele.alt)
        assert ref == "N" * 30 + "A" + CHR1[200:229]
        assert alt == ref.replace("NA", "NC", 1)

    def test_of_nothing_but_n_are_not_usable(self, genome):
        (allele,) = windows(genome, "holes", 160, "N", "C", stride=20)
        assert allele.ref.usable.tolist() == [False, False, True]
        assert letters(allele.ref)[2][-1] == CHR1[208]
        # a base that only the VCF knows does not count on the reference's side
        (allele,) = windows(genome, "holes", 160, "A", "C", stride=20)
        assert allele.ref.usable.tolist() == [False, False, True]


class TestNotes:
    @pytest.mark.parametrize(
        ("record", "note"),
        [
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
        assert (allele.ref is None) == (allele.alt is None) == bool(note)
        assert allele.fields == (contig, str(pos), ".", ref, alt)

    def test_an_allele_that_is_too_long_counts_by_the_bases_it_changes(self, genome):
        ref = CHR1[99:121]
        assert (ref[0], ref[-1]) == ("T", "G")
        record = ("chr1", 100, ref, ref[0], "A" + ref[1:], ref[0] + "T" * 30)
        notes = [
            [
                allele.note
                for allele in alleles_of(Variant(*record[:2], ".", ref, record[3:]), genome, 60, 20, most)
            ]
            for most in (20, 21, 29, 30)
        ]
        assert notes == [
            ["too_long", "", "too_long"],
            ["", "", "too_long"],
            ["", "", "too_long"],
            ["", "", ""],
        ]
