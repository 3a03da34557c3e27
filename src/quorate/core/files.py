"""Atomic file writes: temporary file, fsync, rename."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from quorate.core.errors import DataError


def write_atomic(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file atomically: `write` fills a temporary file beside `path`, which then replaces it.

    After an error `path` is unchanged and the temporary file is removed.

    Raises:
        DataError: the folder cannot be written, or the disk is full.
    """
    from tempfile import NamedTemporaryFile  # here: readers do not need it

    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as handle:
            temporary = Path(handle.name)
        write(temporary)
        sync(temporary)
        temporary.chmod(0o644)
        temporary.replace(path)
        temporary = None
        sync(path.parent)
    except OSError as error:
        raise DataError(
            f"write {path}",
            found=error.strerror or str(error),
            expected="a writable folder with free space",
            remedy="Nothing was changed. Free space or choose another folder.",
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_text_atomic(path: Path, text: str) -> None:
    """Write UTF-8 text atomically; errors as `write_atomic`."""
    write_atomic(path, lambda temporary: _write_text(temporary, text))


def sync(path: Path) -> None:
    """Flush a file to disk; for a folder, the renames in it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
