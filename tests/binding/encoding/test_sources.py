import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfbind.binding.encoding.sources import (
    Source,
    copies_of_each,
    fasta_source,
    labelled_source,
    peak_windows,
    read_labels,
    windows_source,
    windows_touching,
)
from tfbind.binding.options import EncodeOptions
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
        table = read_labels(write("id\tCTCF\tPRDM9\na\t1\t0\nb\t\t1\nc\t0\t\n")).table
        assert table.index.tolist() == ["a", "b", "c"]
        assert table.columns.tolist() == ["CTCF", "PRDM9"]
        assert (table.dtypes == np.float32).all()
        np.testing.assert_array_equal(table, [[1, 0], [NAN, 1], [0, NAN]])

    def test_crlf_blank_lines_spaces_and_tabs_that_an_editor_took_off(self, write):
        table = read_labels(write("\ufeffid\tA\tB\r\n\r\na\t 1\t0 \r\nb\t1\r\nc\r\n\r\n")).table
        np.testing.assert_array_equal(table, [[1, 0], [1, NAN], [NAN, NAN]])
        assert table.index.tolist() == ["a", "b", "c"]

    def test_names_that_look_like_something_else(self, write):
        table = read_labels(write('id\tA\nNA\t1\n007\t0\n"x\t1\n')).table
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
            assert source.labels(batch).tolist() == [[1], [1]]

    def test_labelled(self, write):
        labels = write("id\tA\tB\nb\t1\t0\nunused\t1\t1\na\t\t1\n")
        source, factors, counts = labelled_source(write(">a\nACGT\n>b\nGG\n", "x.fa"), labels, 3)
        assert factors == ("A", "B")
        assert counts == {"labels without a record": 1}
        (batch,) = source.batches()
        np.testing.assert_array_equal(source.labels(batch), [[NAN, 1], [1, 0]])

    def test_record_without_labels(self, write):
        source, *_ = labelled_source(write(">a\nACGT\n>b\nGG\n", "x.fa"), write("id\tA\na\t1\n"), 3)
        with pytest.raises(
            TfbindError, match=r"labels\.tsv: no line for record 'b' of .*x\.fa, expected one"
        ):
            source.labels(next(source.batches()))

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
            options = EncodeOptions(length=11, max_peaks=3)
            windows, all_peaks, counts = peak_windows(peaks, opened, options)
        assert sorted((w.contig, w.start, w.end) for w in windows) == [
            ("c", 0, 11),
            ("c", 50, 61),
            ("d", 0, 8),
        ]
        assert len(all_peaks) == 5
        assert {name: n for name, n in counts.items() if n} == {
            "peaks": 5,
            "summits merged into a stronger one nearby": 1,
            "weaker peaks left out by --max-peaks": 1,
            "windows moved inside their contig": 1,
            "windows on contigs shorter than the length": 1,
        }


class TestPeakWindows:
    """Of a genome of 400 bases: c with a wrong letter at 300 (0-based), d with 20 bases."""

    @pytest.fixture
    def windows(self, write, caplog):
        genome = write(f">c\n{'ACGT' * 75}-{'ACGT' * 20}\n>d\n{'AC' * 10}\n", "g.fa")

        def windows(text, excluded=None, **options):
            with Genome(genome) as opened:
                found = peak_windows(
                    write(text, "p.bed"), opened, EncodeOptions(length=11, **options), excluded
                )
            starts = [(window.contig, window.start) for window in found[0]]
            return starts, len(found[1]), {name: n for name, n in found[2].items() if n}, caplog.text

        return windows

    def test_peaks_that_are_not_on_the_genome_are_left_out_and_counted(self, windows):
        text = "c\t50\t61\nchrEBV\t1\t9\tviral\nd\t10\t31\n1\t5\t6\nc\t90\t101\nc\t20\t31\nd\t9\t30\n"
        starts, n_peaks, counts, log = windows(text)
        # the summit of d:9-30 is its last base, that of d:10-31 is past the end
        assert starts == [("c", 20), ("c", 50), ("c", 90), ("d", 9)]
        assert n_peaks == 4
        assert counts == {
            "peaks": 7,
            "peaks on contigs that the genome does not have, left out": 2,
            "peaks past the end of their contig, left out": 1,
            "windows moved inside their contig": 1,
        }
        assert "p.bed: left out: 3 of 7 peaks are not on " in log
        assert "(first: line 2, viral::chrEBV:1-9: no contig 'chrEBV')" in log

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                "c\t50\t61\n\nx\t1\t9\tn\n",
                r"line 3: peak n::x:1-9 is not on .*g\.fa: no contig 'x' \(--strict\)",
            ),
            (
                "c\t5\t6\nd\t20\t21\n",
                r"line 2: peak d:20-21 is not on .*g\.fa: d has only 20 bases \(--strict\)",
            ),
        ],
    )
    def test_strict_refuses_any(self, windows, text, message):
        assert len(windows(text)[0]) == 1
        with pytest.raises(TfbindError, match=rf"p\.bed: {message}"):
            windows(text, strict=True)

    def test_half_are_left_out_and_more_are_refused(self, windows):
        assert windows("c\t50\t61\nx\t1\t9\n")[0] == [("c", 50)]
        message = (
            r"p\.bed: 2 of 3 peaks are not on .*g\.fa \(first: line 2, x:1-9: no contig 'x'\): are they of"
        )
        with pytest.raises(TfbindError, match=message):
            windows("c\t50\t61\nx\t1\t9\nd\t20\t30\n")

    def test_nothing_that_fits_is_refused(self, windows):
        with pytest.raises(TfbindError, match=r"p\.bed: 2 of 2 contigs \('x', 'y'\) are not in .*g\.fa"):
            windows("x\t1\t9\ny\t1\t9\nx\t2\t9\n")
        with pytest.raises(TfbindError, match=r"p\.bed: 1 of 1 peaks are not on .*: d has only 20 bases"):
            windows("d\t20\t30\n")

    def test_excluded_regions_take_windows_that_touch_them(self, windows):
        # windows of 11 bases: 50-61, 100-111, 150-161
        text = "c\t55\t56\tn\t9\nc\t105\t106\tn\t5\nc\t155\t156\tn\t1\n"
        excluded = {"c": np.array([[110, 150], [0, 50]]), "d": np.array([[0, 20]])}
        starts, n_peaks, counts, _ = windows(text, excluded)
        assert starts == [("c", 50), ("c", 150)]
        assert n_peaks == 3
        assert counts == {"peaks": 3, "peaks whose windows touch excluded regions, left out": 1}

    def test_an_excluded_peak_does_not_stand_in_the_way_of_a_weaker_one(self, windows):
        text = "c\t55\t56\tn\t9\nc\t60\t61\tn\t5\n"
        assert windows(text)[0] == [("c", 50)]
        assert windows(text, {"c": np.array([[50, 51]])})[0] == [("c", 55)]
        assert windows(text, {"c": np.array([[50, 51]])}, max_peaks=1)[0] == [("c", 55)]

    def test_nothing_left_by_excluded_regions(self, windows):
        with pytest.raises(
            TfbindError, match=r"p\.bed: the windows of all 1 peaks touch .*--keep-excluded-positi"
        ):
            windows("c\t55\t56\n", {"c": np.array([[0, 400]])})

    def test_lines_that_are_not_peaks(self, windows):
        text = "c\t50\t61\nc\t7\nc\t90\t101\nc\t9\t2\nc\t20\t31\n"
        with pytest.raises(TfbindError, match=r"p\.bed: line 2: found 2 column\(s\)"):
            windows(text)
        starts, _, counts, log = windows(text, skip_invalid=True)
        assert starts == [("c", 20), ("c", 50), ("c", 90)]
        assert counts == {"peaks": 3, "lines that are not peaks, left out": 2}
        assert "left out 2 lines that are not peaks (first: line 2: found 2 column(s)" in log

    def test_windows_with_letters_that_are_not_bases(self, windows):
        text = "c\t305\t306\nc\t306\t307\nc\t295\t296\nc\t294\t295\n"
        # windows 300-311, 301-312, 290-301 and 289-300, of which the first one hides the second one
        starts, _, counts, log = windows(text, skip_invalid=True)
        assert starts == [("c", 289), ("c", 301)]
        assert counts == {"peaks": 4, "peaks whose windows have letters that are not bases, left out": 2}
        assert "left out 2 peaks (first: line 1: " in log
        assert "record 'c': found '-' at position 301" in log
        with pytest.raises(
            TfbindError, match=r"p\.bed: no peak is left \(line 1: .*found '-' at position 301"
        ):
            windows("c\t305\t306\n", skip_invalid=True)


def test_windows_touching():
    windows = [Window("c", 0, 10), Window("d", 0, 10), Window("c", 10, 15), Window("e", 0, 10)]
    intervals = {"c": np.array([[15, 20], [9, 10]]), "e": np.array([[10, 11]])}
    assert windows_touching(windows, intervals).tolist() == [True, False, False, False]
    assert windows_touching([], intervals).tolist() == []


class TestInvalidRecords:
    TEXT = ">a\nACGT\n>b\nAC-T\n>c\n\n>d\nGG\n"

    def test_are_left_out_every_time(self, write):
        source = fasta_source(write(self.TEXT, "x.fa"), 3, 1, skip_invalid=True)
        for _ in range(2):
            assert [batch.names for batch in source.batches()] == [["a", "d"]]
        assert list(source.invalid) == [2, 3]
        assert source.invalid[2].endswith(
            "x.fa: record 'b': found '-' at position 3, expected A, C, G, T, U or an IUPAC ambiguity letter"
        )
        assert source.invalid[3].endswith("x.fa: record 'c' has no sequence")

    def test_are_refused_by_default_and_where_they_are_most(self, write):
        with pytest.raises(TfbindError, match=r"x\.fa: record 'b': found '-'|record 'c' has no sequence"):
            list(fasta_source(write(self.TEXT, "x.fa"), 3, 1).batches())
        source = fasta_source(write(self.TEXT + ">e\nEE\n", "x.fa"), 3, 1, skip_invalid=True)
        with pytest.raises(
            TfbindError, match=r"x\.fa: 3 of 5 records are not DNA, .* \(.*record 'b': found '-'"
        ):
            list(source.batches())

    def test_of_a_labelled_fasta(self, write):
        labels = write("id\tA\na\t1\nb\t1\nc\t0\nd\t0\n")
        source, *_ = labelled_source(write(self.TEXT, "x.fa"), labels, 3, skip_invalid=True)
        (batch,) = source.batches()
        assert source.labels(batch).tolist() == [[1], [0]]


def test_renamed(write):
    source = fasta_source(write(">a\nACGT\n>b\nGG\n", "x.fa"), 3, 1)
    assert isinstance(source, Source)
    assert [batch.names for batch in source.renamed({"b": "new", "c": "x"}).batches()] == [["a", "new"]]
    assert source.renamed({}) is source


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
