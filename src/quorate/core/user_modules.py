"""Python files named by settings, such as `features.modules`: executed once, with a digest of the source."""

from __future__ import annotations

import hashlib
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import Any

from quorate.core.errors import QuorateError, SettingsError
from quorate.core.regular_files import read_regular

_lock = RLock()  # a file may load another
_executed: dict[Path, UserModule] = {}


@dataclass(frozen=True, slots=True, eq=False)
class UserModule:
    """A Python file that has been executed.

    Attributes:
        name: of the file, such as "my_features.py".
        path: absolute.
        digest: of the source that was executed; see `source_digest`.
        module: its names. It is in `sys.modules`, as pickle and dataclasses need, under a name that no other has.
    """

    name: str
    path: Path
    digest: str
    module: ModuleType

    def values(self) -> Iterator[Any]:
        """Every value at the top level of the file, and those of its top-level lists and tuples."""
        for value in vars(self.module).values():
            yield from value if isinstance(value, list | tuple) else (value,)


def load_user_module(path: str | Path, setting: str) -> UserModule:
    """Execute a Python file, once per process.

    The digest is of the very text that was executed, also where the file has been edited since.

    Args:
        path: of the file.
        setting: that names it, for error messages.

    Raises:
        SettingsError: no such file, or its code fails.
    """
    resolved = Path(path).expanduser().resolve()
    with _lock:
        if resolved not in _executed:
            _executed[resolved] = _execute(resolved, setting)
        return _executed[resolved]


def source_digest(source: bytes) -> str:
    """SHA-256 of a source file in hexadecimal, independent of its line endings."""
    return hashlib.sha256(source.replace(b"\r\n", b"\n")).hexdigest()


def _execute(path: Path, setting: str) -> UserModule:
    attempted = f"load {path.name}, which the setting {setting} names"
    try:
        source = read_regular(path)
    except OSError as error:
        raise SettingsError(
            attempted,
            found=f"{path}: {error.strerror or error}",
            expected="a Python file",
            remedy="Relative paths start at the folder of quorate.toml, or at the working folder without one.",
        ) from error
    module = ModuleType(f"quorate_user_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)  # noqa: S102 - what an import of the file does
    except QuorateError:
        del sys.modules[module.__name__]
        raise
    except Exception as error:  # of code of the user's own, which may raise anything: it is named and chained
        del sys.modules[module.__name__]
        raise SettingsError(
            attempted,
            found=f"{type(error).__name__}: {error}{_line(error, path)}",
            expected="a file that runs by itself; what it imports must be installed",
        ) from error
    return UserModule(path.name, path, source_digest(source), module)


def _line(error: Exception, path: Path) -> str:
    """Line of the file that raised an error; empty for a SyntaxError, whose text states it."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f", in line {lines[-1]}" if lines else ""
