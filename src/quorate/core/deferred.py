"""Lazy public names of a folder: each is imported on first access (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def deferred(folder: str, files: Mapping[str, str]) -> tuple[Callable[[str], Any], list[str]]:
    """Build the `__getattr__` and the `__all__` of a folder.

    Its `__init__` repeats the imports under TYPE_CHECKING for type checkers; a test compares the two.

    Args:
        folder: name of its module, `__name__`.
        files: file of the folder -> the public names it defines, separated by spaces.

    >>> find, names = deferred("quorate.core", {"types": "Action Vote", "errors": "VoteError"})
    >>> names, find("VoteError").__module__
    (['Action', 'Vote', 'VoteError'], 'quorate.core.errors')
    """
    places = {name: file for file, names in files.items() for name in names.split()}

    def find(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {folder!r} has no attribute {name!r}")
        value = getattr(import_module(f"{folder}.{places[name]}"), name)
        setattr(sys.modules[folder], name, value)  # later accesses find it without this function
        return value

    return find, sorted(places)
