import gzip

import numpy as np
import pytest

from tfbind.binding.encoding.table import read_table
from tfbind.dna.alphabet import decode_letters
from tfbind.dna.splits import TEST, TRAIN, VALIDATION
from tfbind.errors import TfbindError

NAN = np.nan


@pytest.fixture
def write(tmp_path):
    def write(content, name="data.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def read(path, length=6, **options):
    """Names, letters and labels of all records, what is stated of them, and the factors."""
    source, factors = read_table(path, length, "CTCF", **options)
    names, letters, y, part, group = [], [], [], [], []
    for batch in source.batches():
        names += batch.names
        letters += [decode_letters(row[:n]) for row, n in zip(batch.codes, batch.valid_length, strict=True)]
        y += source.labels(batch).tolist()
        if source.stated:
            stated = source.stated(batch)
            part += [] if stated.part is None else stated.part.tolist()
            group += stated.group or []
    return names, letters, y, part, group, factors


class TestFormats:
    @pytest.mark.parametrize("delimiter", [",", "\t", ";"])
    @pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize("mark", ["", "\ufeff"])
    def test_delimiters_line_ends_and_byte_order_marks(self, write, delimiter, ends, mark):
        lines = [["sequence", "label"], ["ACGT", "1"], [], ["ggu", "0"], ["", ""]]
        text = mark + ends.join(map(delimiter.join, lines)) + ends
        assert read(write(text))[:3] == (["row1", "row2"], ["ACGT", "GGT"], [[1], [0]])

    def test_gzip(self, write):
        path = write(gzip.compress(b"label,sequence\n1,ACGT\n"), "data.csv.gz")
        assert read(path) == (["row1"], ["ACGT"], [[1]], [], [], ("CTCF",))

    def test_quoted_cells(self, write):
        path = write('"id","sequence","a, b"\n"x ""1"", y","ACGT","0"\n"z","GG",1\n')
        names, letters, y, *_, factors = read(path)
        assert (names, letters, y, factors) == (['x "1", y', "z"], ["ACGT", "GG"], [[0], [1]], ("a, b",))

    def test_capital_letters_and_row_numbers_of_pandas(self, write, caplog):
        caplog.set_level("INFO")
        assert read(write(",Sequence,Label,ID\n0,ACGT,1.0,a\n1,GG,,b\n"))[:3] == (
            ["a", "b"],
            ["ACGT", "GG"],
            [[1], pytest.approx([NAN], nan_ok=True)],
        )
        assert caplog.messages[0].endswith("data.csv: columns that are not read: (no name)")

    def test_factors_by_column(self, write):
        *_, factors = read(write("A,sequence,B\n1,ACGT,\n,GG,0\n"))
        assert factors == ("A", "B")
        np.testing.assert_array_equal(read(write("A,sequence,B\n1,ACGT,\n,GG,0\n"))[2], [[1, NAN], [NAN, 0]])

    def test_label_columns(self, write):
        path = write("chrom,sequence,B,score,A\nchr1,ACGT,1,7.2,0\n")
        *_, factors = read(path, label_columns=["A", "B"])
        assert factors == ("A", "B")
        assert read(path, label_columns=["A", "B"])[2] == [[0, 1]]

    def test_batches_do_not_matter(self, write, monkeypatch):
        path = write("sequence,label,split,group\n" + "ACGT,1,train,a\nGG,0,test,\nCC,,dev,b\n" * 5)
        whole = read(path)
        monkeypatch.setattr("tfbind.dna.fasta.BATCH_RECORDS", 4)
        np.testing.assert_equal(read(path), whole)
        assert whole[0] == [f"row{number}" for number in range(1, 16)]

    def test_coordinates_are_read_from_ids(self, write):
        source, _ = read_table(write("id,sequence,label\nchr1:10-14,ACGT,1\nx,GG,0\n"), 6, "CTCF")
        assert next(source.batches()).intervals == [("chr1", 10, 14), None]


class TestSplitAndGroup:
    def test_words(self, write):
        words = ["train", "Training", "validation", "dev", "valid", "VAL", "test", "testing"]
        path = write("sequence,label,split\n" + "".join(f"ACGT,1,{word}\n" for word in words))
        assert read(path)[3] == [TRAIN] * 2 + [VALIDATION] * 4 + [TEST] * 2

    def test_empty_columns_state_nothing(self, write):
        source, _ = read_table(write("sequence,label,split,group\nACGT,1,,\nGG,0,,\n"), 6, "CTCF")
        assert source.stated is None

    def test_groups(self, write):
        path = write("sequence,label,group\nACGT,1,a\nGG,0,\nCC,0,a\n")
        assert read(path)[3:5] == ([], ["a", "", "a"])

    def test_the_part_of_a_file(self, write):
        path = write("sequence,label,split\nACGT,1,dev\n")
        assert read(path, part=VALIDATION)[3] == [VALIDATION]
        with pytest.raises(
            TfbindError, match=r"data\.csv: column split says validation, but .* given as test"
        ):
            read(path, part=TEST)
        assert read(write("sequence,label\nACGT,1\n"), part=TEST)[0] == ["test_row1"]

    def test_factors_of_another_table(self, write):
        path = write("sequence,B,A\nACGT,1,0\n")
        assert read(path, factors=("A", "B"))[2] == [[0, 1]]
        with pytest.raises(
            TfbindError, match=r"data\.csv: found labels of B, A, expected those of A, C as in"
        ):
            read(path, factors=("A", "C"))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "line 1: found nothing, expected a header line with a column 'sequence'"),
        ("\nseq,label\nACGT,1\n", "line 2: found the columns 'seq', 'label', expected a header line"),
        ("ACGT,1\n", "line 1: found the columns 'ACGT', '1'"),
        ("sequence\nACGT\n", "line 1: found no column of labels, expected 'label', or a column for each"),
        ("sequence,label\n", "has no records after its header line"),
        ("sequence,label,label\nA,1,1\n", "line 1: found column 'label' twice"),
        ("sequence,Sequence,label\nA,A,1\n", "line 1: found column 'sequence' twice"),
        ("sequence,,label\nA,1,1\n", "line 1: found a column without a name"),
        (
            "sequence,label,A\nA,1,1\n",
            "line 1: found 'label' beside 'A', expected label alone.*--label-columns",
        ),
        ("sequence,label\n\nACGT,1\nGG,2\n", "line 4: column 'label': found '2', expected 1, 0 or nothing"),
        ("sequence,A,note\nACGT,1,good\n", "line 2: column 'note': found 'good', .* with --label-columns"),
        ("sequence,label\nACGT,NA\n", "line 2: column 'label': found 'NA'"),
        ("sequence,label\nACGT,1,0\n", "line 2: found 3 cells, expected 2 as in the header"),
        ("sequence,label\nACGT\n", "line 2: found 1 cells, expected 2 as in the header"),
        (
            'sequence,label\nACGT,1\n"GG,0\nCC,1\n',
            "line 4: is not a line of a table .*is a quotation mark not closed",
        ),
        (
            "sequence,label,split\nACGT,1,holdout\n",
            "line 2: column 'split': found 'holdout', expected train, valid",
        ),
        (
            "sequence,label,split\nACGT,1,train\n\nGG,1,\n",
            "line 4: split is empty, but line 2 has one: expected a split for each record, or for none",
        ),
        ("sequence,label,id\nACGT,1,a\nGG,1,\n", "line 3: column 'id': is empty, expected a name"),
        (
            "sequence,label,id\nACGT,1,a\x07\n",
            r"line 2: column 'id': found 'a\\x07', which cannot be printed",
        ),
        (
            "sequence,label\nACGT,1\nGE,0\n",
            "line 3: column 'sequence' of record 'row2': found 'E' at position 2",
        ),
        ("sequence,label\nACGT,1\n,0\n", "line 3: column 'sequence' of record 'row2': is empty, expected at"),
    ],
)
def test_refused(write, text, match):
    with pytest.raises(TfbindError, match=rf"data\.csv: {match}"):
        read(write(text))


def test_label_columns_that_are_not_there(write):
    path = write("id,sequence,A\nx,ACGT,1\n")
    for name in ("B", "id", "sequence"):
        with pytest.raises(TfbindError, match=rf"line 1: has no column of labels '{name}' .*, found 'A'"):
            read(path, label_columns=[name])


class TestInvalid:
    TEXT = "sequence,label\nACGT,1\nA-G,0\n,1\nGG,0\n"

    def test_left_out_and_counted(self, write):
        source, _ = read_table(write(self.TEXT), 6, "CTCF", skip_invalid=True)
        for _ in range(2):
            (batch,) = source.batches()
            assert batch.names == ["row1", "row4"]
            assert source.labels(batch).tolist() == [[1], [0]]
        assert list(source.invalid) == [2, 3]
        assert "line 3: column 'sequence' of record 'row2': found '-' at position 2" in source.invalid[2]

    def test_refused_if_they_are_most(self, write):
        with pytest.raises(
            TfbindError, match=r"data\.csv: 3 of 5 records are not DNA, .*line 3: column 'seq"
        ):
            read(write(self.TEXT + "E,1\n"), skip_invalid=True)

    def test_a_whole_batch(self, write, monkeypatch):
        monkeypatch.setattr("tfbind.dna.fasta.BATCH_RECORDS", 2)
        path = write("sequence,label\nE,1\nE,0\nACGT,1\nGG,0\n")
        assert read(path, skip_invalid=True)[0] == ["row3", "row4"]
