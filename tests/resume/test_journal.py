import errno
import fcntl
import json
import logging
import os
import signal
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from tfbind.errors import TfbindError
from tfbind.resume.fingerprint import difference
from tfbind.resume.journal import FORMAT, Journal, keeping

CALL = {"options": {"epochs": 4, "rate": 0.1}, "files": [{"name": "a", "size": 3}], "best": False}
OTHER = {**CALL, "options": {"epochs": 4, "rate": 0.2}}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "j"


def states(journal):
    return [entry.state["n"] for entry in journal.entries]


def write(path, *numbers, call=CALL, resume=True):
    """Add entries, each with data of its own."""
    journal = Journal(path, call, resume=resume)
    for n in numbers:
        journal.add({"n": n}, data_of(n))
    journal.close()


def data_of(n):
    return f"\n{n}\n".encode() * (300 * n)


def names_in(folder):
    return {each.name for each in folder.iterdir()}


class TestEntries:
    def test_are_found_again(self, path):
        write(path, 1, 0, 2)
        write(path, 3)
        journal = Journal(path, CALL, resume=True)
        assert states(journal) == [1, 0, 2, 3]
        assert [journal.data(entry) for entry in journal.entries] == [data_of(n) for n in (1, 0, 2, 3)]
        journal.close()
        assert names_in(path.parent) == {"j"}

    def test_may_replace_all_before_them(self, path):
        journal = Journal(path, CALL, resume=True)
        sizes = []
        for n in (5, 4, 4, 4):
            journal.replace({"n": n}, data_of(n))
            assert (states(journal), journal.data(journal.entries[0])) == ([n], data_of(n))
            sizes.append(path.stat().st_size)
        assert sizes[0] > sizes[1] == sizes[2] == sizes[3]
        journal.add({"n": 1}, data_of(1))
        journal.close()
        again = Journal(path, CALL, resume=True)
        assert states(again) == [4, 1]
        assert [again.data(entry) for entry in again.entries] == [data_of(4), data_of(1)]

    @pytest.mark.parametrize("lost", [1, 2, 900, 1200, 1210])
    def test_half_of_one_is_cut_off(self, path, lost, caplog):
        write(path, 1, 2)
        whole = path.stat().st_size
        write(path, 3)
        os.truncate(path, path.stat().st_size - min(lost, path.stat().st_size - whole - 1))
        with caplog.at_level(logging.INFO):
            journal = Journal(path, CALL, resume=True)
        assert "j: cut off an incomplete entry" in caplog.text
        assert states(journal) == [1, 2]
        assert path.stat().st_size == whole
        journal.add({"n": 4}, data_of(4))
        journal.close()
        again = Journal(path, CALL, resume=True)
        assert states(again) == [1, 2, 4]
        assert again.data(again.entries[2]) == data_of(4)

    @pytest.mark.parametrize("at", [-1, -500, -905])
    def test_a_damaged_one_is_not_used(self, path, at):
        write(path, 1, 3)
        data = bytearray(path.read_bytes())
        data[at] ^= 1
        path.write_bytes(data)
        assert states(Journal(path, CALL, resume=True)) == [1]

    def test_a_size_beyond_the_file_is_no_entry(self, path):
        write(path, 1)
        with path.open("ab") as handle:
            handle.write(b"00000000 99999999999999999999 {}\n")
        assert states(Journal(path, CALL, resume=True)) == [1]

    def test_where_the_only_one_is_damaged_all_is_to_be_done(self, path, caplog):
        write(path, 3)
        os.truncate(path, path.stat().st_size - 1)
        journal = Journal(path, CALL, resume=True)
        assert journal.entries == []
        assert "j: is damaged and cannot be resumed: starting over" in caplog.text
        journal.add({"n": 2})
        journal.close()
        assert states(Journal(path, CALL, resume=True)) == [2]

    @pytest.mark.parametrize("former", [(), (3,)])
    def test_survives_an_interruption_just_after_it_is_in_place(self, path, former, monkeypatch):
        journal = Journal(path, CALL, resume=True)
        for n in former:
            journal.add({"n": n})
        rename = Path.replace

        def interrupt(self, target):
            rename(self, target)
            raise KeyboardInterrupt

        monkeypatch.setattr(Path, "replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            journal.replace({"n": 5}, data_of(5))
        monkeypatch.undo()
        journal.close()
        assert states(Journal(path, CALL, resume=True)) == [5]
        assert names_in(path.parent) == {"j"}

    def test_can_be_read_by_people(self, path):
        write(path, 0, 0)
        head, *entries = path.read_text().splitlines()
        assert head.startswith(FORMAT.decode())
        assert json.loads(head.split(" ", 2)[2]) == CALL
        assert [line.split(" ", 2)[2] for line in entries] == ['{"n": 0}'] * 2


class TestPolicy:
    @pytest.fixture
    def left(self, path):
        write(path, 1, 2)
        return path

    @pytest.mark.parametrize("resume", [True, "anew", "aside"])
    def test_the_same_fingerprint_is_continued(self, left, resume, caplog):
        assert states(Journal(left, json.loads(json.dumps(CALL)), resume=resume)) == [1, 2]
        assert not caplog.text

    @pytest.mark.parametrize("call", [CALL, OTHER])
    def test_without_resume_all_is_started_over(self, left, call, caplog):
        write(left, 7, call=call, resume=False)
        assert f"{left}: starting over, because --resume is not given" in caplog.text
        assert states(Journal(left, call, resume=True)) == [7]

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (
                OTHER,
                r"j: was started with options\.rate 0\.1, found 0\.2; rerun without --resume to start over",
            ),
            ({**CALL, "best": True}, "was started with best False, found True"),
            ({**CALL, "stride": [1, 2]}, r"was started with stride None, found \[1, 2\]"),
            ({"options": CALL["options"], "best": False}, r"started with files \[.*'size': 3}\], found None"),
            ({**CALL, "files": [{"name": "a", "size": 4}]}, r"started with files\[0\]\.size 3, found 4"),
            ({**CALL, "options": {"rate": 0.3, "epochs": 5}}, r"started with options\.rate 0\.1, found 0\.3"),
        ],
    )
    def test_another_fingerprint_is_refused_by_its_first_key_that_differs(self, left, call, message):
        before = left.read_bytes()
        with pytest.raises(TfbindError, match=message):
            Journal(left, call, resume=True)
        assert left.read_bytes() == before
        assert states(Journal(left, CALL, resume=True)) == [1, 2]

    def test_of_long_values_both_ends_are_told(self, left):
        was, now = "a" * 100 + "1", "a" * 100 + "2"
        assert difference({"x": was}, {"x": now}) == ("x", was, now)
        write(left, 1, call={"x": was}, resume=False)
        with pytest.raises(
            TfbindError, match=r"started with x 'a{39}\.{3}a{38}1', found 'a{39}\.{3}a{38}2';"
        ):
            Journal(left, {"x": now}, resume=True)

    def test_another_fingerprint_is_started_over_if_asked_for(self, left, caplog):
        write(left, 3, call=OTHER, resume="anew")
        assert "j: was started with options.rate 0.1, found 0.2: starting over" in caplog.text
        assert states(Journal(left, OTHER, resume=True)) == [3]
        assert names_in(left.parent) == {"j"}

    def test_another_fingerprint_is_set_aside_and_brought_back(self, left, caplog):
        write(left, 3, call=OTHER, resume="aside")
        assert (
            "j: was started with options.rate 0.1, found 0.2: starting over, and keeping the old"
            in caplog.text
        )
        assert len(names_in(left.parent)) == 2
        journal = Journal(left, CALL, resume="aside")
        assert states(journal) == [1, 2]
        assert journal.data(journal.entries[1]) == data_of(2)
        journal.remove()
        assert len(names_in(left.parent)) == 1
        assert states(Journal(left, OTHER, resume="aside")) == [3]
        assert names_in(left.parent) == {"j"}

    def test_what_was_set_aside_goes_when_its_work_is_finished(self, left):
        write(left, 3, call=OTHER, resume="aside")
        journal = Journal(left, CALL, resume=False)
        journal.add({"n": 1})
        journal.remove()
        assert names_in(left.parent) == set()

    @pytest.mark.parametrize("resume", [True, "anew", "aside"])
    def test_nothing_there_is_nothing_to_resume(self, path, resume, caplog):
        with caplog.at_level(logging.INFO):
            journal = Journal(path, CALL, resume=resume)
        assert journal.entries == []
        assert "j: nothing to resume" in caplog.text
        journal.close()

    @pytest.mark.parametrize("how", ["close", "remove", "keep"])
    def test_nothing_done_leaves_nothing(self, path, how):
        assert getattr(Journal(path, CALL, resume=True), how)() in (None, "nothing is done yet")
        assert names_in(path.parent) == set()

    @pytest.mark.parametrize("resume", [False, "anew"])
    def test_what_was_there_stays_until_something_else_is_done(self, left, resume):
        before = left.read_bytes()
        journal = Journal(left, OTHER, resume=resume)
        assert left.read_bytes() == before
        assert journal.keep() == "nothing is done yet"
        assert states(Journal(left, CALL, resume=True)) == [1, 2]


FORMER = {
    "replicates": b"tfbind-replicates-1 0123456789abcdef\n" + bytes(100),
    "checkpoint": b"PK\x03\x04" + bytes(100),
    "a later version": b"tfbind-journal-2 00000000 {}\n",
}


class TestWhatIsNoJournalOfThisVersion:
    @pytest.mark.parametrize(
        ("content", "message"),
        [(content, "was written by another version of tfbind") for content in FORMER.values()]
        + [
            (b"hello\n", "is damaged and cannot be resumed"),
            (bytes(100), "is damaged and cannot be resumed"),
            (b"tfbind-journal-1 00000000 {}\n", "is damaged and cannot be resumed"),
        ],
    )
    def test_is_refused_or_started_over(self, path, content, message, caplog):
        path.parent.mkdir()
        path.write_bytes(content)
        with pytest.raises(TfbindError, match=rf"j: {message}.*; rerun without --resume to start over"):
            Journal(path, CALL, resume=True)
        assert path.read_bytes() == content
        for resume in ("anew", "aside", False):
            path.write_bytes(content)
            caplog.clear()
            journal = Journal(path, CALL, resume=resume)
            assert journal.entries == []
            assert "starting over" in caplog.text
            assert (message in caplog.text) == bool(resume)
            journal.add({"n": 5})
            journal.close()
            assert states(Journal(path, CALL, resume=True)) == [5]

    @pytest.mark.parametrize("position", range(-1, 100, 7))
    def test_a_damaged_head_is_never_read(self, path, position):
        write(path, 1)
        data = bytearray(path.read_bytes())
        position %= data.index(b"\n") + 1
        data[position] ^= 4
        path.write_bytes(data)
        with pytest.raises(TfbindError, match=r"j: (is damaged|was written by another version)"):
            Journal(path, CALL, resume=True)


class TestWhatIsWholeButNotOurs:
    """Files whose checksums are right, and that say what no run writes."""

    @pytest.mark.parametrize(
        "text", [b"[]\n", b"3\n", b'{"a": \n', b"\xff\n", b"[" * 100_000 + b"\n"], ids=lambda text: text[:9]
    )
    def test_head(self, path, text):
        path.parent.mkdir()
        path.write_bytes(b" ".join((FORMAT, b"%08x" % zlib.crc32(text), text)))
        with pytest.raises(TfbindError, match="j: is damaged and cannot be resumed; rerun without --resume"):
            Journal(path, CALL, resume=True)
        assert Journal(path, CALL, resume="anew").entries == []

    @pytest.mark.parametrize("text", [b"0 []\n", b"0 7\n", b"0 {\n", b"9" * 5000 + b" {}\n", b"-5 {}\n"])
    def test_entry(self, path, text):
        write(path, 1)
        with open(path, "ab") as handle:
            handle.write(b"%08x %s" % (zlib.crc32(text), text))
        assert states(Journal(path, CALL, resume=True)) == [1]

    def test_state_that_does_not_fit(self, path):
        write(path, 1, 2)
        with pytest.raises(TfbindError, match="j: is damaged and cannot be resumed; rerun without --resume"):
            Journal(path, CALL, resume=True, fits=lambda state: state["n"] == 1)
        assert Journal(path, CALL, resume="anew", fits=lambda state: False).entries == []
        assert states(Journal(path, CALL, resume=True, fits=lambda state: state["n"] < 3)) == [1, 2]

    @pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04" + bytes(40)])
    def test_data_that_are_no_arrays(self, path, data):
        journal = Journal(path, CALL, resume=True)
        journal.add({"n": 1}, data)
        with pytest.raises(TfbindError, match="j: is damaged and cannot be resumed; rerun without --resume"):
            journal.arrays(journal.entries[0])


class TestLock:
    @pytest.mark.parametrize("resume", [True, False, "anew", "aside"])
    def test_refuses_a_second_one(self, path, resume):
        journal = Journal(path, CALL, resume=True)
        for n in (1, 2, 3):
            with pytest.raises(TfbindError, match="j: another run is using it; wait until"):
                Journal(path, CALL, resume=resume)
            # the file is another one each time
            journal.replace({"n": n})
        assert states(journal) == [3]
        journal.close()
        assert states(Journal(path, CALL, resume=True)) == [3]

    def test_holds_after_setting_aside_and_bringing_back(self, path):
        write(path, 1)
        for call in (OTHER, CALL):
            journal = Journal(path, call, resume="aside")
            with pytest.raises(TfbindError, match="another run is using it"):
                Journal(path, call, resume="aside")
            journal.add({"n": 2})
            journal.close()

    def test_of_a_file_that_is_gone_is_not_enough(self, path, monkeypatch):
        """Between opening and locking, the former owner may have removed or replaced the file."""
        write(path, 1)
        flock, calls = fcntl.flock, []

        def remove_first(handle, how):
            if not calls:
                path.unlink()
                write_whole(path)
            calls.append(handle)
            flock(handle, how)

        def write_whole(path):
            path.with_name("other").write_bytes(b"")
            path.with_name("other").replace(path)

        monkeypatch.setattr(fcntl, "flock", remove_first)
        journal = Journal(path, CALL, resume=True)
        assert len(calls) == 2
        monkeypatch.undo()
        journal.add({"n": 2})
        with pytest.raises(TfbindError, match="another run is using it"):
            Journal(path, CALL, resume=True)
        journal.close()
        assert states(Journal(path, CALL, resume=True)) == [2]

    def test_is_gone_with_a_process_that_is_killed(self, path):
        script = (
            "import sys, time; from pathlib import Path; from tfbind.resume.journal import Journal\n"
            f"journal = Journal(Path(sys.argv[1]), {CALL!r}, resume=True); journal.add({{'n': 1}})\n"
            "print('there', flush=True); time.sleep(60)"
        )
        with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"there\n"
            with pytest.raises(TfbindError, match="another run is using it"):
                Journal(path, CALL, resume=True)
            process.send_signal(signal.SIGKILL)
        assert states(Journal(path, CALL, resume=True)) == [1]

    def test_where_there_are_none_one_line_says_so(self, path, monkeypatch, caplog):
        def flock(handle, how):
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

        monkeypatch.setattr(fcntl, "flock", flock)
        with caplog.at_level(logging.INFO):
            write(path, 1, resume=False)
            assert caplog.text.count("\n") == 1
            assert "j: cannot be locked (No locks available): run one job at a time" in caplog.text
        assert states(Journal(path, CALL, resume=True)) == [1]


class TestFullDisk:
    """A limit of the size of files makes the writes of the kernel short, and then fail."""

    @pytest.mark.parametrize("way", ["add", "replace"])
    def test_keeps_what_is_complete(self, path, way, limit_of_file_size):
        journal = Journal(path, CALL, resume=True)
        journal.add({"n": 1}, data_of(1))
        before = path.read_bytes()
        limit_of_file_size(len(before) + 100)
        with pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
            getattr(journal, way)({"n": 3}, data_of(3))
        assert path.read_bytes() == before
        assert names_in(path.parent) == {"j"}
        limit_of_file_size(-1)
        with pytest.raises(TfbindError, match="another run"):
            Journal(path, CALL, resume=True)
        getattr(journal, way)({"n": 2}, data_of(2))
        journal.close()
        assert states(Journal(path, CALL, resume=True)) == ([1, 2] if way == "add" else [2])


class TestKeeping:
    @pytest.mark.parametrize(
        ("raised", "expected", "message"),
        [
            (KeyboardInterrupt(), KeyboardInterrupt, r"^interrupted; all is kept$"),
            (OSError(errno.ENOSPC, "full"), TfbindError, r"^out: full; all is kept$"),
            (OSError(errno.EACCES, "denied"), OSError, "denied$"),
            (SystemExit(3), SystemExit, "3"),
            (TfbindError("a wrong letter"), TfbindError, r"^a wrong letter$"),
        ],
    )
    def test_says_what_is_kept(self, tmp_path, monkeypatch, caplog, raised, expected, message):
        monkeypatch.chdir(tmp_path)
        with (
            caplog.at_level(logging.INFO),
            pytest.raises(expected, match=message) as found,
            keeping(Path("out"), lambda: "all is kept"),
        ):
            raise raised
        told = "all is kept" in str(found.value) + caplog.text
        assert told == (not isinstance(raised, TfbindError))


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TfbindError, match=r"j: cannot be written"):
        Journal(tmp_path / "file" / "j", CALL, resume=False)
