import gzip
import re
from pathlib import Path

import pytest

from tfbind.dna.coordinates import in_one_spelling, parse_coordinates


class TestParseCoordinates:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("chr1:100-200", ("chr1", 100, 200)),
            ("chr1:85794585-85794785 677", ("chr1", 85794585, 85794785)),
            ("name::chr1:100-200(+)", ("chr1", 100, 200)),
            ("chr1:100-200(-)", ("chr1", 100, 200)),
            ("chr1:100-200:+", ("chr1", 100, 200)),
            # numbers that no contig is long enough for, nor 64 bits
            ("chr1:100-999999999999999", ("chr1", 100, 999999999999999)),
            ("chr1:100-1000000000000000", None),
            ("chr1:100-9223372036854776008", None),
            (f"chr1:0-{'9' * 5000}", None),
            ("chr1:100-200_shuffled", ("chr1", 100, 200)),
            ("any_contig.1:0-1", ("any_contig.1", 0, 1)),
            ("HLA-A*01:01:01:01:100-200", ("HLA-A*01:01:01:01", 100, 200)),
            ("chr1_100_200", ("chr1", 100, 200)),
            ("chr1_100_200_5000", ("chr1", 100, 200)),
            ("chr18_26548346_26548596_neg_1", ("chr18", 26548346, 26548596)),
            ("chr13_ML143366v1_fix_279656_279973_neg_4940", ("chr13_ML143366v1_fix", 279656, 279973)),
            ("chrUn_KI270742v1_10_200_neg_3", ("chrUn_KI270742v1", 10, 200)),
            ("chr1_KI270706v1_random_10_200", ("chr1_KI270706v1_random", 10, 200)),
            ("hg19_chr1_100_200_+", ("chr1", 100, 200)),
            ("chr1-100-200", ("chr1", 100, 200)),
            ("scaffold_12_100_200", ("scaffold_12", 100, 200)),
            ("contig5_100_200", ("contig5", 100, 200)),
            ("NC_000913.3_100_200", ("NC_000913.3", 100, 200)),
            ("KI270742.1_100_200", ("KI270742.1", 100, 200)),
            ("4_100_200", ("4", 100, 200)),
            ("2L_100_200", ("2L", 100, 200)),
            ("XIV-100-200", ("XIV", 100, 200)),
            # the UCSC table browser counts from 1
            (
                "hg38_ct_x_0 range=chr1:1001-1101 5'pad=0 3'pad=0 strand=+ repeatMasking=none",
                ("chr1", 1000, 1101),
            ),
            # so does Ensembl, in its dumps and over REST
            ("peak7 chromosome:GRCh38:1:1001:1101:1", ("1", 1000, 1101)),
            ("chromosome:GRCh38:X:1001:1101:-1", ("X", 1000, 1101)),
            ("ENST1 cdna scaffold:GRCh38:KI270721.1:1001:1101:1 gene:ENSG1", ("KI270721.1", 1000, 1101)),
            # bedtools getfasta -name, of a name that holds spaces, colons or another place
            ("my peak::chr1:100-200(+)", ("chr1", 100, 200)),
            ("a_1_200::chr1:5-9", ("chr1", 5, 9)),
            ("chr2:7-9::chr1:100-200", ("chr1", 100, 200)),
            # an assembly or a peak name before the place
            ("hg38_chr1:1000-1101(+)", ("chr1", 1000, 1101)),
            ("hg38.chr1:1000-1101", ("chr1", 1000, 1101)),
            ("hg38_chr1_1000_1101_+", ("chr1", 1000, 1101)),
            ("peak_7_chr1_1000_1101", ("chr1", 1000, 1101)),
            # other separators
            ("chr1_100-200", ("chr1", 100, 200)),
            ("chr1:100:200:+", ("chr1", 100, 200)),
            ("chr1|100|200", ("chr1", 100, 200)),
            ("chr1:1,000-2,000", ("chr1", 1000, 2000)),
            # NCBI, with c for the complement
            ("NC_000001.11:1001-1101 Homo sapiens chromosome 1", ("NC_000001.11", 1001, 1101)),
            ("NC_000001.11:c1101-1001 Homo sapiens chromosome 1", ("NC_000001.11", 1001, 1101)),
            # in a later word
            ("peak7 chr1:1000-1101", ("chr1", 1000, 1101)),
            ("peak7\tchr1_1000_1101", ("chr1", 1000, 1101)),
            ("peak7 score=3;loc=2L:1000..1101; ID=5", ("2L", 1000, 1101)),
            ("peak7 XIV:1000-1101", ("XIV", 1000, 1101)),
        ],
    )
    def test_found(self, name, expected):
        assert parse_coordinates(name) == expected

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "A_seq_00001_peak_0",
            "seq_1_2",
            "seq_1_200",
            "sample-1-200",
            "peak_100_200",
            "chr1",
            "chr1_100",
            "chr1_200_100",
            "chr1_1_5",
            "chr1:200-100",
            "chr1:100",
            "chr1:100-200.5",
            "range=chr1:0-1101",
            "seq1 residues:10-120",
            "seq1 exon 5 of 12-30-50",
            "seq1 chr1:1000-1005",
            "mychr1_100_200",
            "rs123:A-G",
            "chr1_100_200kb",
        ],
    )
    def test_none(self, name):
        assert parse_coordinates(name) is None

    @pytest.mark.parametrize(
        "name", ["gata4/top5k.pos.fa.gz", "gata4/top5k.neg.fa.gz", "gimmemotifs/TAp73alpha.fa.gz"]
    )
    def test_real_names(self, name):
        path = Path(__file__).parents[3] / "shared" / "data" / name
        if not path.exists():
            pytest.skip(f"{path} is absent")
        sequences = re.findall(r">(.*)\n([^>]*)", gzip.decompress(path.read_bytes()).decode())
        assert len(sequences) >= 1000
        for record_name, sequence in sequences:
            contig, start, end = parse_coordinates(record_name)
            assert contig.startswith("chr")
            assert abs(end - start - len("".join(sequence.split()))) <= 1


class TestInOneSpelling:
    def test_the_first_name_of_a_contig_is_kept(self):
        intervals = [("chr1", 0, 5), None, ("1", 3, 9), ("2", 1, 2), ("Chr2", 1, 2), ("chr10", 4, 6)]
        assert in_one_spelling(intervals) == [
            ("chr1", 0, 5),
            None,
            ("chr1", 3, 9),
            ("2", 1, 2),
            ("2", 1, 2),
            ("chr10", 4, 6),
        ]


@pytest.mark.parametrize(("name", "expected"), [("chr1_5_14", None), ("chr1_5_15", ("chr1", 5, 15))])
def test_an_interval_without_a_colon_has_ten_bases(name, expected):
    # two numbers in a name may be something else
    assert parse_coordinates(name) == expected
