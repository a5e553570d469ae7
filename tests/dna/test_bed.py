import gzip
import logging

import pytest

from tfbind.dna.bed import MAX_POSITION, bed_lines, data_lines, is_header, read_interval, read_position
from tfbind.errors import TfbindError


class TestReadPosition:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("0", 0),
            ("007", 7),
            ("1e+05", 100_000),
            ("1E5", 100_000),
            ("1.5e3", 1500),
            ("1030.0", 1030),
            ("1030.", 1030),
            (str(MAX_POSITION), 9_007_199_254_740_992),
        ],
    )
    def test_whole_number(self, text, expected):
        assert read_position("start", text) == expected

    @pytest.mark.parametrize(
        "text", ["", "x", "-5", "+5", "1_0", "1,000", "1.5", "1.25e1", "1e-3", "nan", "inf", "0x10", "١٢"]
    )
    def test_anything_else(self, text):
        with pytest.raises(TfbindError, match=r"^found start '.*', expected a whole number of at least 0$"):
            read_position("start", text)

    @pytest.mark.parametrize(
        "text", [str(MAX_POSITION + 1), str(2**63), str(2**64), "99999999999999999999", "1e999", "9" * 5000]
    )
    def test_too_large(self, text):
        with pytest.raises(
            TfbindError, match=r"^found end '.{,40}', which is too large for a position"
        ) as found:
            read_position("end", text)
        assert len(str(found.value)) < 120


class TestReadInterval:
    def test_literal(self):
        assert read_interval(["chr1", "5", "1e1", "x"]) == (5, 10)

    @pytest.mark.parametrize(
        ("columns", "message"),
        [
            (["chr1", "5"], r"found 2 column\(s\), expected at least 3 .* separated by tabs\)$"),
            (["chr1,5,10"], r"found 1 column\(s\), .*; is this a CSV file\?$"),
            (["chr1", "5", "5"], r"end \(5\) must be greater than start \(5\)$"),
            (["chr1", "5", "4"], r"end \(4\) must be greater than start \(5\)$"),
        ],
    )
    def test_refused(self, columns, message):
        with pytest.raises(TfbindError, match=f"^{message}"):
            read_interval(columns)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("chrom\tstart\tend", True),
        ("V1\tV2\tV3\tV4", True),
        ('"seqnames"\t"start"\t"end"', True),
        ("chr1\t10\t20", False),
        ("chr1\tNA\tnan", False),
        ("chr1\tx10\t20", False),
        ("chr1\t-5\t10", False),
        ("peak1\tchr1\t10", False),
        ("name\tstart", False),
    ],
)
def test_is_header(line, expected):
    assert is_header(line.split("\t")) is expected


class TestBedLines:
    def test_what_is_not_data_is_skipped(self, tmp_path):
        path = tmp_path / "a.bed.gz"
        path.write_bytes(
            gzip.compress(
                b"browser x\ntrack name=y\n#c\ts\te\n\nchr1\t1\t2\ta b\r\nchr2 3 4\n#end\nchr3\t1e2\t2e2\n"
            )
        )
        assert list(bed_lines(path)) == [
            (5, ["chr1", "1", "2", "a b"], 1, 2),
            (6, ["chr2", "3", "4"], 3, 4),
            (8, ["chr3", "1e2", "2e2"], 100, 200),
        ]

    def test_header_line_is_skipped_and_logged(self, tmp_path, caplog):
        (tmp_path / "a.bed").write_text("# x\nchrom\tstart\tend\nchr1\t1\t2\n")
        with caplog.at_level(logging.INFO):
            assert [line for line, *_ in bed_lines(tmp_path / "a.bed")] == [3]
        assert "a.bed: line 2 is a header line" in caplog.text

    def test_header_line_elsewhere_is_refused(self, tmp_path):
        (tmp_path / "a.bed").write_text("chr1\t1\t2\nchrom\tstart\tend\n")
        with pytest.raises(
            TfbindError, match=r"a\.bed: line 2: found start 'start', expected a whole number"
        ):
            list(bed_lines(tmp_path / "a.bed"))

    def test_beyond_64_bits_is_refused_by_its_line(self, tmp_path):
        (tmp_path / "a.bed").write_text("chr1\t1\t2\nchr1\t1\t99999999999999999999\n")
        with pytest.raises(TfbindError, match=r"a\.bed: line 2: found end '9{20}', which is too large"):
            list(bed_lines(tmp_path / "a.bed"))

    def test_comments_in_front(self, tmp_path):
        (tmp_path / "a.bed").write_text("#one\n\n# two\nchr1\t1\t2\n#three\n")
        comments = []
        assert len(list(data_lines(tmp_path / "a.bed", comments))) == 1
        assert comments == [(1, "#one"), (3, "# two")]
