"""Prometheus, the installed program, on a free loopback port with its own folder."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


def require() -> None:
    """Skip the test where the program is not installed."""
    if not shutil.which("prometheus") or not shutil.which("promtool"):
        pytest.skip("no Prometheus: apt-get install prometheus")


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    require()
    return subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60)


class Prometheus:
    """A running server."""

    def __init__(self, base: str) -> None:
        self.base = base

    def get(self, path: str, **query: str) -> Any:
        """The data of an answer of its API."""
        address = f"{self.base}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=10) as answer:
            found = json.load(answer)
        assert found["status"] == "success", found
        return found["data"]

    def value(self, query: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each series of a query, now."""
        return [(each["metric"], float(each["value"][1])) for each in self.get("query", query=query)["result"]]


def eventually(found: Callable[[], Any], timeout: float = 30) -> Any:
    """The first result that is true."""
    until = time.monotonic() + timeout
    while not (result := found()):
        assert time.monotonic() < until, "timed out"
        time.sleep(0.2)
    return result


@contextmanager
def prometheus(configuration: Path, folder: Path) -> Iterator[Prometheus]:
    """Run a server until the block ends.

    Args:
        configuration: its file; that of the rules is beside it.
        folder: of its data; made by it.
    """
    require()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    log = folder.with_name(f"{folder.name}.log")
    arguments = [
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder}",
        "--storage.tsdb.retention.time=90d",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with log.open("w") as output:
        running = subprocess.Popen(["prometheus", *arguments], stdout=output, stderr=subprocess.STDOUT)
        try:
            base = f"http://127.0.0.1:{port}"

            def ready() -> bool:
                assert running.poll() is None, log.read_text()
                try:
                    with urllib.request.urlopen(f"{base}/-/ready", timeout=2) as answer:
                        return bool(answer.status == 200)
                except OSError:
                    return False

            eventually(ready)
            yield Prometheus(base)
        finally:
            running.terminate()
            running.wait(20)
