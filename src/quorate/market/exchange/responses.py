"""HTTP responses of an exchange: the last one of each task, and their largest size."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from types import ModuleType
from typing import Any

#: Largest response in bytes, decompressed: a page of 1,500 candles has about 0.2 MB, the list of a large exchange's
#: markets about 20 MB.
MOST_BYTES, MOST_BYTES_OF_LISTS = 8 << 20, 64 << 20


@dataclass(frozen=True, slots=True)
class Response:
    """Last HTTP response in one task.

    Attributes:
        status: HTTP status.
        headers: names in lower case -> values.
    """

    status: int
    headers: dict[str, str]


#: Last response of the task. ccxt keeps one per client, which concurrent requests overwrite.
LAST_RESPONSE: ContextVar[Response | None] = ContextVar("response", default=None)

#: Largest response that the task accepts, in bytes.
LARGEST: ContextVar[int] = ContextVar("largest", default=MOST_BYTES)


def limited_session(ccxt: ModuleType, client: Any) -> Any:
    """Session of a client's connector that stops to read a response at `LARGEST` bytes, decompressed."""
    import aiohttp

    class Limited(aiohttp.ClientResponse):
        async def read(self) -> bytes:
            if self._body is None:
                largest, body = LARGEST.get(), bytearray()
                try:
                    while len(body) <= largest and (chunk := await self.content.readany()):
                        body += chunk
                except BaseException:
                    self.close()
                    raise
                if len(body) > largest:
                    self.close()
                    raise ccxt.BadResponse(f"{client.id}: a response of more than {largest >> 20} MiB")
                self._body = bytes(body)
            return await super().read()

    return aiohttp.ClientSession(
        loop=client.asyncio_loop,
        connector=client.tcp_connector,
        trust_env=client.aiohttp_trust_env,
        response_class=Limited,
    )
