"""Log of a store of bundles: publications and changes of champion, one JSON line each.

A change of champion is logged *before* the pointer is written. If the process is killed in between, the next change
first logs an "interrupted" entry, which cancels the last change.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from quorate.core.errors import BundleError
from quorate.core.files import sync
from quorate.core.redaction import redact
from quorate.core.regular_files import read_regular
from quorate.core.untrusted_json import parse_json

FILE_NAME = "history.jsonl"

LogAction = Literal["publish", "promote", "rollback", "interrupted", "remove"]


@dataclass(frozen=True, slots=True)
class ChampionLogEntry:
    """One entry of the log.

    Attributes:
        time: ISO 8601, UTC.
        action: publish, promote, rollback, remove, or interrupted: the change of champion before it was not made.
        id: the bundle that was published, became champion, or was removed.
        previous: the champion before; None where there was none.
        by: user who did it.
        why: reason given.
    """

    time: str
    action: LogAction
    id: str
    previous: str | None
    by: str
    why: str

    def __post_init__(self) -> None:
        # What a person wrote is kept for good, and shown by other programs.
        for name in ("by", "why"):
            object.__setattr__(self, name, redact(str(getattr(self, name))))

    def to_json(self) -> dict[str, Any]:
        """JSON object of the entry's line."""
        return asdict(self)


def read_history(folder: Path) -> tuple[ChampionLogEntry, ...]:
    """Read the log, oldest entry first. An incomplete last line, left by a crash, is ignored.

    Raises:
        BundleError: the file or a line of it cannot be read; names the line.
    """
    path = folder / FILE_NAME
    try:
        text = read_regular(path)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise BundleError(f"read {path}", found=error.strerror or str(error)) from error
    entries = []
    for number, content in enumerate(text.split(b"\n")[:-1], 1):
        try:
            entry = ChampionLogEntry(**parse_json(content))
        except (ValueError, TypeError) as error:
            raise BundleError(
                f"read {path}", found=f"line {number}: {error}", expected="an entry of the log"
            ) from error
        if entry.action not in get_args(LogAction):
            raise BundleError(
                f"read {path}", found=f"line {number}: action {entry.action!r}", expected=", ".join(get_args(LogAction))
            )
        entries.append(entry)
    return tuple(entries)


def append_entry(folder: Path, entry: ChampionLogEntry) -> None:
    """Append an entry and flush it to disk. The caller holds the store's lock.

    Raises:
        BundleError: the file cannot be written.
    """
    path = folder / FILE_NAME
    try:
        content = read_regular(path) if path.exists() else b""
        complete = content.rfind(b"\n") + 1
        if complete < len(content):
            # An incomplete last line, left by a crash.
            os.truncate(path, complete)
        with path.open("ab") as file:
            file.write(json.dumps(entry.to_json(), ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if not content:
            sync(folder)
    except OSError as error:
        raise BundleError(f"write {path}", found=error.strerror or str(error)) from error


def champion_lineage(entries: tuple[ChampionLogEntry, ...]) -> tuple[str, ...]:
    """Ids of the champions that rollbacks return to, oldest first, the present one last.

    >>> def entry(action, id): return ChampionLogEntry("", action, id, None, "", "")
    >>> champion_lineage((entry("promote", "a"), entry("promote", "b"), entry("rollback", "a"), entry("promote", "c")))
    ('a', 'c')
    """
    states: list[tuple[str, ...]] = [()]
    for entry in entries:
        if entry.action == "promote":
            states.append((*states[-1], entry.id))
        elif entry.action == "rollback":
            states.append(states[-1][:-1])
        elif entry.action == "interrupted" and len(states) > 1:
            states.pop()
    return states[-1]
