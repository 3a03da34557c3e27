"""`python tests/stubs/binance --data DIR`: serve until interrupted. The first line printed is JSON with the URL."""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from stubs.binance.series import Folder
from stubs.binance.server import BinanceStub

_DAY_MS = 86_400_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a Freqtrade data folder")
    parser.add_argument("--port", type=int, default=18080, help="0 for any free port")
    parser.add_argument("--now", help="the stub's time: an ISO date in UTC, or milliseconds")
    parser.add_argument("--speed", type=float, help="of the clock; 0 is stopped, the default with --now")
    parser.add_argument(
        "--weight", type=int, default=0, help="limit of request weight per minute, then 429; 0 for none"
    )
    parser.add_argument("--latency-ms", type=float, default=0, help="delay of every response")
    parser.add_argument(
        "--live", action="store_true", help="shift the candles by whole days, to end 12 to 36 hours from now"
    )
    chosen = parser.parse_args()
    shift = 0
    if chosen.live:
        ahead = time.time_ns() // 1_000_000 + _DAY_MS // 2 - Folder(chosen.data).end
        shift = -(-ahead // _DAY_MS) * _DAY_MS
    now = None if chosen.now is None else _milliseconds(chosen.now)
    stub = BinanceStub(
        chosen.data,
        now=now,
        port=chosen.port,
        speed=chosen.speed,
        shift_ms=shift,
        latency_ms=chosen.latency_ms,
        weight=chosen.weight,
    )
    with stub:
        markets = {"spot": len(stub.folder.markets[False]), "futures": len(stub.folder.markets[True])}
        sys.stdout.write(json.dumps({"url": stub.url, "now": stub.clock(), "shift_ms": shift, **markets}) + "\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


def _milliseconds(text: str) -> int:
    if text.isdigit():
        return int(text)
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


if __name__ == "__main__":
    main()
