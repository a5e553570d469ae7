import gzip

import pytest
from Bio import bgzf

from tfbind.dna.alphabet import decode_letters
from tfbind.dna.fasta import encode_batch, encode_record, read_batches, read_fasta
from tfbind.errors import TfbindError

RECORDS = [("one", "ACGTACGTAC"), ("two", "GGNCC")]


@pytest.fixture
def write(tmp_path):
    def write(content, name="x.fa"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


class TestReadFasta:
    @pytest.mark.parametrize(
        "text",
        [
            ">one a description\nACGTACGTAC\n>two\nGGNCC\n",
            ">one\r\nACGTA\r\nCGTAC\r\n>two\r\nGGNCC",
            ">one\rACGTACGTAC\r>two\rGGNCC\r",
            "\n\n>one\tx\nACGT\nAC\n\nGTAC\n\n>two\nGG NCC\n\n",
            "\ufeff>one\nACGTACGTAC\n>two\nGGNCC\n",
        ],
        ids=["plain", "CRLF and wrapped", "CR", "blank lines", "byte order mark"],
    )
    def test_layouts(self, write, text):
        assert list(read_fasta(write(text))) == RECORDS

    def test_gzip(self, write):
        assert list(read_fasta(write(gzip.compress(b">one\nACGTACGTAC\n>two\nGGNCC\n")))) == RECORDS

    def test_bgzf(self, tmp_path):
        path = tmp_path / "x.fa.bgz"
        with bgzf.BgzfWriter(str(path)) as handle:
            handle.write(">one\nACGTACGTAC\n>two\nGGNCC\n")
        assert list(read_fasta(path)) == RECORDS

    def test_case_is_kept_and_no_sequence_is_no_error_here(self, write):
        assert list(read_fasta(write(">a\n>b\nacgu\n"))) == [("a", ""), ("b", "acgu")]

    @pytest.mark.parametrize("content", [b"", b"\n \r\n", gzip.compress(b"")], ids=["", "blank", "gzip"])
    def test_empty_file(self, write, content):
        with pytest.raises(TfbindError, match=r"x\.fa: the file is empty, expected FASTA records"):
            list(read_fasta(write(content)))

    @pytest.mark.parametrize("text", ["ACGT\n>a\nACGT\n", "; comment\n>a\nACGT\n", "chr1\t1\t2\n"])
    def test_text_before_the_first_header(self, write, text):
        found = text.split("\n")[0]
        with pytest.raises(TfbindError, match=r"line 2: found .*, expected a FASTA header") as caught:
            list(read_fasta(write("\n" + text)))
        assert repr(found) in str(caught.value)

    @pytest.mark.parametrize("header", [">", "> ", ">\t", "> two", ">\r"])
    def test_record_without_a_name(self, write, header):
        with pytest.raises(TfbindError, match=r"x\.fa: record 2 has no name, expected '>NAME'"):
            list(read_fasta(write(f">one\nACGT\n{header}\nACGT\n")))

    def test_missing_file(self, tmp_path):
        with pytest.raises(TfbindError, match="no such file"):
            list(read_fasta(tmp_path / "none.fa"))

    def test_truncated_gzip(self, write):
        content = gzip.compress(b"".join(b">r%d\nACGTTGCATC\n" % i for i in range(2000)))
        with pytest.raises(TfbindError, match=r"x\.fa: the gzip data are damaged or cut off"):
            list(read_fasta(write(content[: len(content) // 2])))


class TestIntervals:
    def test_are_read_from_the_whole_header(self, write):
        path = write(">a range=chr1:1001-1004 strand=+\nACGT\n>b\nAC\n>my peak::chr2:5-7\nAC\n")
        (batch,) = read_batches(path, length=4)
        assert batch.names == ["a", "b", "my"]
        assert batch.intervals == [("chr1", 1000, 1004), None, ("chr2", 5, 7)]

    def test_that_are_known_are_not_looked_for(self):
        names = ["chr1:5-9", "x"]
        assert encode_batch("g.fa", names, ["ACGT", "AC"], 4).intervals == [("chr1", 5, 9), None]
        given = [None, ("chr2", 5, 7)]
        assert encode_batch("g.fa", names, ["ACGT", "AC"], 4, given).intervals == given


class TestReadBatches:
    def test_crop_and_pad(self, write):
        (batch,) = read_batches(write(">a\nAACCGGTT\n>b\nacu\n>c\nNRA\n"), length=5)
        assert batch.names == ["a", "b", "c"]
        assert [decode_letters(row) for row in batch.codes] == ["ACCGG", "ACTNN", "NNANN"]
        assert batch.valid_length.tolist() == [5, 3, 3]

    def test_size_changes_nothing(self, write):
        path = write("".join(f">r{i}\n{'ACGTN'[i % 5] * (i + 1)}\n" for i in range(10)))
        whole = next(read_batches(path, length=6))
        parts = list(read_batches(path, length=6, size=3))
        assert [len(part.names) for part in parts] == [3, 3, 3, 1]
        assert [row for part in parts for row in part.codes.tolist()] == whole.codes.tolist()

    def test_size_by_default(self, write, monkeypatch):
        monkeypatch.setattr("tfbind.dna.fasta.BATCH_RECORDS", 2)
        batches = read_batches(write(">a\nA\n>b\nC\n>c\nG\n"), length=1)
        assert [batch.names for batch in batches] == [["a", "b"], ["c"]]

    def test_long_records_make_smaller_batches(self, write, monkeypatch):
        monkeypatch.setattr("tfbind.dna.fasta.BATCH_BASES", 10)
        path = write(">a\nACGTAC\n>b\nACGT\n>c\nACGTACGTACGT\n>d\nA\n")
        assert [batch.names for batch in read_batches(path, length=2)] == [["a", "b"], ["c"], ["d"]]

    def test_wrong_letter_names_file_record_and_position(self, write):
        path = write(">a\nACGT\n>b\nAC\nGX\n>c\n*\n")
        with pytest.raises(TfbindError, match=r"x\.fa: record 'b': found 'X' at position 4, expected A, C"):
            list(read_batches(path, length=3))

    def test_wrong_letter_outside_the_crop_is_an_error_too(self, write):
        with pytest.raises(TfbindError, match="record 'a': found '!' at position 1"):
            list(read_batches(write(">a\n!AACCC\n"), length=2))

    def test_empty_sequence(self, write):
        with pytest.raises(TfbindError, match="record 'b' has no sequence, expected at least one base"):
            list(read_batches(write(">a\nA\n>b\n>c\nA\n"), length=3))


def test_encode_record_names_where():
    with pytest.raises(TfbindError, match=r"^g\.fa: record 'r': found 'Z' at position 2, expected"):
        encode_record("g.fa", "r", "AZ")
