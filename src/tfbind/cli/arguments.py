"""Argument types and options that several verbs share."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from tfbind.dna.peak_formats import PEAK_FORMATS
from tfbind.errors import TfbindError
from tfbind.files import check_output
from tfbind.inference import ENGINES, PRECISIONS
from tfbind.training.device import available_cores

# no size, number or length that a verb takes is larger
LARGEST = 2**31 - 1
LONGEST_QUOTE = 60


def positive_int(text: str) -> int:
    """Argument type: a whole number of at least 1."""
    value = whole_number(text)
    if not 1 <= value <= LARGEST:
        raise argparse.ArgumentTypeError(
            f"found {shortened(text)}, expected a whole number of at least 1"
            + (f" and at most {LARGEST}" if value > LARGEST else "")
        )
    return value


def whole_number(text: str) -> int:
    """Read a whole number; -1 if the text is none, and just over LARGEST if it has more digits than that."""
    text = text.strip()
    if not text.isdecimal():
        return -1
    return int(text) if len(text.lstrip("0")) <= len(str(LARGEST)) else LARGEST + 1


def shortened(text: str) -> str:
    """Quote an argument in a message, not all of a long one."""
    return repr(text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}...")


def seed(text: str) -> int:
    """Argument type: a whole number from 0 to 2**32 - 1, which every random generator takes."""
    value = int(text) if text.strip().isdecimal() and len(text) < LONGEST_QUOTE else -1
    if not 0 <= value < 2**32:
        raise argparse.ArgumentTypeError(
            f"found {shortened(text)}, expected a whole number from 0 to {2**32 - 1}"
        )
    return value


def seeds(text: str) -> int | tuple[int, ...]:
    """Argument type: how many seeds, or two or more seeds separated by commas, each once."""
    if "," not in text:
        return positive_int(text)
    found = tuple(seed(each) for each in text.split(","))
    if len(set(found)) < len(found):
        raise argparse.ArgumentTypeError(f"found {shortened(text)}, expected each seed once")
    return found


def positive_float(text: str) -> float:
    """Argument type: a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number above 0")
    return value


def share(text: str) -> float:
    """Argument type: a number above 0 and below 1."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number above 0 and below 1")
    return value


def names(text: str) -> tuple[str, ...]:
    """Argument type: names separated by commas, none twice or empty."""
    found = tuple(name.strip() for name in text.split(","))
    if "" in found or len(set(found)) < len(found):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected names separated by commas, each once")
    return found


class OutputPath(type(Path())):  # type: ignore[misc]
    """Argument type: what a verb writes. Every `Path` of another type among the arguments is an input."""


class OutputFile(OutputPath):
    """Argument type: a file that a verb writes."""


class OutputFolder(OutputPath):
    """Argument type: a folder that a verb writes files into."""


def input_files(args: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    """Give the option and the path of every input among a verb's arguments."""
    for name, value in vars(args).items():
        for path in value if isinstance(value, list | tuple) else [value]:
            if isinstance(path, Path) and not isinstance(path, OutputPath):
                yield f"--{name.replace('_', '-')}", path


def output_paths(args: argparse.Namespace) -> Iterator[tuple[str, OutputPath]]:
    """Give the option and the path of every output among a verb's arguments."""
    for name, value in vars(args).items():
        for path in value if isinstance(value, list | tuple) else [value]:
            if isinstance(path, OutputPath):
                yield f"--{name.replace('_', '-')}", path


def add_output(parser: argparse.ArgumentParser, help: str, metavar: str = "FILE") -> None:
    """Add ``-o``, a file."""
    parser.add_argument("-o", "--output", type=OutputFile, required=True, metavar=metavar, help=help)


def add_output_folder(parser: argparse.ArgumentParser, help: str = "folder for the results") -> None:
    """Add ``-o``, a folder."""
    parser.add_argument("-o", "--output", type=OutputFolder, required=True, metavar="DIR", help=help)


def number_of_factor(factor: str | None, tasks: Sequence[str], model: Path) -> int:
    """Give the number of the factor that ``--factor`` names; of a model of one factor it need not."""
    if factor is None and len(tasks) == 1:
        return 0
    if factor is None or factor not in tasks:
        found = "no --factor" if factor is None else f"--factor {factor}"
        raise TfbindError(f"{model}: found {found}, expected one of {', '.join(tasks)}")
    return list(tasks).index(factor)


def check_model_name(output: Path) -> None:
    """Refuse an ``--output`` for a model that does not end in .keras."""
    if output.suffix != ".keras":
        raise TfbindError(f"--output is {output}, expected a name that ends in .keras")


def prepare_model(output: Path, *beside: str) -> None:
    """Refuse an ``--output`` that a trained model, its checkpoint and what goes ``beside`` it could not be written to.

    It is called before the work that would be lost: see `tfbind.files.check_output`.
    """
    check_model_name(output)
    for suffix in (".keras", ".checkpoint", *beside):
        check_output(output.with_suffix(suffix))


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Add ``--engine`` and ``--precision``."""
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default="auto",
        help="default %(default)s: keras on a GPU, else openvino, which is faster on a CPU",
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="f32",
        help="bf16 is faster on processors that have it (openvino only; default %(default)s)",
    )


def add_uncertainty(parser: argparse.ArgumentParser, of: str) -> None:
    """Add ``--uncertainty``; ``of`` says what a column ``_sd`` is the spread of."""
    parser.add_argument(
        "--uncertainty",
        action="store_true",
        help=f"of an ensemble (tfbind train --seeds), add for each factor a column FACTOR_sd: the standard deviation"
        f" over its members of {of}, in natural logarithms of odds",
    )


def add_resume(parser: argparse.ArgumentParser) -> None:
    """Add ``--resume``: False, True or ``"anew"``."""
    parser.add_argument(
        "--resume",
        nargs="?",
        choices=("anew",),
        const=True,
        default=False,
        help="continue the same command where it was interrupted, or start if there is nothing to continue; if its"
        " arguments or inputs have changed, refuse, or with --resume anew start over",
    )


def add_simulations(parser: argparse.ArgumentParser) -> None:
    """Add ``simulations``, files of simulated regions, and ``--left-out``, one of them that judges the model."""
    parser.add_argument(
        "simulations",
        nargs="+",
        type=Path,
        metavar="SIMS.h5",
        help="from tfbind recombination simulate; of several, each with a seed of its own",
    )
    parser.add_argument(
        "--left-out",
        type=Path,
        metavar="SIMS.h5",
        help="regions of histories that training has not: how the model does on them goes into its card",
    )


def add_peak_format(parser: argparse._ActionsContainer) -> None:
    """Add ``--peak-format``."""
    parser.add_argument(
        "--peak-format",
        choices=PEAK_FORMATS,
        default="auto",
        help="format of the peak file, whatever its name and content suggest (default: found out, see the log)",
    )


def add_seed(parser: argparse.ArgumentParser) -> None:
    """Add ``--seed``."""
    parser.add_argument(
        "--seed", type=seed, default=0, metavar="N", help="same seed, same result (default 0)"
    )


def add_threads(parser: argparse.ArgumentParser, effect: str = "") -> None:
    """Add ``--threads``.

    Parameters
    ----------
    parser : ArgumentParser
    effect : str
        What another number changes, for the help; nothing by default.
    """
    parser.add_argument(
        "--threads",
        type=positive_int,
        default=available_cores(),
        metavar="N",
        help=f"processor cores to use (default: all that this process may use){effect}",
    )
