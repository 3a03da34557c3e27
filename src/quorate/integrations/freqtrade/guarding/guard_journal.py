"""Append-only journal of the guards: a file with one JSON object a line.

{"kind": "trade", "key": ..., "trade": {...}}   a closed trade of Freqtrade
{"kind": "bar", ...}                            the guards' inputs of one closed bar
{"kind": "move", ...}                           a guard's change of mode, written before it is applied
"""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import IO, Any

from quorate.core.errors import FreqtradeError, JournalError, JournalUnavailableError
from quorate.core.regular_files import open_to_append, open_to_read
from quorate.core.untrusted_json import parse_json

_KINDS = ("trade", "bar", "move")

_BLOCK = 4_096


class GuardJournal:
    """Journal of the guards. One bot holds its lock and writes bars; `quorate freqtrade rearm` may append moves.

    Args:
        path: created when the first line is appended.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._lock: IO[bytes] | None = None

    def lock(self) -> None:
        """Lock the journal against other bots until `unlock`, or until the process ends.

        Raises:
            FreqtradeError: another bot holds the lock.
            JournalUnavailableError: the folder cannot be written.
        """
        import fcntl

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.fdopen(open_to_append(self.path.parent / f".{self.path.name}.lock"), "ab")
        except OSError as error:
            raise self._unavailable(error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.close()
            raise FreqtradeError(
                f"lock the guards' journal {self.path}",
                found="another bot that uses it",
                expected="a journal of its own for each bot",
                remedy='Name another file: "quorate": {"journal": "quorate/guards-2.jsonl"}.',
            ) from error
        self._lock = handle

    def unlock(self) -> None:
        """Release the lock, if it is held."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def append(self, lines: list[dict[str, Any]]) -> None:
        """Append lines and flush them to disk. `read_new` does not return them again.

        Raises:
            JournalUnavailableError: they could not be written.
        """
        if not lines:
            return
        text = "".join(json.dumps(line, allow_nan=False, separators=(",", ":")) + "\n" for line in lines).encode()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = open_to_append(self.path)
            try:
                size = _truncate_partial_line(descriptor)
                if os.write(descriptor, text) < len(text):
                    raise OSError(errno.ENOSPC, "only part of a line could be written")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise self._unavailable(error) from error
        if size == self._offset:
            self._offset = size + len(text)

    def read_new(self) -> list[dict[str, Any]]:
        """Read the lines that this object has neither read nor written yet.

        Raises:
            JournalError: an invalid line before the last; its number is named.
            JournalUnavailableError: the file cannot be read.
        """
        try:
            with open_to_read(self.path) as handle:
                handle.seek(self._offset)
                content = handle.read()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._unavailable(error) from error
        complete = content.rfind(b"\n") + 1
        lines = []
        for number, text in enumerate(content[:complete].splitlines(), 1):
            if not text.strip():
                continue
            line = _parse(text)
            if line is None:
                raise JournalError(
                    f"read the guards' journal {self.path}",
                    found=f"{text[:60]!r} in line {number} after byte {self._offset}",
                    expected=f"a JSON object of one of the kinds {', '.join(_KINDS)}",
                    remedy="Restore the journal from a backup; the bot opens no trades without it.",
                )
            lines.append(line)
        self._offset += complete
        return lines

    def _unavailable(self, error: OSError) -> JournalUnavailableError:
        return JournalUnavailableError(
            f"access the guards' journal {self.path}",
            found=error.strerror or str(error),
            expected="a file that can be read and written, on a disk with free space",
            remedy="Restore access; the bot opens no trades until then.",
        )


def _truncate_partial_line(descriptor: int) -> int:
    """Remove an incomplete last line and return the size of the file.

    A crash during a write leaves such a line. It has not taken effect, since lines are written first.
    """
    size = os.fstat(descriptor).st_size
    end, block = size, b""
    while end > 0 and b"\n" not in block:
        begin = max(0, end - _BLOCK)
        block = os.pread(descriptor, end - begin, begin)
        if b"\n" in block:
            end = begin + block.rfind(b"\n") + 1
            break
        end = begin
    if end < size:
        os.ftruncate(descriptor, end)
    return end


def _parse(text: bytes) -> dict[str, Any] | None:
    try:
        line = parse_json(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) and line.get("kind") in _KINDS else None
