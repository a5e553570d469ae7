import gzip
import shutil

import numpy as np
import pytest

from tfbind.binding.scanning.prediction import predict
from tfbind.binding.scanning.score_table import read_blocks, read_rows, records_of
from tfbind.binding.scanning.shards import choose_piece, join_pieces
from tfbind.binding.scanning.windows import ROWS_AT_ONCE, Portion, windows_of_fasta
from tfbind.errors import TfbindError

LENGTH, STRIDE = 20, 2
FINGERPRINT = {"model": "a"}


class Model:
    """Scores a window by its bases and by its place in the batch, so that other batches score otherwise.

    ``stop`` interrupts it after so many batches.
    """

    class card:
        tasks = ("A", "B")

    def __init__(self, stop: int = -1):
        self.stop = stop

    def stream(self, batches, *, uncertainty):
        for codes, valid_length in batches:
            if self.stop == 0:
                raise KeyboardInterrupt
            self.stop -= 1
            share = np.stack([(codes == base).sum(axis=1) / valid_length for base in (1, 2)], axis=1)
            # a base count has many ties
            yield share * 0.9 + np.arange(len(codes))[:, None] // 500 / 1e7


def score(fasta, output, which=None, *, model=None, resume=False, strict=False, best=False):
    """Write a table, or a piece of it."""

    def windows():
        return windows_of_fasta(fasta, LENGTH, STRIDE, strict=strict)

    fingerprint = FINGERPRINT | {"best": best}
    piece = None if which is None else choose_piece(which, windows(), fingerprint, best=best)
    fingerprint |= {"piece": which}
    given = {"best": best, "batch_size": 3000, "piece": piece, "fingerprint": fingerprint, "resume": resume}
    return predict(model or Model(), windows(), output, **given)


def letters(n: int) -> str:
    return "".join(np.random.default_rng(n).choice(list("ACGTN"), n, p=[0.3, 0.2, 0.25, 0.2, 0.05]))


INPUTS = {
    "one long contig": [("chr", letters(80_000))],
    "many small records": [(f"r{i}", letters(5 + i % 30)) for i in range(18_000)],
    "contigs and small records": [
        *((f"s{i}", letters(i % 40)) for i in range(3000)),
        ("long", letters(30_000)),
        ("unknown", "N" * 30_000),
        *((f"t{i}", letters(20)) for i in range(3000)),
        ("long", letters(40_001)),
        ("last", "AC"),
    ],
    "less than one group": [("a", letters(100)), ("b", "ACG"), ("c", "N" * 50)],
    "one short record": [("a", "ACGTACGTACGT")],
}


@pytest.fixture(scope="module", params=INPUTS)
def whole(request, tmp_path_factory):
    """A FASTA, and the folder in which the table of a run without pieces is."""
    folder = tmp_path_factory.mktemp("whole")
    with gzip.open(folder / "in.fa.gz", "wt", newline="") as handle:
        for name, sequence in INPUTS[request.param]:
            lines = [sequence[at : at + 61] for at in range(0, len(sequence), 61)]
            handle.write("\r\n".join([f">{name} of a kind", *lines, ""]))
    score(folder / "in.fa.gz", folder / "whole.tsv.gz")
    return folder


@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_joined_pieces_are_the_table_byte_by_byte(whole, of, tmp_path):
    pieces = [tmp_path / f"{number}.tsv.gz" for number in range(1, of + 1)]
    counts = [score(whole / "in.fa.gz", path, (number, of)) for number, path in enumerate(pieces, 1)]
    join_pieces(pieces[::-1], tmp_path / "t.tsv.gz")
    assert (tmp_path / "t.tsv.gz").read_bytes() == (whole / "whole.tsv.gz").read_bytes()
    with gzip.open(whole / "whole.tsv.gz", "rt") as handle:
        assert sum(count["windows"] for count in counts) == len(handle.readlines()) - 1


@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_so_are_those_of_best_windows(whole, of, tmp_path):
    score(whole / "in.fa.gz", tmp_path / "whole.tsv.gz", best=True)
    pieces = [tmp_path / f"{number}.tsv.gz" for number in range(1, of + 1)]
    for number, path in enumerate(pieces, 1):
        score(whole / "in.fa.gz", path, (number, of), best=True)
    join_pieces(pieces[::-1], tmp_path / "t.tsv.gz")
    assert (tmp_path / "t.tsv.gz").read_bytes() == (tmp_path / "whole.tsv.gz").read_bytes()


def test_best_windows_are_the_first_highest_of_whole_records(whole, tmp_path):
    score(whole / "in.fa.gz", tmp_path / "best.tsv.gz", best=True)
    records = list(records_of(read_blocks(whole / "whole.tsv.gz")))
    found = list(read_rows(tmp_path / "best.tsv.gz"))
    assert [row.id for row in found] == [record.id for record in records]
    for row, record in zip(found, records, strict=True):
        if np.isnan(record.scores).all():
            assert np.isnan(row.scores).all()
        else:
            assert row.scores in record.scores[record.start == row.start].tolist()
            assert max(row.scores) == np.nanmax(record.scores)


def test_pieces_are_of_one_size_and_cut_long_contigs(tmp_path):
    (tmp_path / "in.fa").write_text(f">chr\n{letters(80_000)}\n")
    sizes = [score(tmp_path / "in.fa", tmp_path / "p.tsv.gz", (number, 3))["windows"] for number in (1, 2, 3)]
    assert sizes == [ROWS_AT_ONCE, 2 * ROWS_AT_ONCE, 39_991 - 3 * ROWS_AT_ONCE]


def test_windows_of_other_pieces_are_not_cut():
    def refuse():
        raise AssertionError

    windows = [Portion(ROWS_AT_ONCE, refuse)] * 10
    assert choose_piece((2, 4), windows, FINGERPRINT)[:2] == (2, 4)
    assert [choose_piece((number, 4), windows, FINGERPRINT)[3:5] for number in (1, 2, 3, 4)] == [
        (0, 2),
        (2, 5),
        (5, 7),
        (7, 10),
    ]


def test_a_wrong_letter_stops_the_piece_that_holds_it(tmp_path):
    (tmp_path / "in.fa").write_text(f">a\n{letters(40_000)}\n>b\n{'ACGT' * 10}X\n")
    score(tmp_path / "in.fa", tmp_path / "1.tsv.gz", (1, 2), strict=True)
    with pytest.raises(TfbindError, match=r"in\.fa: record 'b': found 'X' at position 41"):
        score(tmp_path / "in.fa", tmp_path / "2.tsv.gz", (2, 2), strict=True)


class TestResume:
    @pytest.fixture
    def fasta(self, tmp_path):
        (tmp_path / "in.fa").write_text(f">a\n{letters(100_000)}\n>b\nACGT\n")
        score(tmp_path / "in.fa", tmp_path / "whole.tsv.gz")
        return tmp_path / "in.fa"

    @pytest.mark.parametrize("stop", [0, 2, 4, 7])
    def test_each_piece_goes_on_where_it_stopped(self, fasta, tmp_path, stop):
        pieces = [tmp_path / f"{number}.tsv.gz" for number in (1, 2)]
        for number, path in enumerate(pieces, 1):
            with pytest.raises(KeyboardInterrupt):
                score(fasta, path, (number, 2), model=Model(stop))
            score(fasta, path, (number, 2), resume=True)
        join_pieces(pieces, tmp_path / "t.tsv.gz")
        assert (tmp_path / "t.tsv.gz").read_bytes() == (tmp_path / "whole.tsv.gz").read_bytes()

    @pytest.mark.parametrize("stop", [1, 3])
    def test_so_does_each_of_best_windows(self, fasta, tmp_path, stop):
        score(fasta, tmp_path / "best.tsv.gz", best=True)
        pieces = [tmp_path / f"{number}.tsv.gz" for number in (1, 2)]
        for number, path in enumerate(pieces, 1):
            with pytest.raises(KeyboardInterrupt):
                score(fasta, path, (number, 2), model=Model(stop), best=True)
            score(fasta, path, (number, 2), resume=True, best=True)
        join_pieces(pieces, tmp_path / "t.tsv.gz")
        assert (tmp_path / "t.tsv.gz").read_bytes() == (tmp_path / "best.tsv.gz").read_bytes()

    def test_but_not_with_another_piece(self, fasta, tmp_path):
        with pytest.raises(KeyboardInterrupt):
            score(fasta, tmp_path / "1.tsv.gz", (1, 2), model=Model(3))
        with pytest.raises(TfbindError, match=r"was started with piece \[1, 2\], found \[2, 2\]"):
            score(fasta, tmp_path / "1.tsv.gz", (2, 2), resume=True)


class TestJoining:
    @pytest.fixture
    def pieces(self, tmp_path):
        (tmp_path / "in.fa").write_text(f">a\n{letters(40_000)}\n")
        paths = [tmp_path / f"{number}.tsv.gz" for number in (1, 2, 3)]
        for number, path in enumerate(paths, 1):
            score(tmp_path / "in.fa", path, (number, 3))
        return paths

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ([0, 2], r"t\.tsv\.gz: is made of 3 pieces, found all but 2$"),
            ([1], r"t\.tsv\.gz: is made of 3 pieces, found all but 1, 3$"),
            ([0, 1, 2, 1], r"2\.tsv\.gz: is piece 2, as is .*2\.tsv\.gz$"),
        ],
    )
    def test_takes_every_piece_once(self, pieces, tmp_path, given, message):
        with pytest.raises(TfbindError, match=message):
            join_pieces([pieces[index] for index in given], tmp_path / "t.tsv.gz")
        assert not (tmp_path / "t.tsv.gz").exists()

    @pytest.mark.parametrize(
        ("which", "fingerprint"), [((2, 3), {"model": "b"}), ((2, 4), FINGERPRINT)], ids=["model", "number"]
    )
    def test_takes_pieces_of_one_table(self, pieces, tmp_path, which, fingerprint):
        windows = list(windows_of_fasta(tmp_path / "in.fa", LENGTH, STRIDE))
        piece = choose_piece(which, windows, fingerprint)
        predict(Model(), windows, tmp_path / "other.tsv.gz", best=False, batch_size=3000, piece=piece)
        given = [pieces[0], tmp_path / "other.tsv.gz", pieces[2]]
        with pytest.raises(
            TfbindError, match=r"other\.tsv\.gz: is a piece of another table than .*1\.tsv\.gz"
        ):
            join_pieces(given, tmp_path / "t.tsv.gz")

    @pytest.mark.parametrize(
        "content", [b"", b"id\tstart\n", b"\x1f\x8bxyz" * 99, gzip.compress(b"a b c d\n", mtime=0)]
    )
    def test_refuses_what_is_no_piece(self, pieces, tmp_path, content):
        (tmp_path / "x").write_bytes(content)
        with pytest.raises(TfbindError, match="x: is no piece of a table, expected a file of tfbind predict"):
            join_pieces([*pieces, tmp_path / "x"], tmp_path / "t.tsv.gz")

    def test_refuses_a_whole_table_a_missing_file_and_a_folder(self, pieces, tmp_path):
        score(tmp_path / "in.fa", tmp_path / "whole.tsv.gz")
        for name, message in (("whole.tsv.gz", "is no piece"), ("gone", "no such file"), ("", "is a folder")):
            with pytest.raises(TfbindError, match=message):
                join_pieces([*pieces, tmp_path / name], tmp_path / "t.tsv.gz")

    def test_refuses_what_is_cut_off(self, pieces, tmp_path):
        shutil.copy(pieces[1], tmp_path / "cut.tsv.gz")
        with open(tmp_path / "cut.tsv.gz", "r+b") as handle:
            handle.truncate(pieces[1].stat().st_size - 5)
        with pytest.raises(
            TfbindError, match=r"cut\.tsv\.gz: has no BGZF end block, so it seems to be cut off"
        ):
            join_pieces([pieces[0], tmp_path / "cut.tsv.gz", pieces[2]], tmp_path / "t.tsv.gz")

    def test_refuses_best_windows_without_their_end(self, tmp_path):
        (tmp_path / "in.fa").write_text(f">a\n{letters(40_000)}\n")
        path = tmp_path / "1.tsv.gz"
        score(tmp_path / "in.fa", path, (1, 1), best=True)
        data = path.read_bytes()
        mark, header = (
            int.from_bytes(data[at + 16 : at + 18], "little") + 1 for at in (0, data.index(b"\x1f\x8b", 1))
        )
        path.write_bytes(data[: mark + header] + data[-28:])
        with pytest.raises(
            TfbindError, match=r"1\.tsv\.gz: is damaged, expected a piece of a table of best windows"
        ):
            join_pieces([path], tmp_path / "t.tsv.gz")

    def test_takes_names_longer_than_a_block(self, tmp_path):
        (tmp_path / "in.fa").write_text(
            f">{'x' * 70_000}\n{letters(40_000)}\n>{'y' * 70_000}\n{letters(30_000)}\n"
        )
        score(tmp_path / "in.fa", tmp_path / "whole.tsv.gz", best=True)
        pieces = [tmp_path / f"{number}.tsv.gz" for number in (1, 2)]
        for number, path in enumerate(pieces, 1):
            score(tmp_path / "in.fa", path, (number, 2), best=True)
        join_pieces(pieces, tmp_path / "t.tsv.gz")
        assert (tmp_path / "t.tsv.gz").read_bytes() == (tmp_path / "whole.tsv.gz").read_bytes()

    def test_makes_bgzf_only(self, pieces, tmp_path):
        with pytest.raises(TfbindError, match=r"t\.tsv: pieces are BGZF, expected a name that ends in"):
            join_pieces(pieces, tmp_path / "t.tsv")
