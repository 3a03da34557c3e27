"""One program at a time: a lock on a file, which the system gives back however its holder ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from time import monotonic, sleep

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class FileLock:
    """An exclusive lock on a file, which stays there when the lock is given back.

    Args:
        path: the file; made where it is missing.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     first, second = FileLock(Path(folder) / "x.lock"), FileLock(Path(folder) / "x.lock")
    ...     first.take(), second.take(), first.release(), second.take(), second.release()
    (True, False, None, True, None)
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def take(self, patience_s: float = 0.0) -> bool:
        """Whether the lock is held now; another holder is waited for as long as the patience lasts.

        Raises:
            OSError: the file cannot be opened.
        """
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        patient_until = monotonic() + patience_s
        try:
            while not _lock(descriptor):
                if monotonic() >= patient_until:
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

    @property
    def held(self) -> bool:
        """The lock is held, and on the file of that name: not on one that was removed since."""
        if self._descriptor is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._descriptor), self.path.stat())
        except OSError:
            return False

    def release(self) -> None:
        """Give the lock back; nothing where it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def holder(self) -> str:
        """Who holds it, as far as the file says."""
        text = self.path.read_text(encoding="utf-8").strip()
        return f"process {text}" if text.isdecimal() else "another process"


if sys.platform == "win32":

    def _lock(descriptor: int) -> bool:
        # A byte far behind the text, which others may then still read.
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        os.lseek(descriptor, 0, os.SEEK_SET)
        return True

else:

    def _lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
