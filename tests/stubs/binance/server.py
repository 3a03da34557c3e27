"""HTTP server of the stub: the exchange's paths, faults, and controls under `/_stub/`.

POST   /_stub/clock     {"now": ms} | {"advance": ms} | {"speed": x} | {"skew": ms}
POST   /_stub/faults    a Fault's fields
DELETE /_stub/faults    removes all faults
POST   /_stub/delist    {"symbol": "BTCUSDT"}
GET    /_stub/requests  number of requests of each endpoint
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from stubs.binance.answers import Answers, RefusedError
from stubs.binance.clock import Clock
from stubs.binance.faults import CONNECTION, Fault, Faults, spoil
from stubs.binance.series import Folder

_API = {"/api/v3/": False, "/fapi/v1/": True, "/futures/data/": True}
_HANG_STEP_S = 0.02


def api_urls(url: str) -> dict[str, str]:
    """ccxt's names of Binance's URLs -> URLs of the stub."""
    names = ("public", "private", "v1", "sapi", "sapiV2", "sapiV3", "sapiV4")
    futures = ("fapiPublic", "fapiPublicV2", "fapiPublicV3", "fapiPrivate", "fapiPrivateV2", "fapiPrivateV3")
    coin = ("dapiPublic", "dapiPrivate", "dapiPrivateV2")
    return {
        **dict.fromkeys(names, f"{url}/api/v3"),
        **dict.fromkeys(futures, f"{url}/fapi/v1"),
        **dict.fromkeys(coin, f"{url}/dapi/v1"),
        "fapiData": f"{url}/futures/data",
    }


class BinanceStub:
    """The exchange on a local port, in a thread of this process.

    Args:
        data: a Freqtrade data folder.
        now: the stub's time in ms UTC, stopped; None for the machine's clock.
        port: 0 for any free port.
        speed: of the clock.
        shift_ms: added to the time of every candle.
        latency_ms: delay of every response.
        weight: limit of request weight per minute, then 429; 0 for none.
    """

    def __init__(
        self,
        data: Path | str,
        *,
        now: int | None = None,
        port: int = 0,
        speed: float | None = None,
        shift_ms: int = 0,
        latency_ms: float = 0,
        weight: int = 0,
    ) -> None:
        self.clock = Clock(now, speed)
        self.faults = Faults()
        self.folder = Folder(Path(data), shift_ms)
        self.answers = Answers(self.folder, self.clock)
        self.requests: Counter[str] = Counter()
        self.queries: list[tuple[str, dict[str, str]]] = []
        self.latency_ms = latency_ms
        self.weight = weight
        self._port = port
        self._spent: list[tuple[float, int]] = []
        self._lock = threading.Lock()
        self._server: _Server | None = None

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def urls(self) -> dict[str, str]:
        return api_urls(self.url)

    def start(self) -> Self:
        self._server = _Server(("127.0.0.1", self._port), _Handler)
        self._server.stub = self
        self._port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self) -> None:
        """Close the port; connections are refused until `start`."""
        if self._server is not None:
            self._server.end()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def note(self, endpoint: str, query: dict[str, str]) -> float | None:
        """Count a request; returns the seconds to wait if it exceeds the weight limit, else None."""
        with self._lock:
            self.requests[endpoint] += 1
            self.queries.append((endpoint, query))
            if not self.weight:
                return None
            now = time.monotonic()
            self._spent = [(when, cost) for when, cost in self._spent if now - when < 60]
            cost = _weight(endpoint, query)
            if sum(spent for _, spent in self._spent) + cost > self.weight:
                return max(0.0, 60 - (now - self._spent[0][0])) if self._spent else 60.0
            self._spent.append((now, cost))
            return None

    def control(self, what: str, document: dict[str, Any]) -> Any:
        """Apply one of the controls.

        Raises:
            RefusedError: unknown control.
        """
        if what == "clock":
            if "now" in document:
                self.clock.set(int(document["now"]))
            if "advance" in document:
                self.clock.advance(int(document["advance"]))
            if "speed" in document:
                now = self.clock()
                self.clock.speed = float(document["speed"])
                self.clock.set(now)
            if "skew" in document:
                self.clock.skew_ms = int(document["skew"])
            return {"now": self.clock()}
        if what == "faults":
            self.faults.add(Fault(**document))
            return {}
        if what == "delist":
            self.answers.delisted.add(str(document["symbol"]))
            return {}
        raise RefusedError(-1, f"unknown control {what}", 404)


def _weight(endpoint: str, query: dict[str, str]) -> int:
    if endpoint.endswith("Klines") or endpoint == "klines":
        limit = int(query.get("limit", 500))
        return next((cost for most, cost in ((99, 1), (499, 2), (1000, 5)) if limit <= most), 10)
    return 40 if endpoint.startswith("ticker") and "symbol" not in query else 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    stub: BinanceStub

    def __init__(self, *arguments: Any) -> None:
        self.ended = threading.Event()
        self._open: set[socket.socket] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def end(self) -> None:
        """Stop listening and close the connections that are kept alive."""
        self.ended.set()
        self.shutdown()
        self.server_close()
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that closed their connection."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        stub, parts = self.server.stub, urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        if parts.path == "/_stub/requests":
            self._send(200, dict(stub.requests))
            return
        prefix = next((prefix for prefix in _API if parts.path.startswith(prefix)), None)
        if parts.path == "/dapi/v1/exchangeInfo":  # requested by clients that load every kind of market
            self._send(200, {"timezone": "UTC", "serverTime": stub.clock.reported, "rateLimits": [], "symbols": []})
        elif prefix is None:
            self._send(404, {"code": -5000, "msg": f"Path {parts.path}, Method GET is invalid"})
        else:
            self._serve(_API[prefix], parts.path.removeprefix(prefix), query)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            self._send(200, self.server.stub.control(self.path.removeprefix("/_stub/"), json.loads(body or b"{}")))
        except RefusedError as refusal:
            self._send(refusal.status, refusal.document)
        except (ValueError, TypeError, KeyError) as error:
            self._send(400, {"code": -1, "msg": str(error)})

    def do_DELETE(self) -> None:
        self.server.stub.faults.clear()
        self._send(200, {})

    def _serve(self, futures: bool, endpoint: str, query: dict[str, str]) -> None:
        stub = self.server.stub
        time.sleep(stub.latency_ms / 1000)
        wait = stub.note(endpoint, query)
        if wait is not None:
            self._send(429, {"code": -1003, "msg": "Too many requests."}, {"Retry-After": str(int(wait) + 1)})
            return
        fault = stub.faults.take(endpoint, query.get("symbol", ""))
        if fault is not None and fault.kind in CONNECTION and fault.kind != "truncated":
            self._fail(fault)
            return
        if endpoint == "leverageBracket" and "signature" not in query:
            self._send(401, {"code": -2014, "msg": "API-key format invalid."})
            return
        try:
            document = stub.answers.answer(futures, endpoint, query)
        except RefusedError as refusal:
            self._send(refusal.status, refusal.document)
            return
        if fault is not None and fault.kind != "truncated" and isinstance(document, list):
            document = spoil(fault, document)
        content = json.dumps(document).encode()
        self._write(200, content[: len(content) // 2] if fault is not None and fault.kind == "truncated" else content)

    def _fail(self, fault: Fault) -> None:
        if fault.kind == "body":
            self._write(200, fault.body.encode())
        elif fault.kind == "status":
            code = -1003 if fault.code in (418, 429) else -1001
            headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
            self._send(fault.code, {"code": code, "msg": "Fault of the stub."}, headers)
        elif fault.kind == "refusal":
            self._send(400, {"code": fault.code, "msg": "Refused by the stub."})
        else:
            until = time.monotonic() + (fault.seconds if fault.kind == "hang" else 0)
            while time.monotonic() < until and not self.server.ended.is_set():
                time.sleep(_HANG_STEP_S)
            self.close_connection = True

    def _send(self, status: int, document: Any, headers: dict[str, str] | None = None) -> None:
        self._write(status, json.dumps(document).encode(), headers)

    def _write(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        # Head and body in one packet: sent separately, the second waits for the acknowledgement of the first.
        self._headers_buffer.append(b"\r\n")
        head = b"".join(self._headers_buffer)
        self._headers_buffer = []
        try:
            self.wfile.write(head + content)
        except OSError:
            self.close_connection = True

    def log_message(self, *arguments: Any) -> None:
        """Log nothing; tests read `requests`."""
