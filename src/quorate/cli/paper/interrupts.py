"""Signals of the operating system and log lines of a paper session."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quorate.trading.journal import Record

_log = logging.getLogger("quorate.paper")

# Bytes written to the thread that waits for interrupts.
_ASKED, _OVER = b"!", b"."


class _StderrHandler(logging.StreamHandler[Any]):
    """Writes to standard error as it is at that moment: a progress bar puts lines above itself."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        return sys.stderr


def log_to_stderr() -> None:
    """Log from INFO on: what a session does is its output."""
    quorate = logging.getLogger("quorate")
    if quorate.getEffectiveLevel() > logging.INFO:
        quorate.setLevel(logging.INFO)
        handler = _StderrHandler()
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        quorate.addHandler(handler)
        quorate.propagate = False


def log_records(*, quiet: bool) -> Callable[[Record], None]:
    """A listener that logs a line for each record; with `quiet`, none for HOLD decisions."""
    from quorate.core.types import Action
    from quorate.trading.account.currency import currencies
    from quorate.trading.journal import DecidedRecord, StartedRecord
    from quorate.trading.paper.log_lines import line

    currency = ""

    def listen(record: Record) -> None:
        nonlocal currency
        if isinstance(record, StartedRecord):  # the first record of a session
            currency = currencies(record.symbols)
        if quiet and isinstance(record, DecidedRecord) and record.action == Action.HOLD:
            return
        text = line(record, currency)
        if text is not None:
            _log.info("%s", text)

    return listen


@contextmanager
def until_interrupted(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` at the first Ctrl-C or SIGTERM; a second one ends the program at once. No record is lost either way.

    Args:
        stop: ends the session after its step; called in a thread of its own.
    """
    # A handler runs anywhere, perhaps where the very lock is held that stopping takes, or in the middle of a line of
    # the log. So it does no more than wake a thread that may take locks.
    reading, writing = os.pipe()
    before: dict[int, Any] = {}

    def wake(number: int, _frame: object) -> None:
        signal.signal(number, before[number])
        os.write(writing, _ASKED)

    def wait() -> None:
        if os.read(reading, 1) == _ASKED:
            _log.warning("ending after the step at hand; once more ends it now")
            stop()

    watcher = threading.Thread(target=wait, name="quorate-interrupts")
    watcher.start()
    for caught in (signal.SIGINT, signal.SIGTERM):
        before[caught] = signal.signal(caught, wake)
    try:
        yield
    finally:
        for known, handler in before.items():
            signal.signal(known, handler)
        os.write(writing, _OVER)
        watcher.join()
        for end in (reading, writing):
            os.close(end)
