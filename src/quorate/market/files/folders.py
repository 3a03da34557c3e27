"""Looking at folders. What the system refuses becomes a DataError that names the path."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from quorate.core.errors import DataError


def require_folder(path: Path) -> Path:
    """The path itself, if it is a folder that can be read.

    Raises:
        DataError: no such folder, or it cannot be read.
    """
    with _reading(path), os.scandir(path):
        return path


def entries(folder: Path) -> list[Path]:
    """What lies in a folder, by name.

    Raises:
        DataError: no such folder, or it cannot be read.
    """
    with _reading(folder):
        return sorted(folder.iterdir())


def files_below(folder: Path, wanted: Callable[[Path], bool]) -> list[Path]:
    """The files that lie in a folder or below it and are wanted, by path.

    Raises:
        DataError: no such folder, or it cannot be read.
    """
    entries(folder)
    with _reading(folder):
        return sorted(path for path in folder.rglob("*") if wanted(path) and path.is_file())


def is_file(path: Path) -> bool:
    """Whether there is such a file.

    Raises:
        DataError: its folder cannot be searched.
    """
    with _reading(path):
        return path.is_file()


def is_folder(path: Path) -> bool:
    """Whether there is such a folder.

    Raises:
        DataError: the folder around it cannot be searched.
    """
    with _reading(path):
        return path.is_dir()


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: no path can hold a null
        raise DataError(
            f"read the folder {path}",
            found=getattr(error, "strerror", None) or str(error),
            expected="a folder that can be read",
            remedy="Name a folder of candles, such as Freqtrade's user_data/data/binance.",
        ) from error
