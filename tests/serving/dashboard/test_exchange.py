"""Live candles of the stub of Binance, traded inside the service and shown as they close."""

from dataclasses import replace

import pytest

from quorate.core.clock import HOUR_MS, format_ms
from quorate.core.settings import ExchangeSettings, FeedSettings
from quorate.serving import Service
from quorate.serving.live.session import SessionSource
from quorate.workflows.paper import PaperAccount
from stubs.binance import BinanceStub
from stubs.pages import Visitor, seconds_until
from stubs.service_client import running, token_of
from stubs.waiting import eventually


@pytest.fixture
def stub(world):
    """The exchange, its clock stopped within the hour after the sixth bar from the end."""
    with BinanceStub(world.data, now=world.last - 5 * HOUR_MS + HOUR_MS + 60_000) as running_stub:
        yield running_stub


@pytest.fixture
def live(stub, world, make_settings, tmp_path):
    settings = replace(
        make_settings(),
        exchange=ExchangeSettings(name="binanceusdm", url=stub.url, pause_s=0.005, paced=False),
        feed=FeedSettings(settle_s=0.0, poll_s=0.02, patience_s=0.3, window_bars=400),
    )
    return Service(
        world.bundles,
        exchange="binanceusdm",
        account=PaperAccount("live", f"sqlite:///{tmp_path / 'live.sqlite'}", settings=settings),
        session=SessionSource(None, "binanceusdm"),
        settings=settings,
        clock=stub.clock,
    )


def newest_bar(account):
    (entry,) = account.records(1, kinds="valued")
    return format_ms(entry.record.time)


def test_each_bar_is_on_the_pages_within_two_seconds(browser, live, stub, world):
    account = live.account.view.account
    with running(live) as base:
        visitors = [Visitor(browser, base, token_of(live), 1440, "light") for _ in range(2)]
        now, own = (each.go(path) for each, path in zip(visitors, ("/dashboard", "/dashboard/account"), strict=True))
        for page in (now, own):
            page.locator("#live-state", has_text="Live").wait_for()
        stub.clock.advance(HOUR_MS)
        eventually(lambda: live.account.status)  # the session has begun
        took = []
        for step in (2, 3, 4):
            shown = format_ms(world.last + (step - 5) * HOUR_MS)
            stub.clock.advance(HOUR_MS)
            own_newest = newest_bar(account)
            took.append(
                max(
                    seconds_until(now, ".tile.wide time", shown),
                    seconds_until(own, "#account-head .tile.wide time", own_newest),
                )
            )
        for visitor in visitors:
            visitor.close()
    # The soonest: other programs may hold the machine up for one of them.
    assert min(took) < 2
