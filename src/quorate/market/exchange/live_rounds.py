"""Rounds of concurrent requests of a live feed, which another thread can end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import wait
from typing import Any, TypeVar

from quorate.core.errors import QuorateError
from quorate.market.exchange.connection import Connection

T = TypeVar("T")

#: Interval in seconds at which a wait checks whether the feed was stopped.
TICK_S = 0.05


class Rounds:
    """Rounds of requests over one connection.

    Args:
        connection: to the exchange.
        longest_s: timeout of a round.
        stopped: set to end a running round.
    """

    def __init__(self, connection: Connection, longest_s: float, stopped: threading.Event) -> None:
        self._connection, self._longest_s, self._stopped = connection, longest_s, stopped

    def each(
        self,
        symbols: Sequence[str],
        read: Callable[[str], Coroutine[Any, Any, T]],
        *beside: Coroutine[Any, Any, Any],
    ) -> dict[str, T | QuorateError]:
        """Run a read for each market concurrently, together with other reads, until done or stopped.

        Returns:
            Market -> result or error; empty if the feed was stopped.
        """
        connection, longest_s = self._connection, self._longest_s

        async def all_of_them() -> list[T | QuorateError]:
            reads = connection.each((read(symbol) for symbol in symbols), longest_s)
            both = await asyncio.gather(reads, connection.each(beside, longest_s))
            found: list[T | QuorateError] = both[0]
            return found

        stoppable = not self._stopped.is_set()
        future = connection.start(all_of_them())
        try:
            while stoppable and not self._stopped.is_set() and not wait([future], TICK_S).done:
                pass
            if stoppable and self._stopped.is_set() and not future.done():
                return {}
            return dict(zip(symbols, future.result(), strict=True))
        finally:
            future.cancel()
