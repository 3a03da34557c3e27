"""Changes to files that a person may have edited: only our own keys, with a copy of the file as it was beside it."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quorate.core.errors import SettingsError
from quorate.core.files import write_atomic
from quorate.market.commented_json import parse_commented_json, set_value

#: Keys from the outermost object inwards -> value.
Values = Mapping[tuple[str, ...], Any]


def equal_config(text: str, tree: Mapping[str, Any]) -> bool:
    """Whether a configuration has the values of a tree; the passwords of its server may be others."""
    try:
        found = parse_commented_json(text, "a configuration")
    except SettingsError:
        return False
    return isinstance(found, dict) and _without_secrets(found) == _without_secrets(tree)


def update_config(text: str, name: str, changed: Values, missing: Values) -> tuple[str, tuple[str, ...]]:
    """Set values of a configuration; every other value, comments and order stay.

    Args:
        text: of the file.
        name: of the file, for errors.
        changed: set to these.
        missing: set to these where the file has no such key.

    Returns:
        The new text, and the keys that were set, such as "quorate.bundle".

    Raises:
        SettingsError: no JSON object, with line and column.
    """
    tree = parse_commented_json(text, name)
    if not isinstance(tree, dict):
        raise SettingsError(f"read {name}", found=f"a {type(tree).__name__}", expected="an object of settings")
    wanted = {
        **{keys: value for keys, value in missing.items() if _value(tree, keys) is None},
        **{keys: value for keys, value in changed.items() if _value(tree, keys) != value},
    }
    for keys, value in wanted.items():
        text = set_value(text, keys, value)
    return text, tuple(map(".".join, wanted))


def update_strategy(text: str, name: str, timeframe: str) -> tuple[str, tuple[str, ...]]:
    r"""Set the timeframe in the class of a strategy file; everything else stays.

    Args:
        text: of the file.
        name: of the class.
        timeframe: of the bundle.

    Returns:
        The new text, and "timeframe" if it was set. A class that sets none is left.

    Raises:
        SettingsError: no Python.

    >>> update_strategy('class A(B):\n    timeframe = "1h"  # mine\n', "A", "4h")
    ('class A(B):\n    timeframe = "4h"  # mine\n', ('timeframe',))
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise SettingsError(
            f"read the strategy {name}", found=f"line {error.lineno}: {error.msg}", expected="a Python file"
        ) from error
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
    for node in (node for known in classes for node in known.body):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if not isinstance(target, ast.Name) or target.id != "timeframe" or not isinstance(value, ast.Constant):
            continue
        if value.value == timeframe:
            return text, ()
        lines = text.split("\n")
        line = lines[value.lineno - 1].encode()  # the parser counts bytes
        begin, end = value.col_offset, value.end_col_offset
        lines[value.lineno - 1] = (line[:begin] + f'"{timeframe}"'.encode() + line[end:]).decode()
        return "\n".join(lines), ("timeframe",)
    return text, ()


def keep_copy(path: Path) -> Path:
    """Copy a file to a new one beside it, NAME.bak or NAME.bak2 and so on, with its mode; the copy.

    Raises:
        DataError: it cannot be written.
    """
    number = 1
    while (copy := path.with_name(f"{path.name}.bak{number if number > 1 else ''}")).exists():
        number += 1

    def write(temporary: Path) -> None:
        shutil.copyfile(path, temporary)
        shutil.copymode(path, temporary)  # it may hold keys of an exchange

    write_atomic(copy, write)
    return copy


def _value(tree: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def _without_secrets(tree: Mapping[str, Any]) -> dict[str, Any]:
    server = tree.get("api_server")
    if not isinstance(server, dict):
        return dict(tree)
    kept = {name: value for name, value in server.items() if name not in ("password", "jwt_secret_key")}
    return {**tree, "api_server": kept}
