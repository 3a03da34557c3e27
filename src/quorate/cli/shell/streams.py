"""Output streams of the command line: no secrets, no character that cannot be written, no crash when closed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from quorate.core.redaction import redact


class OutputClosedError(Exception):
    """The reader of the output has ended, as `head` does: nothing is left to do."""


class OutputError(Exception):
    """The output cannot be written, such as a file on a full disk."""


class SafeStream:
    """A text stream that removes secrets, and escapes characters that its encoding lacks.

    Everything that Python code writes to standard output and standard error passes here: results, messages, log
    records and tracebacks.

    Args:
        stream: to write to.

    Attributes:
        unsafe: the stream itself.
        written: whether any text was written.
    """

    def __init__(self, stream: TextIO) -> None:
        self.unsafe = self._stream = stream
        self.written = False

    def write(self, text: str) -> int:
        self.written = self.written or bool(text)
        encoding = self._stream.encoding or "utf-8"
        shown = redact(text)
        if not shown.isascii():
            shown = shown.encode(encoding, "backslashreplace").decode(encoding)
        try:
            self._stream.write(shown)
        except BrokenPipeError as error:
            raise OutputClosedError from error
        except OSError as error:
            raise OutputError(error.strerror or str(error)) from error
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError as error:
            raise OutputClosedError from error
        except OSError as error:
            raise OutputError(error.strerror or str(error)) from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def safe_streams() -> Iterator[tuple[SafeStream, SafeStream]]:
    """Standard output and standard error as safe streams until the block ends."""
    _fill_closed()
    before = sys.stdout, sys.stderr
    out, err = (SafeStream(stream) for stream in before)
    sys.stdout, sys.stderr = cast("TextIO", out), cast("TextIO", err)
    try:
        yield out, err
    finally:
        sys.stdout, sys.stderr = before


def print_secret(text: str, stream: TextIO) -> None:
    """Print a line with a secret that the user asked for, such as a new token; others are searched for them."""
    print(text, file=stream.unsafe if isinstance(stream, SafeStream) else stream, flush=True)


def discard_output() -> None:
    """Send what is still buffered for standard output nowhere, so that the interpreter's end does not fail on it."""
    with suppress(OSError, ValueError, AttributeError):  # a stream without a descriptor, such as one of a test
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.__stdout__.fileno() if sys.__stdout__ is not None else 1)
        os.close(nowhere)


def _fill_closed() -> None:
    """Open the null device in place of streams that are closed (`>&-`).

    Otherwise the next file that is opened would take their descriptors, and receive what is printed.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free descriptor, which is this one
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.dup(1), "w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.dup(2), "w", encoding="utf-8")
