import errno
import gzip
import json
import logging
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.resume.journal import Journal
from tfbind.resume.table import PartialTable, file_stamp, resumable

FINGERPRINT = {"model": "a", "stride": 5}


def write(table, *lines, start=0):
    """Write lines, each with a checkpoint that tells its number."""
    for number, line in enumerate(lines, start):
        table.lines.write(line)
        table.checkpoint({"done": number + 1})


def break_off(output, error, *lines, half="", complete=False):
    """Begin a table, and end it by an error."""
    with resumable(output, FINGERPRINT, resume=False) as table:
        write(table, *lines)
        table.lines.write(half)
        if complete:
            table.finish(table.state)
        raise error


def names_in(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}


class TestResumable:
    def test_a_finished_table_is_all_that_is_left(self, tmp_path):
        with resumable(tmp_path / "new" / "t.tsv", FINGERPRINT, resume=False) as table:
            write(table, "a\n", "b\n")
            table.finish(table.state)
        assert names_in(tmp_path / "new") == {"t.tsv"}
        assert (tmp_path / "new" / "t.tsv").read_text() == "a\nb\n"

    @pytest.mark.parametrize("name", ["t.tsv", "t.tsv.gz"])
    @pytest.mark.parametrize("how", [KeyboardInterrupt, SystemExit, RuntimeError])
    def test_an_interrupted_one_continues_after_its_latest_checkpoint(self, tmp_path, name, how):
        with resumable(tmp_path / f"whole_{name}", FINGERPRINT, resume=False) as table:
            write(table, "a\n", "b\n", "c\n")
            table.finish(table.state)
        with pytest.raises(how):
            break_off(tmp_path / name, how(), "a\n", "b\n", half="half of c")
        assert names_in(tmp_path) == {f"whole_{name}", f"{name}.partial", f"{name}.partial.journal"}
        opener = gzip.open if name.endswith("gz") else open
        with opener(tmp_path / f"{name}.partial", "rt") as handle:
            assert handle.read() == "a\nb\n"
        with resumable(tmp_path / name, FINGERPRINT, resume=True) as table:
            assert table.state == {"done": 2}
            write(table, "c\n", start=2)
            table.finish(table.state)
        assert (tmp_path / name).read_bytes() == (tmp_path / f"whole_{name}").read_bytes()
        assert names_in(tmp_path) == {f"whole_{name}", name}

    def test_an_interruption_says_what_to_do(self, tmp_path):
        with pytest.raises(
            KeyboardInterrupt,
            match=r"^interrupted; what is done is kept in .*t\.tsv\.partial; the same command with --resume continues",
        ):
            break_off(tmp_path / "t.tsv", KeyboardInterrupt(), "a\n")

    def test_before_anything_is_done_leaves_nothing(self, tmp_path):
        with pytest.raises(KeyboardInterrupt, match="nothing is done yet"):
            break_off(tmp_path / "t.tsv", KeyboardInterrupt())
        assert names_in(tmp_path) == set()

    def test_an_error_of_the_users_leaves_nothing(self, tmp_path):
        with pytest.raises(TfbindError, match=r"^a wrong letter$"):
            break_off(tmp_path / "t.tsv", TfbindError("a wrong letter"), "a\n")
        assert names_in(tmp_path) == set()

    def test_but_a_complete_table_is_kept(self, tmp_path):
        with pytest.raises(TfbindError, match=r"no such folder; what is done is kept in"):
            break_off(tmp_path / "t.tsv", TfbindError("no such folder"), "a\n", complete=True)
        with resumable(tmp_path / "t.tsv", FINGERPRINT, resume=True) as table:
            assert (table.complete, table.state) == (True, {"done": 1})
        assert names_in(tmp_path) == {"t.tsv"}

    def test_a_full_disk_is_one_error_that_names_the_partial_file(self, tmp_path):
        output = tmp_path / "t.tsv"
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with pytest.raises(
            TfbindError, match=r"t\.tsv: No space left on device; what is done is kept in .*\.partial"
        ):
            break_off(output, full, "a\n")
        with resumable(output, FINGERPRINT, resume=True) as table:
            assert table.state == {"done": 1}
            table.finish(table.state)
        assert output.read_text() == "a\n"

    def test_what_stood_there_stays_until_the_end(self, tmp_path):
        (tmp_path / "t.tsv").write_text("old")
        with resumable(tmp_path / "t.tsv", FINGERPRINT, resume=False) as table:
            write(table, "a\n")
            assert (tmp_path / "t.tsv").read_text() == "old"
            table.finish(table.state)
        assert (tmp_path / "t.tsv").read_text() == "a\n"


class TestWhatIsResumed:
    @pytest.fixture
    def partial(self, tmp_path):
        with pytest.raises(KeyboardInterrupt):
            break_off(tmp_path / "t.tsv", KeyboardInterrupt(), "a\n", "b\n")
        return tmp_path / "t.tsv"

    @pytest.mark.parametrize(
        ("other", "message"),
        [
            (
                {"model": "b", "stride": 5},
                r"t\.tsv\.partial: was started with model 'a', found 'b'; rerun without --resume to start over",
            ),
            ({"model": "a"}, "was started with stride 5, found None"),
            (FINGERPRINT | {"best": True}, "was started with best None, found True"),
        ],
    )
    def test_has_the_same_fingerprint(self, partial, other, message):
        with pytest.raises(TfbindError, match=message), resumable(partial, other, resume=True):
            pass
        with resumable(partial, FINGERPRINT, resume=True) as table:
            assert table.state == {"done": 2}

    @pytest.mark.parametrize(
        "change",
        [{"bytes": -5}, {"bytes": "4"}, {"bytes": 2**70}, {"bytes": True}, {"state": []}, {"complete": 1}],
        ids=str,
    )
    def test_is_what_a_table_writes(self, partial, change):
        journal = Journal(partial.with_name("t.tsv.partial.journal"), FINGERPRINT, resume=True)
        journal.replace(journal.entries[-1].state | change)
        journal.close()
        message = r"t\.tsv\.partial: is damaged and cannot be resumed; rerun without --resume to start over"
        with pytest.raises(TfbindError, match=message), resumable(partial, FINGERPRINT, resume=True):
            pass
        with resumable(partial, FINGERPRINT, resume="anew") as table:
            assert table.state == {}

    def test_is_what_the_block_writes(self, partial):
        with (
            pytest.raises(TfbindError, match=r"t\.tsv\.partial: is damaged and cannot be resumed"),
            resumable(partial, FINGERPRINT, resume=True, fits=lambda state: state["done"] != 2),
        ):
            pass
        with resumable(
            partial, FINGERPRINT, resume=True, fits=lambda state: state["done"] in (1, 2)
        ) as table:
            assert table.state == {"done": 2}

    def test_is_all_there(self, partial):
        (partial.parent / "t.tsv.partial").write_text("a\n")
        with pytest.raises(
            TfbindError,
            match=r"t\.tsv\.partial: found 2 bytes, but its journal says 4; rerun without --resume",
        ):
            PartialTable(partial, FINGERPRINT, True)
        assert (partial.parent / "t.tsv.partial").read_text() == "a\n"

    def test_is_understood(self, partial):
        (partial.parent / "t.tsv.partial.journal").write_text("{")
        with pytest.raises(TfbindError, match=r"t\.tsv\.partial: is damaged .*; rerun without --resume"):
            PartialTable(partial, FINGERPRINT, True)

    @pytest.mark.parametrize("damage", ["", "journal", "table"])
    def test_another_one_is_started_over_if_asked_for(self, partial, damage, caplog):
        if damage == "journal":
            (partial.parent / "t.tsv.partial.journal").write_text("{")
        elif damage == "table":
            (partial.parent / "t.tsv.partial").write_text("a\n")
        with resumable(partial, FINGERPRINT if damage else {"model": "b"}, resume="anew") as table:
            assert table.state == {}
            write(table, "c\n")
            table.finish(table.state)
        assert "t.tsv.partial" in caplog.text
        assert ": starting over" in caplog.text
        assert partial.read_text() == "c\n"
        assert names_in(partial.parent) == {"t.tsv"}

    def test_the_same_one_is_continued_even_where_another_would_be_started_over(self, partial):
        with resumable(partial, FINGERPRINT, resume="anew") as table:
            assert table.state == {"done": 2}

    def test_is_nothing_without_being_asked_to(self, partial, caplog):
        with resumable(partial, FINGERPRINT, resume=False) as table:
            assert table.state == {}
            write(table, "c\n")
            table.finish(table.state)
        assert "t.tsv.partial: starting over, because --resume is not given" in caplog.text
        assert partial.read_text() == "c\n"

    def test_is_no_longer_what_was_there_when_that_is_started_over(self, partial):
        """A run that is killed before its first entry leaves nothing that could be mistaken for the former one's."""
        table = PartialTable(partial, {"model": "b"}, "anew")
        table.lines.write("killed here\n")
        assert (partial.parent / "t.tsv.partial.journal").read_bytes() == b""
        assert (partial.parent / "t.tsv.partial").read_text() == "killed here\n"

    def test_may_be_nothing(self, tmp_path):
        with resumable(tmp_path / "t.tsv", FINGERPRINT, resume=True) as table:
            assert table.state == {}
            table.finish({})

    def test_is_nothing_where_a_finished_table_left_its_journal(self, partial, caplog):
        """As when the former run was killed after the table had its name."""
        (partial.parent / "t.tsv.partial").rename(partial)
        with caplog.at_level(logging.INFO), resumable(partial, FINGERPRINT, resume=True) as table:
            assert table.state == {}
            write(table, "c\n")
            table.finish(table.state)
        assert "t.tsv.partial: nothing to resume" in caplog.text
        assert partial.read_text() == "c\n"

    @pytest.mark.parametrize("resume", [False, True, "anew"])
    def test_is_not_being_written_by_another(self, partial, resume):
        with resumable(partial, FINGERPRINT, resume=True) as table:
            write(table, "c\n", start=2)
            with pytest.raises(TfbindError, match=r"t\.tsv\.partial: another run is using it"):
                PartialTable(partial, FINGERPRINT, resume)
            table.finish(table.state)
        assert partial.read_text() == "a\nb\nc\n"


class TestWhatAnEarlierVersionLeft:
    @pytest.fixture
    def partial(self, tmp_path):
        (tmp_path / "t.tsv.partial").write_text("a\nb\n")
        entry = {"format": "tfbind-partial-1", "bytes": 4, "complete": False, "state": {"done": 2}}
        (tmp_path / "t.tsv.partial.json").write_text(json.dumps(entry | {"fingerprint": FINGERPRINT}))
        return tmp_path / "t.tsv"

    def test_is_refused(self, partial):
        before = names_in(partial.parent)
        with pytest.raises(
            TfbindError,
            match=r"\.partial\.json: was written by another version of tfbind.*; rerun without --resume",
        ):
            PartialTable(partial, FINGERPRINT, True)
        assert names_in(partial.parent) == before
        assert (partial.parent / "t.tsv.partial").read_text() == "a\nb\n"

    @pytest.mark.parametrize(
        ("resume", "message"),
        [
            ("anew", "t.tsv.partial.json: was written by another version of tfbind"),
            (False, "t.tsv.partial: starting over, because --resume is not given"),
        ],
    )
    def test_is_started_over(self, partial, resume, message, caplog):
        with resumable(partial, FINGERPRINT, resume=resume) as table:
            assert table.state == {}
            write(table, "c\n")
            table.finish(table.state)
        assert message in caplog.text
        assert names_in(partial.parent) == {"t.tsv"}
        assert partial.read_text() == "c\n"


class TestFullDisk:
    """A limit of the size of files makes the writes of the kernel short, and then fail."""

    @pytest.mark.parametrize("name", ["t.tsv", "t.tsv.gz"])
    def test_keeps_what_is_complete(self, tmp_path, limit_of_file_size, name):
        rng = np.random.default_rng(1)
        output, lines = tmp_path / name, [f"{rng.bytes(450).hex()}\n" for _ in range(9)]
        opener = gzip.open if name.endswith("gz") else open
        limit_of_file_size(4000 if opener is open else 2500)
        with (
            pytest.raises(
                TfbindError, match=r"t\.tsv.*: File too large; what is done is kept in .*\.partial;"
            ),
            resumable(output, FINGERPRINT, resume=False) as table,
        ):
            write(table, *lines)
        limit_of_file_size(-1)
        with resumable(output, FINGERPRINT, resume=True) as table:
            done = table.state["done"]
            assert done >= 3
            write(table, *lines[done:], start=done)
            table.finish(table.state)
        with opener(output, "rt") as handle:
            assert handle.read() == "".join(lines)
        assert names_in(tmp_path) == {name}


def test_the_journal_is_written_now_and_then(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def noted():
        latest = (tmp_path / "t.tsv.partial.journal").read_text().splitlines()[-1]
        return json.loads(latest.split(" ", 2)[2])["state"]["done"]

    with resumable(tmp_path / "t.tsv", FINGERPRINT, resume=False) as table:
        found = []
        for now[0] in (0.0, 1.0, 4.0, 6.0, 7.0):
            write(table, "a\n", start=int(now[0]))
            found.append(noted())
        table.finish(table.state)
    assert found == [1, 1, 1, 7, 7]


def test_a_file_stamp_changes_with_the_file(tmp_path):
    (tmp_path / "f").write_text("a")
    before = file_stamp(tmp_path / "f")
    os.utime(tmp_path / "f", (1, 1))
    assert file_stamp(tmp_path / "f") != before
    with pytest.raises(TfbindError, match="gone: no such file"):
        file_stamp(tmp_path / "gone")


SCRIPT = """
import sys, time
from pathlib import Path
import numpy as np
from tfbind.binding.scanning import prediction
from tfbind.binding.scanning.calls import CallOptions
from tfbind.binding.scanning.bigwig import TrackOptions
from tfbind.binding.scanning.finished import Beside
from tfbind.binding.scanning.windows import windows_of_fasta
from tfbind.resume import table

folder, name, seconds, best = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), sys.argv[4] == "best"
table.SECONDS_BETWEEN_ENTRIES = 0

class Card:
    tasks = ("A", "B")
    class encoding:
        length = 40

class Model:
    card = Card

    def stream(self, batches, *, uncertainty):
        for codes, valid_length in batches:
            time.sleep(seconds)
            print("scored", flush=True)
            yield np.stack([(codes == base).sum(axis=1) / valid_length for base in (1, 2)], axis=1)

prediction.predict(
    Model(),
    windows_of_fasta(folder / "in.fa", 40, 3),
    folder / f"{name}.tsv.gz",
    best=best,
    batch_size=100_000,
    beside=Beside(
        CallOptions(folder / f"{name}.bed.gz", [0.3, 0.4], one_a_row=best),
        None if best else TrackOptions(folder / f"{name}.bw", 3),
    ),
    fingerprint={"best": best},
    resume=True,
)
"""


class TestAKilledRun:
    @pytest.fixture
    def folder(self, tmp_path):
        letters = np.random.default_rng(3).choice(list("ACGTN"), 150_000, p=[0.3, 0.2, 0.25, 0.2, 0.05])
        ends = [90_000, 90_010, 90_010, 90_200, 150_000]
        starts = [0, *ends[:-1]]
        records = [
            f">r{9 - i}\n{''.join(letters[a:b])}\n" for i, (a, b) in enumerate(zip(starts, ends, strict=True))
        ]
        (tmp_path / "in.fa").write_text("".join(records))
        return tmp_path

    def run(self, folder, name, best, *, kill=None):
        """Run to the end, or send a signal when the third and the fifth group have been scored."""
        command = [sys.executable, "-c", SCRIPT, str(folder), name, "0.1" if kill else "0", best]
        if kill is None:
            return subprocess.run(command, check=True, capture_output=True)
        for n_groups in (3, 2):
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
                for _ in range(n_groups):
                    assert process.stdout.readline() == b"scored\n"
                process.send_signal(kill)
            assert process.returncode != 0
        return None

    @pytest.mark.parametrize(("kill", "best"), [(signal.SIGKILL, "all"), (signal.SIGINT, "best")])
    def test_ends_in_the_files_of_an_undisturbed_one(self, folder, kill, best):
        self.run(folder, "whole", best)
        self.run(folder, "killed", best, kill=kill)
        assert {path.name for path in folder.glob("killed*")} == {
            "killed.tsv.gz.partial",
            "killed.tsv.gz.partial.journal",
        }
        done = self.run(folder, "killed", best)
        assert 0 < done.stdout.count(b"scored") < 7
        assert not list(folder.glob("*.partial*"))
        for path in folder.glob("whole*"):
            assert path.read_bytes() == (folder / path.name.replace("whole", "killed")).read_bytes()
