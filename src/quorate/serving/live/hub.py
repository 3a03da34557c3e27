"""Events to the streams that wait for them, in one event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection

from quorate.serving.live.events import EventKind, LiveEvent


class EventHub:
    """Passes every event to all subscriptions.

    Args:
        most: events that may wait in one subscription; one with more ends with a last event that says so.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._subscriptions: set[Subscription] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._subscriptions)

    def subscribe(self, kinds: Collection[EventKind] = ()) -> Subscription:
        """A subscription to some kinds of events, or to all; to be closed by the caller."""
        self._loop = asyncio.get_running_loop()
        subscription = Subscription(self, frozenset(kinds), self._most)
        if self._closed:
            subscription.end()
        else:
            self._subscriptions.add(subscription)
        return subscription

    def publish(self, *events: LiveEvent) -> None:
        """Pass events on, in the loop of the subscriptions."""
        for subscription in tuple(self._subscriptions):
            subscription.put(events)

    def publish_from_thread(self, event: LiveEvent) -> None:
        """Pass an event on from any thread; without subscriptions so far it is not kept."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.publish, event)

    def close(self) -> None:
        """End all subscriptions, present and future."""
        self._closed = True
        for subscription in tuple(self._subscriptions):
            subscription.end()

    def discard(self, subscription: Subscription) -> None:
        """Pass nothing on to a subscription any more."""
        self._subscriptions.discard(subscription)


class Subscription:
    """The events of one stream that were not read yet."""

    def __init__(self, hub: EventHub, kinds: frozenset[EventKind], most: int) -> None:
        self._hub, self._kinds, self._most = hub, kinds, most
        self._queue: deque[LiveEvent] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self.ended = False

    def wants(self, event: LiveEvent) -> bool:
        """Whether the event is of a kind that was asked for."""
        return not self._kinds or event.kind in self._kinds

    def put(self, events: Collection[LiveEvent]) -> None:
        """Add events; more than may wait end the subscription."""
        wanted = [event for event in events if self.wants(event)]
        if self.ended or not wanted:
            return
        if len(self._queue) + len(wanted) > self._most:
            self._queue.clear()
            reason = f"more than {self._most} events were waiting for this client"
            self._queue.append(LiveEvent.of("dropped", {"reason": reason}))
            self.end()
            return
        self._queue.extend(wanted)
        self._wake()

    async def read(self, timeout_s: float) -> list[LiveEvent]:
        """The events that wait, at least one unless none comes in time or the subscription has ended."""
        if not self._queue and not self.ended:
            self._waiting = asyncio.get_running_loop().create_future()
            await asyncio.wait({self._waiting}, timeout=timeout_s)
            self._waiting = None
        found = list(self._queue)
        self._queue.clear()
        return found

    def end(self) -> None:
        """Take no further events; those that wait can still be read."""
        self.ended = True
        self._hub.discard(self)
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
