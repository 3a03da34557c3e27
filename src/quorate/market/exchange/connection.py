"""Connection to one exchange: an event loop in a thread, and retries of failed reads."""

from __future__ import annotations

import asyncio
import itertools
import re
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import Future
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self, TypeVar

import numpy as np

from quorate.core.errors import (
    CandleError,
    ExchangeAnswerError,
    ExchangeDownError,
    ExchangeError,
    ExchangeRefusedError,
    QuorateError,
)
from quorate.core.sections.exchange import ExchangeSettings
from quorate.market.exchange.client import build_client, load_ccxt
from quorate.market.exchange.responses import LARGEST, LAST_RESPONSE, MOST_BYTES

T = TypeVar("T")

#: Exceptions of ccxt's parsers for documents of an unexpected form.
_FOREIGN = (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError, RecursionError)

# HTTP statuses that a retry does not change.
_FINAL_STATUS = (401, 403, 404, 451)

# Longest pause in seconds that is kept: exchanges end most bans within minutes, and a wrong header must not end a
# live feed.
_MOST_PAUSE_S = 3600.0

_QUERY = re.compile(r"\?\S+")


class Connection:
    """ccxt's asynchronous client in a thread of its own, for synchronous callers.

    Asynchronous, so that one rate limit covers all concurrent requests and each error has the headers of its response.

    Args:
        settings: exchange, timeouts and retries.

    Raises:
        UnknownExchangeError, ExchangeRefusedError, MissingExtraError: as `build_client`.
    """

    def __init__(self, settings: ExchangeSettings) -> None:
        self.settings = settings
        self._ccxt = load_ccxt()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"quorate-{settings.name}", daemon=True)
        self._thread.start()
        self._paused_until = 0.0
        self._random = np.random.default_rng()
        self._closed = False
        try:
            self.client: Any = self.run(self._build())
        except QuorateError:
            self._end_loop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine of this connection and wait for it; an interrupt cancels it."""
        future = self.start(coroutine)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def start(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine of this connection; not allowed in its own thread, where waiting would block forever."""
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise RuntimeError("a coroutine of the connection must not wait for the connection")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def close(self) -> None:
        """Close the connection; further calls do nothing."""
        if self._closed:
            return
        self._closed = True
        self.run(self._shut_down())
        self._end_loop()

    async def read(
        self,
        what: str,
        request: Callable[[], Awaitable[T]],
        attempts: int | None = None,
        *,
        most_bytes: int = MOST_BYTES,
    ) -> T:
        """Read with retries. For requests without side effects.

        Pauses double with each attempt and are randomised, so that many clients do not retry together. A pause that the
        exchange asks for (429, 418, 503) is kept by all requests of this connection, for an hour at most.

        Args:
            what: the action, continuing "could not ...".
            request: sends one request; a `CandleError` of it, for invalid rows, is retried too.
            attempts: maximum; None for the settings'.
            most_bytes: largest response, decompressed; a larger one is invalid, and not read to its end.

        Raises:
            ExchangeDownError: no response after all attempts, or a pause longer than the settings allow.
            ExchangeAnswerError, CandleError: an invalid response or invalid rows on every attempt.
            ExchangeRefusedError: the exchange refused the request.
        """
        most = attempts or self.settings.attempts
        for attempt in itertools.count(1):
            await self._wait_for_pause(what)
            LAST_RESPONSE.set(None)
            LARGEST.set(most_bytes)
            try:
                async with self._slots:
                    return await request()
            except (self._ccxt.BaseError, CandleError, *_FOREIGN) as error:
                if isinstance(error, QuorateError) and not isinstance(error, CandleError):
                    raise
                translated = self._translate(what, error, attempt)
                requested_pause = self._note_pause()
                if isinstance(translated, ExchangeRefusedError) or attempt >= most:
                    raise translated from error
            if requested_pause is None:
                doubled = self.settings.pause_s * 2 ** min(attempt - 1, 30)
                await asyncio.sleep(min(doubled, self.settings.longest_pause_s) * self._random.uniform(0.5, 1.5))
        raise AssertionError  # unreachable: the loop has no end

    async def each(
        self, reads: Iterable[Coroutine[Any, Any, T]], longest_s: float | None = None
    ) -> list[T | QuorateError]:
        """Run many reads concurrently.

        Args:
            reads: the coroutines.
            longest_s: timeout of each in seconds; None waits for all attempts.

        Returns:
            In order, the result of each read or its error.
        """
        return await asyncio.gather(*(self._or_error(read, longest_s) for read in reads))

    async def _or_error(self, read: Coroutine[Any, Any, T], longest_s: float | None) -> T | QuorateError:
        try:
            return await asyncio.wait_for(read, longest_s)
        except (ExchangeError, CandleError) as error:
            return error
        except TimeoutError:
            name = self.settings.name
            return ExchangeDownError(f"read from {name}", found=f"no response in {longest_s:g} s")

    async def _build(self) -> Any:
        self._slots = asyncio.Semaphore(self.settings.requests)
        return build_client(self.settings)

    async def _shut_down(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self.client.close()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _wait_for_pause(self, what: str) -> None:
        """Wait for the end of a pause that the exchange asked for."""
        while (left := self._paused_until - time.monotonic()) > 0:
            if left > self.settings.longest_pause_s:
                raise ExchangeDownError(
                    what,
                    found=f"{self.settings.name} asks for a pause of {left:.0f} s",
                    expected=f"at most {self.settings.longest_pause_s:g} s (exchange.longest_pause_s)",
                    remedy="Try again after the pause, with fewer markets at once.",
                )
            await asyncio.sleep(left)

    def _note_pause(self) -> float | None:
        """Keep the pause that the response asks for, in seconds, for all requests; None without one."""
        response = LAST_RESPONSE.get()
        if response is None or response.status not in (418, 429, 503):
            return None
        # Without a pause, or with one that is over, the next attempt comes after the usual one.
        seconds = _seconds(response.headers.get("retry-after", "")) or None
        if seconds is not None:
            self._paused_until = max(self._paused_until, time.monotonic() + seconds)
        return seconds

    def _translate(self, what: str, error: BaseException, attempt: int) -> QuorateError:
        """Convert an error of ccxt, or of its parsers, to one of Quorate's."""
        if isinstance(error, CandleError):
            return error
        ccxt, response = self._ccxt, LAST_RESPONSE.get()
        found = _QUERY.sub("", " ".join(str(error).split()))[:200]
        status = 0 if response is None else response.status
        if isinstance(error, ccxt.BaseError):
            # A truncated body is an ExchangeError of ccxt too, with the network's error as its cause.
            network = isinstance(error, ccxt.OperationFailed) or (
                type(error) is ccxt.ExchangeError and error.__cause__ is not None
            )
            if not network or status in _FINAL_STATUS:
                return ExchangeRefusedError(what, found=found, expected=f"a response of {self.settings.name}")
            if (fault := _certificate_fault(error)) is not None:
                return ExchangeDownError(
                    what,
                    found=f"a certificate that is not valid: {fault}",
                    expected=f"a valid certificate of {self.settings.name}",
                    remedy="Check this computer's clock, and whether a proxy or another network answers in the "
                    "exchange's place.",
                )
            if not isinstance(error, ccxt.BadResponse):
                tried = f" in {attempt} attempts" if attempt > 1 else ""
                return ExchangeDownError(
                    what,
                    found=f"no response{tried} ({found})",
                    expected=f"a response of {self.settings.name}",
                    remedy="Check the network and the status of the exchange, and try again.",
                )
        return ExchangeAnswerError(
            what,
            found=f"{type(error).__name__}: {found}",
            expected=f"a response as {self.settings.name} documents it",
            remedy="Try again; if the exchange changed its interface, update ccxt.",
        )


def _certificate_fault(error: BaseException | None) -> str | None:
    """Reason for which a server's certificate was not accepted; None for other errors."""
    while error is not None:
        inner = getattr(error, "certificate_error", error)
        if isinstance(inner, ssl.SSLCertVerificationError):
            return inner.verify_message
        error = error.__cause__ or error.__context__
    return None


def _seconds(text: str) -> float | None:
    """Seconds of a Retry-After header, a number or a date, from 0 to an hour; None for anything else."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (moment - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), _MOST_PAUSE_S) if seconds == seconds else None
