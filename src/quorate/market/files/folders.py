"""Reading of folders; errors of the system become a DataError that names the path."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from quorate.core.errors import DataError


def require_folder(path: Path) -> Path:
    """Return the path if it is a readable folder.

    Raises:
        DataError: no such folder, or it cannot be read.
    """
    with _reading(path), os.scandir(path):
        return path


def entries(folder: Path) -> list[Path]:
    """List the paths in a folder, by name.

    Raises:
        DataError: no such folder, or it cannot be read.
    """
    with _reading(folder):
        return sorted(folder.iterdir())


def files_below(folder: Path, wanted: Callable[[Path], bool]) -> list[Path]:
    """List the files in a folder and its subfolders for which `wanted` is true, by path.

    Raises:
        DataError: no such folder, or it cannot be read.
    """
    entries(folder)
    with _reading(folder):
        return sorted(path for path in folder.rglob("*") if wanted(path) and path.is_file())


def is_file(path: Path) -> bool:
    """Whether the path is a file.

    Raises:
        DataError: its folder cannot be searched.
    """
    with _reading(path):
        return path.is_file()


def is_empty(path: Path) -> bool:
    """Whether a file has no bytes.

    Raises:
        DataError: no such file, or its folder cannot be searched.
    """
    with _reading(path):
        return path.stat().st_size == 0


def is_folder(path: Path) -> bool:
    """Whether the path is a folder.

    Raises:
        DataError: its parent folder cannot be searched.
    """
    with _reading(path):
        return path.is_dir()


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        raise DataError(
            f"read the folder {path}",
            found=getattr(error, "strerror", None) or str(error),
            expected="a readable folder",
            remedy="Give a folder of candles, such as Freqtrade's user_data/data/binance.",
        ) from error
