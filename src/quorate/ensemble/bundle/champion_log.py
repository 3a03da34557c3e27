"""Who was champion, when and why: one JSON line for each thing that was done to a store of bundles.

A change of champion is written down *before* the pointer moves. A line that the pointer never followed, because the
process was killed in between, is taken back by an "interrupted" line at the next change.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from quorate.core.errors import BundleError
from quorate.core.files import sync

FILE_NAME = "history.jsonl"

Deed = Literal["publish", "promote", "rollback", "interrupted"]


@dataclass(frozen=True, slots=True)
class ChampionLogEntry:
    """One line.

    Attributes:
        time: ISO 8601, UTC.
        action: publish, promote, rollback, or interrupted: the change before it did not take place.
        id: the bundle published, or champion from then on.
        previous: the champion before; None where there was none.
        by: who did it.
        why: in their words.
    """

    time: str
    action: Deed
    id: str
    previous: str | None
    by: str
    why: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def read_history(folder: Path) -> tuple[ChampionLogEntry, ...]:
    """Every line, oldest first; one that a crash left unfinished at the end does not count.

    Raises:
        BundleError: a line that cannot be read; it is named.
    """
    path = folder / FILE_NAME
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise BundleError(f"read {path}", found=error.strerror or str(error)) from error
    lines = []
    for number, content in enumerate(text.split(b"\n")[:-1], 1):
        try:
            line = ChampionLogEntry(**json.loads(content))
        except (ValueError, TypeError) as error:
            raise BundleError(f"read {path}", found=f"line {number}: {error}", expected="a line of history") from error
        if line.action not in get_args(Deed):
            raise BundleError(
                f"read {path}", found=f"line {number}: action {line.action!r}", expected=", ".join(get_args(Deed))
            )
        lines.append(line)
    return tuple(lines)


def append_line(folder: Path, line: ChampionLogEntry) -> None:
    """Add a line and flush it to disk. The caller holds the store's lock.

    Raises:
        BundleError: the file cannot be written.
    """
    path = folder / FILE_NAME
    try:
        content = path.read_bytes() if path.exists() else b""
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            # The unfinished end of a line that a crash cut short.
            os.truncate(path, whole)
        with path.open("ab") as file:
            file.write(json.dumps(line.to_json(), ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if not content:
            sync(folder)
    except OSError as error:
        raise BundleError(f"write {path}", found=error.strerror or str(error)) from error


def reigns(lines: tuple[ChampionLogEntry, ...]) -> tuple[str, ...]:
    """Champions that a rollback can go back through, the present one last.

    >>> def line(action, id): return Line("", action, id, None, "", "")
    >>> reigns((line("promote", "a"), line("promote", "b"), line("rollback", "a"), line("promote", "c")))
    ('a', 'c')
    """
    states: list[tuple[str, ...]] = [()]
    for line in lines:
        if line.action == "promote":
            states.append((*states[-1], line.id))
        elif line.action == "rollback":
            states.append(states[-1][:-1])
        elif line.action == "interrupted" and len(states) > 1:
            states.pop()
    return states[-1]
