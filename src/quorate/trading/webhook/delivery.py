"""Delivered messages of an account, in its journal.

The journal holds every record of which there is a message. A `NotifiedRecord` tells how many of them, from one record
on, are delivered or given up; the rest is sent by the next session. A session that is killed between a delivery and its
record delivers that message twice: at least once, and in order.
"""

from __future__ import annotations

import logging
from array import array
from collections.abc import Callable
from dataclasses import replace

from quorate.core.clock import now_ms
from quorate.core.errors import JournalError
from quorate.trading.journal import Entry, Journal
from quorate.trading.journal.records import NotifiedRecord, Record
from quorate.trading.webhook.message import MESSAGE_KINDS, has_message

_log = logging.getLogger(__name__)


class Delivery:
    """Progress of an account's messages.

    Args:
        newest: the newest record of it.
        waiting: records whose messages are not delivered, in order.
        beside: opens the journal as `notifier`.

    Attributes:
        newest, waiting: as given.
    """

    def __init__(self, newest: NotifiedRecord, waiting: list[Record], beside: Callable[[], Journal]) -> None:
        self.newest, self.waiting, self._beside = newest, waiting, beside
        self._journal: Journal | None = None
        self._unwritten: NotifiedRecord | None = None
        self._failing = False

    @classmethod
    def resumed(cls, journal: Journal, beside: Callable[[], Journal]) -> Delivery:
        """The progress that a journal tells. An account whose first session with a webhook this is begins with now.

        Args:
            journal: opened as a session.
            beside: opens it once more, as `notifier`.

        Raises:
            JournalError: the journal cannot be read or written.
        """
        newest = next((known for _, _, known in journal.newest(1, [NotifiedRecord])), None)
        waiting: list[Entry] = []
        if isinstance(newest, NotifiedRecord):
            messages = [entry for entry in journal.read(newest.after, MESSAGE_KINDS) if has_message(entry.record)]
            done, waiting = messages[: newest.done], messages[newest.done :]
            # Begin after what is done, so that the next session has less to read.
            begun = replace(newest, time=now_ms(), after=done[-1].seq, done=0) if done else newest
        else:
            begun = NotifiedRecord(now_ms(), max((entry.seq for entry in journal.newest(1)), default=0), 0)
        if begun != newest:
            journal.append([begun])
        return cls(begun, [entry.record for entry in waiting], beside)

    def save(self, handled: int, sent: int, failed: int, dropped: int, restarts: int) -> bool:
        """Write how many messages since the beginning of this session are delivered or given up.

        Returns:
            Whether it is written; where not, it is tried again with the next call.
        """
        record = NotifiedRecord(
            now_ms(), self.newest.after, self.newest.done + handled, sent, failed, dropped, restarts
        )
        try:
            if self._journal is None:
                self._journal = self._beside()
            # One that may or may not have been written is written first, unchanged.
            pending = self._unwritten
            if pending is not None:
                self._journal.append([pending], idempotent=True)
            if pending is None or pending.done < record.done:
                self._unwritten = record
                self._journal.append([record])
        except JournalError as error:
            if not self._failing:
                _log.warning("delivered messages cannot be recorded, and may be sent again: %s", error)
            self._failing = True
            self.close()
            return False
        self._failing, self._unwritten = False, None
        return True

    def close(self) -> None:
        """Close the journal beside."""
        journal, self._journal = self._journal, None
        if journal is not None:
            journal.close()


class MessageCounts:
    """Counts of an account's messages, from the entries of its journal."""

    def __init__(self) -> None:
        self._newest: NotifiedRecord | None = None
        self._with_message = array("q")

    def add(self, entry: Entry) -> None:
        """Add the entry that follows those before."""
        if isinstance(entry.record, NotifiedRecord):
            self._newest = entry.record
        elif has_message(entry.record):
            self._with_message.append(entry.seq)

    def to_json(self) -> dict[str, int] | None:
        """The counts; None for an account without a webhook."""
        newest = self._newest
        if newest is None:
            return None
        return {
            "sent": newest.sent,
            "failed": newest.failed,
            "dropped": newest.dropped,
            "restarts": newest.restarts,
            "waiting": sum(seq > newest.after for seq in self._with_message) - newest.done,
        }
