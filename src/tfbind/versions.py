"""Which versions of a file format this tfbind reads; `docs/format.md` states the policy."""

from __future__ import annotations

import re
from pathlib import Path

from tfbind import __version__
from tfbind.errors import TfbindError


def check_version(path: Path, what: str, found: object, own: str, *, made_by: object, again: str) -> None:
    """Refuse a file of a version that this tfbind does not read.

    A version is "MAJOR.MINOR". A reader reads its own major version, up to its own minor one: what a minor version adds
    has a default for files that lack it.

    Parameters
    ----------
    path : Path
    what : str
        The format, in words.
    found : object
        The version that the file names, of whatever type.
    own : str
        The newest version that this tfbind reads.
    made_by : object
        The software that the file names, for the message.
    again : str
        The verb that makes such files.

    Raises
    ------
    TfbindError
    """
    major, minor = map(int, own.split("."))
    match = re.fullmatch(r"(\d{1,9})\.(\d{1,9})", found, re.ASCII) if isinstance(found, str) else None
    if match and int(match[1]) == major and int(match[2]) <= minor:
        return
    newer = match is not None and (int(match[1]), int(match[2])) > (major, minor)
    reads = own if minor == 0 else f"{major}.0 to {own}"
    raise TfbindError(
        f"{path}: found {what} {found!r:.80}, made by {made_by or 'unknown software'}; tfbind {__version__} reads"
        f" {reads}: {'update tfbind' if newer else 'use the tfbind that made it'}, or make the file again with {again}"
    )
