"""What the guards have to remember, as lines of JSON in a file that is only ever added to.

{"kind": "trade", "key": ..., "trade": {...}}   a closed trade of Freqtrade's
{"kind": "bar", ...}                            what a bar said to the guards
{"kind": "move", ...}                           a move of a guard, written before it takes effect; a person's too
"""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import IO, Any

from quorate.core.errors import FreqtradeError, JournalError, JournalUnavailableError

_KINDS = ("trade", "bar", "move")

_BLOCK = 4_096


class GuardJournal:
    """The file. One bot at a time writes bars; a person may add a move of theirs beside it.

    Args:
        path: made with the first line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read_up_to = 0
        self._taken: IO[bytes] | None = None

    def take(self) -> None:
        """Keep other bots out for as long as this process lives.

        Raises:
            FreqtradeError: another bot has it.
            JournalUnavailableError: the folder cannot be written.
        """
        import fcntl

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = (self.path.parent / f".{self.path.name}.lock").open("ab")
        except OSError as error:
            raise self._unavailable(error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.close()
            raise FreqtradeError(
                f"use the guards' journal {self.path}",
                found="another bot that uses it",
                expected="a journal for each bot",
                remedy='Name another: "quorate": {"journal": "quorate/guards-2.jsonl"}.',
            ) from error
        self._taken = handle

    def leave(self) -> None:
        """Let others have it."""
        if self._taken is not None:
            self._taken.close()
            self._taken = None

    def append(self, lines: list[dict[str, Any]]) -> None:
        """Add lines, on disk when this returns. They are not given out by `news` again.

        Raises:
            JournalUnavailableError: they could not be written.
        """
        if not lines:
            return
        text = "".join(json.dumps(line, allow_nan=False, separators=(",", ":")) + "\n" for line in lines).encode()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                before = _drop_half_line(descriptor)
                if os.write(descriptor, text) < len(text):
                    raise OSError(errno.ENOSPC, "only part of a line could be written")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise self._unavailable(error) from error
        if before == self._read_up_to:
            self._read_up_to = before + len(text)

    def news(self) -> list[dict[str, Any]]:
        """The lines that this object has neither read nor written yet.

        Raises:
            JournalError: a line in the middle that is no line of this journal; its number is named.
            JournalUnavailableError: the file cannot be read.
        """
        try:
            with self.path.open("rb") as handle:
                handle.seek(self._read_up_to)
                content = handle.read()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._unavailable(error) from error
        whole = content.rfind(b"\n") + 1
        lines = []
        for number, text in enumerate(content[:whole].splitlines(), 1):
            if not text.strip():
                continue
            line = _parsed(text)
            if line is None:
                raise JournalError(
                    f"read the guards' journal {self.path}",
                    found=f"{text[:60]!r} in line {number} of what is new",
                    expected=f"an object of one of the kinds {', '.join(_KINDS)}",
                    remedy="Restore it from a copy; the bot makes no entry without it.",
                )
            lines.append(line)
        self._read_up_to += whole
        return lines

    def _unavailable(self, error: OSError) -> JournalUnavailableError:
        return JournalUnavailableError(
            f"use the guards' journal {self.path}",
            found=error.strerror or str(error),
            expected="a file that can be written, with room",
            remedy="The bot makes no entry until it can be.",
        )


def _drop_half_line(descriptor: int) -> int:
    """Take away what a crash has left of a line: nobody has acted upon it. Returns the length of the file."""
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


def _parsed(text: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) and line.get("kind") in _KINDS else None
