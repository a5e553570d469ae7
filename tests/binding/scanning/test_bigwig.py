import numpy as np
import pybigtools
import pytest

from tfbind import process
from tfbind.binding.scanning.bigwig import TrackOptions, check_names, stretches, track_paths, write_tracks
from tfbind.errors import TfbindError


def stretches_of(starts, size, stride, behind=0):
    start, end = stretches(np.array(starts), size, stride, behind)
    return list(zip(start.tolist(), end.tolist(), strict=True))


class TestStretches:
    @pytest.mark.parametrize(
        ("starts", "size", "stride", "expected"),
        [
            ([0, 4, 8], 10, 4, [(3, 7), (7, 11), (11, 15)]),
            ([0, 4, 8, 9], 10, 4, [(3, 7), (7, 11), (11, 15), (15, 16)]),
            ([0, 10, 13], 10, 10, [(0, 10), (10, 20), (20, 23)]),
            ([0, 20, 24], 10, 20, [(0, 10), (20, 30), (30, 34)]),
            ([0], 7, 4, [(1, 5)]),
            ([0], 3, 4, [(0, 3)]),
        ],
    )
    def test_lie_side_by_side_in_the_middle_of_windows(self, starts, size, stride, expected):
        assert stretches_of(starts, size, stride) == expected

    def test_go_on_behind_those_before(self):
        assert stretches_of([9], 10, 4, behind=15) == [(15, 16)]


@pytest.mark.parametrize(
    ("name", "factors", "expected"),
    [
        ("t.bw", ["A"], ["t.bw"]),
        ("t.bw", ["A", "B/C"], ["t.A.bw", "t.B_C.bw"]),
        ("my.t.bigwig", ["A", "B"], ["my.t.A.bigwig", "my.t.B.bigwig"]),
    ],
)
def test_track_paths(tmp_path, name, factors, expected):
    assert track_paths(tmp_path / name, factors) == [tmp_path / each for each in expected]


class TestCheckNames:
    def test_a_name_that_comes_twice_is_refused(self, tmp_path):
        (tmp_path / "in.fa").write_text(">a one\nACGT\n>b\nACGT\n>a two\nACGT\n")
        with pytest.raises(
            TfbindError, match=r"in\.fa: found two records called 'a', expected each name once"
        ):
            check_names(tmp_path / "in.fa")

    def test_others_are_not(self, tmp_path):
        (tmp_path / "in.fa").write_text(">a\nACGT\n>b\nACGT\n")
        check_names(tmp_path / "in.fa")


class TestWriteTracks:
    ROWS = (
        "chr2\t0\t10\t0.25\tNA\t\nchr2\t4\t14\t0.5\tNA\t\nchr2\t6\t16\t0.75\tNA\t\n"
        "chr10\t0\t10\tNA\t0.1\tambiguous\nchr10\t4\t14\t1\t0.2\t\n"
        "short\t0\t7\t0.125\tNA\tpadded\nempty\t0\t0\tNA\tNA\ttoo_short\n"
    )

    def write(self, tmp_path, rows=ROWS, factors=("A", "B")):
        (tmp_path / "t.tsv").write_text("\t".join(["id", "start", "end", *factors, "note"]) + "\n" + rows)
        paths = [tmp_path / f"{factor}.bw" for factor in factors]
        parts = [path.with_suffix(".part") for path in paths]
        write_tracks(tmp_path / "t.tsv", factors, TrackOptions(tmp_path / "t.bw", 4), 10, parts)
        for part, path in zip(parts, paths, strict=True):
            part.rename(path)
        assert len(list(tmp_path.iterdir())) == 1 + len(paths)
        return [
            {name: list(track.records(name)) for name in track.chroms()}
            for track in map(pybigtools.open, map(str, paths))
        ]

    def test_shows_what_the_table_says(self, tmp_path):
        one, other = self.write(tmp_path)
        assert one == {
            "chr10": [(7, 11, 1.0)],
            "chr2": [(3, 7, 0.25), (7, 11, 0.5), (11, 13, 0.75)],
            "short": [(1, 5, 0.125)],
        }
        assert other == {"chr10": [(3, 7, pytest.approx(0.1)), (7, 11, pytest.approx(0.2))]}
        assert pybigtools.open(str(tmp_path / "A.bw")).chroms() == {"chr10": 14, "chr2": 16, "short": 7}

    def test_gives_the_same_bytes_each_time(self, tmp_path):
        self.write(tmp_path)
        first = (tmp_path / "A.bw").read_bytes()
        self.write(tmp_path)
        assert (tmp_path / "A.bw").read_bytes() == first

    def test_of_a_long_contig_has_every_window(self, tmp_path):
        rows = "".join(f"c\t{4 * i}\t{4 * i + 10}\t{i % 8 / 8}\t\n" for i in range(70_000))
        (found,) = self.write(tmp_path, rows, factors=("A",))
        assert found["c"] == [(4 * i + 3, 4 * i + 7, i % 8 / 8) for i in range(70_000)]

    def test_without_a_score_is_refused(self, tmp_path):
        with pytest.raises(TfbindError, match=r"t\.bw: no window has a score for A, so there is no track"):
            self.write(tmp_path, "a\t0\t5\tNA\ttoo_short\n", factors=("A",))

    def test_what_cannot_be_written_is_one_error(self, tmp_path, capfd):
        (tmp_path / "t.tsv").write_text("id\tstart\tend\tA\tnote\na\t0\t10\t0.5\t\n")
        with (
            process.owned(),
            pytest.raises(TfbindError, match=r"t\.bw: the track cannot be written; is the disk full"),
        ):
            write_tracks(
                tmp_path / "t.tsv", ["A"], TrackOptions(tmp_path / "t.bw", 4), 10, [tmp_path / "no" / "t.bw"]
            )
        assert capfd.readouterr().err == ""

    def test_an_interruption_is_passed_on(self, tmp_path, monkeypatch):
        calls: list[int] = []

        def second_time_interrupted(*arguments):
            calls.append(1)
            if len(calls) > 1:
                raise KeyboardInterrupt
            return stretches(*arguments)

        rows = "".join(f"c\t{4 * i}\t{4 * i + 10}\t0.5\t\n" for i in range(70_000))
        monkeypatch.setattr("tfbind.binding.scanning.bigwig.stretches", second_time_interrupted)
        with pytest.raises(KeyboardInterrupt):
            self.write(tmp_path, rows, factors=("A",))
