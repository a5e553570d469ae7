import errno
import io
import json

import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.resume.checkpoint import checkpointed

MADE_WITH = {"network": {"units": 3}, "options": {"epochs": 4}, "data": "a"}
ARRAYS = {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "n": np.array(3, np.int64)}


def train(tmp_path, *epochs, made_with=MADE_WITH, resume=True, error=None):
    """Write epochs, and end in an error if there is one; give what was there before."""
    with checkpointed(tmp_path / "m.keras", made_with, resume=resume) as checkpoint:
        found = checkpoint.read()
        for epoch in epochs:
            checkpoint.write({"epoch": epoch}, ARRAYS | {"e": np.full(epoch, 7.5)})
        if error is not None:
            raise error
    return found


@pytest.fixture
def left(tmp_path):
    """The checkpoint of an interrupted training of two epochs."""
    with pytest.raises(
        KeyboardInterrupt, match=r"^interrupted; what is done is kept in .*m\.checkpoint; the same"
    ):
        train(tmp_path, 1, 2, error=KeyboardInterrupt())
    return tmp_path / "m.checkpoint"


def names_in(folder):
    return {path.name for path in folder.iterdir()}


def test_holds_the_latest_epoch(tmp_path, left):
    state, arrays = train(tmp_path)
    assert state == {"epoch": 2}
    assert set(arrays) == {"w", "n", "e"}
    np.testing.assert_array_equal(arrays["w"], ARRAYS["w"], strict=True)
    np.testing.assert_array_equal(arrays["n"], ARRAYS["n"], strict=True)
    assert arrays["e"].tolist() == [7.5, 7.5]


def test_a_finished_training_leaves_nothing(tmp_path, left):
    train(tmp_path, 3)
    assert names_in(tmp_path) == set()
    assert train(tmp_path) is None


def test_nothing_trained_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt, match="nothing is done yet"):
        train(tmp_path, error=KeyboardInterrupt())
    with pytest.raises(TfbindError, match=r"^a wrong input$"):
        train(tmp_path, error=TfbindError("a wrong input"))
    assert names_in(tmp_path) == set()


def test_does_not_grow_with_epochs(tmp_path, left):
    before = left.stat().st_size
    with pytest.raises(SystemExit):
        train(tmp_path, *[2] * 20, error=SystemExit())
    assert left.stat().st_size == before
    assert names_in(tmp_path) == {"m.checkpoint"}


def test_without_resume_training_starts_over(tmp_path, left, caplog):
    assert train(tmp_path, resume=False) is None
    assert "m.checkpoint: starting over, because --resume is not given" in caplog.text


def test_of_other_options_is_kept_and_found_again(tmp_path, left, caplog):
    other = MADE_WITH | {"options": {"epochs": 5}}
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, 1, made_with=other, error=KeyboardInterrupt())
    assert (
        "m.checkpoint: was started with options.epochs 4, found 5: starting over, and keeping" in caplog.text
    )
    (kept,) = names_in(tmp_path) - {"m.checkpoint"}
    assert kept in caplog.text
    assert train(tmp_path)[0] == {"epoch": 2}
    assert train(tmp_path, made_with=other)[0] == {"epoch": 1}
    assert names_in(tmp_path) == set()


def test_is_locked_as_long_as_the_block_goes_on(tmp_path):
    with checkpointed(tmp_path / "m.keras", MADE_WITH, resume=False) as checkpoint:
        for epoch in (1, 2):
            for made_with in (MADE_WITH, {"data": "b"}):
                for resume in (False, True):
                    with pytest.raises(TfbindError, match=r"m\.checkpoint: another run is using it"):
                        train(tmp_path, 7, made_with=made_with, resume=resume)
            checkpoint.write({"epoch": epoch}, ARRAYS)
        assert checkpoint.read()[0] == {"epoch": 2}
        assert names_in(tmp_path) == {"m.checkpoint"}


def test_of_an_earlier_version_is_not_read(tmp_path, caplog):
    buffer = io.BytesIO()
    meta = {"fingerprint": MADE_WITH, "history": [{"epoch": 7}]}
    np.savez(buffer, meta=np.array(json.dumps(meta)), variable_0=np.zeros(3))
    (tmp_path / "m.checkpoint").write_bytes(buffer.getvalue())
    assert train(tmp_path, 1) is None
    assert "m.checkpoint: was written by another version of tfbind, which this version cannot" in caplog.text


def test_a_full_disk_keeps_the_former_epoch(tmp_path, left, limit_of_file_size):
    limit_of_file_size(left.stat().st_size + 100)
    with pytest.raises(
        TfbindError, match=r"m\.keras: File too large; what is done is kept in .*m\.checkpoint; "
    ):
        train(tmp_path, 1000)
    limit_of_file_size(-1)
    assert names_in(tmp_path) == {"m.checkpoint"}
    assert train(tmp_path)[0] == {"epoch": 2}


def test_an_error_that_is_not_the_disks_keeps_the_former_epoch(tmp_path, left):
    with pytest.raises(OSError, match="denied"):
        train(tmp_path, 3, error=OSError(errno.EACCES, "denied"))
    assert train(tmp_path)[0] == {"epoch": 3}
