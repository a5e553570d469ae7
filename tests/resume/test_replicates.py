import contextlib
import errno
import os

import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.resume.journal import Journal
from tfbind.resume.replicates import FinishedReplicates, finished_replicates

PARTS = {"id": "sim1", "n": 3, "x": np.arange(5, dtype=np.int32), "empty": np.empty(0, np.uint8)}
CALL = {"seed": 1}


@contextlib.contextmanager
def begin(tmp_path, call=CALL, resume=True):
    """Open what is finished, and keep it afterwards."""
    finished = FinishedReplicates(tmp_path / "out" / "sims.h5", call, resume)
    try:
        yield finished
    finally:
        finished.journal.close()


def path_in(tmp_path):
    return tmp_path / "out" / "sims.h5.partial"


@pytest.fixture
def one(tmp_path):
    """Replicate 0 is finished."""
    with begin(tmp_path) as finished:
        finished.add(0, PARTS)
    return path_in(tmp_path)


def test_keeps_what_was_added(tmp_path):
    with begin(tmp_path) as finished:
        finished.add(4, PARTS)
        finished.add(1, PARTS | {"id": "sim2"})
    with begin(tmp_path) as again:
        assert [replicate in again for replicate in (0, 1, 4)] == [False, True, True]
        found = again.read(4)
        assert (found["id"], found["n"]) == ("sim1", 3)
        np.testing.assert_array_equal(found["x"], PARTS["x"], strict=True)
        assert len(found["empty"]) == 0
        assert again.read(1)["id"] == "sim2"
    assert path_in(tmp_path).exists()


def test_success_removes_it(tmp_path, one):
    with finished_replicates(tmp_path / "out" / "sims.h5", CALL, resume=True) as finished:
        finished.add(1, PARTS)
    assert list(one.parent.iterdir()) == []


@pytest.mark.parametrize("lost", [1, 100, 2000])
def test_a_record_cut_off_is_done_again(tmp_path, one, lost):
    size = one.stat().st_size
    with begin(tmp_path) as finished:
        finished.add(1, PARTS | {"x": np.zeros(1000)})
    os.truncate(one, one.stat().st_size - lost)
    with begin(tmp_path) as again:
        assert 0 in again
        assert 1 not in again
        assert one.stat().st_size == size
        again.add(1, PARTS)
        assert again.read(1)["n"] == 3


def test_a_damaged_record_is_done_again(tmp_path, one):
    data = bytearray(one.read_bytes())
    data[-40] ^= 1
    one.write_bytes(data)
    with begin(tmp_path) as again:
        assert 0 not in again
        again.add(0, PARTS)
    with begin(tmp_path) as again:
        assert again.read(0)["n"] == 3


@pytest.mark.parametrize("state", [{}, {"replicate": -1}, {"replicate": "0"}, {"replicate": None}], ids=str)
def test_an_entry_of_something_else_is_refused_or_started_over(tmp_path, state):
    output = tmp_path / "s.h5"
    journal = Journal(tmp_path / "s.h5.partial", {}, resume=False)
    journal.add(state)
    journal.close()
    with (
        pytest.raises(TfbindError, match=r"s\.h5\.partial: is damaged and cannot be resumed; rerun without"),
        finished_replicates(output, {}, resume=True),
    ):
        pass
    with finished_replicates(output, {}, resume="anew") as finished:
        assert 0 not in finished


def test_other_arguments_are_refused_by_name(tmp_path, one):
    before = one.read_bytes()
    with (
        pytest.raises(
            TfbindError, match=r"sims\.h5\.partial: was started with seed 1, found 2; rerun without"
        ),
        begin(tmp_path, {"seed": 2}),
    ):
        pass
    assert one.read_bytes() == before


def test_without_resume_all_is_started_over(tmp_path, one, caplog):
    with begin(tmp_path, resume=False) as finished:
        assert 0 not in finished
        finished.add(1, PARTS)
    assert "sims.h5.partial: starting over, because --resume is not given" in caplog.text
    with begin(tmp_path) as again:
        assert 0 not in again
        assert 1 in again


def test_nothing_finished_leaves_nothing(tmp_path):
    with begin(tmp_path):
        pass
    assert not path_in(tmp_path).exists()


def test_other_arguments_are_started_over_if_asked_for(tmp_path, one, caplog):
    with begin(tmp_path, resume="anew") as finished:
        assert 0 in finished
    with begin(tmp_path, {"seed": 2}, resume="anew") as again:
        assert 0 not in again
        assert "was started with seed 1, found 2: starting over" in caplog.text
        again.add(1, PARTS)
    with begin(tmp_path, {"seed": 2}) as again:
        assert 1 in again


def test_what_an_earlier_version_left_is_refused_or_started_over(tmp_path, caplog):
    path_in(tmp_path).parent.mkdir()
    path_in(tmp_path).write_bytes(b"tfbind-replicates-1 " + b"0" * 64 + b"\n" + bytes(200))
    with (
        pytest.raises(TfbindError, match=r"partial: was written by another version of tfbind"),
        begin(tmp_path),
    ):
        pass
    with begin(tmp_path, resume="anew") as finished:
        assert 0 not in finished
    assert (
        "was written by another version of tfbind, which this version cannot resume: starting over"
        in caplog.text
    )


@pytest.mark.parametrize(
    ("raised", "expected", "message"),
    [
        (
            KeyboardInterrupt(),
            KeyboardInterrupt,
            r"^interrupted; what is done is kept in .*sims\.h5\.partial; ",
        ),
        (
            OSError(errno.ENOSPC, "full"),
            TfbindError,
            r"sims\.h5: full; what is done is kept in .*\.partial; ",
        ),
        (TfbindError("a process was killed"), TfbindError, r"^a process was killed$"),
        (SystemExit(), SystemExit, None),
    ],
)
def test_a_failure_keeps_what_is_finished(tmp_path, raised, expected, message):
    def fail():
        with finished_replicates(tmp_path / "out" / "sims.h5", CALL, resume=False) as finished:
            finished.add(3, PARTS)
            raise raised

    with pytest.raises(expected, match=message):
        fail()
    with begin(tmp_path) as again:
        assert 3 in again


def test_a_full_disk_keeps_what_is_finished(tmp_path, one, limit_of_file_size):
    limit_of_file_size(one.stat().st_size + 1000)
    with (
        pytest.raises(TfbindError, match=r"sims\.h5: File too large; what is done is kept in .*\.partial; "),
        finished_replicates(tmp_path / "out" / "sims.h5", CALL, resume=True) as finished,
    ):
        finished.add(1, PARTS | {"x": np.zeros(1000)})
    limit_of_file_size(-1)
    with begin(tmp_path) as again:
        assert 1 not in again
        assert again.read(0)["n"] == 3
