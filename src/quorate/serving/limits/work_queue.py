"""Threads for the work of requests, with a bounded queue that is fair between clients."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from quorate.core.errors import OverloadedError

T = TypeVar("T")


class WorkQueue:
    """Runs the calls of requests in a few threads.

    Free threads go round the clients that wait, so that one with many requests does not delay the others. When the
    queue is full, the client with the most waiting requests loses its newest one. Belongs to one event loop.

    Args:
        threads: calls that run at the same time.
        most: calls that may wait.
        patience_s: longest wait.

    Attributes:
        waiting: calls that wait.
        shed: calls that were refused.
    """

    def __init__(self, threads: int, most: int, patience_s: float) -> None:
        self._free, self._most, self._patience_s = threads, most, patience_s
        self._threads = ThreadPoolExecutor(threads, "quorate-serve")
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}  # client -> its calls; the next client first
        self.waiting = 0
        self.shed = 0

    async def run(self, client: str, call: Callable[[], T]) -> T:
        """The result of a call, made in a thread.

        Args:
            client: whose request it is, such as its address.
            call: raises what the caller gets.

        Raises:
            OverloadedError: the queue is full, or no thread was free in time.
        """
        if self._free:
            self._free -= 1
        else:
            await self._wait(client)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        finally:
            self._release()

    def close(self) -> None:
        """Let running calls end; further ones are errors."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _wait(self, client: str) -> None:
        """Wait for a thread, which this call then has."""
        if self.waiting >= self._most:
            self._make_room(client)
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(client, deque()).append(place)
        self.waiting += 1
        try:
            await asyncio.wait({place}, timeout=self._patience_s)
        except asyncio.CancelledError:
            if place.done() and place.exception() is None:
                self._release()  # it had just been given a thread
            else:
                self._leave(client, place)
            raise
        if not place.done():
            self._leave(client, place)
            raise self._overloaded()
        place.result()

    def _release(self) -> None:
        """Give a free thread to the next client that waits."""
        if not self._queues:
            self._free += 1
            return
        client = next(iter(self._queues))
        queue = self._queues.pop(client)
        place = queue.popleft()
        if queue:
            self._queues[client] = queue  # behind the others
        self.waiting -= 1
        place.set_result(None)

    def _make_room(self, client: str) -> None:
        """Refuse the newest call of the client with the most of them.

        Raises:
            OverloadedError: it is this client.
        """
        greedy = max(self._queues, key=lambda name: len(self._queues[name]))
        if len(self._queues[greedy]) <= len(self._queues.get(client, ())) + 1:
            raise self._overloaded()
        place = self._queues[greedy][-1]
        self._leave(greedy, place)
        place.set_exception(self._overloaded())

    def _leave(self, client: str, place: asyncio.Future[None]) -> None:
        queue = self._queues.get(client)
        if queue is None or place not in queue:  # refused already
            return
        queue.remove(place)
        self.waiting -= 1
        if not queue:
            del self._queues[client]

    def _overloaded(self) -> OverloadedError:
        self.shed += 1
        return OverloadedError(
            "answer the request",
            found=f"{self.waiting} requests that wait already",
            expected=f"at most {self._most}, and none longer than {self._patience_s:g} s",
            remedy="Try again in a second.",
        )
