"""Reading of model files."""

from __future__ import annotations

from pathlib import Path

from quorate.core.errors import ModelError


def read_file(path: Path) -> bytes:
    """The bytes of a model file.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"load {path}", found=error.strerror or str(error), expected="a model file") from error
