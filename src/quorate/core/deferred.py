"""A folder's public names, each imported when it is first asked for: who needs one section does not wait for all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def deferred(folder: str, files: Mapping[str, str]) -> tuple[Callable[[str], Any], list[str]]:
    """The `__getattr__` and the `__all__` of a folder.

    Its `__init__` names the same imports once more, for those who read types; a test holds one against the other.

    Args:
        folder: its module, `__name__`.
        files: file of the folder -> the public names that are in it, with spaces between.

    >>> find, names = deferred("quorate.core", {"types": "Action Vote", "errors": "VoteError"})
    >>> names, find("VoteError").__module__
    (['Action', 'Vote', 'VoteError'], 'quorate.core.errors')
    """
    places = {name: file for file, names in files.items() for name in names.split()}

    def find(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {folder!r} has no attribute {name!r}")
        value = getattr(import_module(f"{folder}.{places[name]}"), name)
        setattr(sys.modules[folder], name, value)  # the next one finds it without asking
        return value

    return find, sorted(places)
