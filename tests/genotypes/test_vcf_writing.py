import gzip

import numpy as np

from tfbind.genotypes.vcf_writing import write_vcf

HEAD = '##fileformat=VCFv4.2\n##contig=<ID=c,length=90>\n##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
HAPLOTYPES = np.array([[0, 1, 1, 0], [1, 1, -1, -1]], np.int8)


def written(path, **options):
    write_vcf(path, "c", 90, np.array([0, 41]), HAPLOTYPES, **options)
    text = gzip.decompress(path.read_bytes()).decode()
    assert text.startswith(HEAD)
    return text[len(HEAD) :].splitlines()


def test_phased(tmp_path):
    assert written(tmp_path / "a.vcf.gz", ploidy=2, phased=True) == [
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts1\ts2",
        "c\t1\t.\tA\tG\t.\tPASS\t.\tGT\t0|1\t1|0",
        "c\t42\t.\tA\tG\t.\tPASS\t.\tGT\t1|1\t.|.",
    ]


def test_unphased_tells_no_order(tmp_path):
    lines = written(tmp_path / "a.vcf.gz", ploidy=2, phased=False, samples=["x", "y"])
    assert lines[0].endswith("FORMAT\tx\ty")
    assert lines[1].endswith("GT\t0/1\t0/1")
    assert lines[2].endswith("GT\t1/1\t./.")


def test_haploid(tmp_path):
    lines = written(tmp_path / "a.vcf.gz", ploidy=1, phased=True)
    assert lines[1].endswith("GT\t0\t1\t1\t0")
    assert lines[2].endswith("GT\t1\t1\t.\t.")


def test_no_sites(tmp_path):
    write_vcf(
        tmp_path / "a.vcf.gz", "c", 90, np.zeros(0, int), np.zeros((0, 4), np.int8), ploidy=2, phased=True
    )
    text = gzip.decompress((tmp_path / "a.vcf.gz").read_bytes()).decode()
    assert text == f"{HEAD}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts1\ts2\n"
