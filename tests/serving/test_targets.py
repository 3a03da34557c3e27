"""The dashboard and the API of an account whose positions follow target weights."""

import pytest

from quorate.core.clock import HOUR_MS
from quorate.market import FreqtradeFolder
from quorate.serving.dashboard.formatting import figure
from quorate.trading.journal import Journal
from quorate.trading.paper import ReplayFeed
from quorate.trading.paper.portfolio import TargetSession
from quorate.workflows.book.paper import book_account
from stubs.service_client import client
from stubs.waiting import eventually


@pytest.fixture
def followed(account, world):
    """Two positions that are changed at every bar, one of them closed; the account's status."""
    source = FreqtradeFolder(world.data)
    candles = {symbol: source.candles(symbol, "1h") for symbol in world.symbols}
    feed = ReplayFeed(candles, world.end, world.end + 40 * HOUR_MS)
    long, short, closed = world.symbols

    def decide(report, equity_usd, held, *, whole):
        bar = (report.time - world.end) // HOUR_MS
        return {long: 0.2 + 0.01 * bar, short: -0.1, closed: 0.3 if bar < 10 else 0.0}

    config = book_account(account.settings)
    with Journal.open(account.url, account.name, settings_hash=config.hash, bundle_id="book") as journal:
        session = TargetSession(feed, decide, journal, config, bundle_id="book", mode="replay")
        session.start()
        for _ in range(2 * 20):
            session.step()
    return account.status().document


def test_every_page_shows_weights_instead_of_stops(make_service, account, followed, world):
    assert [each["stop"] for each in followed["positions"]] == [None, None]
    with client(service := make_service(account=account)) as http:
        eventually(lambda: service.account.status)
        for path in ("", "/account", "/guards", "/journal", "/bundles"):
            assert http.get(f"/dashboard{path}").status_code == 200, path
        page = http.get("/dashboard/account").text
        assert "To stop" not in page
        assert "Success criteria" not in page
        for held in followed["positions"]:
            sign = 1 if held["side"] == "long" else -1
            weight = sign * held["quantity"] * held["mark"] / followed["equity_usd"]
            assert held["weight"] == weight
            assert figure(weight, "percent") in page
        found = http.get("/paper").json()
        assert found["by_target"]
        assert {each["due"] for each in found["positions"]} == {None}
        long, _, closed = world.symbols
        market = http.get("/dashboard/market", params={"symbol": long})
        assert market.status_code == 200
        assert closed not in {each["symbol"] for each in found["positions"]}
