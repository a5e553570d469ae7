"""Whether ``chr1`` is ``1``: the one place that decides which contigs of two files are the same."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from tfbind.errors import TfbindError

logger = logging.getLogger(__name__)

NAMES_SHOWN = 3


def bare(name: str) -> str:
    """Take ``chr``, in any case, off the front of a contig's name."""
    return name[3:] if name[:3].lower() == "chr" else name


def some_names(names: Iterable[str]) -> str:
    """Show the first few names, for a message."""
    names = list(names)
    return ", ".join(map(repr, names[:NAMES_SHOWN])) + (", ..." if len(names) > NAMES_SHOWN else "")


def some_files(paths: Iterable[Path]) -> str:
    """Name the first of some files, and say how many others there are."""
    first, *others = paths
    return f"{first} and {len(others)} other file{'s' * (len(others) > 1)}" if others else str(first)


class Contigs:
    """The contig names of one source. A contig is found by its name, or by its name with or without ``chr``.

    Parameters
    ----------
    names : iterable of str
    source : str or Path
        Where they come from, for messages: a file, or words such as "the map".
    """

    def __init__(self, names: Iterable[str], source: str | Path):
        self.names = dict.fromkeys(names)
        self.source = source
        self._spellings: dict[str, list[str]] = {}
        for name in self.names:
            self._spellings.setdefault(bare(name), []).append(name)

    def find(self, name: str) -> str | None:
        """Give the spelling of a contig here; None if it is not here.

        Raises
        ------
        TfbindError
            If more than one contig here could be meant.
        """
        if name in self.names:
            return name
        found = self._spellings.get(bare(name), [])
        if len(found) > 1:
            raise TfbindError(f"{self.source}: contig {name!r} could be any of {some_names(found)}")
        return found[0] if found else None

    def match(
        self, names: Iterable[str], source: str | Path, *, need_all: bool = False, log: bool = True
    ) -> dict[str, str]:
        """Find the contigs of another source here.

        If both sources have a single contig and the one here has no name, as in a HapMap file without a column for
        it, they match.

        Parameters
        ----------
        names : iterable of str
            Contigs of the other source.
        source : str or Path
            Where they come from, for messages.
        need_all : bool
            Whether each of them must be here, or at least one.
        log : bool
            Whether to log it if some are spelled otherwise; False for a caller that says so itself.

        Returns
        -------
        dict of str to str
            From the names to the spellings here; names that are not here are left out.

        Raises
        ------
        TfbindError
            If names are missing here, or two of them are one contig here.
        """
        wanted = dict.fromkeys(names)
        if len(wanted) == 1 and list(self.names) == [""]:
            return dict.fromkeys(wanted, "")
        found = {name: here for name in wanted if (here := self.find(name)) is not None}
        missing = [name for name in wanted if name not in found]
        if missing and (need_all or not found):
            raise TfbindError(
                f"{source}: {len(missing)} of {len(wanted)} contigs ({some_names(missing)}) are not in"
                f" {self.source} (its contigs: {some_names(self.names) or 'none'})"
            )
        by_spelling: dict[str, str] = {}
        for name, here in found.items():
            if here in by_spelling:
                raise TfbindError(
                    f"{source}: contigs {by_spelling[here]!r} and {name!r} are both {here!r} in {self.source},"
                    " expected one spelling of each"
                )
            by_spelling[here] = name
        if log and (note := renamed_note(found, source, self.source)):
            logger.info("%s", note)
        return found


def renamed_note(found: dict[str, str], source: str | Path, other: str | Path) -> str:
    """Say which contigs match only up to ``chr``; empty if none does."""
    renamed = [f"{name} = {here}" for name, here in found.items() if here not in (name, "")]
    if not renamed:
        return ""
    more = f" and {len(renamed) - NAMES_SHOWN} more" if len(renamed) > NAMES_SHOWN else ""
    return f"contigs of {source} and {other} match except for 'chr': {', '.join(renamed[:NAMES_SHOWN])}{more}"
