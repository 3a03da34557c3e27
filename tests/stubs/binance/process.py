"""The stub in its own process, for other programs and for benchmarks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from stubs.binance.server import api_urls


@dataclass(frozen=True)
class StubProcess:
    """A running stub: address and controls."""

    url: str

    @property
    def urls(self) -> dict[str, str]:
        return api_urls(self.url)

    def post(self, what: str, **document: Any) -> Any:
        """Call one of the controls listed in server.py."""
        body = json.dumps(document).encode()
        with urlopen(Request(f"{self.url}/_stub/{what}", data=body, method="POST"), timeout=10) as reply:
            return json.load(reply)

    def requests(self) -> dict[str, int]:
        with urlopen(f"{self.url}/_stub/requests", timeout=10) as reply:
            return dict(json.load(reply))


@contextmanager
def spawn(data: Path | str, *arguments: str) -> Iterator[StubProcess]:
    """Run the stub over a folder until the block ends; `arguments` are added to its command line."""
    command = [sys.executable, str(Path(__file__).parent), "--data", str(data), "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield StubProcess(json.loads(process.stdout.readline())["url"])
        finally:
            process.terminate()
