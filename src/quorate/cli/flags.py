"""Argument names in the texts of errors, replaced by the flags of the command line.

The library names its arguments in backquotes: "`start`" for a value, "`allow_training_span=True`" for a switch. Here
they become "--from" and "--allow-training-span". Other text in backquotes, such as commands, is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from quorate.core.errors import QuorateError

_ARGUMENT = re.compile(r"`([a-z_]+)(?:=(True|False))?`")
_PARTS = ("attempted", "found", "expected", "remedy")


def error_parts(error: QuorateError, flags: Mapping[str, str]) -> dict[str, str]:
    """The parts of an error's message, with flags in place of argument names."""
    return {part: with_flags(getattr(error, part), flags) for part in _PARTS}


def error_text(error: QuorateError, flags: Mapping[str, str]) -> str:
    """The message of an error, with flags in place of argument names."""
    return with_flags(str(error), flags)


def with_flags(text: str, flags: Mapping[str, str]) -> str:
    """A text in which known argument names in backquotes are flags.

    Args:
        text: of an error.
        flags: argument name -> flag.

    >>> with_flags("`start` or later, see `quorate`; or `guards=False`", {"start": "--from", "guards": "--guards"})
    '--from or later, see `quorate`; or --no-guards'
    """

    def flag(match: re.Match[str]) -> str:
        found = flags.get(match[1])
        if found is None:
            return match[0]
        return f"--no-{found.removeprefix('--')}" if match[2] == "False" else found

    return _ARGUMENT.sub(flag, text)


def flags_of(root: Any, arguments: Sequence[str]) -> dict[str, str]:
    """Argument name -> flag: those of the command that was run first, then those of all others.

    Args:
        root: click's command of the whole command line.
        arguments: as given; their leading words name the command.
    """
    chosen = _chosen(root, arguments)
    found: dict[str, str] = {}
    for command in (chosen, *_commands(root)):
        for option in command.params:
            long = [name for name in option.opts if name.startswith("--")]
            if option.name and long:
                found.setdefault(option.name, long[0])
    return found


def _chosen(command: Any, arguments: Sequence[str]) -> Any:
    """The command that the words of the arguments name; values of options before a verb may be passed over."""
    for word in arguments:
        inner: Mapping[str, Any] = getattr(command, "commands", {})
        if word in inner:
            command = inner[word]
    return command


def _commands(command: Any) -> Iterator[Any]:
    inner: Mapping[str, Any] = getattr(command, "commands", {})
    for each in inner.values():
        yield each
        yield from _commands(each)
