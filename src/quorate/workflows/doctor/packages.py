"""Installed packages: the runtime, which everything needs, and the extras, each with the verbs that need it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

# Packages of the runtime -> the module that is imported to see whether they work.
_RUNTIME = {
    "numpy": "numpy",
    "onnxruntime": "onnxruntime",
    "TA-Lib": "talib",
    "pyarrow": "pyarrow",
    "pydantic": "pydantic",
    "rich": "rich",
    "typer": "typer",
}

#: Extra -> what needs it.
EXTRAS = {
    "train": "train, demo, evaluate without a bundle",
    "exchange": "data download",
    "paper": "paper",
    "lifecycle": "retrain, drift, weights, tune",
    "serve": "serve",
    "llm": "llm",
    "mcp": "mcp",
    "dask": "--engine dask",
    "ray": "--engine ray",
    "rl": "size",
    "zoo": "the member catboost",
    "pretrained": "the member fracast",
    "signing": "bundle sign",
    "pandas": "pandas frames in Python",
}

# Packages that hold the same modules under another name.
_SAME = {"xgboost-cpu": ("xgboost",), "psycopg": ("psycopg-binary",)}

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(?:\[([^\]]*)\])?")
_EXTRA = re.compile(r"""extra\s*==\s*['"]([A-Za-z0-9_-]+)['"]""")


@dataclass(frozen=True, slots=True)
class RuntimePackage:
    """A package without which nothing runs.

    Attributes:
        name: of the package.
        version: empty where it is not installed.
        error: why it cannot be imported; empty where it can.
    """

    name: str
    version: str
    error: str

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version or None, "error": self.error or None}


@dataclass(frozen=True, slots=True)
class Extra:
    """An extra of this package.

    Attributes:
        name: of the extra.
        verbs: what needs it.
        missing: packages of it that are not installed.
    """

    name: str
    verbs: str
    missing: tuple[str, ...]

    @property
    def install(self) -> str:
        """The command that installs it."""
        return f"pip install 'quorate[{self.name}]'"

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "verbs": self.verbs,
            "installed": not self.missing,
            "missing": list(self.missing),
            "install": self.install,
        }


def runtime_packages() -> tuple[RuntimePackage, ...]:
    """The packages of the runtime, each imported."""
    return tuple(RuntimePackage(name, _version(name), _import_error(module)) for name, module in _RUNTIME.items())


def extras() -> tuple[Extra, ...]:
    """The extras, by the requirements of the installed distribution; none where it has no metadata."""
    try:
        listed = requires("quorate") or ()
    except PackageNotFoundError:
        return ()
    of_extra: dict[str, list[str]] = {}
    for text in listed:
        for name in _EXTRA.findall(text):
            of_extra.setdefault(name, []).append(text)
    return tuple(
        Extra(name, verbs, tuple(sorted(each for each in set(_packages(name, of_extra)) if not _installed(each))))
        for name, verbs in EXTRAS.items()
        if name in of_extra
    )


def _packages(extra: str, of_extra: Mapping[str, list[str]]) -> Iterable[str]:
    """Names of the packages of an extra, those of the extras that it includes among them."""
    for text in of_extra.get(extra, ()):
        found = _REQUIREMENT.match(text)
        if found is None:
            continue
        if found[1] != "quorate":
            yield found[1]
            continue
        for inner in (found[2] or "").split(","):
            yield from _packages(inner.strip(), of_extra)


@cache
def _installed(name: str) -> bool:
    return any(_version(each) for each in (name, *_SAME.get(name, ())))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _import_error(module: str) -> str:
    try:
        import_module(module)
    except (ImportError, OSError) as error:  # OSError: a shared library that is not there
        return str(error)
    return ""
