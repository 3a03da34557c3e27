"""Clients of an HTTP server in one event loop, with so little work of their own that the server is what is measured."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field


@dataclass
class Seen:
    """What clients saw.

    Attributes:
        statuses: status -> answers.
        seconds: time of each answer of status 200.
        answered: client -> its answers of status 200.
        faults: connections that broke, and refusals without Retry-After.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    answered: Counter[int] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)


async def ask_for(address: tuple[str, int], request: bytes, clients: int, seconds: float) -> Seen:
    """Let clients send the same request again and again, each on a connection of its own.

    A client that is refused waits for a tenth of a second: far less than Retry-After asks for.
    """
    seen = Seen()
    until = time.perf_counter() + seconds

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection(*address)
        try:
            while time.perf_counter() < until:
                began = time.perf_counter()
                writer.write(request)
                status, headers = await answer(reader)
                seen.statuses[status] += 1
                if status == 200:
                    seen.seconds.append(time.perf_counter() - began)
                    seen.answered[number] += 1
                else:
                    seen.faults["no Retry-After"] += b"retry-after:" not in headers
                    await asyncio.sleep(0.1)
        except (OSError, asyncio.IncompleteReadError) as error:
            seen.faults[type(error).__name__] += 1
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    await asyncio.gather(*(client(number) for number in range(clients)))
    return seen


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and headers of one answer, in lower case; its body is read as well."""
    headers = (await reader.readuntil(b"\r\n\r\n")).lower()
    await reader.readexactly(int(headers.partition(b"content-length:")[2].split(b"\r\n", 1)[0]))
    return int(headers[9:12]), headers


async def open_streams(address: tuple[str, int], request: bytes, count: int) -> list[asyncio.StreamWriter]:
    """Open event streams, and read the headers of each."""
    writers = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(request)
        headers = await reader.readuntil(b"\r\n\r\n")
        assert headers.startswith(b"HTTP/1.1 200 "), headers
        writers.append(writer)
    return writers
