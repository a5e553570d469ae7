"""Reading compressed text and writing files that are whole or absent."""

from __future__ import annotations

import errno
import gzip
import hashlib
import logging
import os
import secrets
import stat
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from tfbind.errors import TfbindError

logger = logging.getLogger(__name__)

# no space left, a quota, and a limit on the size of files
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
GZIP_MAGIC = b"\x1f\x8b"
# the empty block that ends every BGZF file (SAM specification 4.1.2)
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def is_gzip(path: str | Path) -> bool:
    """Tell by its first bytes whether a file is gzip or BGZF, whatever its name says."""
    with open(path, "rb") as handle:
        return handle.read(2) == GZIP_MAGIC


def _warn_if_cut_between_blocks(path: Path) -> None:
    """A BGZF file that was cut off behind a whole block is a valid gzip file: only its end marker is missing."""
    with open(path, "rb") as handle:
        is_bgzf = handle.read(14)[12:] == BGZF_END[12:14]
        handle.seek(-min(len(BGZF_END), path.stat().st_size), os.SEEK_END)
        if is_bgzf and handle.read() != BGZF_END:
            logger.warning("%s: the BGZF end marker is missing, so the file may be cut off", path)


@contextmanager
def open_text(path: str | Path, newline: str | None = None) -> Iterator[TextIO]:
    """Open a plain, gzip or BGZF text file for reading; LF, CRLF and CR all end a line.

    Parameters
    ----------
    path : str or Path
    newline : str, optional
        As of `open`: ``"\\n"`` for lines that LF alone ends.

    Raises
    ------
    TfbindError
        If the file is missing, a folder or a pipe, unreadable, a damaged or cut-off gzip, or not UTF-8 text;
        also when that is found out while reading inside the ``with`` block.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise TfbindError(f"{path}: is a folder, expected a file")
        if path.exists() and not path.is_file():
            raise TfbindError(f"{path}: is a pipe or a device, which cannot be read twice, expected a file")
        gzipped = is_gzip(path)
        if gzipped:
            _warn_if_cut_between_blocks(path)
        opener = gzip.open if gzipped else open
        with opener(path, "rt", encoding="utf-8-sig", newline=newline) as handle:
            yield handle  # type: ignore[misc]
    except FileNotFoundError:
        raise TfbindError(f"{path}: no such file") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TfbindError(f"{path}: the gzip data are damaged or cut off ({error})") from None
    except UnicodeDecodeError as error:
        raise TfbindError(
            f"{path}: not a text file (byte {error.start} of a block is no UTF-8), expected plain or gzip text"
        ) from None
    except PermissionError:
        raise TfbindError(f"{path}: permission denied") from None


# files that must not be overwritten, by device and inode, and what each is called
_protected: dict[tuple[int, int], str] = {}


@contextmanager
def protected(inputs: Iterable[tuple[str, Path]]) -> Iterator[None]:
    """Keep files from being overwritten inside the ``with`` block, under whatever name.

    `prepare_output`, through which every output goes, refuses them: the outputs that a user named, what is written
    beside them, and what is written into a folder.

    Parameters
    ----------
    inputs : iterable of (str, Path)
        What each file is called in a message, such as an option, and where it is. Folders and files that do not exist
        are passed over.
    """
    before = dict(_protected)
    for name, path in inputs:
        with suppress(OSError):
            found = path.stat()
            if stat.S_ISREG(found.st_mode):
                _protected[found.st_dev, found.st_ino] = name
    try:
        yield
    finally:
        _protected.clear()
        _protected.update(before)


def check_output(path: str | Path) -> None:
    """Refuse a name for an output file that cannot be written; makes nothing.

    Raises
    ------
    TfbindError
        If its folder cannot be made or written to, something other than a file has the name, or the output would
        overwrite an input; see `protected`.
    """
    path = Path(path)
    # asked once, as another process may remove the file between two questions
    with suppress(OSError):
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise TfbindError(f"{path}: is a folder, expected a name for the output file")
        if not stat.S_ISREG(found.st_mode):
            # renaming onto /dev/null would replace the device itself
            raise TfbindError(f"{path}: is not a regular file, expected a name for the output file")
        if name := _protected.get((found.st_dev, found.st_ino)):
            raise TfbindError(f"{path}: would overwrite the file of {name}; choose another output name")
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise TfbindError(f"{path}: cannot be written ({folder} is not a folder)")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise TfbindError(f"{path}: cannot be written (no permission to write in {folder})")


def check_output_folder(path: str | Path) -> None:
    """Refuse a name for an output folder in which no file can be written; makes nothing."""
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise TfbindError(f"{path}: is a file, expected a folder for the results")
    check_output(path / "any file")


def prepare_output(path: str | Path) -> None:
    """Check an output's name as `check_output` does, and make its folder."""
    path = Path(path)
    check_output(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TfbindError(f"{path}: cannot be written ({error.strerror})") from None


@contextmanager
def whole_output(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` and rename it to ``path`` when the block succeeds.

    A missing parent folder is made. If the block fails or is interrupted the temporary file is removed
    and whatever stood under ``path`` before is untouched.

    Raises
    ------
    TfbindError
        If the file cannot be made.
    OSError
        If the disk is full; it names ``path``, which the error of a write does not.
    """
    path = Path(path)
    prepare_output(path)
    # the name is known before the file exists, so that an interruption at any moment finds it
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        try:
            temporary.touch(exist_ok=False)
        except (PermissionError, NotADirectoryError, FileNotFoundError, FileExistsError) as error:
            raise TfbindError(f"{path}: cannot be written ({error.strerror})") from None
        yield temporary
        temporary.replace(path)
    except OSError as error:
        names = {error.filename, error.filename2} - {None}
        if error.errno in DISK_FULL and (not names or str(temporary) in map(str, names)):
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise
    finally:
        with suppress(FileNotFoundError, NotADirectoryError):
            temporary.unlink()


def write_text(path: str | Path, text: str | Iterable[str]) -> None:
    """Write text, or its parts, as UTF-8, whole or not at all; as BGZF where the name ends in .gz or .bgz."""
    path = Path(path)
    parts = [text] if isinstance(text, str) else text
    with whole_output(path) as temporary, open(temporary, "wb") as handle:
        if path.suffix not in (".gz", ".bgz"):
            handle.writelines(part.encode() for part in parts)
            return
        from Bio.bgzf import BgzfWriter

        blocks = BgzfWriter(fileobj=handle)
        for part in parts:
            blocks.write(part.encode())
        blocks.close()


def sha256(path: str | Path) -> str:
    """SHA-256 of a file's bytes as they are on disk, in hexadecimal."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
