"""The answer that sends events for as long as its client reads them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from quorate.serving.live.events import LiveEvent
from quorate.serving.live.hub import Subscription

# Browsers try again after so long, ms.
_RETRY = b"retry: 2000\n\n"
_HEARTBEAT = b": \n\n"


class EventStream(Response):
    """Server-sent events of a subscription, which it closes at the end.

    Args:
        subscription: events from now on.
        missed: events to send before, in order; live ones with a number among them are not sent again.
        heartbeat_s: a comment is sent after so long without an event, which keeps proxies from closing the connection.
        stall_s: a client that reads nothing for so long is given up.

    Source of the format: https://html.spec.whatwg.org/multipage/server-sent-events.html
    """

    media_type = "text/event-stream"

    def __init__(
        self, subscription: Subscription, missed: Sequence[LiveEvent], *, heartbeat_s: float, stall_s: float
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._subscription, self._missed = subscription, missed
        self._heartbeat_s, self._stall_s = heartbeat_s, stall_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as in Response
        """See ASGI."""
        subscription = self._subscription
        gone = asyncio.create_task(_end_when_gone(subscription, receive))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await self._send(send, _RETRY + b"".join(event.content for event in self._missed))
            known = max((event.number or 0 for event in self._missed), default=0)
            while True:
                events = await subscription.read(self._heartbeat_s)
                new = [event.content for event in events if event.number is None or event.number > known]
                if new or not subscription.ended:
                    await self._send(send, b"".join(new) or _HEARTBEAT)
                if subscription.ended:
                    break
            await self._send(send, b"", more=False)
        except TimeoutError:
            return  # the server closes the connection of an answer that is not complete
        finally:
            subscription.end()
            gone.cancel()

    async def _send(self, send: Send, content: bytes, *, more: bool = True) -> None:
        """Send a part; waits while the client does not read.

        Raises:
            TimeoutError: for too long.
        """
        async with asyncio.timeout(self._stall_s):
            await send({"type": "http.response.body", "body": content, "more_body": more})


async def _end_when_gone(subscription: Subscription, receive: Receive) -> None:
    """End the subscription when the client closes the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
    subscription.end()
