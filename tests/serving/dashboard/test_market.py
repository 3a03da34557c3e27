"""The page "Market" and the data of its chart."""

import json
import re

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.types import Action
from stubs.pages import Visitor, overflow
from stubs.service_client import client, running, token_of


@pytest.fixture
def symbol(world):
    return world.market.names[1]


def test_the_chart_has_the_decisions_of_the_bundle_at_every_bar(http, service, world, symbol):
    found = http.get("/dashboard/market/data", params={"symbol": symbol}).json()
    candles, predictor = service.candles.of(symbol), service.champion.predictor
    frame = predictor.predict_frame(candles)
    assert found["symbol"] == symbol
    assert found["synthetic"]
    assert found["time"] == [time // 1_000 for time in candles.time.tolist()]
    for name in ("open", "high", "low", "close"):
        assert found[name] == getattr(candles, name).tolist()
    trained = frame.rule == "training_span"
    assert 0 < trained.sum() < len(frame)
    assert [value is None for value in found["actions"]] == trained.tolist()
    assert [value for value in found["actions"] if value is not None] == frame.action[~trained].tolist()
    assert list(found["members"]) == list(predictor.newest.members.order)
    for model, votes in found["members"].items():
        scores = frame.scores[model]
        voted = np.isfinite(scores).all(axis=1)
        assert [value for value in votes["actions"] if value is not None] == scores[voted].argmax(axis=1).tolist()
        assert [value for value in votes["scores"] if value is not None] == pytest.approx(
            100 * scores[voted].max(axis=1), abs=0.5
        )
    shares = np.array([found["probabilities"][name] for name in ("sell", "hold", "buy")], np.float64)
    assert np.nansum(shares, axis=0)[frame.rule != "training_span"][-300:] == pytest.approx(100, abs=1.5)
    assert np.isnan(shares).all(axis=0).tolist() == np.isnan(frame.probabilities).all(axis=1).tolist()
    assert found["volatility"][-1] == pytest.approx(100 * frame.volatility[-1], abs=0.001)
    assert (found["floor"], found["volatility_limit"]) == (69, 5)


def test_a_bar_inside_the_training_span_is_not_predicted(make_service, world, symbol):
    candles = world.market.candles(symbol).between(world.last - 1_000 * HOUR_MS, world.last - 450 * HOUR_MS)
    with client(make_service({symbol: candles}, [symbol])) as http:
        found = http.get("/dashboard/market/data", params={"symbol": symbol}).json()
        assert found["actions"] is None
        assert found["members"] == {}
        json.dumps(found, allow_nan=False)
        assert "trained on all these bars" in http.get("/dashboard/market").text


def test_the_page_has_the_newest_bars_as_a_table(http, service, symbol):
    page = http.get("/dashboard/market", params={"symbol": symbol}).text
    frame = service.champion.predictor.predict_frame(service.candles.of(symbol))
    assert f"<option selected>{symbol}</option>" in page
    table = page.split("Newest bars")[1]
    assert table.count('<tr><th scope="row"') == 12
    newest = table.split('<tr><th scope="row">')[1]
    assert f"</span>{Action(int(frame.action[-1])).name}</span>" in newest


def test_the_page_shows_what_moved_the_scores(http, service, symbol):
    page = http.get("/dashboard/market", params={"symbol": symbol}).text
    table = page.split("What moved the scores")[1].split("</section>")[0]
    found = service.explanations.read(symbol)
    place = found.explained
    rows = [re.findall(r'data-label="(\w+)" class="number">([^<]*)<', row) for row in table.split("<tr")[2:]]
    assert [re.search(r"<th[^>]*>(\w+)</th>", row)[1] for row in table.split("<tr")[2:]] == [
        *("mean", "technical", "price", "volume", "volatility", "score"),
    ]
    for number, own in enumerate((found.ensemble, *found.members.values())):
        shown = [float(row[number][1]) for row in rows]
        assert shown[0] == pytest.approx(own.base[place], abs=6e-4)
        assert shown[1:-1] == pytest.approx(own.contributions[:, place], abs=6e-4)
        assert shown[-1] == pytest.approx(own.score[place], abs=6e-4)
    assert f"Score of {found.outputs[place]} against its mean over 8 bars" in table
    assert table.count("Largest columns of") == 2
    widths = [float(width) for width in re.findall(r'class="(?:more|less)" x="[\d.]+" width="([\d.]+)"', table)]
    assert len(widths) == 4
    assert 0 < max(widths) <= 50
    assert table.count('class="more"') == (found.ensemble.contributions[:, place] > 0).sum()


def test_a_bar_that_is_not_predicted_is_not_explained(make_service, world, symbol):
    candles = world.market.candles(symbol).between(world.last - 1_000 * HOUR_MS, world.last - 450 * HOUR_MS)
    with client(make_service({symbol: candles}, [symbol])) as http:
        page = http.get("/dashboard/market").text
        assert "There is no explanation of the newest bar: bars inside the training span" in page


def test_an_unknown_market_is_an_answer_with_the_close_match(http, symbol):
    wrong = symbol.removesuffix(":USDT")
    page = http.get("/dashboard/market", params={"symbol": wrong}, headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert f"Did you mean &#39;{symbol}&#39;?" in page.text
    assert http.get("/dashboard/market/data", params={"symbol": wrong}).json()["error"]["found"]
    assert http.get("/dashboard/market/data").status_code == 422


def test_the_chart_is_drawn_and_follows_the_scheme(visit, symbol):
    page = visit(f"/dashboard/market?symbol={symbol}")
    page.locator("#chart canvas").first.wait_for()
    assert page.locator("#readout").inner_text().count(" · ") >= 5
    drawn = "[...document.querySelectorAll('#chart canvas')].map(each => each.toDataURL()).join()"
    light = page.evaluate(drawn)
    page.get_by_role("button", name="Switch between light and dark").click()
    page.wait_for_function(f"before => ({drawn}) !== before", arg=light)
    page.get_by_label("Market", exact=True).select_option(index=2)
    page.wait_for_url("**symbol=SYNC**")


def test_a_chart_that_cannot_be_loaded_says_so(visit, symbol):
    page = visit()
    page.route("**/market/data**", lambda route: route.fulfill(status=429, json=REFUSED))
    page.goto(page.url.replace("/dashboard", f"/dashboard/market?symbol={symbol}"))
    shown = page.locator("#chart-error")
    shown.wait_for(state="visible")
    assert shown.inner_text() == "The chart could not be loaded: too many requests. Try again in a second."
    visit.expected("429")


REFUSED = {"error": {"found": "too many requests", "remedy": "Try again in a second."}}


def test_hostile_names_are_drawn_as_text(browser, make_service, hostile_candles):
    service = make_service(hostile_candles, list(hostile_candles))
    with running(service) as base:
        visitor = Visitor(browser, base, token_of(service), 390, "dark")
        page = visitor.go("/dashboard")
        links = page.locator(".signals tbody th a").evaluate_all(
            "links => links.map(link => link.pathname + link.search)"
        )
        assert len(links) == len(hostile_candles)
        assert overflow(page) == 0
        for name, link in zip(sorted(hostile_candles), sorted(links), strict=True):
            page = visitor.go(link)
            page.locator("#chart canvas").first.wait_for()
            assert page.locator("h1 bdi").get_attribute("title") in hostile_candles
            assert overflow(page) == 0, name
        visitor.close()
