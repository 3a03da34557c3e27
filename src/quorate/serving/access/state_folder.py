"""The folder of what the service stores about access, which belongs to one user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quorate.core.files import write_refusal
from quorate.core.folder_lock import folder_lock

# Longest wait for another process, which holds the lock for one small file.
_WAIT_S = 10.0


@contextmanager
def state_lock(folder: Path) -> Iterator[None]:
    """Keep other processes from writing into the folder; it is created if missing, for its owner only.

    Raises:
        DataError: the folder cannot be created or locked.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise write_refusal(folder, error) from error
    with folder_lock(folder, wait_s=_WAIT_S, other="service or command"):
        yield
