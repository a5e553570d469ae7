"""The zip of a model file: only the members that are needed are read, and none beyond its size."""

from __future__ import annotations

import hashlib
import stat
import zipfile
import zlib
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from tfbind.errors import TfbindError

CARD = "tfbind.json"
CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
# of a card, and of other members but the weights, whatever their size in the zip. A card holds some hundred bytes for
# each training sequence, in base64, which deflate packs to two thirds or less if it repeats itself
MOST_BYTES = 64 * 1024**2
MOST_EXPANSION = 20
# names and places of more members than this are not even listed
MOST_MEMBERS = 1000
_ENCRYPTED = 1
# what zipfile raises on a damaged file, or one that is packed or locked in a way of its own
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    KeyError,
    OverflowError,
)


def member_folder(number: int) -> str:
    """Give the folder of a network of an ensemble in the zip, counted from 1; a network alone has none."""
    return f"members/{number}/"


class ModelArchive:
    """A model file that is open for reading.

    Nothing is ever unpacked to a path, so it does not matter what the members are called. Members that nothing asks
    for are not read.

    Parameters
    ----------
    path : path

    Raises
    ------
    TfbindError
        If there is no such file, or it is not a zip or damaged.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        if not self.path.is_file():
            raise TfbindError(
                f"{path}: {'is a folder, expected a file' if self.path.is_dir() else 'no such file'}"
            )
        try:
            self._zip = zipfile.ZipFile(self.path)
        except _DAMAGED as error:
            self._fail(error)
        self._members: dict[str, zipfile.ZipInfo] = {}
        found = self._zip.infolist()
        if len(found) > MOST_MEMBERS:
            raise TfbindError(
                f"{path}: found {len(found):,} members in the zip, expected at most {MOST_MEMBERS:,}"
            )
        for member in found:
            if member.filename in self._members:
                raise TfbindError(f"{path}: found two members {member.filename!r} in the zip, expected one")
            self._members[member.filename] = member

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def _fail(self, error: BaseException | str) -> NoReturn:
        why = str(error).split("\n", 1)[0] or type(error).__name__
        raise TfbindError(f"{self.path}: damaged or no model file ({why}), expected a .keras file") from None

    def read(self, name: str, *, most: int | None = None) -> bytes:
        """Read a member.

        Parameters
        ----------
        name : str
        most : int, optional
            Bytes that it can have, beside the limit for all: MOST_BYTES, or MOST_EXPANSION times its size in the zip.

        Raises
        ------
        TfbindError
            If it is missing, damaged, too large, encrypted or a link.
        """
        if name not in self._members:
            raise TfbindError(f"{self.path}: damaged: its member {name} is missing")
        member = self._members[name]
        limit = max(MOST_BYTES, MOST_EXPANSION * member.compress_size)
        most = limit if most is None else min(most, limit)
        if member.file_size > most:
            raise TfbindError(
                f"{self.path}: found a member {name} of {member.file_size:,} bytes, expected at most {most:,}"
            )
        # the other ways of packing are inflated whole, whatever size is named
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise TfbindError(
                f"{self.path}: its member {name} is packed in way {member.compress_type}, expected deflate"
            )
        if member.flag_bits & _ENCRYPTED:
            raise TfbindError(
                f"{self.path}: its member {name} is encrypted, expected a file without a password"
            )
        if stat.S_ISLNK(member.external_attr >> 16):
            raise TfbindError(f"{self.path}: its member {name} is a link, expected a file")
        try:
            with self._zip.open(member) as file:
                data = file.read(member.file_size + 1)
        except _DAMAGED as error:
            self._fail(error)
        if len(data) != member.file_size:
            self._fail(f"{name} has another size than the zip says")
        return data

    def check(self, sums: dict[str, str]) -> None:
        """Compare members with their SHA-256, by name.

        Raises
        ------
        TfbindError
            As `read`, and if one is not what was saved.
        """
        for name, expected in sums.items():
            if hashlib.sha256(self.read(name)).hexdigest() != expected.lower():
                raise TfbindError(f"{self.path}: damaged: its member {name} is not what was saved")
