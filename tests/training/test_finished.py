"""Whether a training is finished, by the model and the checkpoints that are there."""

from contextlib import suppress

import pytest

from tfbind.errors import TfbindError
from tfbind.resume.checkpoint import checkpointed
from tfbind.training import finished
from tfbind.training.finished import finished_training

OWN, OTHER = {"seed": 1}, {"seed": 2}


@pytest.fixture
def output(tmp_path, monkeypatch):
    """A model of a training with the fingerprint OWN, and its history."""
    monkeypatch.setattr(finished, "read_values", lambda path, kind: {"made with": OWN})
    output = tmp_path / "m.keras"
    output.touch()
    output.with_suffix(".history.tsv").touch()
    return output


def find(output, wanted=OWN, **more):
    """Whether the training of ``wanted`` is finished."""
    given = {"checkpoint": wanted} | more
    found = finished_training(
        output, "binding", wanted, lambda values: values["made with"], (".history.tsv",), **given
    )
    return found is not None


def interrupt(output, fingerprint, *, resume=False):
    """Leave the checkpoint of a training that was interrupted after an epoch."""
    with suppress(ZeroDivisionError), checkpointed(output, fingerprint, resume=resume) as checkpoint:
        checkpoint.write({"history": []}, {})
        raise ZeroDivisionError


def test_without_a_checkpoint_it_is(output):
    assert find(output)
    output.with_suffix(".history.tsv").unlink()
    assert not find(output)


def test_with_its_own_checkpoint_it_is_not(output):
    interrupt(output, OWN)
    assert not find(output)


def test_nor_with_its_own_set_aside(output):
    interrupt(output, OWN)
    interrupt(output, OTHER, resume=True)
    assert not find(output)


@pytest.mark.parametrize("aside", [False, True])
def test_a_checkpoint_of_another_training_changes_nothing(output, aside):
    interrupt(output, OTHER)
    if aside:
        with checkpointed(output, OWN, resume=True):
            pass
        assert [path.name for path in output.parent.glob("*.checkpoint.*")]
    assert find(output)


@pytest.mark.parametrize("content", [b"", b"tfbind-journal-1 00000000 {}\n", b"PK\x03\x04"])
def test_a_checkpoint_that_cannot_be_read_may_be_its_own(output, content):
    output.with_suffix(".checkpoint").write_bytes(content)
    assert not find(output)


def test_what_has_no_checkpoint_of_its_own_is_not_changed_by_any(output):
    output.with_suffix(".checkpoint").touch()
    assert find(output, checkpoint=None)


def test_a_model_of_another_training_is_refused_unless_it_was_to_be_replaced(output):
    with pytest.raises(
        TfbindError, match=r"m\.keras: is finished, and was trained with seed 1, found 2; rerun"
    ):
        find(output, OTHER)
    assert not find(output, OTHER, replacing=True)
    interrupt(output, {"seed": 3})
    assert not find(output, OTHER)
