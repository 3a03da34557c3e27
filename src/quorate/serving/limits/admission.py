"""Numbers of requests and of event streams in progress. A stream does not use up the requests' places."""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from quorate.core.errors import OverloadedError
from quorate.serving.errors import error_response

# Where a request's place is kept in its scope.
_PLACE = "quorate.place"

# Answered however many requests there are, so that an overloaded process is not taken for a dead one.
_ALWAYS = ("/health/live",)


class Admission:
    """Counts requests and event streams in progress.

    Args:
        most_requests: at the same time, streams not counted.
        most_streams: at the same time.

    Attributes:
        requests, streams: in progress.
        shed_requests, shed_streams: refused so far.
    """

    def __init__(self, most_requests: int, most_streams: int) -> None:
        self.most_requests, self.most_streams = most_requests, most_streams
        self.requests = 0
        self.streams = 0
        self.shed_requests = 0
        self.shed_streams = 0

    def open_stream(self, request: Request) -> None:
        """Count a request as an event stream from now on; its route calls this before the first event.

        Raises:
            OverloadedError: there are as many as there may be.
        """
        if self.streams >= self.most_streams:
            self.shed_streams += 1
            raise OverloadedError(
                "open an event stream",
                found=f"{self.streams} open event streams",
                expected=f"fewer than {self.most_streams}",
                remedy="Close one, or raise the setting serve.streams.",
            )
        place: _Place = request.scope[_PLACE]
        place.become_stream()


def is_stream(scope: Scope) -> bool:
    """Whether a request has become an event stream."""
    place = scope.get(_PLACE)
    return isinstance(place, _Place) and place.stream


class _Place:
    """The place of one request among those in progress."""

    def __init__(self, admission: Admission) -> None:
        self._admission, self.stream = admission, False
        admission.requests += 1

    def become_stream(self) -> None:
        if not self.stream:
            self.stream = True
            self._admission.requests -= 1
            self._admission.streams += 1

    def leave(self) -> None:
        if self.stream:
            self._admission.streams -= 1
        else:
            self._admission.requests -= 1


class AdmissionMiddleware:
    """Answers 503 with Retry-After while too many requests are in progress."""

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self._app, self._admission = app, admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        admission = self._admission
        if admission.requests >= admission.most_requests and scope["path"] not in _ALWAYS:
            admission.shed_requests += 1
            refused = OverloadedError(
                "answer the request",
                found=f"{admission.requests} requests in progress",
                expected=f"fewer than {admission.most_requests}",
                remedy="Try again in a second.",
            )
            await error_response(refused, 503)(scope, receive, send)
            return
        place = scope[_PLACE] = _Place(admission)
        try:
            await self._app(scope, receive, send)
        finally:
            place.leave()
