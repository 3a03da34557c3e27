"""One request to a provider, and what came back."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from quorate.core.clock import now_ms
from quorate.core.redaction import redact
from quorate.core.untrusted_json import MISSHAPEN, parse_json

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response

#: busy: ask again; format: ask in another form; refused and invalid: asking again does not help.
Kind = Literal["busy", "format", "refused", "invalid"]

# Statuses of servers that do not know a parameter.
_FORMAT = (400, 415, 422, 501)
_SHOWN = 160
_MOST_TOKENS = 10**9


class Answer(NamedTuple):
    """A chat completion.

    Attributes:
        content: what the model wrote.
        cut: it ended at the limit of tokens.
        tokens_in, tokens_out: as the provider counts; None where it does not say.
    """

    content: str
    cut: bool
    tokens_in: int | None
    tokens_out: int | None


class Failure(NamedTuple):
    """No chat completion.

    Attributes:
        kind: whether asking again may help.
        reason: for people, without secrets.
        free: the provider cannot have counted tokens.
        after_s: how long the provider asks to wait; None where it does not say.
    """

    kind: Kind
    reason: str
    free: bool = True
    after_s: float | None = None


async def exchange(
    http: AsyncClient, url: str, key: str | None, body: Mapping[str, Any], most_bytes: int
) -> Answer | Failure:
    """Send a request and read its answer. The caller limits the time.

    Args:
        http: the client, which follows no redirect: a key goes to the address of the settings only.
        url: of the API.
        key: of the provider; None without one.
        body: of the request.
        most_bytes: limit of the answer.
    """
    from httpx2 import ConnectError, ConnectTimeout, HTTPError, InvalidURL

    # Not compressed: a small body could be a large answer.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "quorate"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    address = url.rstrip("/").removesuffix("/chat/completions") + "/chat/completions"
    try:
        async with http.stream("POST", address, json=body, headers=headers) as response:
            content = await _read(response, most_bytes)
            return _answer(response, content, most_bytes)
    except (ConnectError, ConnectTimeout) as error:
        return Failure("busy", f"no connection: {_words(error)}")
    except InvalidURL as error:
        return Failure("refused", f"the address: {_words(error)}")
    except HTTPError as error:
        return Failure("busy", f"the connection was lost: {_words(error)}", free=False)


async def _read(response: Response, most_bytes: int) -> bytes | None:
    """The body; None if it is larger than the limit."""
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_raw():
        parts.append(part)
        size += len(part)
        if size > most_bytes:
            return None
    return b"".join(parts)


def _answer(response: Response, content: bytes | None, most_bytes: int) -> Answer | Failure:
    if not 200 <= response.status_code < 300:
        return _refusal(response, content or b"")
    if content is None:
        return Failure("invalid", f"an answer of more than {most_bytes} bytes", free=False)
    try:
        tree = parse_json(content, most_bytes=most_bytes, repeated_keys=True)
        (choice, *_) = tree["choices"]
        text = choice["message"]["content"]
        if not isinstance(text, str):
            raise TypeError("content that is no text")
    except MISSHAPEN as error:
        start = redact(content[:_SHOWN].decode(errors="replace"))
        return Failure("invalid", f"no chat completion ({_words(error)}): {start!a}", free=False)
    usage = tree.get("usage")
    counted = usage if isinstance(usage, dict) else {}
    cut = choice.get("finish_reason") == "length"
    return Answer(redact(text), cut, _count(counted.get("prompt_tokens")), _count(counted.get("completion_tokens")))


def _refusal(response: Response, content: bytes) -> Failure:
    status = response.status_code
    said = redact(" ".join(content[: 4 * _SHOWN].decode(errors="replace").split()))[:_SHOWN]
    reason = f"status {status}" + (f": {said!a}" if said else "")
    if status == 429 or (status >= 500 and status != 501):
        return Failure("busy", reason, after_s=_after_s(response.headers.get("retry-after")))
    return Failure("format" if status in _FORMAT else "refused", reason)


def _after_s(text: str | None) -> float | None:
    """Seconds of a Retry-After header, which holds seconds or a date."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text.strip()[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now_ms() / 1_000)
    except (ValueError, OverflowError):
        return None


def _count(value: Any) -> int | None:
    """A number of tokens; None for anything else."""
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_TOKENS
    return value if known else None


def _words(error: Exception) -> str:
    return redact(" ".join(str(error).split())[:_SHOWN]) or type(error).__name__
