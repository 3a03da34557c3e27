"""Forms of the login and of requests without a script."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.types import Message, Receive

_TYPE = "application/x-www-form-urlencoded"

# Longest form and most fields; the dashboard's have a few short ones.
_MOST_BYTES = 65_536
_MOST_FIELDS = 100


class TooLargeFormError(ValueError):
    """A form of more bytes or fields than any of the service's."""


def is_form(content_type: str) -> bool:
    """Whether a header Content-Type is that of a plain form."""
    return content_type.partition(";")[0].strip().lower() == _TYPE


async def read_body(receive: Receive) -> bytes:
    """The body of a form.

    Raises:
        TooLargeFormError: it is too long.
    """
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > _MOST_BYTES:
            raise TooLargeFormError(f"more than {_MOST_BYTES} bytes")
    return bytes(body)


def parse_form(body: bytes) -> dict[str, str]:
    """The fields of a form; of one that occurs twice, the first.

    Raises:
        TooLargeFormError: it has too many.
    """
    try:
        pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise TooLargeFormError(f"more than {_MOST_FIELDS} fields") from error
    return dict(reversed(pairs))


def replay(body: bytes, receive: Receive) -> Receive:
    """What a route receives after its body was read here: the body once, then what comes."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again
