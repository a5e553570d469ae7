"""Reading compressed text and writing files that are whole or absent."""

from __future__ import annotations

import errno
import gzip
import hashlib
import logging
import os
import platform
import re
import secrets
import shutil
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from tfbind.errors import TfbindError

logger = logging.getLogger(__name__)

# no space left, a quota, and a limit on the size of files
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
LONGEST_NAME = 255  # bytes, on nearly all file systems
LONGEST_STEM = 200
# of this machine, in the names of temporary files: a file system may be shared
_HOST = hashlib.sha256(platform.node().encode()).hexdigest()[:6]
GZIP_MAGIC = b"\x1f\x8b"
# the empty block that ends every BGZF file (SAM specification 4.1.2)
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def is_gzip(path: str | Path) -> bool:
    """Tell by its first bytes whether a file is gzip or BGZF, whatever its name says."""
    with open(path, "rb") as handle:
        return handle.read(2) == GZIP_MAGIC


def is_bgzf(path: str | Path) -> bool:
    """Tell by its first bytes whether a file is BGZF, which can be read from any block on."""
    with open(path, "rb") as handle:
        head = handle.read(14)
    return head[:4] == BGZF_END[:4] and head[12:] == BGZF_END[12:14]


def check_bgzf_end(path: str | Path) -> None:
    """Refuse a BGZF file without its end block.

    One that was cut off after a whole block is a valid gzip file, and would be read without an error.

    Raises
    ------
    TfbindError
    """
    path = Path(path)
    if not is_bgzf(path):
        return
    with open(path, "rb") as handle:
        handle.seek(-min(len(BGZF_END), path.stat().st_size), os.SEEK_END)
        if handle.read() != BGZF_END:
            raise TfbindError(
                f"{path}: has no BGZF end block, so it seems to be cut off; if it is whole, unpack it with gzip and"
                " pack it with bgzip"
            )


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
        If the file is missing, a folder or a pipe, unreadable, a damaged or cut-off gzip or BGZF, or not UTF-8 text;
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
            check_bgzf_end(path)
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
    if len(os.fsencode(path.name)) > LONGEST_NAME:
        raise TfbindError(f"{path}: cannot be written (the name has more than {LONGEST_NAME} bytes)")
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


# that `prepare_output` has made, the outer ones first
_made: list[Path] = []


def prepare_output(path: str | Path) -> None:
    """Check an output's name as `check_output` does, and make its folder."""
    path = Path(path)
    check_output(path)
    missing = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TfbindError(f"{path}: cannot be written ({error.strerror})") from None
    finally:
        _made.extend(missing[::-1])


@contextmanager
def no_empty_folders() -> Iterator[None]:
    """Remove the folders that `prepare_output` makes in the block, as far as they are empty, if the block fails."""
    n_before = len(_made)
    try:
        yield
    except BaseException:
        for folder in reversed(_made[n_before:]):
            with suppress(OSError):
                folder.rmdir()
        raise
    finally:
        del _made[n_before:]


def _temporary(path: Path) -> Path:
    """Name what becomes ``path``, hidden beside it, after the process that makes it."""
    return path.with_name(f".{_stem(path)}.{_HOST}-{os.getpid()}-{secrets.token_hex(3)}.part")


def _stem(path: Path) -> str:
    """The name itself, unless a longer one made of it could be too long for a file."""
    name = os.fsencode(path.name)
    return path.name if len(name) <= LONGEST_STEM else hashlib.sha256(name).hexdigest()


def _remove_stale(path: Path) -> None:
    """Remove what processes of this machine that were killed left of ``path``; of others nothing is known."""
    pattern = re.compile(rf"\.{re.escape(_stem(path))}\.{_HOST}-(\d+)-[0-9a-f]{{6}}\.part")
    with suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            found = pattern.fullmatch(entry.name)
            if found is None or _is_running(int(found[1])):
                continue
            logger.info("%s: removed, a process that was killed left it", entry.path)
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                with suppress(OSError):
                    os.unlink(entry.path)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


@contextmanager
def whole_folder(path: str | Path, last: str | None = None) -> Iterator[Path]:
    """Give a temporary folder, and move its files, and those of its folders, into ``path`` when the block succeeds.

    If the block fails or is interrupted, as on a full disk, what was in ``path`` before is untouched. Files in ``path``
    that the block did not make stay.

    Parameters
    ----------
    path : str or Path
    last : str, optional
        A file that is there only if all others are of the same run: its predecessor is removed first, and it is moved
        last.

    Raises
    ------
    TfbindError
        If a file cannot be written in ``path``, or would overwrite an input (see `protected`); nothing is moved then.
    """
    path = Path(path)
    is_new = not path.exists()
    prepare_output(path / "any file")
    # inside, as the folder may be a file system of its own
    inside = path / "folder"
    _remove_stale(inside)
    temporary = _temporary(inside)
    try:
        temporary.mkdir()
        yield temporary
        made = [str(entry.relative_to(temporary)) for entry in temporary.rglob("*") if not entry.is_dir()]
        names = sorted(made, key=lambda name: (name == last, name))
        for name in names:
            check_output(path / name)
        if last is not None:
            (path / last).unlink(missing_ok=True)
        for name in names:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (temporary / name).replace(path / name)
        is_new = False
    except OSError as error:
        if error.errno in DISK_FULL:
            name = Path(str(error.filename)).name if error.filename else ""
            raise OSError(error.errno, error.strerror, str(path / name)) from None
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if is_new:
            with suppress(OSError):
                path.rmdir()


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
    _remove_stale(path)
    # the name is known before the file exists, so that an interruption at any moment finds it
    temporary = _temporary(path)
    try:
        try:
            temporary.touch(exist_ok=False)
        except OSError as error:
            if error.errno in DISK_FULL:
                raise OSError(error.errno, error.strerror, str(path)) from None
            raise TfbindError(f"{path}: cannot be written ({error.strerror})") from None
        yield temporary
        temporary.replace(path)
    except OSError as error:
        names = {error.filename, error.filename2} - {None}
        if error.errno in DISK_FULL and (not names or str(temporary) in map(str, names)):
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise
    finally:
        with suppress(OSError):
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


@contextmanager
def unchanged(paths: Iterable[str | Path]) -> Iterator[Callable[[], None]]:
    """Refuse files that change, or vanish, within the block, which reads them more than once.

    Gives a function that asks whether all are as they were, for a block that is about to publish what it wrote.

    Raises
    ------
    TfbindError
        By that function, at the end of the block, or in place of the error that such a file has led to.
    """
    before = {Path(path): _stamp(Path(path)) for path in paths}

    def check() -> None:
        for path, stamp in before.items():
            now = _stamp(path)
            if now != stamp:
                how = "changed" if now else "was removed"
                raise TfbindError(f"{path}: {how} while it was read; run again when it stays as it is")

    try:
        yield check
    except Exception:
        check()
        raise
    check()


def _stamp(path: Path) -> tuple[int, int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def sha256(path: str | Path) -> str:
    """SHA-256 of a file's bytes as they are on disk, in hexadecimal."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
