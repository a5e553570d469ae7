"""The checkpoint of a training: its latest epoch, for a run that continues after an interruption."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tfbind.resume.arrays import to_bytes
from tfbind.resume.journal import Journal, keeping


class Checkpoint:
    """The journal ``NAME.checkpoint`` of the model ``NAME.keras``, with one entry: the latest epoch.

    Training takes hours, so the checkpoint of other options is set aside (see `tfbind.resume.journal.Journal`).

    Attributes
    ----------
    path : Path
    """

    def __init__(self, output: Path, fingerprint: Mapping[str, Any], resume: bool):
        self.path = output.with_suffix(".checkpoint")
        self.journal = Journal(self.path, fingerprint, resume="aside" if resume else False, fits=_fits)

    def read(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Give the state and the arrays of the latest epoch, or None if training starts from the beginning."""
        if not self.journal.entries:
            return None
        entry = self.journal.entries[-1]
        return entry.state, self.journal.arrays(entry)

    def reject(self, reason: str) -> None:
        """Start over, as the latest epoch is of no use; say why."""
        self.journal.reject(f"{self.path}: {reason}")

    def write(self, state: dict[str, Any], arrays: Mapping[str, Any]) -> None:
        """Replace the former epoch by this one: what JSON can hold, and arrays by name."""
        self.journal.replace(state, to_bytes(arrays))


def _fits(state: dict[str, Any]) -> bool:
    """Tell whether the rows of a history, if there are any, are what they should be."""
    history = state.get("history", [])
    return isinstance(history, list) and all(isinstance(row, dict) for row in history)


@contextmanager
def checkpointed(output: Path, fingerprint: Mapping[str, Any], *, resume: bool) -> Iterator[Checkpoint]:
    """Give the checkpoint of a training; it is kept if the block fails, and removed if it succeeds.

    The block is to write the model, too, as an epoch is only safe to forget when the model is there.

    Parameters
    ----------
    output : Path
        The model.
    fingerprint : mapping of str to what JSON can hold
        What must be the same for another run to continue.
    resume : bool
        Whether to continue an interrupted run of the same fingerprint. A checkpoint of another one is kept under
        another name until its own run is resumed.

    Raises
    ------
    TfbindError
        If another run is training the same output, or if the disk is full.
    """
    checkpoint = Checkpoint(output, fingerprint, resume)
    try:
        with keeping(output, checkpoint.journal.keep):
            yield checkpoint
            checkpoint.journal.remove()
    finally:
        checkpoint.journal.close()
