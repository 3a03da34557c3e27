"""Habits of other exchanges than Binance, through the real ccxt: newest rows only, empty windows, weeks, contracts."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlparse

import pytest

from quorate.core.clock import DAY_MS, HOUR_MS, format_ms, iso_ms, now_ms
from quorate.core.settings import ExchangeSettings
from quorate.market import FreqtradeFolder
from quorate.market.exchange import Exchange, download

KRAKEN_PAIR = {
    "altname": "XBTUSD",
    "wsname": "XBT/USD",
    "base": "XXBT",
    "quote": "ZUSD",
    "pair_decimals": 1,
    "lot_decimals": 8,
    "cost_decimals": 5,
    "lot_multiplier": 1,
    "ordermin": "0.0001",
    "costmin": "0.5",
    "aclass_base": "currency",
    "aclass_quote": "currency",
    "leverage_buy": [],
    "leverage_sell": [],
    "fees": [[0, 0.4]],
    "fees_maker": [[0, 0.25]],
    "tick_size": "0.1",
    "status": "online",
    "lot": "unit",
}
ASSETS = {
    name: {"aclass": "currency", "altname": alt, "decimals": 8, "display_decimals": 5, "status": "enabled"}
    for name, alt in (("XXBT", "XBT"), ("ZUSD", "USD"))
}


def kraken(path, query, market):
    """The newest 720 bars, of weeks from Thursday, from the listing on."""
    now = now_ms() // 1000
    if path.endswith("/Time"):
        return {"error": [], "result": {"unixtime": now, "rfc1123": ""}}
    if path.endswith("/Assets"):
        return {"error": [], "result": ASSETS}
    if path.endswith("/AssetPairs"):
        return {"error": [], "result": {"XXBTZUSD": KRAKEN_PAIR}}
    step = int(query["interval"]) * 60
    newest, since = now // step * step, int(float(query.get("since", 0)))
    times = [time for time in range(newest - 719 * step, newest + 1, step) if time > since]
    rows = [[t, "100", "101", "99", "100", "100", "5", 9] for t in times if t + step > market["listed"] // 1000]
    return {"error": [], "result": {"XXBTZUSD": rows, "last": newest - step}}


CONTRACT = {
    "name": "BTC_USDT",
    "type": "direct",
    "quanto_multiplier": "0.0001",
    "order_price_round": "0.1",
    "mark_price_round": "0.1",
    "order_size_min": 1,
    "order_size_max": 1_000_000,
    "leverage_min": "1",
    "leverage_max": "100",
    "maintenance_rate": "0.005",
    "maker_fee_rate": "0",
    "taker_fee_rate": "0.0005",
    "mark_price": "1",
    "last_price": "1",
    "index_price": "1",
    "order_price_deviate": "0.5",
    "status": "trading",
    "funding_interval": 28_800,
    "funding_rate": "0.0001",
    "create_time": 1_600_000_000,
    "in_delisting": False,
}


def gate(path, query, market):
    """A window of bars, nothing in a halt, volume in contracts; the newest settlements of a window."""
    now = now_ms() // 1000
    if path.endswith("/time"):
        return {"server_time": now * 1000}
    if path.endswith("/usdt/contracts"):
        return [CONTRACT]
    first, last = int(query.get("from", 0)), min(int(query.get("to", now)), now)
    halted = [value // 1000 for value in market.get("halt", (0, 0))]
    if path.endswith("/candlesticks"):
        step = {"1h": 3600, "1d": 86_400}[query["interval"]]
        return [
            {"t": time, "o": "100", "h": "101", "l": "99", "c": "100", "v": 8_000_000}
            for time in range(-(-first // step) * step, last + 1, step)
            if not (halted[0] <= time and time + step <= halted[1])
        ][:2000]
    if path.endswith("/funding_rate"):
        times = range(-(-first // 28_800) * 28_800, last + 1, 28_800)
        gone = [value // 1000 for value in market.get("unsettled", (0, 0))]
        kept = [{"t": time, "r": "0.0001"} for time in times if not gone[0] <= time < gone[1]]
        return kept[::-1][: min(100, int(query.get("limit", 100)))]
    return []


@pytest.fixture
def serve():
    """Start a server of an exchange; returns a client of it and its changeable market."""
    servers, clients = [], []

    def start(name, answer, **market):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                address = urlparse(self.path)
                body = json.dumps(answer(address.path, dict(parse_qsl(address.query)), market)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *rest):
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{servers[-1].server_address[1]}"
        clients.append(Exchange(ExchangeSettings(name=name, url=url, paced=False, attempts=2, pause_s=0.01)))
        return clients[-1], market

    yield start
    for client in clients:
        client.close()
    for server in servers:
        server.shutdown()
        server.server_close()


def by_kind(results):
    return {result.kind: result for result in results}


def test_the_newest_rows_only_are_not_the_whole_span(serve, tmp_path):
    exchange, _ = serve("kraken", kraken, listed=0)
    start = now_ms() // DAY_MS * DAY_MS - 90 * DAY_MS
    for _ in range(2):
        (result,) = download(exchange, tmp_path, ["BTC/USD"], "1h", start)
        assert not result.ok
        # 720 bars with the one that is not closed.
        assert result.rows in (719, 720)
        assert result.missing == ((start, result.start),)
        assert result.to_json()["missing"] == [{"start": iso_ms(start), "end": iso_ms(result.start)}]
        assert f"none from {format_ms(start)} to {format_ms(result.start)}" in result.error
        assert "all candles of BTC/USD" in result.error


def test_a_market_listed_inside_the_span_is_whole(serve, tmp_path):
    listed = now_ms() // HOUR_MS * HOUR_MS - 300 * HOUR_MS
    exchange, _ = serve("kraken", kraken, listed=listed)
    (result,) = download(exchange, tmp_path, ["BTC/USD"], "1h", listed - 60 * DAY_MS)
    assert (result.ok, result.start, result.rows, result.missing) == (True, listed, 300, ())


def test_weeks_from_thursday_are_named(serve, tmp_path):
    exchange, _ = serve("kraken", kraken, listed=0)
    (result,) = download(exchange, tmp_path, ["BTC/USD"], "1w", now_ms() - 700 * DAY_MS)
    assert not result.ok
    assert "bars that open on Thursday 00:00 UTC; expected weeks that open on Monday 00:00 UTC" in result.error
    assert "choose a shorter timeframe, such as 1d" in result.error


def test_a_halt_longer_than_a_page_volume_in_contracts_and_the_newest_settlements(serve, tmp_path):
    """130 days with a halt of 45: candles on both sides, 390 settlements in pages of 100."""
    start = now_ms() // DAY_MS * DAY_MS - 140 * DAY_MS
    end, halt = start + 130 * DAY_MS, (start + 20 * DAY_MS, start + 65 * DAY_MS)
    exchange, market = serve("gate", gate, halt=halt, unsettled=(start + 90 * DAY_MS, start + 92 * DAY_MS))
    results = by_kind(download(exchange, tmp_path, ["BTC/USDT:USDT"], "1h", start, end))
    candles, funding = results["futures"], results["funding_rate"]
    assert (candles.ok, candles.rows) == (True, (130 - 45) * 24)
    stored = FreqtradeFolder(tmp_path).candles("BTC/USDT:USDT", "1h")
    assert set(stored.volume.tolist()) == {800.0}
    assert (funding.rows, funding.missing) == (3 * 128, ((start + 90 * DAY_MS, start + 92 * DAY_MS),))
    assert not funding.ok
    assert "all settlements of BTC/USDT:USDT" in funding.error
    # The exchange has them again: the next run fills the hole.
    market["unsettled"] = (0, 0)
    again = by_kind(download(exchange, tmp_path, ["BTC/USDT:USDT"], "1h", start, end))["funding_rate"]
    assert (again.ok, again.rows, again.added) == (True, 390, 6)
