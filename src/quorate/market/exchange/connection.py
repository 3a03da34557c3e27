"""Requests to one exchange: an event loop in a thread, and the repetition of reads that failed."""

from __future__ import annotations

import asyncio
import itertools
import re
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
from quorate.market.exchange.client import ANSWER, build_client, load_ccxt

T = TypeVar("T")

#: What ccxt's parsers raise on documents of another shape than the exchange's.
_FOREIGN = (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError, RecursionError)

# Asking again changes nothing about these.
_FINAL_STATUS = (401, 403, 404, 451)

_QUERY = re.compile(r"\?\S+")


class Connection:
    """ccxt's asynchronous client in a thread of its own, for callers that wait.

    Asynchronous because one rate limit then holds for all requests under way, and since an error is told with the
    headers of its own answer.

    Args:
        settings: which exchange, and how patiently.

    Raises:
        UnknownExchangeError, ExchangeRefusedError, MissingExtraError: as `build_client`.
    """

    def __init__(self, settings: ExchangeSettings) -> None:
        self.settings = settings
        self._ccxt = load_ccxt()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"quorate-{settings.name}", daemon=True)
        self._thread.start()
        self._quiet_until = 0.0
        self._chance = np.random.default_rng()
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
        """Wait for a coroutine of this connection; interrupted, it is cancelled."""
        future = self.start(coroutine)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def start(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin a coroutine of this connection; not for its own coroutines, which would wait for themselves."""
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise RuntimeError("a coroutine of the connection waits for the connection")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def close(self) -> None:
        """End the connection; twice is once."""
        if self._closed:
            return
        self._closed = True
        self.run(self._shut())
        self._end_loop()

    async def read(self, what: str, ask: Callable[[], Awaitable[T]], attempts: int | None = None) -> T:
        """What `ask` gives, asked again after a pause where that may help. For reads only: nothing is done twice.

        A pause grows from attempt to attempt, by chance a little, so that many clients do not come back together. An
        exchange that names its own pause (429, 418, 503) gets it, from all requests of this connection.

        Args:
            what: continues "could not ...".
            ask: one request; a `CandleError` from it is an answer that cannot be true, which is asked again too.
            attempts: at most; None for the settings'.

        Raises:
            ExchangeDownError: no answer after all attempts, or a pause longer than the settings allow.
            ExchangeAnswerError, CandleError: answers that are none or cannot be true, each time.
            ExchangeRefusedError: the exchange said no.
        """
        most = attempts or self.settings.attempts
        for attempt in itertools.count(1):
            await self._be_quiet(what)
            ANSWER.set(None)
            try:
                async with self._slots:
                    return await ask()
            except (self._ccxt.BaseError, CandleError, *_FOREIGN) as error:
                if isinstance(error, QuorateError) and not isinstance(error, CandleError):
                    raise
                told = self._translate(what, error, attempt)
                asked_for = self._note_pause()
                if isinstance(told, ExchangeRefusedError) or attempt >= most:
                    raise told from error
            if asked_for is None:
                doubled = self.settings.pause_s * 2 ** min(attempt - 1, 30)
                await asyncio.sleep(min(doubled, self.settings.longest_pause_s) * self._chance.uniform(0.5, 1.5))
        raise AssertionError  # counting does not end

    async def each(
        self, reads: Iterable[Coroutine[Any, Any, T]], longest_s: float | None = None
    ) -> list[T | QuorateError]:
        """The results of many reads at once, in order, an error in the place of its result.

        Args:
            reads: what to do.
            longest_s: what is not done after so many seconds did not answer; None waits for all attempts.
        """
        return await asyncio.gather(*(self._or_error(read, longest_s) for read in reads))

    async def _or_error(self, read: Coroutine[Any, Any, T], longest_s: float | None) -> T | QuorateError:
        try:
            return await asyncio.wait_for(read, longest_s)
        except (ExchangeError, CandleError) as error:
            return error
        except TimeoutError:
            name = self.settings.name
            return ExchangeDownError(f"ask {name}", found=f"no answer in {longest_s:g} s", expected="one in time")

    async def _build(self) -> Any:
        self._slots = asyncio.Semaphore(self.settings.requests)
        return build_client(self.settings)

    async def _shut(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self.client.close()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _be_quiet(self, what: str) -> None:
        """Wait until the exchange wants to be asked again."""
        while (left := self._quiet_until - time.monotonic()) > 0:
            if left > self.settings.longest_pause_s:
                raise ExchangeDownError(
                    what,
                    found=f"{self.settings.name}, which wants no request for {left:.0f} s",
                    expected=f"at most {self.settings.longest_pause_s:g} s (exchange.longest_pause_s)",
                    remedy="Ask for less at once, and again then.",
                )
            await asyncio.sleep(left)

    def _note_pause(self) -> float | None:
        """The pause in seconds that the answer asks for, kept by all requests; None where it names none."""
        answer = ANSWER.get()
        if answer is None or answer.status not in (418, 429, 503):
            return None
        seconds = _seconds(answer.headers.get("retry-after", ""))
        if seconds is not None:
            self._quiet_until = max(self._quiet_until, time.monotonic() + seconds)
        return seconds

    def _translate(self, what: str, error: BaseException, attempt: int) -> QuorateError:
        """Our error for one of ccxt's, and so what follows from it."""
        if isinstance(error, CandleError):
            return error
        ccxt, answer = self._ccxt, ANSWER.get()
        found = _QUERY.sub("", " ".join(str(error).split()))[:200]
        status = 0 if answer is None else answer.status
        if isinstance(error, ccxt.BaseError):
            # A body that was cut off is an ExchangeError too, but one with the network's error as its cause.
            network = isinstance(error, ccxt.OperationFailed) or (
                type(error) is ccxt.ExchangeError and error.__cause__ is not None
            )
            if not network or status in _FINAL_STATUS:
                return ExchangeRefusedError(what, found=found, expected=f"an answer from {self.settings.name}")
            if not isinstance(error, ccxt.BadResponse):
                tried = f" in {attempt} attempts" if attempt > 1 else ""
                return ExchangeDownError(
                    what,
                    found=f"no answer{tried} ({found})",
                    expected=f"an answer from {self.settings.name}",
                    remedy="Look at the network and the exchange's status, then run it again.",
                )
        return ExchangeAnswerError(
            what,
            found=f"{type(error).__name__}: {found}",
            expected=f"what {self.settings.name} documents",
            remedy="Run it again; an exchange that changed needs a newer ccxt.",
        )


def _seconds(text: str) -> float | None:
    """Retry-After: seconds, or a date; None where it says neither."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError):
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (moment - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), 1e9) if seconds == seconds else None
