"""Version of the package and of its libraries, and a digest of the source."""

from __future__ import annotations

from functools import cache

__version__ = "0.1.0"

# Distributions that a model file may depend on.
_PACKAGES = (
    *("quorate", "numpy", "TA-Lib", "onnx", "onnxmltools", "onnxruntime"),
    *("xgboost", "xgboost-cpu", "lightgbm", "scikit-learn", "scipy", "torch"),
)


def versions() -> dict[str, str]:
    """Version of Python and of each installed library that a model file may depend on, by name."""
    import platform
    from contextlib import suppress
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):  # xgboost has two distribution names
            found[package] = version(package)
    return found


@cache
def code_digest() -> str:
    """SHA-256 over the source of the whole package, in hexadecimal."""
    import hashlib
    from pathlib import Path

    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
