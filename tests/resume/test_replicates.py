import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.resume.replicates import FinishedReplicates

PARTS = {"id": "sim1", "n": 3, "x": np.arange(5, dtype=np.int32), "empty": np.empty(0, np.uint8)}
CALL = {"seed": 1}


def begin(tmp_path, call=CALL, resume=True):
    return FinishedReplicates(tmp_path / "out" / "sims.h5", call, resume)


def test_keeps_what_was_added(tmp_path):
    finished = begin(tmp_path)
    finished.add(4, PARTS)
    finished.add(1, PARTS | {"id": "sim2"})
    finished.close(discard=False)
    again = begin(tmp_path)
    assert [replicate in again for replicate in (0, 1, 4)] == [False, True, True]
    found = again.read(4)
    assert (found["id"], found["n"]) == ("sim1", 3)
    np.testing.assert_array_equal(found["x"], PARTS["x"], strict=True)
    assert again.read(1)["id"] == "sim2"
    again.close(discard=True)
    assert not again.path.exists()


@pytest.mark.parametrize("lost", [1, 100, 2000])
def test_a_record_cut_off_is_done_again(tmp_path, lost):
    finished = begin(tmp_path)
    finished.add(0, PARTS)
    size = finished.path.stat().st_size
    finished.add(1, PARTS | {"x": np.zeros(1000)})
    finished.close(discard=False)
    data = finished.path.read_bytes()
    finished.path.write_bytes(data[:-lost])
    again = begin(tmp_path)
    assert 0 in again
    assert 1 not in again
    assert again.path.stat().st_size == size
    again.add(1, PARTS)
    assert again.read(1)["n"] == 3
    again.close(discard=True)


def test_a_damaged_record_is_done_again(tmp_path):
    finished = begin(tmp_path)
    finished.add(0, PARTS)
    finished.close(discard=False)
    data = bytearray(finished.path.read_bytes())
    data[-40] ^= 1
    finished.path.write_bytes(data)
    assert 0 not in begin(tmp_path)


def test_other_arguments_are_refused(tmp_path):
    finished = begin(tmp_path)
    finished.add(0, PARTS)
    finished.close(discard=False)
    with pytest.raises(TfbindError, match=r"sims\.h5\.partial: was begun with other arguments"):
        begin(tmp_path, {"seed": 2})


def test_without_resume_all_is_begun_anew(tmp_path, caplog):
    finished = begin(tmp_path)
    finished.add(0, PARTS)
    finished.close(discard=False)
    assert 0 not in begin(tmp_path, resume=False)
    assert "is begun anew, as --resume is not given" in caplog.text


def test_nothing_finished_leaves_nothing(tmp_path):
    finished = begin(tmp_path)
    finished.close(discard=False)
    assert not finished.path.exists()


def test_other_arguments_are_begun_anew_where_that_is_asked_for(tmp_path, caplog):
    finished = begin(tmp_path)
    finished.add(0, PARTS)
    finished.close(discard=False)
    assert 0 in begin(tmp_path, resume="anew")
    again = begin(tmp_path, {"seed": 2}, resume="anew")
    assert 0 not in again
    assert "was begun with other arguments, and is begun anew" in caplog.text
    again.add(1, PARTS)
    again.close(discard=False)
    assert 1 in begin(tmp_path, {"seed": 2})
