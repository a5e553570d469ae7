"""What can go wrong on the user's side; anything else that is raised is a fault of tfbind itself."""

from __future__ import annotations

import importlib
from types import ModuleType

# characters of a message; the path and what is expected are at its ends, what was found is in between
LONGEST_MESSAGE = 1000


def one_line(text: str) -> str:
    """Put text on one line that any terminal shows as it is.

    White space becomes a blank, other characters that cannot be seen are escaped, and the middle of a text longer
    than LONGEST_MESSAGE is left out: it may quote a file that is one line of a gigabyte.
    """
    text = _without_middle(text)
    if text.isprintable():
        return text
    words = " ".join(text.split())
    # what is escaped is longer
    return _without_middle(
        "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)
    )


def _without_middle(text: str) -> str:
    if len(text) <= LONGEST_MESSAGE:
        return text
    kept = (LONGEST_MESSAGE - 5) // 2
    return f"{text[:kept]} ... {text[-kept:]}"


class TfbindError(Exception):
    """The user's input or arguments are at fault.

    The message is one line that names the file, the record or line, what was found and what was
    expected. The command line prints it as ``tfbind: error: MESSAGE`` and exits with status 2.
    Whatever it quotes, it stays one line of at most LONGEST_MESSAGE characters; see `one_line`.
    """

    def __init__(self, message: object = ""):
        super().__init__(one_line(str(message)))


class MissingDependencyError(TfbindError):
    """An optional package is needed that is not installed; the message says how to install it."""

    def __init__(self, package: str, extra: str, purpose: str):
        super().__init__(
            f"{purpose} needs the package {package}, which is not installed. In the checkout of tfbind, run:"
            f" pip install -c constraints.txt -e '.[{extra}]'"
        )


def require(module: str, extra: str, purpose: str) -> ModuleType:
    """Import a module that only an extra of tfbind installs. Every optional import goes through here.

    Parameters
    ----------
    module : str
        For example ``"pyjaspar"``.
    extra : str
        The extra in pyproject.toml that installs it.
    purpose : str
        What needs it, as the subject of a sentence.

    Raises
    ------
    MissingDependencyError
        If it is not installed. A module that is installed but cannot be imported raises its own error.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.split(".")[0]
        if error.name != package:
            raise
        raise MissingDependencyError(package, extra, purpose) from None
