"""Files that one process holds: a lock of the kernel (flock), which ends with the process."""

from __future__ import annotations

import fcntl
import logging
import os
from pathlib import Path
from typing import BinaryIO

from tfbind.errors import TfbindError

logger = logging.getLogger(__name__)


def open_locked(path: Path, shown: Path) -> BinaryIO:
    """Open a file that may or may not be there, leave it as it is, and lock it; messages name ``shown``."""
    while True:
        try:
            handle: BinaryIO = open(path, "a+b", buffering=0)  # noqa: SIM115
        except PermissionError:
            raise TfbindError(f"{path}: cannot be written (permission denied)") from None
        try:
            lock(handle)
        except BlockingIOError:
            handle.close()
            raise TfbindError(
                f"{shown}: another run is using it; wait until that run has ended, or choose another output"
            ) from None
        except OSError as error:
            logger.info("%s: cannot be locked (%s): run one job at a time", shown, error.strerror)
            return handle
        # the former owner may have renamed or removed the file just before it released the lock
        if is_at(handle, path):
            return handle
        handle.close()


def lock(handle: BinaryIO) -> None:
    """Lock a file for this process alone, or raise BlockingIOError; OSError if it cannot be locked at all."""
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_at(handle: BinaryIO, path: Path) -> bool:
    """Tell whether an open file is the one under a path."""
    try:
        return os.path.samestat(os.fstat(handle.fileno()), path.stat())
    except FileNotFoundError:
        return False
