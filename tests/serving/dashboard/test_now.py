"""The page "Now": every market's newest signal, sorted and filtered by the address."""

import re

import pytest

from quorate.core.clock import HOUR_MS
from quorate.serving.dashboard.formatting import whole
from quorate.serving.dashboard.now import MarketFilter, MarketRow
from quorate.workflows.signals import signals
from stubs.service_client import client


def markets(page):
    """Names of the markets of a page, in order."""
    return re.findall(r'<bdi class="market" title="([^"]*)"', page.text)


def test_the_root_leads_to_the_first_page(http):
    found = http.get("/", follow_redirects=True)
    assert (found.url.path, found.status_code) == ("/dashboard", 200)


def test_each_market_shows_the_signal_of_the_workflow(http, service, world):
    page = http.get("/dashboard")
    assert page.status_code == 200
    found = signals(world.bundles, world.data, all_markets=True, settings=service.settings)
    assert set(markets(page)) == {each.symbol for each in found}
    rows = page.text.split('<tr id="row-')[1:]
    assert len(rows) == len(found)
    for each in found:
        (row,) = (row for row in rows if row.startswith(each.symbol))
        assert f"</span>{each.signal.action.name}</span>" in row
        assert whole(each.signal.confidence) in row
        for vote in each.signal.votes:
            assert f'title="{vote.model}: {vote.action.name}, score {whole(vote.score)}"' in row


def test_predictions_are_made_once_for_all_who_look(http, service):
    def predicted():
        return sum(
            sample.value
            for family in service.metrics.registry.collect()
            for sample in family.samples
            if sample.name == "quorate_signals_total"
        )

    http.get("/dashboard")
    before = predicted()
    assert before
    for _ in range(3):
        http.get("/dashboard")
    assert predicted() == before


def test_columns_sort_both_ways_and_filters_narrow(http):
    everything = markets(http.get("/dashboard?sort=market"))
    assert everything == sorted(everything)
    assert markets(http.get("/dashboard?sort=market&order=reverse")) == everything[::-1]
    assert markets(http.get("/dashboard?find=synb")) == ["SYNB/USDT:USDT"]
    split = (markets(http.get("/dashboard", params={"action": name})) for name in ("BUY", "SELL", "HOLD"))
    assert sorted(symbol for found in split for symbol in found) == everything
    nothing = http.get("/dashboard?find=nosuch")
    assert nothing.status_code == 200
    assert "No market fits the filter" in nothing.text


@pytest.mark.parametrize("query", ["sort=none&order=up", "action=buy", "find=%3Cscript%3E", "find=%ED%A0%80", "sort"])
def test_an_unknown_query_is_no_error(http, query):
    page = http.get(f"/dashboard?{query}")
    assert page.status_code == 200
    assert "<script>" not in page.text


def row(symbol, action, confidence):
    return MarketRow(symbol, 0, action, confidence, "strong", None, None, None, "", (), False, True, False)


def test_actions_come_first_and_the_most_confident_first_among_them():
    rows = [row("A", "HOLD", 0.9), row("B", "BUY", 0.7), row("C", "SELL", 0.8), row("D", "BUY", 0.8)]
    assert [each.symbol for each in MarketFilter().apply(rows)] == ["D", "B", "C", "A"]
    assert [each.symbol for each in MarketFilter("confidence").apply(rows)] == ["A", "C", "D", "B"]


def test_hostile_names_are_text(make_service, hostile_candles):
    with client(make_service(hostile_candles, list(hostile_candles))) as http:
        page = http.get("/dashboard")
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;/USDT" in page.text
        assert '"onload=' not in page.text
        assert page.text.count('<tr id="row-') == len(hostile_candles)


def test_a_market_that_gets_no_candles_is_marked(make_service, world):
    late = world.last + 10 * HOUR_MS
    with client(make_service(clock=lambda: late)) as http:
        page = http.get("/dashboard").text
    assert page.count('<tr id="row-') == page.count(">stale</span>")
    assert "9 h</time> ago" in page


def test_markets_that_are_left_out_are_named(make_service, world):
    """The newest bar of one market trained the bundle."""
    panel = {name: world.market.candles(name) for name in world.market.names[:3]}
    out = world.market.names[1]
    panel[out] = panel[out].between(None, world.last - 450 * HOUR_MS)
    with client(make_service(panel, list(panel))) as http:
        page = http.get("/dashboard").text
    assert page.count('<tr id="row-') == 2
    assert "1 market without a signal:" in page
    assert out in page.split("without a signal:")[1].split("</p>")[0]


def test_what_cannot_be_predicted_is_said_on_the_page(make_service, world):
    """All bars trained the bundle."""
    inside = {name: world.market.candles(name).between(None, world.last - 450 * HOUR_MS) for name in world.market.names}
    assert all(len(candles) >= 500 for candles in inside.values())
    with client(make_service(inside, list(inside))) as http:
        page = http.get("/dashboard", headers={"Accept": "text/html"})
        assert page.status_code >= 400
        assert "This page cannot be shown" in page.text
        assert "training span" in page.text
        other = http.get("/dashboard", headers={"Accept": "application/json"})
        assert other.json()["error"]["type"] == "TrainingSpanError"
