"""What a trained model comes from besides its rows and settings: this code, and the libraries it stands on."""

from __future__ import annotations

import hashlib
import platform
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# What a model's file may depend on.
_PACKAGES = (
    *("quorate", "numpy", "TA-Lib", "onnx", "onnxmltools", "onnxruntime"),
    *("xgboost", "xgboost-cpu", "lightgbm", "scikit-learn", "scipy", "torch"),
)


def versions() -> dict[str, str]:
    """Of Python and of every library that is installed, by name."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):  # xgboost comes under two names
            found[package] = version(package)
    return found


@cache
def code_digest() -> str:
    """SHA-256 over the source of the whole package, in hexadecimal."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
