"""Whether ``chr1``, ``1`` and ``I`` are one contig: the one place that decides which contigs of files are the same."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tfbind.errors import TfbindError

logger = logging.getLogger(__name__)

NAMES_SHOWN = 3
# names of the mitochondrial genome, in capitals and without chr: UCSC, Ensembl, yeast, worm, fly
MITOCHONDRION = ("MT", "M", "MITO", "MTDNA", "MITOCHONDRION", "MITOCHONDRION_GENOME")
# 1 to 39; a stickleback has 21 chromosomes that are numbered so, and C, D, L and M are names of other things
_ROMAN = re.compile(r"(X{0,3})(IX|IV|V?I{0,3})")
_ARABIC = re.compile(r"[1-9][0-9]?")
_ONES = {"": 0, "I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8, "IX": 9}
_TEN = "10"


def bare(name: str) -> str:
    """Take ``chr``, in any case, off the front of a contig's name."""
    return name[3:] if name[:3].lower() == "chr" else name


def _roman_value(name: str) -> int:
    """Read a name without ``chr`` as a Roman numeral; 0 if it is not one."""
    found = _ROMAN.fullmatch(name)
    return 10 * len(found[1]) + _ONES[found[2]] if found else 0


@dataclass(frozen=True)
class _Numbering:
    """How the contigs of one source are numbered, which only all of their names can say.

    is_roman : there is a Roman numeral of several letters, such as II, so I and V are numerals, too
    is_arabic : there is a number such as 2
    has_x : there is an X
    x_is_ten : X is a Roman ten, as there is a numeral of 6 to 9 or from 11 on. A worm has I to V, and a sex
        chromosome X
    m_is_letter : M has neighbours, so it is one letter of many and not the mitochondrion
    """

    is_roman: bool
    is_arabic: bool
    has_x: bool
    x_is_ten: bool
    m_is_letter: bool

    @classmethod
    def of(cls, names: Iterable[str]) -> _Numbering:
        found = {bare(name) for name in names}
        values = {_roman_value(name) for name in found if len(name) > 1} - {0}
        return cls(
            is_roman=bool(values),
            is_arabic=any(map(_ARABIC.fullmatch, found)),
            has_x="X" in found,
            x_is_ten=any(value > 5 for value in values),
            m_is_letter=bool(found & {"L", "N"}),
        )

    def key(self, name: str) -> str:
        """Give what equal contigs share, whatever they are called: ``4`` for ``chrIV``, ``MT`` for ``Mito``."""
        short = bare(name)
        if short.upper() in MITOCHONDRION and not (short == "M" and self.m_is_letter):
            return MITOCHONDRION[0]
        if short == "X":
            return _TEN if self.x_is_ten else short
        value = _roman_value(short) if self.is_roman or len(short) > 1 else 0
        return str(value) if value else short

    def contradicts(self, other: _Numbering) -> bool:
        """Say whether X is the tenth chromosome in one of two sources, and a sex chromosome in the other."""
        return any(
            a.x_is_ten and b.has_x and b.is_arabic and not b.x_is_ten
            for a, b in ((self, other), (other, self))
        )


def one_spelling(names: Iterable[str]) -> dict[str, str]:
    """Map names of contigs, of one source or of several, to the first of them that is the same contig."""
    names = list(dict.fromkeys(names))
    numbering = _Numbering.of(names)
    first: dict[str, str] = {}
    return {name: first.setdefault(numbering.key(name), name) for name in names}


def some_names(names: Iterable[str]) -> str:
    """Show the first few names, for a message."""
    names = list(names)
    return ", ".join(map(repr, names[:NAMES_SHOWN])) + (", ..." if len(names) > NAMES_SHOWN else "")


def some_files(paths: Iterable[Path]) -> str:
    """Name the first of some files, and say how many others there are."""
    first, *others = paths
    return f"{first} and {len(others)} other file{'s' * (len(others) > 1)}" if others else str(first)


class Contigs:
    """The contig names of one source.

    A contig is found by its name, by its name with or without ``chr``, as the mitochondrion (``chrM``, ``MT``,
    ``Mito``), and by its number if one source has Roman numerals (``IV`` for ``chr4``). X is a Roman ten only if
    all names of its source say so, as a name like VIII does; it is not matched by number if the other source has
    Arabic numbers and an X.

    Parameters
    ----------
    names : iterable of str
    source : str or Path
        Where they come from, for messages: a file, or words such as "the map".
    """

    def __init__(self, names: Iterable[str], source: str | Path):
        self.names = dict.fromkeys(names)
        self.source = source
        self._numbering = _Numbering.of(self.names)
        self._by_bare: dict[str, list[str]] = {}
        self._by_key: dict[str, list[str]] = {}
        for name in self.names:
            self._by_bare.setdefault(bare(name), []).append(name)
            self._by_key.setdefault(self._numbering.key(name), []).append(name)
        self._expected: _Numbering | None = None

    def expect(self, names: Iterable[str]) -> None:
        """Say which names `find` will be asked for, if they are known beforehand: they decide what X and V are."""
        names = list(names)
        self._expected = _Numbering.of(names) if names else None

    def find(self, name: str) -> str | None:
        """Give the spelling of a contig here; None if it is not here.

        Raises
        ------
        TfbindError
            If more than one contig here could be meant.
        """
        return self._find(name, self._expected or _Numbering.of([name]))

    def _find(self, name: str, theirs: _Numbering) -> str | None:
        contradicted = theirs.contradicts(self._numbering)
        if not (contradicted and bare(name) == "X"):
            if name in self.names:
                return name
            if found := self._by_bare.get(bare(name)):
                return self._only(name, found)
        key = theirs.key(name)
        found = self._by_key.get(key, [])
        if contradicted and key != MITOCHONDRION[0]:
            return None
        return self._only(name, found) if found else None

    def _only(self, name: str, found: list[str]) -> str:
        if len(found) > 1:
            raise TfbindError(f"{self.source}: contig {name!r} could be any of {some_names(found)}")
        return found[0]

    def match(
        self,
        names: Iterable[str],
        source: str | Path,
        *,
        need_all: bool = False,
        log: bool = True,
        among: Iterable[str] = (),
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
        among : iterable of str
            Other contigs of that source, which need not be here; they say what X and V are, too.

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
        theirs = _Numbering.of((*wanted, *among))
        found = {name: here for name in wanted if (here := self._find(name, theirs)) is not None}
        missing = [name for name in wanted if name not in found]
        if missing and (need_all or not found):
            why = ""
            if theirs.contradicts(self._numbering):
                why = "; X is the tenth chromosome in one of them, and seems to be a sex chromosome in the other"
            raise TfbindError(
                f"{source}: {len(missing)} of {len(wanted)} contigs ({some_names(missing)}) are not in"
                f" {self.source} (its contigs: {some_names(self.names) or 'none'}){why}"
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
    """Say which contigs match under different names; empty if none does."""
    renamed = {name: here for name, here in found.items() if here not in (name, "")}
    if not renamed:
        return ""
    shown = list(renamed)[:NAMES_SHOWN]
    how = "match except for 'chr'"
    if any(bare(name) != bare(here) for name, here in renamed.items()):
        how = "match under different names"
        # what is least sure is shown: X as a ten
        shown += [name for name in renamed if name not in shown and _is_ten(name, renamed[name])]
    pairs = ", ".join(f"{name} = {renamed[name]}" for name in shown)
    more = f" and {len(renamed) - len(shown)} more" if len(renamed) > len(shown) else ""
    return f"contigs of {source} and {other} {how}: {pairs}{more}"


def _is_ten(name: str, here: str) -> bool:
    return {bare(name), bare(here)} == {"X", _TEN}
