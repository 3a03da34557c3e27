"""Reading of model files."""

from __future__ import annotations

from pathlib import Path

from quorate.core.errors import ModelError
from quorate.core.regular_files import read_regular


def read_file(path: Path) -> bytes:
    """The bytes of a model file.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        return read_regular(path)
    except OSError as error:
        raise ModelError(f"load {path}", found=error.strerror or str(error), expected="a model file") from error
