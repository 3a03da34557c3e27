"""Opening of regular files only: named pipes, devices, sockets and folders are refused at once.

Reading a named pipe waits for a writer without limit, a device such as /dev/zero has no end, and replacing a device
node destroys it. Refusals are OSError, so that callers report them like every other file that cannot be used.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

#: Limit of the size of a file that is read whole, in bytes.
MOST_BYTES = 1 << 30

_KINDS = {
    stat.S_IFIFO: "a named pipe, not a regular file",
    stat.S_IFCHR: "a device, not a regular file",
    stat.S_IFBLK: "a device, not a regular file",
    stat.S_IFSOCK: "a socket, not a regular file",
}


def read_regular(path: Path, most_bytes: int = MOST_BYTES) -> bytes:
    """The bytes of a regular file. Links are followed.

    Raises:
        OSError: no such file, another kind of file, one that cannot be read, or one of more than `most_bytes`.
    """
    with open_to_read(path) as file:
        declared = os.fstat(file.fileno()).st_size
        content = file.read(most_bytes + 1) if declared <= most_bytes else b""
    size = max(declared, len(content))
    if size > most_bytes:
        raise OSError(errno.EFBIG, f"a file of {size} bytes, more than {most_bytes}", str(path))
    return content


def read_regular_text(path: Path, most_bytes: int = MOST_BYTES) -> str:
    """The text of a regular file in UTF-8, with all line endings as line feeds.

    Raises:
        OSError: as `read_regular`.
        UnicodeDecodeError: not UTF-8.
    """
    return read_regular(path, most_bytes).decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


def open_to_read(path: Path) -> BufferedReader:
    """A regular file, opened for reading. Links are followed.

    Raises:
        OSError: no such file, another kind of file, or one that cannot be read.
    """
    _require_name(path)
    require_regular(path.stat(), path)
    return os.fdopen(_open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0)), "rb")


def open_to_append(path: Path) -> int:
    """Descriptor of a regular file for reading and appending; created where it is missing. Links are followed.

    Raises:
        OSError: another kind of file, or one that cannot be opened.
    """
    return _open_or_create(path, os.O_RDWR | os.O_APPEND)


def open_to_lock(path: Path) -> int:
    """Descriptor of a regular file that serves as a lock; created where it is missing.

    Raises:
        OSError: another kind of file, or one that cannot be opened.
    """
    return _open_or_create(path, os.O_RDWR)


def require_regular(found: os.stat_result, path: Path) -> None:
    """Check that a file is a regular one.

    Raises:
        OSError: a named pipe, a device, a socket or a folder.
    """
    kind = stat.S_IFMT(found.st_mode)
    if kind == stat.S_IFDIR:
        raise IsADirectoryError(errno.EISDIR, "Is a directory", str(path))
    if kind != stat.S_IFREG:
        raise OSError(errno.EINVAL, _KINDS.get(kind, "not a regular file"), str(path))


def _open_or_create(path: Path, flags: int) -> int:
    _require_name(path)
    with suppress(FileNotFoundError):  # it is created
        require_regular(path.stat(), path)
    return _open(path, flags | os.O_CREAT)


def _open(path: Path, flags: int) -> int:
    # A file that was replaced by a pipe since it was checked is opened without waiting, and refused.
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o644)
    try:
        require_regular(os.fstat(descriptor), path)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _require_name(path: Path) -> None:
    """Check that a file can have this name, which Python otherwise reports as ValueError.

    Raises:
        OSError: a zero byte in the name, or characters that the file system cannot store.
    """
    try:
        if b"\0" not in os.fsencode(path):
            return
    except UnicodeEncodeError:
        pass
    raise OSError(errno.EINVAL, "a name that no file can have", ascii(str(path)))
