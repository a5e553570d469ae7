"""A journal of work in progress: what the work depends on, what is done, and a lock while a process works.

A journal is one file. Its first line gives the format and, as JSON, the fingerprint: whatever the work depends on.
Each entry after it has its own checksum, and consists of a line of JSON and, if the work keeps its data here, bytes.
An entry that was being written when the process was killed fails its checksum and is cut off.

The process holds a lock on the file (flock) as long as the work goes on. The kernel releases it when the process ends,
however that happens, so a lock is never stale.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from tfbind.errors import TfbindError
from tfbind.files import DISK_FULL, prepare_output
from tfbind.resume.arrays import from_bytes
from tfbind.resume.entries import Entry, checksum, entry_line, read_entry, read_object, write_all
from tfbind.resume.fingerprint import difference, told
from tfbind.resume.locks import is_at, lock, open_locked

logger = logging.getLogger(__name__)

FORMAT = b"tfbind-journal-1"
# how the files began that earlier versions wrote under the names of journals: replicates, and checkpoints (zip)
FORMER = (b"tfbind-replicates-1 ", b"PK\x03\x04")
DAMAGED = "is damaged and cannot be resumed"
Resume = bool | Literal["anew"]


class Journal:
    """The journal of one output, locked until `close` or `remove`.

    Parameters
    ----------
    path : Path
    fingerprint : mapping of str to what JSON can hold
        Whatever the work depends on. Only work with the same fingerprint can be resumed.
    resume : bool, "anew" or "aside"
        False: start over, whatever is there. Else continue what was started with the same fingerprint. Where the
        fingerprint differs: True refuses, "anew" starts over, and "aside" starts over, but keeps what is there
        under another name until its own fingerprint is resumed.
    shown : Path, optional
        The file that messages name, if that is not the journal.
    fits : callable, optional
        Tells whether a state is one that this work writes. A journal with another one is damaged.

    Attributes
    ----------
    path : Path
    entries : list of Entry
        What is done. Empty if the work starts from the beginning; what was there is then replaced by the first entry.

    Raises
    ------
    TfbindError
        If another process holds the lock, or if what is there was started with another fingerprint or is unreadable
        and ``resume`` is True.
    """

    def __init__(
        self,
        path: Path,
        fingerprint: Mapping[str, Any],
        *,
        resume: Resume | Literal["aside"],
        shown: Path | None = None,
        fits: Callable[[dict[str, Any]], bool] = lambda state: True,
    ):
        prepare_output(path)
        self.path = path
        self.entries: list[Entry] = []
        self._shown = shown or path
        self._resume = resume
        self._fits = fits
        self._fingerprint: dict[str, Any] = json.loads(json.dumps(fingerprint))
        self._new = path.with_name(f"{path.name}.new")
        self._handle = open_locked(path, self._shown)
        try:
            self._take_up()
        except BaseException:
            self.close()
            raise

    def _take_up(self) -> None:
        if not self._resume:
            if self._size():
                logger.warning("%s: starting over, because --resume is not given", self._shown)
            return
        found, problem = read_head(self.path)
        differs = difference(found, self._fingerprint) if found is not None else None
        if self._resume == "aside" and found is not None and differs:
            self._set_aside(found, differs)
            found = differs = None
        if self._resume == "aside" and found is None and not problem and self._bring_back():
            found, problem = read_head(self.path)
            differs = difference(found, self._fingerprint) if found is not None else None
        if differs:
            problem = "was started with {}, found {}".format(*told(differs))
        if problem:
            self.reject(f"{self._shown}: {problem}")
        elif found is None:
            logger.info("%s: nothing to resume, so all is still to be done", self._shown)
        else:
            self._read_entries()

    def _read_entries(self) -> None:
        with open(self.path, "rb") as reader:
            reader.readline()
            end = reader.tell()
            while entry := read_entry(reader, self._size()):
                self.entries.append(entry)
                end = entry.start + entry.size
        if not all(self._fits(entry.state) for entry in self.entries):
            self.reject(f"{self._shown}: {DAMAGED}")
            return
        # the first entry is written together with the head, so it cannot be missing
        if not self.entries:
            logger.warning("%s: is damaged and cannot be resumed: starting over", self._shown)
        elif end < self._size():
            logger.info("%s: cut off an incomplete entry", self._shown)
            self._handle.truncate(end)

    def reject(self, reason: str) -> None:
        """Start over because what is there is of no use, or refuse to if ``resume`` is True."""
        if self._resume is True:
            raise TfbindError(f"{reason}; rerun without --resume to start over")
        logger.warning("%s: starting over", reason)
        self.entries = []

    def add(self, state: dict[str, Any], data: bytes = b"") -> None:
        """Add an entry: what JSON can hold, and data."""
        if not self.entries:
            self.replace(state, data)
            return
        end = self._handle.seek(0, os.SEEK_END)
        line = entry_line(state, data)
        try:
            write_all(self._handle, line, data)
        except BaseException:
            with suppress(OSError):
                self._handle.truncate(end)
            raise
        self.entries.append(Entry(state, end + len(line), len(data)))

    def replace(self, state: dict[str, Any], data: bytes = b"") -> None:
        """Put an entry in the place of all that is there, in one step."""
        text = json.dumps(self._fingerprint).encode() + b"\n"
        head = b" ".join((FORMAT, checksum(text), text))
        line = entry_line(state, data)
        handle = open(self._new, "w+b", buffering=0)  # noqa: SIM115
        try:
            # locked before it is in place, so that the work is not without a lock for a moment
            with suppress(OSError):
                lock(handle)
            write_all(handle, head, line, data)
            os.fsync(handle.fileno())
            self._new.replace(self.path)
        except BaseException:
            handle.close()
            self._new.unlink(missing_ok=True)
            raise
        former, self._handle = self._handle, handle
        former.close()
        self.entries = [Entry(state, len(head) + len(line), len(data))]

    def data(self, entry: Entry) -> bytes:
        """Read an entry's data."""
        with open(self.path, "rb") as reader:
            reader.seek(entry.start)
            return reader.read(entry.size)

    def arrays(self, entry: Entry) -> dict[str, Any]:
        """Read an entry's data where these are of `tfbind.resume.arrays.to_bytes`.

        Raises
        ------
        TfbindError
            If they are something else.
        """
        try:
            return from_bytes(self.data(entry))
        except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile):
            raise TfbindError(f"{self._shown}: {DAMAGED}; rerun without --resume to start over") from None

    def clear(self) -> None:
        """Empty the file before the first entry, where what it says is no longer true."""
        self.entries = []
        self._handle.truncate(0)

    def keep(self, name: Path | None = None) -> str:
        """Close, and say what is kept (``name``: in this file) and how to continue."""
        kept = bool(self.entries)
        self.close()
        if not kept:
            return "nothing is done yet"
        return f"what is done is kept in {name or self.path}; the same command with --resume continues from there"

    def close(self) -> None:
        """Release the lock; an empty journal is removed."""
        if self._handle.closed:
            return
        with suppress(OSError):
            if not self._size() and is_at(self._handle, self.path):
                self.path.unlink()
        self._handle.close()

    def remove(self) -> None:
        """Remove the journal, as the work is finished or what is done is of no use, and release the lock."""
        for path in (self._new, aside(self.path, self._fingerprint), self.path):
            path.unlink(missing_ok=True)
        self._handle.close()

    def _size(self) -> int:
        return os.fstat(self._handle.fileno()).st_size

    def _set_aside(self, fingerprint: dict[str, Any], differs: tuple[str, Any, Any]) -> None:
        """Keep the journal of another fingerprint under another name, and begin an empty one."""
        kept = aside(self.path, fingerprint)
        self.path.replace(kept)
        logger.warning(
            "%s: was started with %s, found %s: starting over, and keeping the old one as %s",
            self._shown,
            *told(differs),
            kept,
        )
        self._handle.close()
        self._handle = open_locked(self.path, self._shown)

    def _bring_back(self) -> bool:
        """Bring back the journal of this fingerprint if it was set aside."""
        kept = aside(self.path, self._fingerprint)
        if not kept.exists():
            return False
        handle = open_locked(kept, kept)
        kept.replace(self.path)
        self._handle.close()
        self._handle = handle
        return True


def read_head(path: Path) -> tuple[dict[str, Any] | None, str]:
    """Read the fingerprint of a journal.

    Returns
    -------
    fingerprint : dict or None
    problem : str
        What is wrong if there is no fingerprint; empty if the file is.
    """
    with open(path, "rb") as reader:
        line = reader.readline()
    if not line:
        return None, ""
    name, _, rest = line.partition(b" ")
    stated, _, text = rest.partition(b" ")
    if name == FORMAT and line.endswith(b"\n") and stated == checksum(text):
        if (fingerprint := read_object(text)) is not None:
            return fingerprint, ""
        return None, DAMAGED
    if line.startswith(FORMER) or (name.startswith(FORMAT[:-1]) and name != FORMAT):
        return None, "was written by another version of tfbind, which this version cannot resume"
    return None, DAMAGED


def aside(path: Path, fingerprint: Mapping[str, Any]) -> Path:
    """Give the name under which a journal of this fingerprint is kept while work of another one is done."""
    digest = hashlib.sha256(json.dumps(fingerprint, sort_keys=True).encode()).hexdigest()
    return path.with_name(f"{path.name}.{digest[:8]}")


@contextmanager
def keeping(output: Path, keep: Callable[[], str]) -> Iterator[None]:
    """If the block is interrupted or the disk is full, keep what is done and say how to continue.

    Parameters
    ----------
    output : Path
        What the block is to write.
    keep : callable
        Closes what is open, and says what is kept: see `Journal.keep`.

    Raises
    ------
    TfbindError
        If the disk is full.
    """
    try:
        yield
    except TfbindError:
        raise
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted; {keep()}") from None
    except OSError as error:
        kept = keep()
        if error.errno not in DISK_FULL:
            logger.info(kept)
            raise
        raise TfbindError(f"{output}: {error.strerror}; {kept}") from None
    except BaseException:
        logger.info(keep())
        raise
