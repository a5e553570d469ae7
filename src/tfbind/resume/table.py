"""A table in the making that outlives an interruption: a partial file, and a journal of how far it has come."""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from tfbind.errors import TfbindError
from tfbind.files import prepare_output
from tfbind.tables import LineWriter, is_packed

logger = logging.getLogger(__name__)

FORMAT = "tfbind-partial-1"
SECONDS_BETWEEN_ENTRIES = 5.0
Resume = bool | Literal["anew"]
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def file_stamp(path: Path) -> str:
    """Tell a file's present contents from others in passing: name, size and time of change."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        raise TfbindError(f"{path}: no such file") from None
    return f"{path.name} of {stat.st_size} bytes, changed {stat.st_mtime_ns}"


class PartialTable:
    """The partial file ``OUTPUT.partial``, its journal ``OUTPUT.partial.json``, and what the journal says.

    Attributes
    ----------
    path : Path
        The partial file.
    lines : LineWriter
        Writes to it.
    state : dict
        Of the latest checkpoint: what the writer needs to go on behind it. Empty where all is yet to be done.
    complete : bool
        Whether the table is finished.
    """

    def __init__(self, output: Path, fingerprint: Mapping[str, Any], resume: Resume):
        prepare_output(output)
        self.path = output.with_name(f"{output.name}.partial")
        self.state: dict[str, Any] = {}
        self.complete = False
        self._journal = output.with_name(f"{output.name}.partial.json")
        self._fingerprint = json.loads(json.dumps(fingerprint))
        self._n_bytes = 0
        self._last_entry = -SECONDS_BETWEEN_ENTRIES
        try:
            # to append leaves what is there alone until it is known to be ours
            self._handle = open(self.path, "a+b")  # noqa: SIM115
        except PermissionError:
            raise TfbindError(f"{output}: cannot be written (permission denied)") from None
        try:
            self._lock()
            if resume:
                why_not = self._read_journal()
                if why_not and resume != "anew":
                    raise TfbindError(f"{why_not}; run without --resume to start anew")
                if why_not:
                    logger.warning("%s: is begun anew", why_not)
                    self._journal.unlink()
            elif self._journal.exists():
                logger.warning("%s: is begun anew, as --resume is not given", self.path)
                self._journal.unlink()
            self._handle.truncate(self._n_bytes)
            self._handle.seek(0, os.SEEK_END)
        except BaseException:
            self._handle.close()
            raise
        self.lines = LineWriter(self._handle, is_packed(output))

    def _lock(self) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TfbindError(f"{self.path}: another run is writing it, expected one at a time") from None
        except OSError:
            logger.info("%s: this file system has no locks: run one job at a time", self.path)

    def _read_journal(self) -> str:
        """Take up what an earlier run of the same command left, if there is any; else say why it cannot be."""
        if not self._journal.exists() or not self.path.stat().st_size:
            logger.info("%s: there is nothing to resume, so all is yet to be done", self.path)
            return ""
        try:
            entry = json.loads(self._journal.read_text())
            begun, n_bytes = entry["fingerprint"], entry["bytes"]
            state, complete = entry["state"], entry["complete"]
            is_ours = entry["format"] == FORMAT and n_bytes <= self.path.stat().st_size
        except (ValueError, KeyError, TypeError):
            is_ours = False
        if not is_ours:
            return f"{self._journal}: does not fit {self.path.name}"
        for key in [*self._fingerprint, *begun]:
            was, found = begun.get(key), self._fingerprint.get(key)
            if was != found:
                return f"{self.path}: was begun with {key} {was!r}, found {found!r}, expected the same"
        self.state, self.complete, self._n_bytes = state, complete, n_bytes
        return ""

    def checkpoint(self, state: dict[str, Any]) -> None:
        """Note that what has been written so far belongs together; ``state`` is what JSON can hold."""
        self.state, self._n_bytes = state, self._handle.tell()
        if time.monotonic() - self._last_entry >= SECONDS_BETWEEN_ENTRIES:
            self._write_entry()

    def finish(self, state: dict[str, Any]) -> None:
        """Write the table's end and note that it is complete."""
        self.lines.finish()
        self.state, self._n_bytes, self.complete = state, self._handle.tell(), True
        self._write_entry()

    def _write_entry(self) -> None:
        os.fsync(self._handle.fileno())
        entry = {
            "format": FORMAT,
            "bytes": self._n_bytes,
            "complete": self.complete,
            "state": self.state,
            "fingerprint": self._fingerprint,
        }
        new = self._journal.with_name(f"{self._journal.name}.new")
        try:
            new.write_text(json.dumps(entry))
            new.replace(self._journal)
        finally:
            new.unlink(missing_ok=True)
        self._last_entry = time.monotonic()

    def keep(self) -> str:
        """Leave everything up to the latest checkpoint for another run, and say so."""
        if not self.state:
            self.discard()
            return "nothing is done yet"
        with suppress(OSError):
            # what is behind the checkpoint gives its place to the journal where the disk is full
            os.ftruncate(self._handle.fileno(), self._n_bytes)
            self._write_entry()
        self.close()
        return f"what is done is kept in {self.path}, and the same command with --resume goes on from there"

    def discard(self) -> None:
        """Remove the partial file and its journal."""
        self._journal.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Close the partial file; what cannot be written any more is behind the latest checkpoint."""
        with suppress(OSError):
            self._handle.close()


@contextmanager
def resumable(output: Path, fingerprint: Mapping[str, Any], *, resume: Resume) -> Iterator[PartialTable]:
    """Give a table that becomes ``output`` when the block succeeds, and is kept if the block is interrupted.

    An error in the user's input leaves nothing, as the input will be another one then, unless the table was
    complete already.

    Parameters
    ----------
    output : Path
    fingerprint : mapping of str to what JSON can hold
        What must be the same for another run to go on.
    resume : bool or "anew"
        Go on where a run of the same fingerprint stopped; "anew": and begin anew where there is another's. Else
        begin anew, whatever there is.

    Raises
    ------
    TfbindError
        If there is a partial file of another fingerprint that is not to be begun anew, or the disk is full.
    """
    table = PartialTable(output, fingerprint, resume)
    try:
        yield table
    except TfbindError as error:
        if table.complete:
            raise TfbindError(f"{error}; {table.keep()}") from None
        table.discard()
        raise
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted; {table.keep()}") from None
    except OSError as error:
        kept = table.keep()
        if error.errno not in DISK_FULL:
            raise
        raise TfbindError(f"{output}: {error.strerror}; {kept}") from None
    except BaseException:
        logger.info(table.keep())
        raise
    table.close()
    table.path.replace(output)
    table.discard()
