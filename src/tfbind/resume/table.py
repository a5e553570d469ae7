"""A table in progress that survives an interruption: a partial file, and a journal of how much of it is done."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tfbind.errors import TfbindError
from tfbind.files import prepare_output
from tfbind.resume.entries import is_count
from tfbind.resume.journal import Journal, Resume, keeping
from tfbind.tables import LineWriter, is_packed

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_ENTRIES = 5.0


def file_stamp(path: Path) -> str:
    """Tell a file's present contents from others in passing: name, size and time of change."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        raise TfbindError(f"{path}: no such file") from None
    return f"{path.name} of {stat.st_size} bytes, changed {stat.st_mtime_ns}"


class PartialTable:
    """The partial file ``OUTPUT.partial``, its journal ``OUTPUT.partial.journal``, and what the journal says.

    The partial file begins with the bytes of the finished table, so the last step is to rename it.

    Attributes
    ----------
    path : Path
        The partial file.
    lines : LineWriter
        Writes to it.
    state : dict
        Of the latest checkpoint: what the writer needs to continue after it. Empty if all is still to be done.
    complete : bool
        Whether the table is finished.
    """

    def __init__(
        self,
        output: Path,
        fingerprint: Mapping[str, Any],
        resume: Resume,
        fits: Callable[[dict[str, Any]], bool] = lambda state: True,
    ):
        prepare_output(output)
        self.path = output.with_name(f"{output.name}.partial")
        self.state: dict[str, Any] = {}
        self.complete = False
        self._output = output
        self._n_bytes = 0
        self._last_entry = -SECONDS_BETWEEN_ENTRIES
        journal = self.path.with_name(f"{self.path.name}.journal")
        self._journal = Journal(
            journal,
            fingerprint,
            resume=resume,
            shown=self.path,
            fits=lambda entry: (
                is_count(entry.get("bytes"))
                and isinstance(entry.get("complete"), bool)
                and isinstance(entry.get("state"), dict)
                and fits(entry["state"])
            ),
        )
        try:
            try:
                # appending leaves what is there as it is until it is known to be ours
                self._handle = open(self.path, "a+b")  # noqa: SIM115
            except PermissionError:
                raise TfbindError(f"{output}: cannot be written (permission denied)") from None
            try:
                self._take_up(resume)
            except BaseException:
                self._handle.close()
                raise
        except BaseException:
            self._journal.close()
            raise
        self.lines = LineWriter(self._handle, is_packed(output))

    def _take_up(self, resume: Resume) -> None:
        """Continue after the latest entry if what is there fits it; else begin an empty table."""
        size = os.fstat(self._handle.fileno()).st_size
        former = self.path.with_name(f"{self.path.name}.json")
        if former.exists() and resume:
            self._journal.reject(
                f"{former}: was written by another version of tfbind, which this version cannot resume"
            )
        elif former.exists():
            logger.warning("%s: starting over, because --resume is not given", self.path)
        if self._journal.entries and not size:
            # the former run was killed after the table had its final name
            logger.info("%s: nothing to resume, so all is still to be done", self.path)
            self._journal.clear()
        if self._journal.entries:
            entry = self._journal.entries[-1].state
            if entry["bytes"] > size:
                self._journal.reject(
                    f"{self.path}: found {size} bytes, but its journal says {entry['bytes']}"
                )
            else:
                self.state, self.complete, self._n_bytes = entry["state"], entry["complete"], entry["bytes"]
        if not self._journal.entries:
            # before the table, or a run that is killed in between would leave an entry of bytes that are gone
            self._journal.clear()
            former.unlink(missing_ok=True)
        self._handle.truncate(self._n_bytes)
        self._handle.seek(0, os.SEEK_END)

    def checkpoint(self, state: dict[str, Any]) -> None:
        """Note that what has been written so far belongs together; ``state`` is what JSON can hold."""
        self.state, self._n_bytes = state, self._handle.tell()
        if time.monotonic() - self._last_entry >= SECONDS_BETWEEN_ENTRIES:
            self._write_entry()

    def finish(self, state: dict[str, Any]) -> None:
        """Write the end of the table and note that it is complete."""
        self.lines.finish()
        self.state, self._n_bytes, self.complete = state, self._handle.tell(), True
        self._write_entry()

    def _write_entry(self) -> None:
        os.fsync(self._handle.fileno())
        self._journal.add({"bytes": self._n_bytes, "complete": self.complete, "state": self.state})
        # only the latest one counts
        del self._journal.entries[:-1]
        self._last_entry = time.monotonic()

    def publish(self) -> None:
        """Give the table its final name, which ends the work."""
        self.path.replace(self._output)
        self._journal.remove()
        self._handle.close()

    def keep(self) -> str:
        """Leave everything up to the latest checkpoint for another run, and say so."""
        if not self.state:
            self.discard()
            return "nothing is done yet"
        with suppress(OSError, ValueError):
            # on a full disk, what comes after the checkpoint makes room for the journal
            os.ftruncate(self._handle.fileno(), self._n_bytes)
            self._write_entry()
        self._close()
        return self._journal.keep(self.path)

    def discard(self) -> None:
        """Remove the partial file and its journal."""
        self._close()
        self.path.unlink(missing_ok=True)
        self._journal.remove()

    def _close(self) -> None:
        """Close the partial file; what can no longer be written comes after the latest checkpoint."""
        with suppress(OSError):
            self._handle.close()


@contextmanager
def resumable(
    output: Path,
    fingerprint: Mapping[str, Any],
    *,
    resume: Resume,
    fits: Callable[[dict[str, Any]], bool] = lambda state: True,
) -> Iterator[PartialTable]:
    """Give a table that becomes ``output`` when the block succeeds, and is kept if the block is interrupted.

    An error in the user's input leaves nothing, as the input will change, unless the table was complete already.

    Parameters
    ----------
    output : Path
    fingerprint : mapping of str to what JSON can hold
        What must be the same for another run to continue.
    resume : bool or "anew"
        Whether to continue an interrupted run of the same fingerprint: see `tfbind.resume.journal.Journal`.
    fits : callable, optional
        Tells whether a state is one that the block gives to `PartialTable.checkpoint`; a journal with another one is
        damaged.

    Raises
    ------
    TfbindError
        If another run is writing the table, if there is a partial file of another fingerprint and ``resume`` is True,
        or if the disk is full.
    """
    table = PartialTable(output, fingerprint, resume, fits)
    with keeping(output, table.keep):
        try:
            yield table
        except TfbindError as error:
            if table.complete:
                raise TfbindError(f"{error}; {table.keep()}") from None
            table.discard()
            raise
        table.publish()
