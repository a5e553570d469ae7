import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfbind.binding.encoding.sources import (
    copies_of_each,
    fasta_source,
    labelled_source,
    peak_windows,
    read_labels,
    windows_source,
)
from tfbind.dna.alphabet import decode_letters
from tfbind.dna.genome import Genome
from tfbind.dna.peaks import Window
from tfbind.errors import TfbindError

NAN = np.nan


@pytest.fixture
def write(tmp_path):
    def write(text, name="labels.tsv"):
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return write


class TestReadLabels:
    def test_table(self, write):
        table = read_labels(write("id\tCTCF\tPRDM9\na\t1\t0\nb\t\t1\nc\t0\t\n"))
        assert table.index.tolist() == ["a", "b", "c"]
        assert table.columns.tolist() == ["CTCF", "PRDM9"]
        assert (table.dtypes == np.float32).all()
        np.testing.assert_array_equal(table, [[1, 0], [NAN, 1], [0, NAN]])

    def test_crlf_blank_lines_spaces_and_tabs_that_an_editor_took_off(self, write):
        table = read_labels(write("\ufeffid\tA\tB\r\n\r\na\t 1\t0 \r\nb\t1\r\nc\r\n\r\n"))
        np.testing.assert_array_equal(table, [[1, 0], [1, NAN], [NAN, NAN]])
        assert table.index.tolist() == ["a", "b", "c"]

    def test_names_that_look_like_something_else(self, write):
        table = read_labels(write('id\tA\nNA\t1\n007\t0\n"x\t1\n'))
        assert table.index.tolist() == ["NA", "007", '"x']

    @pytest.mark.parametrize(
        ("text", "match"),
        [
            ("", "line 1: found columns '', expected id and one column a factor"),
            ("\n\n", "line 1: found columns ''"),
            ("id\na\n", "line 1: found columns 'id', expected"),
            ("name\tA\na\t1\n", "line 1: found columns 'name', 'A'"),
            ("id,A\na,1\n", "line 1: found columns 'id,A'"),
            ("\nid\tA\tA\na\t1\t0\n", "line 2: found columns 'id', 'A', 'A', expected .*, each once"),
            ("id\tA\t\na\t1\t0\n", "line 1: found columns 'id', 'A', ''"),
            ("id\tA\na\t1\n\na\t0\n", "line 4: id 'a' is given twice"),
            ("id\tA\n\t1\n", "line 2: id '' is empty"),
            ("id\tA\na\t1\nb\t2\n", "line 3: A is '2', expected 1, 0 or nothing"),
            ("id\tA\na\tNA\n", "line 2: A is 'NA'"),
            ("id\tA\na\t1\t0\n", "line 2: found 3 columns, expected 2"),
        ],
    )
    def test_refused(self, write, text, match):
        with pytest.raises(TfbindError, match=rf"labels\.tsv: {match}"):
            read_labels(write(text))


class TestSources:
    def test_fasta(self, write):
        source = fasta_source(write(">a\nACGT\n>b\nGG\n", "x.fa"), 3, 1)
        for _ in range(2):  # it can be read as often as needed
            (batch,) = source.batches()
            assert batch.names == ["a", "b"]
            assert source.labels(batch.names).tolist() == [[1], [1]]

    def test_labelled(self, write):
        labels = write("id\tA\tB\nb\t1\t0\nunused\t1\t1\na\t\t1\n")
        source, factors, counts = labelled_source(write(">a\nACGT\n>b\nGG\n", "x.fa"), labels, 3)
        assert factors == ("A", "B")
        assert counts == {"labels without a record": 1}
        np.testing.assert_array_equal(source.labels(["a", "b"]), [[NAN, 1], [1, 0]])

    def test_record_without_labels(self, write):
        source, *_ = labelled_source(write(">a\nACGT\n>b\nGG\n", "x.fa"), write("id\tA\na\t1\n"), 3)
        with pytest.raises(
            TfbindError, match=r"labels\.tsv: no line for record 'b' of .*x\.fa, expected one"
        ):
            source.labels(["a", "b"])

    def test_windows(self, write):
        windows = [Window("c", 2, 6, "p"), Window("d", 0, 3, "")]
        with Genome(write(">c\nAACCGGTT\n>d\nacu\n", "g.fa")) as genome:
            (batch,) = windows_source(genome, windows, 4, 0).batches()
        assert [decode_letters(row) for row in batch.codes] == ["CCGG", "ACTN"]
        assert batch.valid_length.tolist() == [4, 3]
        assert batch.names == [window.record_id for window in windows]
        assert batch.intervals == [window[:3] for window in windows]

    def test_peak_windows_count_what_happened(self, write):
        genome = write(f">c\n{'ACGT' * 50}\n>d\n{'AC' * 4}\n", "g.fa")
        peaks = write(
            "c\t50\t61\tstrong\t0\t.\t9\t-1\t-1\t5\n"
            "c\t52\t63\tmerged\t0\t.\t8\t-1\t-1\t5\n"
            "c\t0\t9\tmoved\t0\t.\t7\t-1\t-1\t0\n"
            "d\t0\t8\tshort\t0\t.\t6\t-1\t-1\t4\n"
            "c\t150\t161\tweak\t0\t.\t1\t-1\t-1\t5\n",
            "p.narrowPeak",
        )
        with Genome(genome) as opened:
            windows, all_peaks, counts = peak_windows(peaks, opened, 11, 3)
        assert sorted((w.contig, w.start, w.end) for w in windows) == [
            ("c", 0, 11),
            ("c", 50, 61),
            ("d", 0, 8),
        ]
        assert len(all_peaks) == 5
        assert counts == {
            "peaks": 5,
            "summits merged into a stronger one nearby": 1,
            "weaker peaks left out by --max-peaks": 1,
            "windows moved inside their contig": 1,
            "windows on contigs shorter than the length": 1,
        }


class TestCopiesOfEach:
    @pytest.mark.parametrize(
        ("ratio", "expected"),
        [(1, [1, 1, 1, 1]), (0.5, [0, 1, 0, 1]), (2.5, [2, 3, 2, 3]), (0.25, [0, 0, 0, 1])],
    )
    def test_literal(self, ratio, expected):
        assert copies_of_each(0, 4, ratio).tolist() == expected

    @given(st.integers(0, 50), st.integers(0, 50), st.sampled_from([0.1, 0.5, 1, 1.5, 3.25]))
    def test_batches_do_not_matter(self, first, n, ratio):
        whole = copies_of_each(0, first + n, ratio)
        assert copies_of_each(first, n, ratio).tolist() == whole[first:].tolist()
        assert whole.sum() == int((first + n) * ratio)
