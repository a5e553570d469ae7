import gzip

import pysam
import pytest

from tfbind.dna.vcf import Variant, read_variants
from tfbind.errors import TfbindError

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

    def test_samples_are_passed_over(self, tmp_path):
        columns = COLUMNS.rstrip("\n") + "\tFORMAT\ts1\ts2\n"
        records = "".join(line + "\tGT\t0/1\t0|0\n" for line in RECORDS.splitlines())
        assert list(read_variants(write(tmp_path / "v.vcf", META + columns + records))) == EXPECTED

    def test_no_records(self, tmp_path):
        assert list(read_variants(write(tmp_path / "v.vcf", META + COLUMNS))) == []


class TestRefuses:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", r"v\.vcf: has no line '#CHROM POS ID REF ALT \.\.\.'"),
            (META, r"v\.vcf: has no line '#CHROM"),
            (RECORDS, r"v\.vcf: line 1: found 'chr1\\t10.* without a header"),
            (">chr1\nACGT\n", r"v\.vcf: line 1: found '>chr1' without a header"),
            (TEXT.replace("\t", " "), r"v\.vcf: line 3: found '#CHROM POS .* with tabs between"),
            (TEXT + "chr1\t11\t.\tA\n", r"v\.vcf: line 6: found 4 columns, expected the header's 8"),
            (TEXT + COLUMNS, r"v\.vcf: line 6: found a second line '#CHROM"),
            (TEXT.replace("\t10\t", "\tx\t"), r"v\.vcf: line 4: found the position 'x'"),
            (TEXT.replace("\t10\t", "\t-1\t"), r"v\.vcf: line 4: found the position '-1'"),
        ],
    )
    def test_what_is_no_vcf(self, tmp_path, text, message):
        with pytest.raises(TfbindError, match=message):
            list(read_variants(write(tmp_path / "v.vcf", text)))

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

    def test_a_missing_file(self, tmp_path):
        with pytest.raises(TfbindError, match=r"no\.vcf: no such file"):
            list(read_variants(tmp_path / "no.vcf"))
