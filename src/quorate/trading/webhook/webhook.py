"""Webhook messages, sent in the background: a failing webhook never delays trading."""

from __future__ import annotations

import http.client
import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Literal
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from quorate.core.settings import NotifySettings
from quorate.trading.journal import Journal
from quorate.trading.journal.records import Record
from quorate.trading.webhook.address import address_of, url_of
from quorate.trading.webhook.delivery import Delivery
from quorate.trading.webhook.message import message

# Status codes below 500 that are worth another attempt at once: timeout, too early, too many requests.
_RETRIED = frozenset({408, 425, 429})

# Status codes that concern the message and not the address: the next one may be accepted.
_UNFIT = frozenset({400, 413, 415, 422})

_log = logging.getLogger(__name__)

Outcome = Literal["sent", "unfit", "kept"]


class Webhook:
    """Posts messages as JSON, one after the other, in a thread of its own.

    A message is kept until it is delivered: after `notify.attempts` it is tried again every `notify.rest_s`, and those
    behind it wait, so that they arrive in order. At most `notify.waiting` wait; beyond that the oldest are dropped.
    With a `delivery`, what was delivered is in the journal, and the next session sends what was not.

    Args:
        url: http or https.
        account: named in every message.
        settings: timeouts and attempts; defaults where None.
        delivery: what earlier sessions delivered; None for a webhook without a journal.
        currency: of the account.

    Attributes:
        sent, failed, dropped: number of messages that were delivered, that were given up (refused as unfit, or without
            a journal not delivered by the end), and that did not fit into the queue.
        restarts: how often the sender ended with an unexpected error, and was started again.

    Raises:
        SettingsError: an invalid address.
    """

    def __init__(
        self,
        url: str,
        account: str,
        settings: NotifySettings | None = None,
        delivery: Delivery | None = None,
        currency: str = "USD",
    ) -> None:
        self.settings = settings or NotifySettings()
        self._address, self._account, self._delivery = address_of(url), account, delivery
        self._currency = currency
        known = None if delivery is None else delivery.newest
        self.sent, self.failed, self.dropped, self.restarts = (
            (0, 0, 0, 0) if known is None else (known.sent, known.failed, known.dropped, known.restarts)
        )
        self._opener = build_opener(_NoRedirect)
        self._changed = threading.Condition()
        self._queue: deque[bytes] = deque()
        self._busy = False  # the first message is on its way
        self._behind = 0  # messages dropped directly behind it
        self._handled = 0  # messages of this session that are no longer waiting
        self._saved, self._save_at = 0, 0.0
        self._resting_until = 0.0
        self._crashes = 0  # of the sender with the first message
        self._closing = self._stopped = False
        for record in () if delivery is None else delivery.waiting:
            self._put(record)
        self._thread = self._started()

    @classmethod
    def from_environment(
        cls,
        account: str,
        settings: NotifySettings | None = None,
        environment: Mapping[str, str] | None = None,
        *,
        journal: Journal | None = None,
        beside: Callable[[], Journal] | None = None,
        currency: str = "USD",
    ) -> Webhook | None:
        """The webhook of the environment variable QUORATE_WEBHOOK; None where it is not set.

        Args:
            account: named in every message.
            settings: timeouts and attempts; defaults where None.
            environment: variables; those of the process where None.
            journal: of the session, whose messages are kept until they are delivered.
            beside: opens it once more, as `notifier`.
            currency: of the account.

        Raises:
            SettingsError: an invalid address.
            JournalError: the journal cannot be read.
        """
        url = url_of(environment)
        if url is None:
            return None
        delivery = None if journal is None or beside is None else Delivery.resumed(journal, beside)
        return cls(url, account, settings, delivery, currency)

    def notify(self, record: Record) -> None:
        """Queue the message about a record, if there is one. Returns at once and never fails."""
        with self._changed:
            self._put(record)
            if not self._thread.is_alive() and not self._closing:
                self.restarts += 1
                _log.error("the sender of webhook messages has ended, and is started again")
                self._thread = self._started()
            self._changed.notify_all()

    def send(self, content: Mapping[str, Any]) -> None:
        """Queue a message that is about no record, such as a retraining. Returns at once.

        Args:
            content: of finite JSON values; "text" is one line, as chat programs show it.
        """
        with self._changed:
            self._queue_message(content)
            self._changed.notify_all()

    def close(self) -> None:
        """Wait for queued messages up to `notify.last_s`; what is left then is for the next session."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(self.settings.last_s)
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            left = len(self._queue) - self._busy
            if self._delivery is None:
                self.failed += left
            elif left:
                _log.info("%d messages for %s wait for the next session", left, self._address.host)

    def _put(self, record: Record) -> None:
        content = message(record, self._account, self._currency)
        if content is not None:
            self._queue_message(content)

    def _queue_message(self, content: Mapping[str, Any]) -> None:
        self._queue.append(json.dumps(content, allow_nan=False).encode())
        if len(self._queue) - self._busy > self.settings.waiting:
            del self._queue[int(self._busy)]
            self.dropped += 1
            if self._busy:
                self._behind += 1
            else:
                self._handled += 1
            _log.warning("%s is too slow: %d messages dropped so far", self._address.host, self.dropped)

    def _started(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, name="webhook", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        """Send until the end. Whatever ends the sender is said, and it is started again."""
        while True:
            with self._changed:
                self._busy = False
            try:
                self._work()
            except Exception as error:  # noqa: BLE001 - an alert must not be lost to an error that nobody foresaw
                # The error's text may contain the address.
                _log.error("the sender of webhook messages ended with %s, and is started again", type(error).__name__)
                with self._changed:
                    self.restarts += 1
                    self._crashes += 1
                    self._resting_until = monotonic() + self.settings.pause_s
                    if self._crashes >= self.settings.attempts and self._queue:
                        self._end_first("unfit")
            else:
                return

    def _work(self) -> None:
        while True:
            self._save()
            with self._changed:
                now = monotonic()
                if self._stopped or (self._closing and (not self._queue or self._resting_until > now)):
                    break
                if not self._queue or self._resting_until > now:
                    moments = [self._save_at] if self._saved != self._handled and self._delivery else []
                    moments += [self._resting_until] if self._queue else []
                    self._changed.wait(max(0.0, min(moments) - now) if moments else None)
                    continue
                body, self._busy = self._queue[0], True
            outcome = self._post(body)
            with self._changed:
                self._busy = False
                self._crashes = 0
                if outcome == "kept":
                    self._resting_until = monotonic() + self.settings.rest_s
                else:
                    self._end_first(outcome)
        self._save(last=True)
        if self._delivery is not None:
            self._delivery.close()

    def _end_first(self, outcome: Outcome) -> None:
        """Remove the first message, which was delivered or given up."""
        self._queue.popleft()
        self._handled += 1 + self._behind
        self._behind, self._crashes, self._resting_until = 0, 0, 0.0
        if outcome == "sent":
            self.sent += 1
        else:
            self.failed += 1

    def _save(self, *, last: bool = False) -> None:
        """Write to the journal how far the messages are, at most every `notify.save_s`."""
        with self._changed:
            due = self._delivery is not None and self._handled != self._saved
            if not due or (not last and monotonic() < self._save_at):
                return
            handled, counts = self._handled, (self.sent, self.failed, self.dropped, self.restarts)
            self._save_at = monotonic() + self.settings.save_s
        if self._delivery is not None and self._delivery.save(handled, *counts):
            self._saved = handled

    def _post(self, body: bytes) -> Outcome:
        """Post a message, with the attempts of one round."""
        request = Request(self._address.url, body, self._address.headers)  # noqa: S310 - http or https, checked
        pause, failure, unfit = self.settings.pause_s, "", False
        for attempt in range(self.settings.attempts):
            if attempt and self._wait(pause * 2 ** (attempt - 1)):
                break
            try:
                with self._opener.open(request, timeout=self.settings.timeout_s):
                    return "sent"
            except HTTPError as error:
                error.close()
                failure, unfit = f"status {error.code}", error.code in _UNFIT
                if error.code < 500 and error.code not in _RETRIED:
                    break
            except (OSError, http.client.HTTPException) as error:
                # The address is a secret, and the error's text may contain it.
                failure = type(getattr(error, "reason", error)).__name__
        _log.warning("could not post a message to %s: %s", self._address.host, failure or "the session has ended")
        return "unfit" if unfit else "kept"

    def _wait(self, seconds: float) -> bool:
        """Wait between two attempts; returns whether the session is over meanwhile."""
        with self._changed:
            return self._changed.wait_for(lambda: self._stopped, seconds)


class _NoRedirect(HTTPRedirectHandler):
    """Redirects are failures: following one turns the message into a request without content."""

    def redirect_request(self, *_: Any) -> None:
        """Refuse every redirect."""
