import gzip
import logging

import numpy as np
import pysam
import pytest

from tfbind.errors import TfbindError
from tfbind.genotypes.vcf import read_genotypes

META = (
    "##fileformat=VCFv4.2\n##contig=<ID=1,length=1000>\n##contig=<ID=X,length=1000>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">\n'
)
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tann\tbob\tcid\n"


def record(pos, *calls, contig="1", ref="A", alt="C", passed=".", layout="GT"):
    return "\t".join([contig, str(pos), ".", ref, alt, ".", passed, ".", layout, *calls]) + "\n"


RECORDS = record(10, "0|1", "1|1", "0|0") + record(25, "0|0", "0|1", ".|.") + record(30, "1|0", "0|0", "0|.")
POSITIONS = [9, 24, 29]
HAPLOTYPES = [[0, 1, 1, 1, 0, 0], [0, 0, 0, 1, -1, -1], [1, 0, 0, 0, 0, -1]]
DOSAGES = [[1, 2, 0], [0, 1, -1], [1, 0, -1]]


@pytest.fixture
def write(tmp_path):
    def write_text(records, head=META + COLUMNS):
        path = tmp_path / "v.vcf"
        path.write_bytes((head + records).encode())
        return path

    return write_text


def read(path, *args, **options):
    (genotypes,) = read_genotypes(path, *args, **options)
    return genotypes


class TestLayouts:
    def test_phased_genotypes_are_haplotypes(self, write):
        found = read(write(RECORDS))
        assert (found.contig, found.ploidy, found.n_chromosomes) == ("1", 1, 6)
        assert (found.start, found.end) == (9, 30)
        assert found.positions.tolist() == POSITIONS
        assert np.asarray(found.calls).tolist() == HAPLOTYPES
        assert (np.asarray(found.calls).dtype, found.positions.dtype) == (np.int8, np.int64)
        assert (found.account.calls, found.account.missing_calls) == (18, 3)

    @pytest.mark.parametrize("options", [{}, {"unphased": True}], ids=["in the file", "asked for"])
    def test_unphased_genotypes_are_dosages(self, write, options):
        text = RECORDS if options else RECORDS.replace("|", "/")
        found = read(write(text), **options)
        assert (found.ploidy, found.n_chromosomes) == (2, 6)
        assert np.asarray(found.calls).tolist() == DOSAGES
        assert (found.account.calls, found.account.missing_calls) == (18, 4)

    def test_haploid_genotypes_are_haplotypes(self, write):
        found = read(write(record(10, "0", "1", ".") + record(25, "1", "1", "0")))
        assert (found.ploidy, found.n_chromosomes) == (1, 3)
        assert np.asarray(found.calls).tolist() == [[0, 1, -1], [1, 1, 0]]

    def test_haploid_among_phased_diploid(self, write):
        found = read(write(record(10, "0|1", "1", "0|0") + record(25, "1|0", "0", ".")))
        assert np.asarray(found.calls).tolist() == [[0, 1, 1, 0, 0], [1, 0, 0, -1, -1]]

    def test_haploid_samples_among_unphased_diploids_are_left_out_if_they_are_fewer(self, write, caplog):
        found = read(write(record(10, "0/1", "1", "0/0")))
        assert np.asarray(found.calls).tolist() == [[1, 0]]
        assert found.samples == ("ann", "cid")
        assert "cannot be used together: 2 diploid samples are used, 1 haploid are not" in caplog.text

    def test_unphased_diploids_are_left_out_if_they_are_fewer(self, write, caplog):
        found = read(write(record(10, "0/1", "1", "0") + record(12, "0/1", "0", "1")))
        assert (found.ploidy, np.asarray(found.calls).tolist()) == (1, [[1, 0], [0, 1]])
        assert found.samples_left_out == ("ann",)
        assert "2 haploid samples are used, 1 diploid without phase are not" in caplog.text

    def test_samples_without_any_call_are_not_of_either_kind(self, write, caplog):
        found = read(write(record(10, "0/1", ".", ".") + record(12, "0/1", "./.", ".")))
        assert (found.ploidy, np.asarray(found.calls).tolist()) == (2, [[1], [1]])
        assert "cannot be used together" not in caplog.text

    @pytest.mark.parametrize(("n_haploid", "ploidy"), [(3, 2), (4, 2), (5, 1), (6, 1)])
    def test_four_unphased_diploids_tell_as_much_as_five_haploids(self, tmp_path, n_haploid, ploidy):
        names = "\t".join(f"s{i}" for i in range(4 + n_haploid))
        text = record(10, *["0/1"] * 4, *["0", "1", "1", "0", "1", "0"][:n_haploid])
        (tmp_path / "v.vcf").write_text(META + COLUMNS.replace("ann\tbob\tcid", names) + text)
        found = read(tmp_path / "v.vcf")
        assert (found.ploidy, len(found.samples)) == (ploidy, 4 if ploidy == 2 else n_haploid)

    def test_a_haploid_genotype_of_an_unphased_diploid_is_missing(self, write, caplog):
        found = read(write(record(10, "0/1", "0/1", "0/0") + record(11, "0/1", "1", "0/0")))
        assert np.asarray(found.calls).tolist() == [[1, 1, 0], [1, -1, 0]]
        assert "1 samples (bob) are haploid at some sites and diploid at others" in caplog.text

    def test_a_haploid_genotype_of_a_phased_diploid_is_missing(self, write, caplog):
        text = (
            record(10, "0|1", "0|1", "0|0") + record(11, "0|1", "1", "0|0") + record(12, "0|1", ".|1", "0|0")
        )
        found = read(write(text))
        assert np.asarray(found.calls)[1:].tolist() == [[0, 1, -1, -1, 0, 0], [0, 1, -1, 1, 0, 0]]
        assert found.account.missing_calls == 3
        assert "1 samples (bob) are haploid at some sites and diploid at others" in caplog.text

    def test_gt_behind_other_fields_and_fields_left_off(self, write):
        found = read(
            write(record(10, "7:0|1:3", "8:1|1", "9", layout="DP:GT:DP") + RECORDS.replace("10", "11"))
        )
        assert np.asarray(found.calls)[0].tolist() == [0, 1, 1, 1, -1, -1]

    def test_a_phase_in_front_of_the_first_allele(self, write):
        assert np.asarray(read(write(record(10, "|0|1", "/1|1", "0|0"))).calls).tolist() == [
            [0, 1, 1, 1, 0, 0]
        ]

    def test_each_column_knows_its_sample(self, write):
        males = RECORDS.replace("0|0\n", "0\n").replace(".|.", ".").replace("0|.", "1")
        assert read(write(males)).sample_of_column().tolist() == [0, 0, 1, 1, 2]
        assert read(write(RECORDS), unphased=True).sample_of_column().tolist() == [0, 1, 2]


class TestPhase:
    def test_a_sample_without_phase_among_phased_ones_is_left_out(self, tmp_path, caplog):
        names = [f"s{i}" for i in range(20)]
        head = COLUMNS.replace("ann\tbob\tcid", "\t".join(names))
        text = record(10, "0/1", *["0|1"] * 19) + record(20, "0/1", *["0|0"] * 19)
        (tmp_path / "v.vcf").write_text(META + head + text)
        found = read(tmp_path / "v.vcf")
        assert found.samples == tuple(names[1:])
        assert found.samples_left_out == ("s0",)
        # the second site varies in that sample alone
        assert np.asarray(found.calls).tolist() == [[0, 1] * 19]
        assert (found.account.used, found.account.monomorphic) == (1, 1)
        assert "left out 1 of 20 samples without phase, unlike the others: s0" in caplog.text

    def test_a_single_call_without_phase_is_missing(self, write):
        text = "".join(record(10 + i, "0|1", "0|1", "1|0") for i in range(150))
        found = read(write(text + record(900, "0/1", "0|1", "1|0")))
        assert np.asarray(found.calls)[-1].tolist() == [-1, -1, 0, 1, 1, 0]
        assert found.samples_left_out == ()


class TestAccount:
    def test_every_record_has_its_reason(self, write, caplog):
        caplog.set_level(logging.INFO)
        ok = ("0|1", "0|0", "1|1")
        text = (
            record(10, *ok)
            + record(11, *ok, passed="q10")
            + record(12, *ok, passed="PASS")
            + record(13, "0|2", "1|1", "0|0", alt="C,G")
            + record(14, *ok, ref="AT")
            + record(14, *ok, alt="<DEL>")
            + record(14, *ok, alt="*")
            + record(15, "7", "7", "7", layout="DP")
            + record(16, "0|1", ".|.", ".|.")
            + record(17, ".", ".", ".")
            + record(18, "0|0", "0|0", "0|0")
            + record(19, "1|1", ".|.", "1|1")
            + record(20, "0|0", "0|0", "0|0", alt=".")
        )
        found = read(write(text))
        assert found.positions.tolist() == [9, 11]
        assert (found.start, found.end) == (9, 20)
        assert str(found.account) == (
            "13 records, 2 used (0 of 12 calls missing), left out: 1 with a FILTER other than PASS,"
            " 1 with more than two alleles in these samples, 3 no single-nucleotide variants, 1 without GT,"
            " 2 with too many missing calls, 3 without variation in these samples"
        )
        assert str(found.account) in caplog.text

    def test_filtered_records_on_request(self, write):
        text = record(10, "0|1", "0|0", "1|1", passed="q10")
        assert read(write(text)).account.filtered == 1
        assert read(write(text), keep_filtered=True).account.used == 1

    def test_a_telomere_at_position_0_lies_before_the_contig(self, write):
        found = read(write(record(0, "0|1", "0|0", "1|1") + RECORDS))
        assert (found.start, found.positions.tolist()) == (9, POSITIONS)
        assert found.account.not_snv == 1

    def test_lower_case_and_binary_alleles_are_snvs(self, write):
        found = read(
            write(record(10, "0|1", "0|0", "1|1", ref="a", alt="u") + RECORDS.replace("A\tC", "0\t1"))
        )
        assert found.account.not_snv == 0

    def test_a_repeated_record_counts_once_and_a_contradicted_position_never(self, write):
        once, other = ("0|1", "0|0", "1|1"), ("1|0", "0|0", "0|0")
        text = record(10, *once) + record(10, *once) + record(11, *once) + record(11, *other, alt="G")
        found = read(write(text + record(12, *once)))
        assert found.positions.tolist() == [9, 11]
        assert found.account.duplicate == 3

    def test_sites_are_sorted(self, write):
        found = read(write("".join(reversed(RECORDS.splitlines(keepends=True)))))
        assert found.positions.tolist() == POSITIONS
        assert np.asarray(found.calls).tolist() == HAPLOTYPES

    def test_more_sites_than_a_block(self, write):
        rng = np.random.default_rng(1)
        calls = rng.integers(0, 2, (9000, 6))
        calls[:, 0], calls[:, 1] = 0, 1
        text = "".join(
            record(1 + i, *(f"{a}|{b}" for a, b in row.reshape(3, 2))) for i, row in enumerate(calls)
        )
        found = read(write(text))
        np.testing.assert_array_equal(found.calls, calls)
        np.testing.assert_array_equal(found.positions, np.arange(9000))

    def test_contigs_one_by_one(self, write):
        text = RECORDS + record(5, "0", "1", "1", contig="X") + record(7, "0", "0", "0", contig="Y")
        first, second, third = read_genotypes(write(text))
        assert (first.contig, np.asarray(first.calls).tolist()) == ("1", HAPLOTYPES)
        assert (second.contig, np.asarray(second.calls).tolist(), second.positions.tolist()) == (
            "X",
            [[0, 1, 1]],
            [4],
        )
        assert (third.contig, third.calls.shape, third.account.monomorphic) == ("Y", (0, 3), 1)
        assert (first.account + second.account).used == 4


class TestFormats:
    @pytest.mark.parametrize(
        "change",
        [
            lambda text: text.replace("\n", "\r\n"),
            lambda text: text.replace("QUAL", "QAUL"),
            lambda text: text.replace("1\t25", "\n1\t25"),
            lambda text: text.rstrip("\n"),
            lambda text: text.replace(META, ""),
        ],
        ids=["CRLF", "misspelled QUAL", "blank line", "no last newline", "no meta lines"],
    )
    def test_text(self, write, change):
        assert np.asarray(read(write("", change(META + COLUMNS + RECORDS))).calls).tolist() == HAPLOTYPES

    def test_gzip_bgzf_and_bcf(self, write, tmp_path):
        plain = write(RECORDS)
        with gzip.open(tmp_path / "g.vcf.gz", "wt") as out:
            out.write(plain.read_text())
        pysam.tabix_compress(str(plain), str(tmp_path / "b.vcf.gz"))
        with (
            pysam.VariantFile(str(plain)) as records,
            pysam.VariantFile(str(tmp_path / "v.bcf"), "wb", header=records.header) as out,
        ):
            for found in records:
                out.write(found)
        for name in ("g.vcf.gz", "b.vcf.gz", "v.bcf"):
            found = read(tmp_path / name)
            assert np.asarray(found.calls).tolist() == HAPLOTYPES
            assert found.positions.tolist() == POSITIONS


class TestSamples:
    def test_a_list_in_any_order(self, write, tmp_path):
        (tmp_path / "s.txt").write_text("cid\r\n\r\nann\r\n")
        found = read(write(RECORDS), tmp_path / "s.txt")
        assert found.samples == ("ann", "cid")
        # neither varies at the second site any more
        assert found.positions.tolist() == [9, 29]
        assert np.asarray(found.calls).tolist() == [[0, 1, 0, 0], [1, 0, 0, -1]]

    def test_an_unknown_name(self, write, tmp_path):
        (tmp_path / "s.txt").write_text("ann\nzoe\n")
        message = r"s\.txt: line 2: found 'zoe', expected one of the 3 samples of .*v\.vcf \(ann, bob, cid\)"
        with pytest.raises(TfbindError, match=message):
            read(write(RECORDS), tmp_path / "s.txt")

    def test_a_name_listed_twice(self, write, tmp_path):
        (tmp_path / "s.txt").write_text("ann\ncid\nann\n")
        with pytest.raises(TfbindError, match=r"s\.txt: line 3: found 'ann' again, expected each name once"):
            read(write(RECORDS), tmp_path / "s.txt")

    @pytest.mark.parametrize("listed", ["", "cid\n", "ann\n"])
    def test_two_of_one_name(self, write, tmp_path, listed):
        (tmp_path / "s.txt").write_text(listed)
        path = write(RECORDS, META + COLUMNS.replace("bob", "ann"))
        with pytest.raises(
            TfbindError, match=r"v\.vcf: found the sample 'ann' twice, expected each name once"
        ):
            read(path, tmp_path / "s.txt" if listed else None)

    def test_an_empty_list(self, write, tmp_path):
        (tmp_path / "s.txt").write_text("\n")
        with pytest.raises(TfbindError, match=r"s\.txt: found no names"):
            read(write(RECORDS), tmp_path / "s.txt")


class TestRefuses:
    @pytest.mark.parametrize(
        ("calls", "message"),
        [
            (("0|1", "0|1|1", "0"), r"line 7: sample bob: found '0\|1\|1', expected one or two alleles"),
            (("0|1", "0|2", "0"), r"line 7: sample bob: found '0\|2', expected 0 or 1"),
            (("0|1", "0|1", "12"), r"line 7: sample cid: found '12', expected 0 or 1"),
            (("0|1", "0|", "0"), r"sample bob: found '0\|', expected alleles such as"),
            (("", "0|1", "0"), r"sample ann: found '', expected alleles such as"),
            (("0|1", "A/C", "0"), r"sample bob: found 'A/C', expected alleles such as"),
            (("0|1", "0;1", "0"), r"sample bob: found '0;1', expected alleles such as"),
        ],
    )
    def test_what_is_no_genotype(self, write, calls, message):
        with pytest.raises(TfbindError, match=message):
            read(write(record(10, *calls)))

    def test_a_file_without_samples(self, write):
        head = META + COLUMNS.split("\tFORMAT")[0] + "\n"
        with pytest.raises(TfbindError, match=r"v\.vcf: found no samples"):
            read(write("", head))

    def test_a_contig_that_comes_back(self, write):
        text = RECORDS + record(5, "0", "1", "1", contig="X") + RECORDS
        with pytest.raises(
            TfbindError, match=r"line 11: found contig 1 again, expected its records together"
        ):
            list(read_genotypes(write(text)))

    def test_a_position_that_is_no_number(self, write):
        with pytest.raises(TfbindError, match=r"line 7: found the position 'x'"):
            read(write(record("x", "0", "1", "1")))

    @pytest.mark.parametrize("pos", [2**31, 2**63, "9" * 5000])
    def test_a_position_beyond_32_bits(self, write, pos):
        message = rf"line 8: found the position {str(pos)[:30]}, expected at most 2,147,483,647"
        text = record(2**31 - 1, "0", "1", "1") + record(pos, "0", "1", "1")
        with pytest.raises(TfbindError, match=message):
            read(write(text), strict=True)

    def test_polyploids(self, write):
        text = "".join(record(10 + i, "0/1/1/0", "0/0/0/1", "0/0/0/0") for i in range(12))
        with pytest.raises(
            TfbindError, match=r"line 19: sample ann: found '0/1/1/0', a ploidy of 4, expected"
        ):
            read(write(RECORDS + text))


BAD = [
    record(40, "0|1", "0|2", "0|0"),
    record(40, "0|1", "0|1|1", "0|0"),
    record(40, "0|1", "A/C", "0|0"),
    record("x", "0|1", "0|1", "0|0"),
    record(2**31, "0|1", "0|1", "0|0"),
    "1\t40\t.\tA\tC\n",
    "nonsense\n",
]


class TestMalformed:
    @pytest.mark.parametrize("bad", BAD)
    def test_a_record_that_cannot_be_read_is_left_out_and_named_once(self, bad, write, caplog):
        found = read(write(RECORDS + bad + bad + record(50, "0|1", "0|1", "0|0")))
        assert found.positions.tolist() == [*POSITIONS, 49]
        assert "left out 2 of 6 records, which cannot be read; the first:" in caplog.text
        assert caplog.text.count("line 10:") == 1
        assert "line 11:" not in caplog.text

    def test_those_with_columns_enough_are_in_the_account(self, write):
        assert read(write(RECORDS + BAD[0] + BAD[3])).account.malformed == 2

    @pytest.mark.parametrize("bad", BAD)
    def test_strict_refuses(self, bad, write):
        with pytest.raises(TfbindError, match=r"v\.vcf: line 10: found|v\.vcf: line 10: sample bob: found"):
            read(write(RECORDS + bad), strict=True)

    def test_it_says_nothing_of_phase_and_ploidy(self, write):
        bad = "".join(record(40 + i, "0/1", "0/1", "0|2") for i in range(9))
        found = read(write(RECORDS + bad))
        assert (found.ploidy, np.asarray(found.calls).tolist()) == (1, HAPLOTYPES)

    def test_nothing_else_is_an_error(self, write):
        with pytest.raises(
            TfbindError, match=r"line 7: .*expected the header's 12; no other record can be read"
        ):
            list(read_genotypes(write("nonsense\nmore\n")))


class TestAlleles:
    """Alleles that no sample has do not count."""

    @pytest.mark.parametrize("alt", ["C,*", "C,<NON_REF>", "C,<*>", "C,G,T", "C,CTT"])
    def test_behind_the_one_that_is_carried(self, alt, write):
        plain = read(write(RECORDS))
        found = read(write(RECORDS.replace("\tA\tC\t", f"\tA\t{alt}\t")))
        assert np.asarray(found.calls).tolist() == np.asarray(plain.calls).tolist()
        assert (found.account, found.kept_share) == (plain.account, 1.0)

    @pytest.mark.parametrize(
        ("alt", "number"), [("*,C", 2), ("<NON_REF>,G,C", 3), (",".join("T" * 11) + ",C", 12)]
    )
    def test_before_it(self, alt, number, write):
        plain = read(write(RECORDS))
        text = RECORDS.replace("\tA\tC\t", f"\tA\t{alt}\t")
        head, *lines = text.split("GT\t")
        text = "GT\t".join([head, *(line.replace("1", str(number), line[:11].count("1")) for line in lines)])
        assert np.asarray(read(write(text)).calls).tolist() == np.asarray(plain.calls).tolist()

    def test_two_that_are_carried_without_the_reference(self, write):
        found = read(write(record(10, "1|2", "1|1", "2|2", alt="C,G")))
        assert np.asarray(found.calls).tolist() == [[0, 1, 0, 0, 1, 1]]

    @pytest.mark.parametrize("alt", ["<NON_REF>", "C,<NON_REF>", "C,G"])
    def test_none_is_carried(self, alt, write):
        assert read(write(record(10, "0|0", "0|0", "0|0", alt=alt))).account.used == 0

    def test_what_a_subset_carries(self, write, tmp_path):
        (tmp_path / "s.txt").write_text("ann\nbob\n")
        path = write(record(10, "0|1", "1|1", "2|0", alt="C,G"))
        assert read(path).account.multiallelic == 1
        assert np.asarray(read(path, tmp_path / "s.txt").calls).tolist() == [[0, 1, 1, 1]]

    @pytest.mark.parametrize("alt", ["C,*", "C,GT"])
    def test_a_carried_allele_that_is_no_base(self, alt, write):
        assert read(write(record(10, "0|1", "1|1", "2|0", alt=alt))).account.not_snv == 1

    def test_the_share_of_sites_that_are_lost(self, write):
        lost = record(50, "0|1", "2|1", "0|0", alt="C,G") + record(60, "0|1", ".|.", ".|.")
        twice = record(70, "0|1", "0|1", "0|0") + record(70, "0|0", "0|0", "0|1", alt="T")
        harmless = record(80, "0|0", "0|0", "0|0") + record(30, "1|0", "0|0", "0|.")
        found = read(write(RECORDS.replace("1|0\t0|0\t0|.\n", "1|0\t0|0\t0|.\n") + lost + twice + harmless))
        # three are kept; three alleles, missing calls and two records that differ are lost
        assert found.positions.tolist() == POSITIONS
        assert found.kept_share == 3 / 6


class TestPhaseSets:
    def records(self, *sets):
        return "".join(
            record(10 + i, f"0|1:{one}", f"1|0:{one}", "0|1:.", layout="GT:PS") for i, one in enumerate(sets)
        )

    def test_of_one_set_is_a_phase(self, write):
        assert read(write(self.records("77", "77", "77"))).ploidy == 1

    def test_of_several_is_none(self, write, caplog):
        found = read(write(self.records("77", "77", "80")))
        assert (found.ploidy, np.asarray(found.calls).tolist()) == (2, [[1, 1, 1]] * 3)
        assert "the phase holds within sets of sites only (PS)" in caplog.text

    def test_homozygous_genotypes_and_missing_sets_do_not_count(self, write):
        text = record(10, "0|1:7", "0|0:5", "1|1", layout="GT:PS") + record(
            11, "0|1:.", "0|0:6", "0|1:9", layout="GT:PS"
        )
        assert read(write(text + record(12, "1|0:7:3", "0|1", "0|1:9", layout="GT:PS:DP"))).ploidy == 1


class TestLines:
    """Inbred lines and haploids that are written as diploids."""

    @staticmethod
    def texts(n_samples, n_sites, stray, separator="/"):
        rng = np.random.default_rng(0)
        calls = (rng.random((n_sites, n_samples)) < rng.uniform(0.1, 0.9, (n_sites, 1))).astype(int)
        is_stray = rng.random(calls.shape) < stray
        haploid, diploid = "", ""
        for site in range(n_sites):
            pairs = list(zip(calls[site], is_stray[site], strict=True))
            haploid += record(10 + site, *("." if odd else str(allele) for allele, odd in pairs))
            doubled = (f"0{separator}1" if odd else f"{allele}{separator}{allele}" for allele, odd in pairs)
            diploid += record(10 + site, *doubled)
        names = "\t".join(f"s{i}" for i in range(n_samples))
        head = META + COLUMNS.replace("ann\tbob\tcid", names)
        return head, haploid, diploid

    @pytest.mark.parametrize("separator", "/|")
    @pytest.mark.parametrize("stray", [0, 0.01])
    def test_are_read_as_haploids(self, stray, separator, write, caplog):
        head, haploid, diploid = self.texts(10, 400, stray, separator)
        expected, found = read(write(haploid, head)), read(write(diploid, head))
        assert (found.ploidy, found.account) == (1, expected.account)
        np.testing.assert_array_equal(found.calls, expected.calls)
        np.testing.assert_array_equal(found.positions, expected.positions)
        assert "10 of 10 samples are homozygous" in caplog.text
        assert found.inbreeding > 0.9

    def test_outbred_samples_stay_diploid(self, write, caplog):
        head, _, text = self.texts(10, 400, 0.2)
        assert (read(write(text, head)).ploidy, caplog.text) == (2, "")

    @pytest.mark.parametrize(("n_stray", "n_lines"), [(10, 10), (4, 0)])
    def test_a_few_heterozygous_stretches_do_not_make_a_selfing_population(
        self, n_stray, n_lines, write, caplog
    ):
        """Samples with a fifth of the heterozygous genotypes expected, all of ten or four of them."""
        head, _, selfed = self.texts(10, 1500, 0.08)
        _, _, outbred = self.texts(10, 1500, 0.4)
        rows = []
        for one, other in zip(selfed.splitlines(), outbred.splitlines(), strict=True):
            one, other = one.split("\t"), other.split("\t")
            rows.append("\t".join([*one[: 9 + n_stray], *other[9 + n_stray :]]) + "\n")
        read(write("".join(rows), head))
        assert ("10 of 10 samples are homozygous" in caplog.text) == (n_lines == 10)
        assert ("samples are homozygous" in caplog.text) == (n_lines > 0)

    def test_too_few_sites_say_nothing(self, write, caplog):
        head, _, text = self.texts(10, 40, 0)
        found = read(write(text, head))
        assert (found.calls.shape[1], found.ploidy, caplog.text) == (20, 1, "")

    def test_haploids_and_lines_among_phased_diploids(self, write, caplog):
        """Males whose X is written as haploid or as homozygous, and females."""
        rng = np.random.default_rng(1)
        haplotypes = rng.integers(0, 2, (300, 6))
        text = "".join(
            record(10 + i, f"{a}|{b}", f"{c}|{d}", f"{e}", f"{f}/{f}")
            for i, (a, b, c, d, e, f) in enumerate(haplotypes)
        )
        head = META + COLUMNS.replace("cid", "cid\tdan")
        found = read(write(text, head))
        assert found.ploidy == 1
        varies = haplotypes.any(1) & ~haplotypes.all(1)
        np.testing.assert_array_equal(found.calls, haplotypes[varies])
        assert found.sample_of_column().tolist() == [0, 0, 1, 1, 2, 3]
        assert "1 of 4 samples are homozygous" in caplog.text


def test_the_deficit_of_heterozygotes_is_measured(write):
    """In a sample of F = .5, half of the genotypes are homozygous by descent."""
    rng = np.random.default_rng(2)
    names = "\t".join(f"s{i}" for i in range(30))
    lines = []
    for site in range(2000):
        p = rng.uniform(0.1, 0.9)
        first, second = (rng.random((2, 30)) < p).astype(int)
        second = np.where(rng.random(30) < 0.5, first, second)
        lines.append(record(10 + site, *(f"{a}/{b}" for a, b in zip(first, second, strict=True))))
    found = read(write("".join(lines), META + COLUMNS.replace("ann\tbob\tcid", names)))
    assert found.inbreeding == pytest.approx(0.5, abs=0.03)


class TestLimits:
    @pytest.mark.parametrize(
        ("calls", "is_used"), [(("0|1", "1|.", ".|."), True), (("0|1", ".|.", ".|."), False)]
    )
    def test_half_of_the_calls_may_be_missing(self, write, calls, is_used):
        found = read(write(RECORDS + record(40, *calls)))
        assert (39 in found.positions) == is_used
        assert found.account.too_few_calls == (not is_used)

    @staticmethod
    def among_twenty(tmp_path, n_samples, n_records):
        """A hundred records of twenty phased samples, of which some have no phase in the first few records."""
        records = []
        for number in range(100):
            call = "0/1" if number < n_records else "0|1"
            records.append(record(number + 1, *[call] * n_samples, *["0|1"] * (20 - n_samples)))
        names = "\t".join(f"s{i}" for i in range(20))
        (tmp_path / "v.vcf").write_text(META + COLUMNS.replace("ann\tbob\tcid", names) + "".join(records))
        return read(tmp_path / "v.vcf")

    @pytest.mark.parametrize(("n_records", "left_out"), [(1, ()), (2, ("s0",))])
    def test_a_sample_may_lack_the_phase_of_one_in_a_hundred_genotypes(self, tmp_path, n_records, left_out):
        found = self.among_twenty(tmp_path, 1, n_records)
        assert found.samples_left_out == left_out
        assert found.ploidy == 1

    @pytest.mark.parametrize(("n_samples", "ploidy", "left_out"), [(2, 1, 2), (3, 2, 0)])
    def test_two_of_twenty_samples_without_phase_are_left_out_and_with_three_none_has_one(
        self, tmp_path, n_samples, ploidy, left_out
    ):
        found = self.among_twenty(tmp_path, n_samples, 100)
        assert (found.ploidy, len(found.samples_left_out)) == (ploidy, left_out)
