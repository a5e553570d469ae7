import gzip
import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfbind.dna.peaks import (
    Peak,
    Window,
    merge_summits,
    read_peaks,
    strongest,
    windows_round_summits,
)
from tfbind.errors import TfbindError

NARROW = "chr1\t100\t200\tp1\t900\t.\t7.5\t-1\t2.5\t30\n"


@pytest.fixture
def write(tmp_path):
    def write(text, name="peaks.bed"):
        path = tmp_path / name
        content = text.encode()
        path.write_bytes(gzip.compress(content) if name.endswith(("gz", "bgz")) else content)
        return path

    return write


def peak(summit, signal=math.nan, contig="chr1", name=""):
    return Peak(contig, summit - 5, summit + 6, name, signal, summit)


class TestReadPeaks:
    def test_bed(self, write):
        path = write(
            "browser position chr7\ntrack name=x\n#chrom\tstart\tend\n\n"
            "chr1\t10\t21\nchr2\t0\t4\tp2\nchr2\t5\t9\t.\t3.5\t+\r\ntracking1 7   9\n"
        )
        found = read_peaks(path)
        assert [(*peak[:4], peak.summit) for peak in found] == [
            ("chr1", 10, 21, "", 15),
            ("chr2", 0, 4, "p2", 2),
            ("chr2", 5, 9, "", 7),
            ("tracking1", 7, 9, "", 8),
        ]
        assert [peak.signal for peak in found] == [pytest.approx(math.nan, nan_ok=True)] * 2 + [
            3.5,
            pytest.approx(math.nan, nan_ok=True),
        ]

    @pytest.mark.parametrize(
        "name", ["a.narrowPeak", "a.narrowPeak.gz", "a.narrowpeak.bgz", "a.bed.gz", "a.txt", "a"]
    )
    def test_narrow_peak_by_name_or_content(self, write, name):
        found = read_peaks(write(NARROW, name))
        assert found == [Peak("chr1", 100, 200, "p1", 7.5, 130, 1)]

    def test_narrow_peak_without_a_summit(self, write):
        assert read_peaks(write(NARROW.replace("\t30", "\t-1")))[0].summit == 150

    def test_summit_at_both_ends_of_the_peak(self, write):
        assert read_peaks(write(NARROW.replace("\t30", "\t0")))[0].summit == 100
        assert read_peaks(write(NARROW.replace("\t30", "\t99")))[0].summit == 199

    def test_broad_peak(self, write):
        found = read_peaks(write("chr1\t100\t201\tb\t900\t.\t7.5\t-1\t2.5\n", "a.broadPeak.gz"))
        assert found == [Peak("chr1", 100, 201, "b", 7.5, 150, 1)]

    def test_ten_columns_of_a_bed_are_no_narrow_peak(self, write):
        found = read_peaks(write("chr1\t100\t200\tg\t900\t+\t120\t180\t255,0,0\t2\n"))
        assert found == [Peak("chr1", 100, 200, "g", 900.0, 150, 1)]

    @pytest.mark.parametrize("signal", [".", "nan"])
    def test_signal_not_known(self, write, signal):
        (found,) = read_peaks(write(NARROW.replace("7.5", signal), "a.narrowPeak"))
        assert math.isnan(found.signal)

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("chr1\t5", r"found 2 column\(s\), expected at least 3"),
            ("chr1\t5\t1e-3", "found end '1e-3', expected a whole number"),
            ("chr1\t-5\t10", "found start '-5'"),
            ("chr1\t1_0\t20", "found start '1_0'"),
            ("chr1\t5\t5", r"end \(5\) must be greater than start \(5\)"),
        ],
    )
    def test_bad_interval(self, write, line, message):
        with pytest.raises(TfbindError, match=rf"peaks\.bed: line 3: {message}"):
            read_peaks(write(f"# x\nchr1\t1\t2\n{line}\n"))

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("\t30", "\t100", "found summit offset '100' in column 10, .* below the peak's length 100"),
            ("\t30", "\t-2", "found summit offset '-2'"),
            ("\t30", "\t3.5", r"found summit offset '3\.5'"),
            ("\t30", "", r"found 9 columns, expected 10 \(narrowPeak\)"),
            ("7.5", "high", "found signal 'high' in column 7, expected a number"),
        ],
    )
    def test_bad_narrow_peak(self, write, old, new, message):
        with pytest.raises(TfbindError, match=rf"a\.narrowPeak: line 2: {message}"):
            read_peaks(write(NARROW + NARROW.replace(old, new), "a.narrowPeak"))

    @pytest.mark.parametrize("text", ["", "\n# nothing\n"])
    def test_no_peak(self, write, text):
        with pytest.raises(TfbindError, match=r"peaks\.bed: holds no peak"):
            read_peaks(write(text))


class TestMergeSummits:
    def test_strongest_stays(self):
        peaks = [peak(100, 1.0), peak(150, 3.0), peak(199, 2.0), peak(251, 2.0)]
        assert [kept.summit for kept in merge_summits(peaks, 101)] == [150, 251]

    def test_exactly_one_window_apart(self):
        peaks = [peak(100, 1.0), peak(200, 1.0), peak(301, 1.0)]
        assert [kept.summit for kept in merge_summits(peaks, 101)] == [100, 301]
        assert [kept.summit for kept in merge_summits(peaks, 100)] == [100, 200, 301]

    def test_without_signal_the_first_stays_and_known_signals_go_before(self):
        assert [kept.summit for kept in merge_summits([peak(20), peak(10)], 50)] == [20]
        assert [kept.summit for kept in merge_summits([peak(20), peak(10, -1.0)], 50)] == [10]

    def test_contigs_in_the_order_of_the_file(self):
        peaks = [peak(500, contig="b"), peak(5, contig="a"), peak(5, contig="b")]
        assert [(kept.contig, kept.summit) for kept in merge_summits(peaks, 50)] == [
            ("b", 5),
            ("b", 500),
            ("a", 5),
        ]

    def test_windows_moved_inside_do_not_overlap(self):
        peaks = [peak(10, 2.0), peak(115, 1.0), peak(995, 1.0)]
        assert [kept.summit for kept in merge_summits(peaks, 101)] == [10, 115, 995]
        assert [kept.summit for kept in merge_summits(peaks, 101, {"chr1": 1000})] == [10, 995]

    @given(
        st.lists(
            st.builds(
                peak,
                st.integers(5, 2_000),
                st.sampled_from([math.nan, 1.0, 2.0, 3.0]),
                st.sampled_from(["a", "b"]),
            ),
            max_size=40,
        ),
        st.integers(1, 300),
    )
    def test_kept_windows_never_overlap_and_every_dropped_one_does(self, peaks, length):
        contigs = {"a": 2_010, "b": 2_500}
        kept = merge_summits(peaks, length, contigs)
        windows, _, _ = windows_round_summits(kept, length, contigs)
        for left, right in itertools.combinations(windows, 2):
            assert left.contig != right.contig or left.end <= right.start or right.end <= left.start
        assert merge_summits(kept, length, contigs) == kept
        for dropped, window in zip(peaks, windows_round_summits(peaks, length, contigs)[0], strict=True):
            assert dropped in kept or any(
                stays.contig == window.contig and stays.start < window.end and window.start < stays.end
                for stays in windows
            )

    def test_many_peaks(self):
        rng = random.Random(0)
        peaks = [peak(rng.randrange(10, 200_000_000), rng.random()) for _ in range(50_000)]
        assert 48_000 < len(merge_summits(peaks, 101)) < 50_000


class TestStrongest:
    def test_by_signal_in_the_order_of_the_file(self):
        peaks = [peak(1, 5.0), peak(2), peak(3, 9.0), peak(4, 5.0), peak(5, 7.0)]
        assert [kept.summit for kept in strongest(peaks, 3, "p.bed")] == [1, 3, 5]
        assert [kept.summit for kept in strongest(peaks, 4, "p.bed")] == [1, 3, 4, 5]
        assert strongest(peaks, 5, "p.bed") == peaks

    def test_nothing_to_rank_by(self):
        with pytest.raises(
            TfbindError, match=r"p\.bed: has no signal to tell the 1 strongest of its 2 peaks"
        ):
            strongest([peak(1), peak(2)], 1, "p.bed")
        with pytest.raises(TfbindError, match=r"p\.bed: every signal is 1000"):
            strongest([peak(1, 1000.0), peak(2, 1000.0)], 1, "p.bed")


class TestWindows:
    @pytest.mark.parametrize(
        ("summit", "length", "expected", "moved", "short"),
        [
            (500, 101, (450, 551), 0, 0),
            (500, 100, (450, 550), 0, 0),
            (50, 101, (0, 101), 0, 0),
            (49, 101, (0, 101), 1, 0),
            (949, 101, (899, 1000), 0, 0),
            (950, 101, (899, 1000), 1, 0),
            (998, 101, (899, 1000), 1, 0),
            (500, 1000, (0, 1000), 0, 0),
            (500, 1001, (0, 1000), 0, 1),
        ],
    )
    def test_summit_in_the_middle_unless_at_an_end(self, summit, length, expected, moved, short):
        found = windows_round_summits([peak(summit, name="p")], length, {"chr1": 1000})
        assert found == ([Window("chr1", *expected, "p")], moved, short)

    def test_peak_beyond_its_contig(self):
        with pytest.raises(
            TfbindError,
            match=r"p\.bed: line 8: peak p7::chr1:1000-1011 starts past the end of chr1, which has 1000",
        ):
            windows_round_summits([peak(1005, name="p7")._replace(line=8)], 101, {"chr1": 1000}, "p.bed")

    def test_record_id(self):
        assert Window("chr1", 5, 9, "p").record_id == "p::chr1:5-9"
        assert Window("chr1", 5, 9).record_id == "chr1:5-9"
