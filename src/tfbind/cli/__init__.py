"""The command line: one module a verb, each nothing but its arguments and one call."""

from __future__ import annotations

import argparse
import errno
import importlib
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tfbind import __version__
from tfbind.errors import TfbindError

VERBS = (
    "encode",
    "train",
    "select",
    "evaluate",
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


class OneLineParser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, like every other error of tfbind."""

    def error(self, message: str) -> NoReturn:
        raise TfbindError(f"{message} (see {self.prog} --help)")


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


def refuse_to_overwrite_input(args: argparse.Namespace) -> None:
    """Refuse an output that would take the place of a file that is read."""
    output = getattr(args, "output", None)
    if output is None or not output.is_file():
        return
    for name, value in vars(args).items():
        if name != "output" and isinstance(value, Path) and value.exists() and value.samefile(output):
            raise TfbindError(f"--output {output} is the file of --{name}, expected another name")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; return the exit status that the contract promises."""
    logging.basicConfig(format="tfbind: %(message)s", level=logging.INFO, stream=sys.stderr)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # a scheduler's SIGTERM must run the clean-up of half-written outputs
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        args = make_parser().parse_args(argv)
        refuse_to_overwrite_input(args)
        args.run(args)
    except TfbindError as error:
        print(f"tfbind: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except MemoryError as error:
        print(f"tfbind: error: not enough memory ({error})", file=sys.stderr)
        return 2
    except KeyboardInterrupt as interrupt:
        print(f"tfbind: {str(interrupt) or 'interrupted'}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # the reader of stdout has left (`| head`): nothing to say, and nothing more to flush
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        print(f"tfbind: error: {error.filename or 'output'}: {error.strerror}", file=sys.stderr)
        return 2
    return 0
