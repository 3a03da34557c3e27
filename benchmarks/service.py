"""The HTTP service against the library in the process, and under load.

    python benchmarks/service.py [--bundle FOLDER] [--seconds 60] [--clients 200] [--streams 500] [--rounds 400]

Each figure is of `quorate serve` as a program, on a loopback port, with four members of the default shapes on synthetic
candles of 100 markets:

- the time of a signal, and of 100 in one request, alternately with `bundle.predict` and `predict_many` in this process;
- many clients that ask without a pause: answers, refusals, memory, and the time until one client is answered as before;
- what an idle event stream costs in memory;
- the time from the start of the program until `/health/ready` predicts, and the resident memory then.

Without --bundle a reference bundle is trained first. Writes service.json and .md into benchmarks/results. Run on an
idle machine: the clients share its cores.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import platform
import re
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import quorate
from alternating import time_alternately
from http_clients import ask_for, open_streams
from quorate.market import SyntheticMarket
from reference_bundle import train_reference_bundle

RESULTS = Path(__file__).parent / "results"
MARKETS = 100

# What is asked for: of a signal the first or the second, whichever is more.
MOST_RATIO, MOST_MORE_MS = 1.5, 2.0
MOST_MANY_RATIO = 1.3
MOST_START_S = 1.5
MOST_RESIDENT_MIB = 200.0
MOST_STREAM_KIB = 50.0
MOST_RECOVERY_S = 1.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, help="bundle of all four members, instead of training one")
    parser.add_argument("--rounds", type=int, default=400, help="requests of one market")
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the load")
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args()
    raise_file_limit()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        market = SyntheticMarket(seed=7, symbols=MARKETS, bars=700)
        market.write(folder / "data")
        bundle = options.bundle or train_reference_bundle(folder / "bundles")
        service = Program(bundle.absolute(), folder)
        found = {
            "command": "python benchmarks/service.py",
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
            "latency": measure_latency(service, bundle, market, options.rounds),
            "load": measure_load(service, market.names[0], options.clients, options.seconds),
            "streams": measure_streams(service, options.streams),
            "start": measure_start(service, options.starts),
        }
    text = as_markdown(found)
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "service.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (options.out / "service.md").write_text(text, encoding="utf-8")
    missed = [name for name, _, _, kept in verdicts(found) if not kept]
    print("missed:", ", ".join(missed) or "nothing")
    return 1 if missed else 0


class Program:
    """`quorate serve`, started and stopped.

    Args:
        bundle: folder of a bundle, or of bundles.
        folder: with data/, for other files of the program.
    """

    def __init__(self, bundle: Path, folder: Path) -> None:
        code = "from quorate.cli.app import run; run()"
        arguments = ["--bundle", str(bundle), "--data", str(folder / "data"), "--allow-training-span", "--port", "0"]
        self._command = [sys.executable, "-c", code, "serve", *arguments]
        self._folder = folder
        token = secrets.token_urlsafe(32)
        self.headers = {"Authorization": f"Bearer {token}"}  # of every request
        file = folder / "token"
        file.touch(0o600)
        file.write_text(token)
        self._environment = {**os.environ, "QUORATE_ACCESS__BEARER_FILE": str(file)}

    @contextmanager
    def running(self) -> Iterator[tuple[subprocess.Popen[str], tuple[str, int]]]:
        """The process and its address, as soon as it listens."""
        process = subprocess.Popen(
            self._command, stderr=subprocess.PIPE, text=True, cwd=self._folder, env=self._environment
        )
        try:
            lines = []
            for line in process.stderr or ():
                lines.append(line)
                if listening := re.search(r"listening on http://([\d.]+):(\d+)", line):
                    yield process, (listening[1], int(listening[2]))
                    return
            raise RuntimeError("".join(lines))
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)

    def request(self, path: str) -> bytes:
        """A request as it is sent."""
        lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {text}" for name, text in self.headers.items())]
        return "\r\n".join([*lines, "", ""]).encode()


def measure_latency(service: Program, path: Path, market: SyntheticMarket, rounds: int) -> dict[str, float]:
    """Medians of one signal and of many, in ms."""
    bundle = quorate.load_bundle(path)
    panel = [market.candles(symbol).tail(quorate.Settings().serve.bars) for symbol in market.names]
    with service.running() as (_, address):
        connection = http.client.HTTPConnection(*address)

        def get(path: str) -> bytes:
            connection.request("GET", path, headers=service.headers)
            answer = connection.getresponse()
            content = answer.read()
            assert answer.status == 200, content
            return content

        one = f"/signals/{quote(market.names[0])}"
        assert json.loads(get(one))["votes"]
        assert len(json.loads(get("/signals"))) == MARKETS
        singles = time_alternately(
            {
                "http": lambda: get(one),
                "library": lambda: bundle.predict(panel[0], allow_training_span=True),
            },
            rounds,
        )
        many = time_alternately(
            {
                "http": lambda: get("/signals"),
                "library": lambda: bundle.predict_many(panel, allow_training_span=True),
            },
            max(10, rounds // 10),
        )
        connection.close()
    return {
        f"{what}_{name}_ms": statistics.median(times[name]) * 1000
        for what, times in (("one", singles), ("many", many))
        for name in ("http", "library")
    }


def measure_load(service: Program, symbol: str, clients: int, seconds: float) -> dict[str, float]:
    """Answers, refusals and memory while many clients ask, and the time until one client is answered as before."""
    request = service.request(f"/signals/{quote(symbol)}")
    with service.running() as (process, address):
        asyncio.run(ask_for(address, request, 4, min(2.0, seconds)))
        calm = asyncio.run(ask_for(address, request, 1, min(2.0, seconds)))
        limit_s = 5 * statistics.median(calm.seconds)
        before = resident_mib(process.pid)
        seen = asyncio.run(ask_for(address, request, clients, seconds))
        over = time.perf_counter()
        after = resident_mib(process.pid)
        recovered = None
        while recovered is None and time.perf_counter() < over + 10:
            again = asyncio.run(ask_for(address, request, 1, 0.05))
            if again.seconds and statistics.median(again.seconds) <= limit_s:
                recovered = time.perf_counter() - over
    times = sorted(seen.seconds)
    counts = [seen.answered[number] for number in range(clients)]
    return {
        "clients": clients,
        "seconds": seconds,
        "answered": seen.statuses[200],
        "refused": seen.statuses[429] + seen.statuses[503],
        "server_errors": sum(number for status, number in seen.statuses.items() if status >= 500),
        "faults": sum(seen.faults.values()),
        "p50_ms": times[len(times) // 2] * 1000,
        "p99_ms": times[len(times) * 99 // 100] * 1000,
        "least_of_a_client": min(counts),
        "most_of_a_client": max(counts),
        "before_mib": before,
        "after_mib": after,
        "recovery_s": 10.0 if recovered is None else recovered,
    }


def measure_streams(service: Program, count: int) -> dict[str, float]:
    """Memory of idle event streams, in KiB each, and the time of a request beside them."""
    request = service.request("/events")
    alive = service.request("/health/live")
    with service.running() as (process, address):

        async def measure() -> dict[str, float]:
            # The first streams load what all of them share.
            for writer in await open_streams(address, request, 5):
                writer.close()
            await asyncio.sleep(1.0)
            before = resident_mib(process.pid)
            writers = await open_streams(address, request, count)
            await asyncio.sleep(1.0)
            after = resident_mib(process.pid)
            beside = await ask_for(address, alive, 1, 1.0)
            for writer in writers:
                writer.close()
            assert set(beside.statuses) == {200}, beside
            return {
                "streams": count,
                "each_kib": (after - before) * 1024 / count,
                "beside_ms": statistics.median(beside.seconds) * 1000,
            }

        return asyncio.run(measure())


def measure_start(service: Program, starts: int) -> dict[str, float]:
    """Time until `/health/ready` predicts, and resident memory then; medians."""
    ready, memory = [], []
    for _ in range(starts + 1):  # the first one compiles modules
        began = time.perf_counter()
        with service.running() as (process, address):
            connection = http.client.HTTPConnection(*address)
            connection.request("GET", "/health/ready", headers=service.headers)
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            answer.read()
            ready.append(time.perf_counter() - began)
            connection.request("GET", "/signals", headers=service.headers)
            connection.getresponse().read()
            memory.append(resident_mib(process.pid))
            connection.close()
    return {"ready_s": statistics.median(ready[1:]), "resident_mib": statistics.median(memory[1:])}


def verdicts(found: dict) -> list[tuple[str, str, str, bool]]:
    """(what, measured, asked for, whether it holds)."""
    latency, load, streams, start = found["latency"], found["load"], found["streams"], found["start"]
    one, library = latency["one_http_ms"], latency["one_library_ms"]
    many = latency["many_http_ms"] / latency["many_library_ms"]
    return [
        (
            "one signal over HTTP, p50",
            f"{one:.2f} ms, {one - library:.2f} ms more than `bundle.predict` ({library:.2f} ms)",
            f"{MOST_RATIO:g} times `bundle.predict`, or {MOST_MORE_MS:g} ms more",
            one <= max(MOST_RATIO * library, library + MOST_MORE_MS),
        ),
        (
            f"{MARKETS} signals in one request, p50",
            f"{latency['many_http_ms']:.1f} ms, {many:.2f} times `predict_many`",
            f"{MOST_MANY_RATIO:g} times",
            many <= MOST_MANY_RATIO,
        ),
        (
            f"{load['clients']} clients for {load['seconds']:g} s",
            f"{load['answered']:,} answers, {load['refused']:,} refusals with Retry-After, "
            f"{load['server_errors']} server errors, {load['faults']} faults",
            "no server error",
            load["server_errors"] == 0 and load["faults"] == 0,
        ),
        (
            "answers of a client",
            f"{load['least_of_a_client']:,} to {load['most_of_a_client']:,}; p50 {load['p50_ms']:.0f} ms, "
            f"p99 {load['p99_ms']:.0f} ms",
            "at most twice as many for one as for another",
            load["most_of_a_client"] <= 2 * max(load["least_of_a_client"], 1),
        ),
        (
            "memory under load",
            f"{load['before_mib']:.0f} to {load['after_mib']:.0f} MiB",
            f"{MOST_RESIDENT_MIB:g} MiB",
            load["after_mib"] <= MOST_RESIDENT_MIB,
        ),
        (
            "recovery after it",
            f"{load['recovery_s']:.2f} s",
            f"{MOST_RECOVERY_S:g} s",
            load["recovery_s"] <= MOST_RECOVERY_S,
        ),
        (
            f"each of {streams['streams']} idle event streams",
            f"{streams['each_kib']:.0f} KiB; a request beside them takes {streams['beside_ms']:.2f} ms",
            f"{MOST_STREAM_KIB:g} KiB",
            streams["each_kib"] <= MOST_STREAM_KIB,
        ),
        (
            "start until ready",
            f"{start['ready_s']:.2f} s",
            f"{MOST_START_S:g} s",
            start["ready_s"] <= MOST_START_S,
        ),
        (
            "resident with four members and 100 markets",
            f"{start['resident_mib']:.0f} MiB",
            f"{MOST_RESIDENT_MIB:g} MiB",
            start["resident_mib"] <= MOST_RESIDENT_MIB,
        ),
    ]


def as_markdown(found: dict) -> str:
    rows = ((*texts, "kept" if kept else "missed") for *texts, kept in verdicts(found))
    return "\n".join([
        "# The service",
        "",
        f"`{found['command']}` on {found['machine']}: `quorate serve` with four members at full size; its clients "
        "share the cores.",
        "",
        "| | measured | asked for | |",
        "|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
    ])  # fmt: skip


def resident_mib(pid: int) -> float:
    """Resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def raise_file_limit() -> None:
    """Allow as many open files as the system lets: every connection is one, here and in the program."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    sys.exit(main())
