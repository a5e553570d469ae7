"""YAML from strangers: what is read before a library builds anything from it."""

from __future__ import annotations

from pathlib import Path

from ruamel.yaml import YAML, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

from tfbind.errors import TfbindError
from tfbind.files import open_text

DEEPEST = 50
LARGEST = 10_000_000  # characters


def read_yaml_text(path: Path) -> str:
    """Read the text of a YAML file that is safe to load.

    Parameters
    ----------
    path : Path
        Plain, gzip or BGZF.

    Raises
    ------
    TfbindError
        If the file is not YAML, is nested deeper than DEEPEST, which would exhaust the loader's stack, or has an
        alias, by which a few lines may stand for gigabytes.
    """
    with open_text(path) as handle:
        text = handle.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise TfbindError(f"{path}: has more than {LARGEST:,} characters, expected a short YAML file")
    depth = 0
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            if depth > DEEPEST:
                line = event.start_mark.line + 1
                raise TfbindError(f"{path}: line {line}: is nested deeper than {DEEPEST} levels")
            if isinstance(event, AliasEvent):
                line = event.start_mark.line + 1
                raise TfbindError(
                    f"{path}: line {line}: found the alias *{event.anchor}, expected every value written out"
                )
    # of damaged text the scanner raises other errors, too
    except (YAMLError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise TfbindError(f"{path}: is not YAML ({error})") from None
    return text
