"""The access log: who changed what through the service, and when.

STATE/access.jsonl      a JSON object a line: time, event, who, address and what belongs to the event; mode 0600
STATE/access.jsonl.1    the file before it, and so on

It holds no secret: neither tokens nor cookies, nor the bodies and parameters of requests. What a person gave as a
reason stands in the account's journal or in the history of the bundles.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from quorate.core.clock import iso_ms, now_ms
from quorate.core.files import write_refusal
from quorate.core.redaction import redact
from quorate.core.regular_files import require_regular
from quorate.serving.access.state_folder import state_lock

#: Name of the current file in the state folder.
FILE_NAME = "access.jsonl"

# Longest text of a field; more is cut.
_MOST_CHARACTERS = 300

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class AccessLog:
    """An append-only log that several processes may write.

    Args:
        folder: the state folder.
        most_bytes: of one file; the file is then renamed and a new one begun.
        files: that are kept, the current one included.
    """

    def __init__(self, folder: Path, *, most_bytes: int, files: int) -> None:
        self.path = folder / FILE_NAME
        self._most_bytes, self._files = most_bytes, files

    def write(self, event: str, *, who: str, address: str, **details: str | int | None) -> None:
        """Append a line and flush it to disk.

        Args:
            event: what happened.
            who: the caller.
            address: the caller's, or "local" for a command on the machine.
            details: what belongs to the event.

        Raises:
            DataError: the log cannot be written; what it should hold must not happen then.
        """
        texts = {"who": who, "address": address, **details}
        record = {"time": iso_ms(now_ms()), "event": event, **{name: _short(value) for name, value in texts.items()}}
        line = json.dumps(record).encode() + b"\n"
        with state_lock(self.path.parent):
            try:
                self._rotate(len(line))
                self._append(line)
            except OSError as error:
                raise write_refusal(self.path, error) from error

    def _append(self, line: bytes) -> None:
        descriptor = os.open(self.path, _FLAGS, 0o600)
        try:
            found = os.fstat(descriptor)
            require_regular(found, self.path)
            if found.st_size and os.pread(descriptor, 1, found.st_size - 1) != b"\n":
                line = b"\n" + line  # a process was killed in the middle of its line
            while line:
                line = line[os.write(descriptor, line) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _rotate(self, more: int) -> None:
        """Begin a new file if the current one has no room for `more` bytes."""
        try:
            size = self.path.lstat().st_size
        except FileNotFoundError:
            return
        if size + more <= self._most_bytes:
            return
        names = [self.path, *(self.path.with_name(f"{FILE_NAME}.{number}") for number in range(1, self._files))]
        names[-1].unlink(missing_ok=True)
        for older, newer in zip(reversed(names[1:]), reversed(names[:-1]), strict=True):
            if newer.exists():
                newer.rename(older)


def _short(value: str | int | None) -> str | int | None:
    return redact(value)[:_MOST_CHARACTERS] if isinstance(value, str) else value
