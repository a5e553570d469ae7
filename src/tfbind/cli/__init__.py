"""The command line: one module a verb, each nothing but its arguments and one call."""

from __future__ import annotations

import argparse
import errno
import importlib
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from tfbind import __version__, process
from tfbind.cli.arguments import OutputFile, OutputFolder, input_files, output_paths
from tfbind.errors import TfbindError
from tfbind.files import check_output, check_output_folder, no_empty_folders, protected

VERBS = (
    "encode",
    "train",
    "select",
    "calibrate",
    "evaluate",
    "interpret",
    "gather",
    "compare",
    "predict",
    "variants",
    "diagnose",
    "simulate",
    "background",
    "recombination",
    "report",
)
# the last word of a process that was sent one of these
STOPPED: dict[int, str] = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


class OneLineParser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, like every other error of tfbind."""

    def error(self, message: str) -> NoReturn:
        hint = ""
        if message.endswith(("expected one argument", "expected at least one argument")):
            option = message.removeprefix("argument ").partition(":")[0].rpartition("/")[2]
            hint = f"; a value that begins with a dash is given as {option}=-VALUE, or as ./-VALUE"
        elif message.startswith("unrecognized arguments: "):
            hint = "; a path that begins with a dash is given as ./-PATH"
        raise TfbindError(f"{message}{hint} (see {self.prog} --help)")


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of every verb; imports nothing heavier than the standard library."""
    parser = OneLineParser(
        prog="tfbind",
        description="Train, evaluate and apply recurrent networks that tell where transcription factors bind.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"tfbind {__version__}")
    subparsers = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for verb in VERBS:
        importlib.import_module(f"tfbind.cli.{verb}").register_parser(subparsers)
    return parser


def check_outputs(args: argparse.Namespace) -> None:
    """Refuse outputs that cannot be written before any work is done: see `tfbind.files.check_output`.

    Raises
    ------
    TfbindError
        Also if an output is the file of an input or of another output.
    """
    named: list[tuple[str, Path]] = [*input_files(args), *output_paths(args)]
    for name, path in named:
        check_name(name, path)
    taken = {path.resolve(): name for name, path in input_files(args)}
    for name, path in output_paths(args):
        other = taken.setdefault(path.resolve(), name)
        if other != name:
            raise TfbindError(f"{name} {path} is the file of {other}, choose another name")
        if isinstance(path, OutputFile):
            check_output(path)
        elif isinstance(path, OutputFolder):
            check_output_folder(path)


def check_name(option: str, path: Path) -> None:
    """Refuse a path that leads nowhere: a symbolic link to itself, or a name that no file can have."""
    try:
        path.stat()
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENAMETOOLONG):
            raise TfbindError(f"{option} {path}: cannot be opened ({error.strerror})") from None
    except ValueError as error:
        raise TfbindError(f"{option} {str(path)!r}: cannot be opened ({error})") from None


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; return the exit status that the contract promises."""
    logging.basicConfig(format="tfbind: %(message)s", level=logging.INFO, stream=sys.stderr)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with process.owned(), _stoppable() as caught:
        try:
            args = make_parser().parse_args(argv)
            with protected(input_files(args)), no_empty_folders():
                check_outputs(args)
                args.run(args)
        except KeyboardInterrupt as interrupt:
            print(f"tfbind: {str(interrupt) or STOPPED[signal.SIGINT]}", file=sys.stderr)
            return 128 + signal.SIGINT
        except (SystemExit, Exception) as error:
            if caught:
                print(f"tfbind: {STOPPED[caught[0]]}", file=sys.stderr)
                return 128 + caught[0]
            status = _explain(error)
            if status is None:
                raise
            return status
    return 0


@contextmanager
def _stoppable() -> Iterator[list[int]]:
    """Let SIGINT, and a scheduler's SIGTERM, run the clean-up of half-written outputs; give the signals that came.

    What a handler raises is not always what comes out: inside of HDF5, h5py puts an error of its own in its place.
    """
    caught: list[int] = []

    def stop(number: int, _frame: object) -> NoReturn:
        caught.append(number)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + number)

    # a shell's background jobs ignore SIGINT, and go on doing so
    heeded = [number for number in STOPPED if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heeded}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# how libraries report that memory has run out, in errors of many types
MEMORY_SIGNS = (
    "bad_alloc",
    "cannot allocate memory",
    "failed to map segment",
    "unable to allocate",
    "out of memory",
    "oom when allocating",
    "can't start new thread",
    "can't alloc",
    "resource temporarily unavailable",
)


def _memory_shortage(error: BaseException | None) -> str | None:
    """Say in one line what could not be allocated, if that is why an error or one of its causes was raised."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        text = " ".join(str(error).split())
        is_library = (
            isinstance(error, OSError | RuntimeError | ImportError) or "tensorflow" in type(error).__module__
        )
        if isinstance(error, MemoryError) or (
            is_library and any(sign in text.lower() for sign in MEMORY_SIGNS)
        ):
            return text[:200] or "an allocation failed"
        error = error.__cause__ or error.__context__
    return None


def _explain(error: BaseException) -> int | None:
    """Say in one line what went wrong, and give the exit status; None where the fault is our own, or it is no error."""
    match error:
        case TfbindError():
            print(f"tfbind: error: {' '.join(str(error).split())}", file=sys.stderr)
        case _ if (why := _memory_shortage(error)) is not None:
            print(f"tfbind: error: not enough memory ({why})", file=sys.stderr)
        case BrokenPipeError():
            # the reader of stdout has left (`| head`): nothing to say, and nothing more to flush
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EFBIG | errno.EACCES | errno.EROFS):
            print(f"tfbind: error: {error.filename or 'output'}: {error.strerror}", file=sys.stderr)
        case _:
            return None
    return 2
