"""Atomic file writes: temporary file, fsync, rename."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from quorate.core.errors import DataError
from quorate.core.regular_files import require_regular

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))

# Length in bytes of the part of a name that a temporary file keeps; file systems allow 255.
_NAME_BYTES = 200

# Age at which nobody writes to a temporary file any more, seconds.
_ABANDONED_S = 3_600


def write_atomic(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file atomically: `write` fills a temporary file beside `path`, which then replaces it.

    A link is followed: the file it names is written, also where that does not exist yet. An existing file keeps its
    mode and, where the system allows it, its owner. After an error `path` is unchanged and the temporary file is
    removed.

    Raises:
        DataError: the folder cannot be written, the disk is full, or `path` is a named pipe, a device, a socket, a
            folder or a file that may not be written.
    """
    temporary: Path | None = None
    try:
        target = _target(path)
        before = _replaceable(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = _create_beside(target, 0o666 if before is None else 0o600)
        write(temporary)
        if before is not None:
            _keep_owner(temporary, before)
            temporary.chmod(stat.S_IMODE(before.st_mode))
        sync(temporary)
        temporary.replace(target)
        temporary = None
        _remove_abandoned(target)
        sync(target.parent)
    except OSError as error:
        raise write_refusal(path, error) from error
    except ValueError as error:
        if not isinstance(error, UnicodeEncodeError) and "null byte" not in str(error):
            raise
        raise DataError(f"write {str(path)!a}", found="a name that no file can have") from error
    finally:
        if temporary is not None:
            with suppress(OSError):  # of a folder that cannot be written any more; the first error is reported
                temporary.unlink(missing_ok=True)


def write_text_atomic(path: Path, text: str) -> None:
    """Write UTF-8 text atomically; errors as `write_atomic`."""
    write_atomic(path, lambda temporary: _write_text(temporary, text))


def write_refusal(path: Path, error: OSError) -> DataError:
    """The error of a file that could not be written, and that is as it was before."""
    words = error.strerror or str(error)
    if error.errno in _FULL or "No space left" in words:
        return DataError(
            f"write {path}",
            found=f"a full disk ({words})",
            expected="a writable folder with free space",
            remedy="Nothing was changed or lost. Free space and run it again.",
        )
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return DataError(
            f"write {path}",
            found=words,
            expected="a process that may open more files",
            remedy="Nothing was changed. Raise the limit of open files (ulimit -n) and run it again.",
        )
    return DataError(
        f"write {path}",
        found=words,
        expected="a writable folder with free space, and a regular file or none of that name",
        remedy="Nothing was changed. Free space or choose another folder.",
    )


def sync(path: Path) -> None:
    """Flush a file to disk; for a folder, the renames in it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _target(path: Path) -> Path:
    """The file that a path names, through links; the path itself where it is no link."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _replaceable(target: Path) -> os.stat_result | None:
    """The state of the file that will be replaced; None if there is none.

    Raises:
        OSError: it is not a regular file, or may not be written.
    """
    try:
        found = target.lstat()
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(found.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(target))
    require_regular(found, target)
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
    return found


def _create_beside(target: Path, mode: int) -> Path:
    """An empty temporary file in the folder of a file, with a name that begins with a dot and the file's name."""
    from secrets import token_hex  # here: readers do not need it

    # A name that is cut inside a character stays a valid name: the system has bytes.
    name = os.fsdecode(os.fsencode(target.name)[:_NAME_BYTES])
    temporary = target.parent / f".{name}.{token_hex(6)}"
    os.close(os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode))
    return temporary


def _remove_abandoned(target: Path) -> None:
    """Remove the temporary files of this file that killed processes left an hour ago or earlier."""
    prefix = f".{os.fsdecode(os.fsencode(target.name)[:_NAME_BYTES])}."
    with suppress(OSError), os.scandir(target.parent) as found:
        for entry in found:
            suffix = entry.name.removeprefix(prefix)
            if suffix == entry.name or len(suffix) != 12 or set(suffix) - set("0123456789abcdef"):
                continue
            if entry.is_file(follow_symlinks=False) and time.time() - entry.stat().st_mtime > _ABANDONED_S:
                Path(entry.path).unlink(missing_ok=True)


def _keep_owner(temporary: Path, before: os.stat_result) -> None:
    made = temporary.stat()
    if (made.st_uid, made.st_gid) != (before.st_uid, before.st_gid) and hasattr(os, "chown"):
        with suppress(PermissionError):  # only the superuser may give files away
            os.chown(temporary, before.st_uid, before.st_gid)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
