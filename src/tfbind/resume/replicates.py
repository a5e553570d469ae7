"""Replicates of a simulation that survive an interruption."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tfbind.files import prepare_output
from tfbind.resume.arrays import to_bytes
from tfbind.resume.entries import Entry, is_count
from tfbind.resume.journal import Journal, Resume, keeping


class FinishedReplicates:
    """The journal ``OUTPUT.partial``, with an entry for each finished replicate, in any order.

    The number of replicates is not part of the fingerprint: a run for more or fewer of them continues, too.
    """

    def __init__(self, output: Path, fingerprint: Mapping[str, Any], resume: Resume):
        prepare_output(output)
        self.journal = Journal(
            output.with_name(f"{output.name}.partial"),
            fingerprint,
            resume=resume,
            fits=lambda state: is_count(state.get("replicate")),
        )
        self._entries: dict[int, Entry] = {entry.state["replicate"]: entry for entry in self.journal.entries}

    def __contains__(self, replicate: int) -> bool:
        return replicate in self._entries

    def add(self, replicate: int, parts: Mapping[str, Any]) -> None:
        """Keep a replicate: arrays, numbers and texts by name."""
        self.journal.add({"replicate": replicate}, to_bytes(parts))
        self._entries[replicate] = self.journal.entries[-1]

    def read(self, replicate: int) -> dict[str, Any]:
        """Give a replicate as it was added."""
        parts = self.journal.arrays(self._entries[replicate])
        return {name: value if value.ndim else value.item() for name, value in parts.items()}


@contextmanager
def finished_replicates(
    output: Path, fingerprint: Mapping[str, Any], *, resume: Resume
) -> Iterator[FinishedReplicates]:
    """Give what is finished of a simulation; it is kept if the block fails, and removed if it succeeds.

    Parameters
    ----------
    output : Path
    fingerprint : mapping of str to what JSON can hold
        What every replicate depends on, besides its number.
    resume : bool or "anew"
        Whether to continue an interrupted run of the same fingerprint: see `tfbind.resume.journal.Journal`.

    Raises
    ------
    TfbindError
        If another run is writing ``output``, if what is there has another fingerprint and ``resume`` is True, or if
        the disk is full.
    """
    finished = FinishedReplicates(output, fingerprint, resume)
    try:
        with keeping(output, finished.journal.keep):
            yield finished
            finished.journal.remove()
    finally:
        finished.journal.close()
