"""Who owns this process: the ``tfbind`` command, or a program that imports tfbind.

A program that imports tfbind keeps its own stderr, its own settings of htslib and TensorFlow, and its own random
numbers. The command line owns its process and says so with `owned`. Only then may tfbind change what belongs to the
whole process.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

# what to undo when the command ends; None where another program owns the process
_undo: ExitStack | None = None


@contextmanager
def owned() -> Iterator[None]:
    """Let tfbind change this process within the block. `tfbind.cli.main` runs every verb in one."""
    global _undo
    before, undo = _undo, ExitStack()
    _undo = undo
    try:
        yield
    finally:
        _undo = before
        undo.close()


def is_owned() -> bool:
    """Whether tfbind may change this process."""
    return _undo is not None


def at_end(function: Callable[..., Any], *arguments: Any) -> None:
    """Call a function when the block of `owned` ends. The last one given is called first."""
    if _undo is None:
        raise RuntimeError("another program owns this process")
    _undo.callback(function, *arguments)


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hide what native libraries write to file descriptor 2. Errors in Python are raised as usual.

    It is for the libraries that have no setting for this, and does nothing where another program owns the process.
    """
    if not is_owned():
        yield
        return
    sys.stderr.flush()
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def end_with_parent() -> None:
    """End this process, one that multiprocessing has started, when its parent is gone.

    A parent that is killed cannot end its children. Without this they would wait for work for ever.
    """
    # not needed for any verb's help
    import multiprocessing
    from multiprocessing import connection

    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def watch() -> None:
        connection.wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="end with parent", daemon=True).start()
