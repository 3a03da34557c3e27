"""Bodies of requests: bounded in size, time and memory, and strict where they are JSON.

Every body is read and checked before a route sees it, however the route parses it: the framework's own parser accepts
NaN, 1e999, keys that occur twice and halves of surrogate pairs.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from quorate.core.errors import ArgumentError, OverloadedError, QuorateError
from quorate.core.untrusted_json import InvalidJSONError, parse_json
from quorate.serving.errors import error_response

# Lists and objects inside each other; the deepest document of the API has two.
_MOST_DEPTH = 16

# Bodies of full length that may be in memory at the same time.
_MOST_HELD = 64


class BodyMiddleware:
    """Reads each body, and answers 413, 408, 400 or 503 in place of the application where it cannot be used.

    Args:
        app: gets the whole body in one message.
        most_bytes: limit of a body's size.
        timeout_s: for a whole body.
    """

    def __init__(self, app: ASGIApp, most_bytes: int, timeout_s: float) -> None:
        self._app, self._most_bytes, self._timeout_s = app, most_bytes, timeout_s
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        headers = Headers(scope=scope) if scope["type"] == "http" else None
        if headers is None or not ("content-length" in headers or "transfer-encoding" in headers):
            await self._app(scope, receive, send)
            return
        body = _Body(self, receive)
        try:
            async with asyncio.timeout(self._timeout_s):
                await body.read(headers)
            if _is_json(headers) and body.content:
                parse_json(bytes(body.content), most_bytes=self._most_bytes, most_depth=_MOST_DEPTH)
        except TimeoutError:
            refused = ArgumentError(
                "read the body",
                found=f"{len(body.content)} bytes after {self._timeout_s:g} s",
                expected="the whole body",
            )
            await self._refuse(refused, HTTPStatus.REQUEST_TIMEOUT, scope, body, send)
        except InvalidJSONError as error:
            refused = ArgumentError("read the body", found=str(error), expected="one JSON document in UTF-8")
            await self._refuse(refused, HTTPStatus.BAD_REQUEST, scope, body, send)
        except _TooLongError:
            refused = ArgumentError(
                "read the body",
                found=f"more than {self._most_bytes} bytes",
                expected=f"at most {self._most_bytes} bytes",
                remedy="The setting serve.body_bytes is the limit.",
            )
            await self._refuse(refused, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, scope, body, send)
        except OverloadedError as error:
            await self._refuse(error, HTTPStatus.SERVICE_UNAVAILABLE, scope, body, send)
        else:
            if not body.gone:
                await self._app(scope, body.replay, send)
        finally:
            self._held -= len(body.content)

    def hold(self, length: int) -> None:
        """Count bytes that are in memory from now on.

        Raises:
            OverloadedError: more than there may be.
        """
        self._held += length
        if self._held > _MOST_HELD * self._most_bytes:
            raise OverloadedError(
                "read the body",
                found=f"{self._held} bytes of bodies in memory",
                expected=f"at most {_MOST_HELD * self._most_bytes}",
                remedy="Try again in a second.",
            )

    @property
    def most_bytes(self) -> int:
        """Limit of a body's size."""
        return self._most_bytes

    async def _refuse(self, error: QuorateError, status: HTTPStatus, scope: Scope, body: _Body, send: Send) -> None:
        if body.gone:
            return
        # The rest of the body is not read: the connection cannot be used again.
        headers = {} if body.complete else {"Connection": "close"}
        await error_response(error, status, headers)(scope, body.replay, send)


class _TooLongError(Exception):
    """A body over the limit."""


class _Body:
    """The body of one request, read from the server and given to the application."""

    def __init__(self, limits: BodyMiddleware, receive: Receive) -> None:
        self._limits, self._receive = limits, receive
        self.content = bytearray()
        self.complete = self.gone = self._given = False

    async def read(self, headers: Headers) -> None:
        """Read all of it; `gone` if the client went away meanwhile.

        Raises:
            _TooLongError: over the limit, as declared or as sent.
            OverloadedError: too many bodies in memory.
        """
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > self._limits.most_bytes:
            raise _TooLongError
        while not self.complete:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.gone = True
                return
            part = message.get("body", b"")
            if len(self.content) + len(part) > self._limits.most_bytes:
                raise _TooLongError
            self.content += part
            self.complete = not message.get("more_body", False)
            self._limits.hold(len(part))

    async def replay(self) -> Message:
        """The body in one message, then those of the server."""
        if self._given:
            return await self._receive()
        self._given = True
        return {"type": "http.request", "body": bytes(self.content), "more_body": False}


def _is_json(headers: Headers) -> bool:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")
