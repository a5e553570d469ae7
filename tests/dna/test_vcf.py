import gzip

import pysam
import pytest

from tfbind.dna.vcf import Malformed, Variant, read_lines, read_variants
from tfbind.errors import TfbindError
from tfbind.files import BGZF_END

META = "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=1000>\n"
# pysam writes END beside a symbolic allele
END = '##INFO=<ID=END,Number=1,Type=Integer,Description="end">\n'
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
RECORDS = "chr1\t10\trs1;x\ta\tG,<DEL>,*\t.\tq10\tXX=1\nchr9\t0\t.\tAC\t.\t9\t.\t.\n"
TEXT = META + COLUMNS + RECORDS
EXPECTED = [
    Variant("chr1", 10, "rs1;x", "a", ("G", "<DEL>", "*")),
    Variant("chr9", 0, ".", "AC", (".",)),
]


def write(path, text: str):
    path.write_bytes(text.encode())
    return path


def write_bcf(path, records: str):
    text = write(path.with_suffix(".txt"), META + END + COLUMNS + records)
    with (
        pysam.VariantFile(str(text)) as found,
        pysam.VariantFile(str(path), "wb", header=found.header) as out,
    ):
        for record in found:
            out.write(record)
    return path


class TestReads:
    @pytest.mark.parametrize(
        "text",
        [
            TEXT,
            TEXT.replace("\n", "\r\n"),
            TEXT.rstrip("\n"),
            TEXT.replace("chr9", "\nchr9") + "\n\n",
            COLUMNS + RECORDS,
            TEXT.replace("QUAL", "QAUL"),
        ],
        ids=["plain", "CRLF", "no last newline", "blank lines", "no meta lines", "misspelled QUAL"],
    )
    def test_text(self, tmp_path, text):
        assert list(read_variants(write(tmp_path / "v.vcf", text))) == EXPECTED

    def test_gzip_and_bgzf_whatever_the_name(self, tmp_path):
        with gzip.open(tmp_path / "v.vcf", "wt") as out:
            out.write(TEXT)
        write(tmp_path / "plain.vcf", TEXT)
        pysam.tabix_compress(str(tmp_path / "plain.vcf"), str(tmp_path / "b.vcf.gz"))
        for name in ("v.vcf", "b.vcf.gz"):
            assert list(read_variants(tmp_path / name)) == EXPECTED

    def test_bcf(self, tmp_path):
        records = "chr1\t1\trs1;x\ta\tG,<DEL>,*\t.\t.\t.\nchr1\t2\t.\tAC\t.\t.\t.\t.\n"
        assert list(read_variants(write_bcf(tmp_path / "v.bcf", records))) == [
            Variant("chr1", 1, "rs1;x", "a", ("G", "<DEL>", "*")),
            Variant("chr1", 2, ".", "AC", (".",)),
        ]

    def test_bcf_with_samples(self, tmp_path):
        header = '##FORMAT=<ID=GT,Number=1,Type=String,Description="g">\n' + COLUMNS.rstrip("\n")
        text = META + header + "\tFORMAT\ts1\ts2\nchr1\t1\t.\tA\tG\t.\t.\t.\tGT\t0/1\t0|0\n"
        with (
            pysam.VariantFile(str(write(tmp_path / "v.txt", text))) as found,
            pysam.VariantFile(str(tmp_path / "v.bcf"), "wb", header=found.header) as out,
        ):
            out.write(next(found))
        assert list(read_variants(tmp_path / "v.bcf")) == [Variant("chr1", 1, ".", "A", ("G",))]

    def test_samples_are_passed_over(self, tmp_path):
        columns = COLUMNS.rstrip("\n") + "\tFORMAT\ts1\ts2\n"
        records = "".join(line + "\tGT\t0/1\t0|0\n" for line in RECORDS.splitlines())
        assert list(read_variants(write(tmp_path / "v.vcf", META + columns + records))) == EXPECTED

    @pytest.mark.parametrize(
        "text",
        [
            "chr1\t10\trs1;x\ta\tG,<DEL>,*\nchr9\t0\t.\tAC\t.\n",
            "#CHROM\tPOS\tID\tREF\tALT\nchr1\t10\trs1;x\ta\tG,<DEL>,*\nchr9\t0\t.\tAC\t.\n",
            "chr1\t10\trs1;x\ta\tG,<DEL>,*\r\nchr9\t0\t.\tAC\t.\r\n",
            RECORDS,
            META + RECORDS,
        ],
        ids=["five columns", "five with names", "CRLF", "eight columns", "no names"],
    )
    def test_text_without_a_header(self, tmp_path, text):
        assert list(read_variants(write(tmp_path / "v.vcf", text))) == EXPECTED
        (tmp_path / "v.gz").write_bytes(gzip.compress(text.encode()))
        assert list(read_variants(tmp_path / "v.gz")) == EXPECTED

    def test_no_records(self, tmp_path):
        assert list(read_variants(write(tmp_path / "v.vcf", META + COLUMNS))) == []


class TestRefuses:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", r"v\.vcf: has no line '#CHROM POS ID REF ALT \.\.\.'"),
            (META, r"v\.vcf: has no line '#CHROM"),
            (">chr1\nACGT\n", r"v\.vcf: line 1: found '>chr1' \(1 of 5 columns\), expected a VCF: CHROM POS"),
            ("chr1\t5\t9\n", r"v\.vcf: line 1: found 'chr1\\t5\\t9' \(3 of 5 columns\)"),
            ("chr1 5 . A C\n", r"v\.vcf: line 1: found 'chr1 5 \. A C' \(1 of 5 columns\)"),
            ("track\n" + RECORDS, r"v\.vcf: line 1: found 'track' \(1 of 5"),
            (
                "chr1\t5\t9\tpeak_1\t960\t+\n",
                r"v\.vcf: line 1: found 'peak_1' in column 4, REF, expected a VCF",
            ),
            ("chr1\t5\t9\t.\t0\t.\n", r"v\.vcf: line 1: found '\.' in column 4, REF"),
            ("chr1\t5\t9\tA\t960\t+\n", r"v\.vcf: line 1: found '960' in column 5, ALT"),
            ("CHROM\tPOS\tID\tREF\tALT\n" + RECORDS, r"v\.vcf: line 1: found 'POS' in column 2, POS"),
            (
                "#chrom\tstart\tend\n",
                r"v\.vcf: line 1: found '#chrom\\tstart\\tend', expected the columns #CHROM",
            ),
            (TEXT.replace("\t", " "), r"v\.vcf: line 3: found '#CHROM POS .* with tabs between"),
            (
                TEXT + COLUMNS,
                r"v\.vcf: line 6: found the line '#CHROM \.\.\.' here, expected it once, before",
            ),
            (RECORDS + COLUMNS, r"v\.vcf: line 3: found the line '#CHROM \.\.\.' here"),
        ],
    )
    def test_what_is_no_vcf(self, tmp_path, text, message):
        with pytest.raises(TfbindError, match=message):
            list(read_variants(write(tmp_path / "v.vcf", text)))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (RECORDS, r"v\.vcf: line 1: found 'chr1\\t10.* without a header"),
            (TEXT + "chr1\t11\t.\tA\n", r"v\.vcf: line 6: found 4 columns, expected the header's 8"),
        ],
    )
    def test_what_a_reader_of_genotypes_needs(self, tmp_path, text, message):
        with pytest.raises(TfbindError, match=message):
            list(read_lines(write(tmp_path / "v.vcf", text)).lines)

    def test_a_gzip_that_is_cut_off(self, tmp_path):
        whole = gzip.compress(
            (TEXT + "".join(f"chr1\t{i * i}\t.\tA\tC\t.\t.\t.\n" for i in range(999))).encode()
        )
        (tmp_path / "v.vcf.gz").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(TfbindError, match=r"v\.vcf\.gz: the gzip data are damaged or cut off"):
            list(read_variants(tmp_path / "v.vcf.gz"))

    @pytest.mark.parametrize("share", [0.5, 0.9])
    def test_a_bcf_that_is_cut_off(self, tmp_path, share):
        records = "".join(f"chr1\t{1 + i // 9}\trs{i * i}\tA\tC\t.\t.\t.\n" for i in range(5000))
        whole = write_bcf(tmp_path / "whole.bcf", records).read_bytes()
        (tmp_path / "v.bcf").write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(TfbindError, match=r"v\.bcf: "):
            list(read_variants(tmp_path / "v.bcf"))

    @pytest.mark.parametrize("sites_only", [True, False])
    @pytest.mark.parametrize("name", ["v.bcf", "v.vcf.gz"])
    def test_one_that_is_cut_off_between_blocks(self, tmp_path, name, sites_only):
        write_bcf(tmp_path / "v.bcf", "chr1\t1\trs1\tA\tC\t.\t.\t.\n")
        pysam.tabix_compress(str(write(tmp_path / "v.vcf", TEXT)), str(tmp_path / "v.vcf.gz"))
        path = tmp_path / name
        list(read_lines(path, sites_only=sites_only).lines)
        path.write_bytes(path.read_bytes().removesuffix(BGZF_END))
        with pytest.raises(TfbindError, match=rf"{name}: has no BGZF end block, so it seems to be cut off"):
            read_lines(path, sites_only=sites_only)

    def test_a_missing_file(self, tmp_path):
        with pytest.raises(TfbindError, match=r"no\.vcf: no such file"):
            list(read_variants(tmp_path / "no.vcf"))


class TestMalformed:
    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            ("chr1\tx\t.\tA\tC", "found the position 'x', expected a whole number"),
            ("chr1\t-1\t.\tA\tC", "found the position '-1', expected a whole number"),
            ("chr1\t\t.\tA\tC", "found the position '', expected a whole number"),
            ("chr1\t1.0\t.\tA\tC", "found the position '1.0', expected a whole number"),
            ("chr1\t\u0663\t.\tA\tC", "found the position '\u0663', expected a whole number"),
            (
                "chr1\t" + "9" * 5000 + "\t.\tA\tC",
                f"found the position '{'9' * 30}', expected a whole number",
            ),
            ("chr1\t5\t.\tAX\tC", "found REF 'AX', expected bases"),
            ("chr1\t5\t.\t.\tC", "found REF '.', expected bases"),
            ("chr1\t5\t.\t\tC", "found REF '', expected bases"),
            ("chr1\t5\t.\tA\t", "found ALT '', expected an allele, or several with one comma between them"),
            (
                "chr1\t5\t.\tA\tC,,G",
                "found ALT 'C,,G', expected an allele, or several with one comma between them",
            ),
        ],
    )
    def test_records_are_given_with_the_reason(self, tmp_path, fields, why):
        for before, after, line in ((META + COLUMNS, "\t.\t.\t.", 4), ("c\t1\t.\tA\tC\n", "", 2)):
            path = write(tmp_path / "v.vcf", before + fields + after + "\n" + RECORDS)
            found = [one for one in read_variants(path) if one.contig != "c"]
            contig, pos, name, ref, alts = fields.split("\t")
            expected = Malformed(
                contig, pos, name, ref, tuple(alts.split(",")), f"{path}: line {line}: {why}"
            )
            assert found == [expected, *EXPECTED]

    def test_too_few_columns(self, tmp_path):
        path = write(tmp_path / "v.vcf", TEXT + "chr1\t11\t.\tA\n" + "chr1\t11\t.\tA\tC\n  \n")
        why = "columns, expected the header's 8"
        assert list(read_variants(path)) == [
            *EXPECTED,
            Malformed("chr1", "11", ".", "A", (".",), f"{path}: line 6: found 4 {why}"),
            # complete as it seems, it may end in the middle of ALT
            Malformed("chr1", "11", ".", "A", ("C",), f"{path}: line 7: found 5 {why}"),
            Malformed("  ", ".", ".", ".", (".",), f"{path}: line 8: found 1 {why}"),
        ]
        path = write(tmp_path / "v.tsv", "chr1\t11\t.\tA\tC\nchr1\t12\n")
        (_, found) = read_variants(path)
        assert found.why == f"{path}: line 2: found 2 columns, expected 5"
