"""Exclusive lock on a file, which the operating system releases when its holder ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from time import monotonic, sleep

from quorate.core.regular_files import open_to_lock, open_to_read

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class FileLock:
    """An exclusive lock on a file; releasing it does not remove the file.

    Args:
        path: the file, created where it is missing.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     first, second = FileLock(Path(folder) / "x.lock"), FileLock(Path(folder) / "x.lock")
    ...     first.acquire(), second.acquire(), first.release(), second.acquire(), second.release()
    (True, False, None, True, None)
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self, timeout_s: float = 0.0) -> bool:
        """Acquire the lock; returns whether it is held. Waits for another holder up to the timeout.

        Raises:
            OSError: the file cannot be opened.
        """
        descriptor = open_to_lock(self.path)
        deadline = monotonic() + timeout_s
        try:
            while not _lock(descriptor):
                if monotonic() >= deadline:
                    os.close(descriptor)
                    return False
                sleep(0.01)
        except BaseException:
            os.close(descriptor)
            raise
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor
        return True

    def taken(self) -> bool | None:
        """Whether anybody holds it; None where the file cannot be read. An attempt to acquire it meanwhile has to wait.

        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     lock = FileLock(Path(folder) / "x.lock")
        ...     lock.taken(), lock.acquire(), lock.taken(), lock.release(), lock.taken()
        (False, True, True, None, False)
        """
        try:
            with open_to_read(self.path) as file:
                return not _lock(file.fileno(), shared=True)
        except FileNotFoundError:
            return False
        except OSError:
            return None

    @property
    def held(self) -> bool:
        """Whether the lock is held on the file of that name, and not on one that was removed since."""
        if self._descriptor is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._descriptor), self.path.stat())
        except OSError:
            return False

    def release(self) -> None:
        """Release the lock, if it is held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def holder(self) -> str:
        """Description of the holder, from the content of the file."""
        text = self.path.read_text(encoding="utf-8").strip()
        return f"process {text}" if text.isdecimal() else "another process"


if sys.platform == "win32":

    def _lock(descriptor: int, *, shared: bool = False) -> bool:  # noqa: ARG001 - this system has no shared ones
        # A byte far behind the text, so that others can read the text.
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        os.lseek(descriptor, 0, os.SEEK_SET)
        return True

else:

    def _lock(descriptor: int, *, shared: bool = False) -> bool:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
