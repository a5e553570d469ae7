"""What must hold of every answer: a value that makes sense, or one line that names the file."""

from __future__ import annotations

import logging
import resource
import signal
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from fuzzer.mutate import ALIKE, blocked, damage_archive, mutate, packed
from tfbind.errors import TfbindError

SECONDS = 2.0  # of the processor: a busy machine is no fault of a reader
KILOBYTES = 400_000  # that memory may grow by while one small file is read
LONGEST_LINE = 1000  # of a message, the path included


@dataclass(frozen=True)
class Target:
    """A reader.

    name : str
    seeds : well-formed files
    read : reads a file; the value must have a `repr` that says all of it
    check : looks at the value and the file's bytes, raises AssertionError if the value cannot be right
    suffix : of the file's name
    alike : names of changes that mean nothing to this reader, see `fuzzer.mutate.ALIKE`
    executions : in the test suite
    archive : None, or how the damaged text is compressed before the archive is damaged as well
    native : whether compiled libraries read the bytes, which may end the process
    names_file : whether a message must name the file
    """

    name: str
    seeds: tuple[bytes, ...]
    read: Callable[[Path], Any]
    check: Callable[[Any, bytes], None] = lambda value, data: None
    suffix: str = ".txt"
    alike: tuple[str, ...] = ("crlf", "cr", "blank", "bom", "gzip", "bgzf")
    executions: int = 2000
    archive: Callable[[bytes], bytes] | None = None
    native: bool = False
    names_file: bool = True


class Finding(NamedTuple):
    """What went wrong, where, and the file that shows it."""

    target: str
    what: str
    place: str
    data: bytes
    index: int


class TooLong(BaseException):
    """Raised by the alarm; nothing that reads a file catches it."""


class _Alarm:
    """Stops what takes longer than `SECONDS` of the processor, by SIGPROF."""

    def __init__(self) -> None:
        self._armed = False

    def __enter__(self) -> None:
        self._armed = True
        # again and again: where the first one is raised in a destructor, Python only prints it
        signal.setitimer(signal.ITIMER_PROF, SECONDS, SECONDS)

    def __exit__(self, *_: object) -> None:
        self.turn_off()

    def turn_off(self) -> None:
        """Let it ring no more."""
        self._armed = False
        signal.setitimer(signal.ITIMER_PROF, 0)

    def ring(self, number: int, frame: object) -> None:
        """Handle the signal; one that comes late is no fault of what runs then."""
        if self._armed:
            raise TooLong


ALARM = _Alarm()


@contextmanager
def watched() -> Iterator[None]:
    """Turn numpy's warnings into errors, silence the log, and let an alarm stop what hangs."""
    # it stays: a signal that is on its way when the alarm is turned off would end a process without a handler
    signal.signal(signal.SIGPROF, ALARM.ring)
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", RuntimeWarning)
            yield
    finally:
        # it may have rung before it was turned off
        ALARM.turn_off()
        logging.disable(level)


def make_input(target: Target, seed: int, index: int) -> tuple[bytes, Random]:
    """Make the input of one execution, which depends on the target, the seed and the index alone."""
    rng = Random(f"{target.name} {seed} {index}")
    data = rng.choice(target.seeds)
    if target.archive is None:
        return (mutate(data, rng, target.seeds) if index else data), rng
    text = mutate(data, rng, target.seeds) if rng.random() < 0.7 else data
    archive = target.archive(text)
    return (damage_archive(archive, rng) if rng.random() < 0.7 else archive), rng


def execute(target: Target, path: Path, data: bytes) -> tuple[str, Any]:
    """Read one file: ``("value", value)``, ``("error", message)`` or ``("fault", (what, place))``."""
    path.write_bytes(data)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        with ALARM:
            value = target.read(path)
    except TfbindError as error:
        return _judge_message(target, path, str(error))
    except (Exception, TooLong) as error:
        return "fault", (f"{type(error).__name__}: {str(error)[:120]}", _place(error))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    if grown > KILOBYTES:
        return "fault", (f"memory grew by {grown // 1000} MB", target.name)
    try:
        target.check(value, data)
    except AssertionError as error:
        return "fault", (f"a value that cannot be right: {str(error)[:200]}", target.name)
    return "value", value


def run_one(target: Target, folder: Path, seed: int, index: int) -> Finding | None:
    """Execute one input, and now and then the same one changed in a way that means nothing."""
    data, rng = make_input(target, seed, index)
    path = folder / f"input{target.suffix}"
    kind, answer = execute(target, path, data)
    if kind == "fault":
        return Finding(target.name, *answer, data, index)
    if not target.alike or rng.random() > 0.2:
        return None
    name = rng.choice(target.alike)
    other = ALIKE[name](data)
    if other is None:
        return None
    kind_of_other, answer_of_other = execute(target, path, other)
    if kind_of_other == "fault":
        return Finding(target.name, *answer_of_other, other, index)
    if kind != kind_of_other or (kind == "value" and repr(answer) != repr(answer_of_other)):
        what = f"{name} changes what is read: {str(answer)[:150]!r} and {str(answer_of_other)[:150]!r}"
        return Finding(target.name, what, f"{name} {kind} {kind_of_other}", other, index)
    return None


def _judge_message(target: Target, path: Path, message: str) -> tuple[str, Any]:
    if not message.isprintable():
        return "fault", (
            f"a message with line ends or control characters: {message[:200]!r}",
            _shape(message, path),
        )
    if len(message) > LONGEST_LINE:
        return "fault", (f"a message of {len(message)} characters: {message[:150]!r}", _shape(message, path))
    if target.names_file and path.parent.name not in message:
        return "fault", (f"a message without the file: {message[:200]!r}", _shape(message, path))
    return "error", message


def _shape(message: str, path: Path) -> str:
    words = [word for word in message.replace(str(path), "").split() if word.isalpha()]
    return " ".join(words[:6])


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/tfbind/" in frame.filename]
    last = ours[-1] if ours else frames[-1]
    deepest = frames[-1]
    return f"{Path(last.filename).name}:{last.lineno} (in {Path(deepest.filename).name}:{deepest.lineno})"


ARCHIVES = {"gzip": packed, "bgzf": blocked}
