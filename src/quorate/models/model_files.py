"""Reading and writing of model files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.arguments import path_of
from quorate.core.errors import ModelError
from quorate.core.regular_files import read_regular
from quorate.core.types import FloatArray
from quorate.models.base import Model


def read_file(path: Path) -> bytes:
    """The bytes of a model file.

    Raises:
        ModelError: it cannot be read.
    """
    path = path_of("load a model", "path", path, "the path of a file that `save` wrote")
    try:
        return read_regular(path)
    except OSError as error:
        raise ModelError(f"load {path}", found=error.strerror or str(error), expected="a model file") from error


def write_file(path: Path, content: bytes) -> None:
    """Write the bytes of a model file.

    Raises:
        ModelError: it cannot be written.
    """
    path = path_of("save a model", "path", path, "the path of a file")
    try:
        path.write_bytes(content)
    except OSError as error:
        raise ModelError(f"save {path}", found=error.strerror or str(error), expected="a file to write") from error


def native_bytes(model: Model) -> bytes:
    """The bytes of the file that `save` writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / model.name
        model.save(path)
        return path.read_bytes()


def load_bytes(model: Model, content: bytes) -> Model:
    """The model, loaded from the bytes of such a file.

    Raises:
        ModelError: as of `load`.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / model.name
        path.write_bytes(content)
        return model.load(path)


def finite_array(values: Any) -> FloatArray:
    """Numbers of a model file as float64.

    Raises:
        ValueError: values that are not numbers, or one that is not finite.
    """
    array = np.array(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError("a value that is not finite")
    return array
