"""Names of records: each once in a file, and told apart where two files share some."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tfbind.errors import TfbindError

SUFFIX = "_negative"


def refuse_repeated(path: Path, names: Iterable[str]) -> dict[str, None]:
    """Give the names of a file, in their order.

    Raises
    ------
    TfbindError
        If a name is given twice.
    """
    seen: dict[str, None] = {}
    for name in names:
        if name in seen:
            raise TfbindError(f"{path}: record {name!r} is given twice, expected each name once in a file")
        seen[name] = None
    return seen


def unique_names(
    files: Sequence[tuple[Path, Iterable[str]]], suffixes: Sequence[str] | None = None
) -> list[dict[str, str]]:
    """Find new names for the records of later files that go by the name of a record in an earlier one.

    They get the suffix ``_negative``, or ``_negative2`` and so on if that is a name as well.

    Parameters
    ----------
    files : sequence of path and names
        Positives before negatives.
    suffixes : sequence of str, optional
        One for each file, in place of ``_negative``.

    Returns
    -------
    list of dict
        For each file, from names that change to new ones.

    Raises
    ------
    TfbindError
        If a name is given twice in one file.
    """
    seen = [refuse_repeated(path, names) for path, names in files]
    taken = {name for names in seen for name in names}
    earlier: set[str] = set()
    changed: list[dict[str, str]] = []
    for names, suffix in zip(seen, suffixes or [SUFFIX] * len(seen), strict=True):
        new_names: dict[str, str] = {}
        for name in names:
            if name in earlier:
                new, number = f"{name}{suffix}", 2
                while new in taken:
                    new, number = f"{name}{suffix}{number}", number + 1
                new_names[name] = new
                # a third file may have the name, too
                taken.add(new)
        earlier.update(names)
        changed.append(new_names)
    return changed
