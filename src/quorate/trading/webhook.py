"""Webhook messages about fills and halts, sent in the background: a failing webhook never delays trading."""

from __future__ import annotations

import http.client
import json
import logging
import math
import os
import threading
from collections.abc import Mapping
from queue import Empty, Full, Queue
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from quorate.core.clock import iso_ms
from quorate.core.errors import SettingsError
from quorate.core.settings import NotifySettings
from quorate.trading.journal.records import ClosedRecord, FilledRecord, GuardMovedRecord, LadderMovedRecord, Record

WEBHOOK_VARIABLE = "QUORATE_WEBHOOK"

# Status codes below 500 that are worth another attempt: timeout, too early, too many requests.
_RETRIED = frozenset({408, 425, 429})

_log = logging.getLogger(__name__)


def message(record: Record, account: str) -> dict[str, Any] | None:
    """The message about a record; None for records without one.

    There are messages about entries, exits, halts, re-armed guards and moves of the ladder. `text` is one line, as chat
    programs show it; numbers that are not finite are null.
    """
    match record:
        case FilledRecord(symbol=symbol, order=order, size=size, entry=entry):
            side = "long" if order.side > 0 else "short"
            content: dict[str, Any] = {
                "event": "filled",
                "text": (
                    f"{symbol}: {side} {size.quantity:g} at {entry.price:g}, stop {size.stop:g}, target {size.target:g}"
                ),
                "symbol": symbol,
                "side": side,
                "quantity": size.quantity,
                "price": entry.price,
                "leverage": size.leverage,
                "margin_usd": size.margin_usd,
                "stop": size.stop,
                "target": size.target,
                "confidence": order.confidence,
                "order_id": record.order_id,
            }
        case ClosedRecord(trade=trade):
            content = {
                "event": "closed",
                "text": f"{trade.symbol}: closed at {trade.exit_price:g} ({trade.reason}), {trade.net_usd:+,.2f} USD",
                **trade.to_json(),
                "order_id": record.order_id,
            }
        case GuardMovedRecord(guard=guard, before=before, after=after, reason=reason) if "HALTED" in (before, after):
            halted = after == "HALTED"
            content = {
                "event": "halted" if halted else "rearmed",
                "text": f"{'HALTED' if halted else 'Re-armed'}: {guard}: {reason}",
                "guard": guard,
                "reason": reason,
                "until": None if record.until is None else iso_ms(record.until),
            }
        case LadderMovedRecord(before=before, after=after, reason=reason):
            content = {
                "event": "ladder",
                "text": f"Ladder: from step {before} to {after}: {reason}",
                "before": before,
                "after": after,
                "reason": reason,
            }
        case _:
            return None
    unknown = {name: None for name, value in content.items() if isinstance(value, float) and not math.isfinite(value)}
    return {"account": account, "time": iso_ms(record.time), **content, **unknown}


class Webhook:
    """Posts messages as JSON, one after the other, in a thread of its own.

    Args:
        url: http or https.
        account: named in every message.
        settings: timeouts and attempts; defaults where None.

    Attributes:
        sent, failed, dropped: number of messages that were delivered, that failed in all attempts, and that did not fit
            into the queue.

    Raises:
        SettingsError: an invalid address.
    """

    def __init__(self, url: str, account: str, settings: NotifySettings | None = None) -> None:
        self.settings = settings or NotifySettings()
        self.sent = self.failed = self.dropped = 0
        self._url, self._account, self._host = url, account, _host(url)
        self._waiting: Queue[bytes | None] = Queue(self.settings.waiting)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="webhook", daemon=True)
        self._thread.start()

    @classmethod
    def from_environment(
        cls, account: str, settings: NotifySettings | None = None, environment: Mapping[str, str] | None = None
    ) -> Webhook | None:
        """The webhook of the environment variable QUORATE_WEBHOOK; None where it is not set.

        Args:
            account: named in every message.
            settings: timeouts and attempts; defaults where None.
            environment: variables; those of the process where None.

        Raises:
            SettingsError: an invalid address.
        """
        url = (os.environ if environment is None else environment).get(WEBHOOK_VARIABLE, "")
        return cls(url, account, settings) if url else None

    def notify(self, record: Record) -> None:
        """Queue the message about a record, if there is one. Returns at once and never fails."""
        content = message(record, self._account)
        if content is None:
            return
        try:
            self._waiting.put_nowait(json.dumps(content, allow_nan=False).encode())
        except Full:
            self.dropped += 1
            _log.warning("%s is too slow: %d messages dropped so far", self._host, self.dropped)

    def close(self) -> None:
        """Wait for queued messages up to `notify.last_s`, then discard them."""
        try:
            self._waiting.put_nowait(None)
        except Full:
            self._stopped.set()
        self._thread.join(self.settings.last_s)
        self._stopped.set()
        while True:
            try:
                self.failed += self._waiting.get_nowait() is not None
            except Empty:
                return

    def _work(self) -> None:
        while not self._stopped.is_set():
            body = self._waiting.get()
            if body is None:
                return
            if self._post(body):
                self.sent += 1
            else:
                self.failed += 1

    def _post(self, body: bytes) -> bool:
        """Post a message; returns whether an attempt succeeded."""
        request = Request(self._url, body, {"Content-Type": "application/json", "User-Agent": "quorate"})  # noqa: S310
        pause, failure = self.settings.pause_s, ""
        for attempt in range(self.settings.attempts):
            if attempt and self._stopped.wait(pause * 2 ** (attempt - 1)):
                break
            try:
                with urlopen(request, timeout=self.settings.timeout_s):  # noqa: S310
                    return True
            except HTTPError as error:
                error.close()
                failure = f"status {error.code}"
                if error.code < 500 and error.code not in _RETRIED:
                    break
            except (OSError, http.client.HTTPException) as error:
                # The address is a secret, and the error's text may contain it.
                failure = type(getattr(error, "reason", error)).__name__
        _log.warning("could not post a message to %s: %s", self._host, failure or "the session has ended")
        return False


def _host(url: str) -> str:
    """Host of an address, the part that may be logged.

    Raises:
        SettingsError: no http or https, or no host.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = None, None
    if parts is None or parts.scheme not in ("http", "https") or not host:
        raise SettingsError(
            f"use the address in {WEBHOOK_VARIABLE}",
            found="something else",
            expected="http:// or https:// and a host, such as https://hooks.example.com/abc",
        )
    return host
