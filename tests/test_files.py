import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest
from Bio import bgzf

from tfbind.errors import TfbindError
from tfbind.files import (
    BGZF_END,
    is_gzip,
    no_empty_folders,
    open_text,
    prepare_output,
    protected,
    sha256,
    unchanged,
    whole_folder,
    whole_output,
    write_text,
)


def read(path):
    with open_text(path) as handle:
        return handle.read()


class TestOpenText:
    def test_plain(self, tmp_path):
        path = tmp_path / "a.txt"
        path.write_bytes(b"one\ntwo\n")
        assert read(path) == "one\ntwo\n"

    def test_gzip_is_told_by_content_not_by_name(self, tmp_path):
        path = tmp_path / "a.txt"
        path.write_bytes(gzip.compress(b"one\ntwo\n"))
        assert is_gzip(path)
        assert read(path) == "one\ntwo\n"

    def test_several_gzip_members(self, tmp_path):
        path = tmp_path / "a.gz"
        path.write_bytes(gzip.compress(b"one\n") + gzip.compress(b"two\n"))
        assert read(path) == "one\ntwo\n"

    def test_bgzf_of_several_blocks(self, tmp_path):
        path = tmp_path / "a.bgz"
        text = "ACGTACGTAC\n" * 20_000
        with bgzf.BgzfWriter(str(path)) as handle:
            handle.write(text)
        assert read(path) == text

    def test_bgzf_without_its_end_block_seems_to_be_cut_off(self, tmp_path):
        path = tmp_path / "a.bgz"
        with bgzf.BgzfWriter(str(path)) as handle:
            handle.write("ACGT\n")
        assert read(path) == "ACGT\n"
        path.write_bytes(path.read_bytes()[: -len(BGZF_END)])
        # to gzip it is whole
        assert gzip.decompress(path.read_bytes()) == b"ACGT\n"
        with pytest.raises(TfbindError, match=r"a\.bgz: has no BGZF end block, so it seems to be cut off"):
            read(path)

    @pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
    def test_line_ends(self, tmp_path, line_end):
        path = tmp_path / "a.txt"
        path.write_bytes(f"one{line_end}two".encode())
        with open_text(path) as handle:
            assert list(handle) == ["one\n", "two"]

    def test_byte_order_mark(self, tmp_path):
        path = tmp_path / "a.txt"
        path.write_bytes(b"\xef\xbb\xbfone\n")
        assert read(path) == "one\n"

    def test_empty(self, tmp_path):
        path = tmp_path / "a.txt"
        path.touch()
        assert read(path) == ""

    def test_missing(self, tmp_path):
        with pytest.raises(TfbindError, match=r"/none\.fa: no such file$"):
            read(tmp_path / "none.fa")

    def test_folder(self, tmp_path):
        with pytest.raises(TfbindError, match="is a folder, expected a file"):
            read(tmp_path)

    @pytest.mark.parametrize("kept", [-1, -8, -20, 12])
    def test_cut_off_gzip(self, tmp_path, kept):
        path = tmp_path / "a.gz"
        path.write_bytes(gzip.compress(os.urandom(3000).hex().encode())[:kept])
        with pytest.raises(TfbindError, match=r"a\.gz: the gzip data are damaged or cut off"):
            read(path)

    def test_damaged_gzip(self, tmp_path):
        content = bytearray(gzip.compress(b"ACGT" * 1000 + os.urandom(100).hex().encode()))
        content[-30] ^= 0xFF
        path = tmp_path / "a.gz"
        path.write_bytes(content)
        with pytest.raises(TfbindError, match="damaged or cut off"):
            read(path)

    def test_not_text(self, tmp_path):
        path = tmp_path / "a.txt"
        path.write_bytes(b">a\n\xff\xfe\n")
        with pytest.raises(TfbindError, match=r"a\.txt: not a text file"):
            read(path)

    def test_error_of_the_block_itself_passes_through(self, tmp_path):
        path = tmp_path / "a.txt"
        path.write_text("one\n")
        with pytest.raises(KeyError), open_text(path):
            raise KeyError("mine")


class TestWholeOutput:
    def test_writes_and_makes_the_folder(self, tmp_path):
        path = tmp_path / "new" / "deep" / "a.txt"
        with whole_output(path) as temporary:
            assert temporary.parent == path.parent
            temporary.write_text("whole")
            assert not path.exists()
        assert path.read_text() == "whole"
        assert os.listdir(path.parent) == ["a.txt"]

    @pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
    def test_failure_leaves_what_was_there(self, tmp_path, kind):
        path = tmp_path / "a.txt"
        path.write_text("before")

        def fail():
            with whole_output(path) as temporary:
                temporary.write_text("half")
                raise kind

        with pytest.raises(kind):
            fail()
        assert path.read_text() == "before"
        assert os.listdir(tmp_path) == ["a.txt"]

    def test_permissions_follow_the_umask(self, tmp_path):
        before = os.umask(0o027)
        try:
            with whole_output(tmp_path / "a.txt") as temporary:
                temporary.touch()
        finally:
            os.umask(before)
        assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640

    def test_refuses_a_folder(self, tmp_path):
        with pytest.raises(TfbindError, match="is a folder, expected a name"), whole_output(tmp_path):
            pass

    def test_leaves_a_device_or_pipe_in_its_place(self, tmp_path):
        path = tmp_path / "pipe"
        os.mkfifo(path)
        with pytest.raises(TfbindError, match="pipe: is not a regular file"), whole_output(path):
            pass
        assert path.is_fifo()

    def test_refuses_a_folder_that_is_a_file(self, tmp_path):
        (tmp_path / "a").touch()
        with pytest.raises(TfbindError, match="a/b: cannot be written"), whole_output(tmp_path / "a" / "b"):
            pass


KILLED = """
import os, signal, sys
from pathlib import Path
from tfbind.files import whole_folder, whole_output

make = {"file": whole_output, "folder": whole_folder}[sys.argv[1]]
with make(Path(sys.argv[2])) as temporary:
    if temporary.is_dir():
        (temporary / "a.txt").write_text("half")
    print(temporary, flush=True)
    if sys.argv[3] == "wait":
        sys.stdin.read()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("kind", ["file", "folder"])
class TestLeftBehind:
    """By processes that were killed."""

    @staticmethod
    def make(kind, path):
        with {"file": whole_output, "folder": whole_folder}[kind](path) as temporary:
            (temporary / "a.txt" if kind == "folder" else temporary).write_text("whole")

    def test_a_rerun_removes_it(self, kind, tmp_path):
        command = [sys.executable, "-c", KILLED, kind, tmp_path / "out", "now"]
        left = Path(subprocess.run(command, capture_output=True, text=True).stdout.strip())
        assert left.exists()
        self.make(kind, tmp_path / "out")
        assert not left.exists()
        assert [path.name for path in tmp_path.iterdir()] == ["out"]

    def test_what_belongs_to_another_process_or_output_stays(self, kind, tmp_path):
        command = [sys.executable, "-c", KILLED, kind, tmp_path / "out", "wait"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
            left = Path(other.stdout.readline().strip())
            foreign = left.with_name(".out.5c3f.part")
            foreign.touch()
            self.make(kind, tmp_path / "out")
            assert left.exists()
        self.make(kind, tmp_path / "out")
        assert not left.exists()
        assert foreign.exists()


class TestWholeFolder:
    def fill(self, folder, number, error=None):
        with whole_folder(folder, last="metrics.json") as temporary:
            (temporary / "metrics.json").write_text(f"metrics {number}")
            (temporary / "curve.tsv").write_text(f"curve {number}")
            if error:
                raise error

    def test_a_failure_leaves_the_folder_as_it_was(self, tmp_path):
        self.fill(tmp_path / "out", 1)
        with pytest.raises(RuntimeError, match="x"):
            self.fill(tmp_path / "out", 2, RuntimeError("x"))
        found = {path.name: path.read_text() for path in (tmp_path / "out").iterdir()}
        assert found == {"metrics.json": "metrics 1", "curve.tsv": "curve 1"}

    def test_a_failure_leaves_no_folder_that_was_not_there(self, tmp_path):
        with pytest.raises(RuntimeError, match="x"):
            self.fill(tmp_path / "out", 1, RuntimeError("x"))
        assert not (tmp_path / "out").exists()

    def test_files_in_folders_inside_are_moved_and_older_ones_replaced(self, tmp_path):
        for number, names in enumerate((["logos/a.svg", "logos/b.svg"], ["logos/a.svg", "c/d/e.svg"])):
            with whole_folder(tmp_path / "out") as temporary:
                for name in names:
                    (temporary / name).parent.mkdir(parents=True, exist_ok=True)
                    (temporary / name).write_text(str(number))
        found = {
            str(path.relative_to(tmp_path / "out")): path.read_text() for path in tmp_path.rglob("*.svg")
        }
        assert found == {"logos/a.svg": "1", "logos/b.svg": "0", "c/d/e.svg": "1"}

    def test_other_files_stay_and_older_ones_are_replaced(self, tmp_path):
        self.fill(tmp_path / "out", 1)
        (tmp_path / "out" / "mine.txt").write_text("mine")
        self.fill(tmp_path / "out", 2)
        found = {path.name: path.read_text() for path in (tmp_path / "out").iterdir()}
        assert found == {"metrics.json": "metrics 2", "curve.tsv": "curve 2", "mine.txt": "mine"}

    def test_an_input_in_the_folder_is_not_overwritten(self, tmp_path):
        self.fill(tmp_path / "out", 1)
        inputs = [("--sites", tmp_path / "out" / "curve.tsv")]
        with (
            protected(inputs),
            pytest.raises(TfbindError, match=r"curve\.tsv: would overwrite the file of --sites"),
        ):
            self.fill(tmp_path / "out", 2)
        assert (tmp_path / "out" / "metrics.json").read_text() == "metrics 1"

    def test_a_full_disk_names_the_file(self, tmp_path):
        with pytest.raises(OSError, match="No space") as caught:
            self.fill(tmp_path / "out", 1, OSError(28, "No space left on device"))
        assert caught.value.filename == str(tmp_path / "out")


def test_a_name_as_long_as_can_be(tmp_path):
    path = tmp_path / ("a" * 255)
    write_text(path, "whole")
    assert path.read_text() == "whole"
    with pytest.raises(TfbindError, match="the name has more than 255 bytes"):
        write_text(tmp_path / ("a" * 256), "whole")


class TestPrepareOutput:
    def test_makes_the_folder_and_nothing_else(self, tmp_path):
        prepare_output(tmp_path / "new" / "a.txt")
        assert os.listdir(tmp_path / "new") == []

    def test_refuses_a_folder_that_cannot_be_written_to(self, tmp_path, monkeypatch):
        # in place of a mode that would not stop root
        monkeypatch.setattr(os, "access", lambda path, _: path != tmp_path)
        with pytest.raises(TfbindError, match=r"a\.txt: cannot be written \(no permission to write in "):
            prepare_output(tmp_path / "a.txt")


def test_sha256(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_pipe_is_refused(tmp_path):
    """Inputs are read twice, which a pipe does not bear."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(TfbindError, match="is a pipe or a device"), open_text(pipe):
        pass


class TestNoEmptyFolders:
    def write(self, path, error=None, kept=None):
        with no_empty_folders():
            prepare_output(path)
            assert path.parent.is_dir()
            if kept:
                kept.touch()
            if error:
                raise error

    @pytest.mark.parametrize("error", [TfbindError("x"), OSError(), KeyboardInterrupt()])
    def test_a_failure_leaves_none_of_those_that_it_made(self, tmp_path, error):
        (tmp_path / "mine").mkdir()
        with pytest.raises(type(error)):
            self.write(tmp_path / "mine" / "new" / "deep" / "a.txt", error)
        assert [path.name for path in tmp_path.rglob("*")] == ["mine"]

    def test_a_failure_leaves_those_that_hold_something(self, tmp_path):
        with pytest.raises(TfbindError):
            self.write(tmp_path / "a" / "b" / "c.txt", TfbindError(), tmp_path / "a" / "kept.partial")
        assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "kept.partial"]

    def test_an_earlier_block_does_not_count(self, tmp_path):
        self.write(tmp_path / "a" / "x.txt")
        with pytest.raises(TfbindError):
            self.write(tmp_path / "b" / "x.txt", TfbindError())
        assert [path.name for path in tmp_path.iterdir()] == ["a"]


class TestWriteText:
    @pytest.mark.parametrize("text", ["eins\nzw\u00f6lf\n", ["eins\n", "zw\u00f6lf\n"]])
    def test_plain_or_packed_by_name(self, tmp_path, text):
        for name in ("a.txt", "a.txt.gz", "a.txt.bgz"):
            write_text(tmp_path / name, text)
            assert read(tmp_path / name) == "eins\nzw\u00f6lf\n"
            assert is_gzip(tmp_path / name) == (name != "a.txt")

    def test_packed_is_bgzf(self, tmp_path):
        write_text(tmp_path / "a.gz", "x" * 100_000)
        with bgzf.open(tmp_path / "a.gz") as handle:
            assert len(handle.read(100_001)) == 100_000
        # with its end block
        assert read(tmp_path / "a.gz") == "x" * 100_000

    def test_a_failure_leaves_nothing(self, tmp_path):
        with pytest.raises(ZeroDivisionError):
            write_text(tmp_path / "a.txt", (str(1 / x) for x in (1, 0)))
        assert list(tmp_path.iterdir()) == []


class TestProtected:
    def test_files_are_not_overwritten_under_any_name(self, tmp_path):
        (tmp_path / "in.txt").write_text("mine")
        (tmp_path / "link.txt").symlink_to("in.txt")
        (tmp_path / "hard.txt").hardlink_to(tmp_path / "in.txt")
        inputs = [("--input", tmp_path / "in.txt"), ("--none", tmp_path / "none"), ("--folder", tmp_path)]
        with protected(inputs):
            for name in ("in.txt", "link.txt", "hard.txt"):
                with pytest.raises(TfbindError, match=rf"{name}: would overwrite the file of --input"):
                    write_text(tmp_path / name, "other")
            write_text(tmp_path / "none", "new")
        write_text(tmp_path / "link.txt", "other")
        assert (tmp_path / "in.txt").read_text() == "mine"
        assert (tmp_path / "link.txt").read_text() == "other"


class TestUnchanged:
    def test_says_nothing_of_files_that_stay(self, tmp_path):
        (tmp_path / "a").write_text("1")
        with unchanged([tmp_path / "a", tmp_path / "none"]) as check:
            (tmp_path / "a").read_text()
            check()

    @pytest.mark.parametrize("error", [None, ValueError("2 rows")])
    @pytest.mark.parametrize("how", ["was removed", "changed"])
    def test_names_a_file_that_does_not(self, tmp_path, error, how):
        (tmp_path / "a").write_text("1")
        (tmp_path / "b").write_text("1")

        def work():
            with unchanged([tmp_path / "a", tmp_path / "b"]) as check:
                if how == "changed":
                    (tmp_path / "b").write_text("22")
                else:
                    (tmp_path / "b").unlink()
                if error:
                    raise error
                with pytest.raises(TfbindError, match=how):
                    check()

        with pytest.raises(TfbindError, match=f"b: {how} while it was read; run again"):
            work()

    def test_leaves_other_errors_alone(self, tmp_path):
        (tmp_path / "a").write_text("1")
        with pytest.raises(ValueError, match="2 rows"), unchanged([tmp_path / "a"]):
            raise ValueError("2 rows")
